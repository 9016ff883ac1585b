"""The files that tell others where the stack is."""

import json
from collections.abc import Iterable
from pathlib import Path

from local.template import Function


def sam_environment(functions: Iterable[Function]) -> dict[str, dict[str, str]]:
    """The content of a file for `sam local --env-vars`: what all functions share, then each one's own.

    Source: AWS SAM developer guide, "Environment variable file" (serverless-sam-cli-using-invoke).
    """
    variables = {function.logical_id: dict(function.environment) for function in functions}
    shared = set.intersection(*(set(own.items()) for own in variables.values())) if variables else set()
    own = {name: dict(sorted(set(given.items()) - shared)) for name, given in variables.items()}
    return {"Parameters": dict(sorted(shared)), **own}


def write_private(path: Path, value: object) -> None:
    """Writes JSON to a file that only its owner may read: it holds the passwords of this run."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(value, indent=2) + "\n")
