"""The files in the stack's state folder that say where the stack is."""

import fcntl
import json
import shlex
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from local.account import REGION
from local.errors import StartError
from local.template.resources import Function

STACK = "stack.json"
SAM_ENVIRONMENT = "sam-env.json"
SAM_SHELL = "sam.sh"


def sam_environment(functions: Iterable[Function]) -> dict[str, dict[str, str]]:
    """Return the content of a file for `sam local --env-vars`: the variables of all functions, then those of each.

    Source: AWS SAM developer guide, "Environment variable file" (serverless-sam-cli-using-invoke).
    """
    variables = {function.logical_id: dict(function.environment) for function in functions}
    shared = set.intersection(*(set(own.items()) for own in variables.values())) if variables else set()
    own = {name: dict(sorted(set(given.items()) - shared)) for name, given in variables.items()}
    return {"Parameters": dict(sorted(shared)), **own}


def sam_shell(endpoint_url: str, session_token: str) -> str:
    """Return the content of a file for a shell to source before `sam local`: it makes sam use this stack and not AWS.

    sam passes its credentials on to the function, which sends the session token to the secrets extension.
    """
    variables = {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": session_token,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        "SAM_CLI_TELEMETRY": "0",
    }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


@contextmanager
def locked(state_folder: Path) -> Generator[None]:
    """Keep a state folder for one stack: make it, lock it, and remove the stack's files at the end.

    Raises:
        StartError: another stack uses the folder.
    """
    for folder in ("logs", "tmp"):
        (state_folder / folder).mkdir(parents=True, exist_ok=True)
    with (state_folder / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            address = _running_at(state_folder)
            running = f"runs already at {address}: use it" if address else "starts already: wait for it"
            raise StartError(f"a local stack {running}, or stop it with Ctrl-C ({state_folder})") from None
        # A stack that was killed leaves its files.
        _remove(state_folder)
        try:
            yield
        finally:
            _remove(state_folder)


def _running_at(state_folder: Path) -> str:
    """The base URL of the stack of a state folder, "" while the stack starts."""
    try:
        return str(json.loads((state_folder / STACK).read_text())["base_url"])
    except (OSError, ValueError, KeyError):
        return ""


def _remove(state_folder: Path) -> None:
    """Remove the files of a stack that runs no more."""
    for name in (STACK, SAM_ENVIRONMENT, SAM_SHELL):
        (state_folder / name).unlink(missing_ok=True)


def as_json(value: object) -> str:
    """Return a value as indented JSON."""
    return json.dumps(value, indent=2) + "\n"


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner may read: it holds the passwords of this run."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(content)
