"""The files that tell others where the stack is."""

import json
import shlex
from collections.abc import Iterable
from pathlib import Path

from local.template.reading import Function

STACK = "stack.json"
SAM_ENVIRONMENT = "sam-env.json"
SAM_SHELL = "sam.sh"


def sam_environment(functions: Iterable[Function]) -> dict[str, dict[str, str]]:
    """The content of a file for `sam local --env-vars`: what all functions share, then each one's own.

    Source: AWS SAM developer guide, "Environment variable file" (serverless-sam-cli-using-invoke).
    """
    variables = {function.logical_id: dict(function.environment) for function in functions}
    shared = set.intersection(*(set(own.items()) for own in variables.values())) if variables else set()
    own = {name: dict(sorted(set(given.items()) - shared)) for name, given in variables.items()}
    return {"Parameters": dict(sorted(shared)), **own}


def sam_shell(endpoint_url: str, session_token: str) -> str:
    """The content of a file for a shell to read before `sam local`: it makes sam use this stack and not AWS.

    sam hands its credentials on to the function; the session token is what the secrets extension asks for.
    """
    variables = {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": session_token,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": endpoint_url,
        "SAM_CLI_TELEMETRY": "0",
    }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def running_at(state_folder: Path) -> str:
    """Where the stack of a state folder is, "" while it starts."""
    try:
        return str(json.loads((state_folder / STACK).read_text())["base_url"])
    except (OSError, ValueError, KeyError):
        return ""


def forget(state_folder: Path) -> None:
    """Removes the files that tell of a stack which runs no more."""
    for name in (STACK, SAM_ENVIRONMENT, SAM_SHELL):
        (state_folder / name).unlink(missing_ok=True)


def as_json(value: object) -> str:
    """A value as a person reads it."""
    return json.dumps(value, indent=2) + "\n"


def write_private(path: Path, content: str) -> None:
    """Writes a file that only its owner may read: it holds the passwords of this run."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(content)
