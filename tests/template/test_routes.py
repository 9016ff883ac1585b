"""Every route is declared beside its function, and the template has the same routes."""

import re
from pathlib import Path

import pytest

from local import ROOT
from local.template.reading import load
from tools.openapi import functions
from tools.openapi.functions import Undeclared

TOY = Path(__file__).parent / "toy_functions"


def test_function_file_declares_its_routes_of_the_template() -> None:
    parameters = {"Stage": "local", "TokenIssuer": "https://issuer.invalid", "DatabaseHost": "nowhere"}
    in_template = {
        function.code_folder / f"{function.handler.partition('.')[0]}.py": {route.key for route in function.routes}
        for function in load(ROOT / "template.yaml", parameters)
    }
    in_files: dict[Path, set[str]] = {file: set() for file in in_template}
    for operation in functions.every(ROOT / "functions"):
        in_files.setdefault(Path(str(operation.module.__file__)), set()).add(operation.declaration.key)

    assert in_files == in_template


# Powertools warns of some routes that are registered twice, but not of all.
@pytest.mark.filterwarnings("ignore:A route like this was already registered")
@pytest.mark.parametrize(
    ("folder", "named"),
    [
        ("bare", "greetings/bare.py: GET /greetings/{name} has no declaration: "),
        ("hidden", "greetings/hidden.py: GET /greetings has no declaration: "),
        ("renamed", "greetings/renamed.py: resolver is a resolver: "),
        ("twice", "greetings/twice.py: GET /greetings is declared twice"),
    ],
)
def test_route_without_one_declaration_is_named_with_its_file(folder: str, named: str) -> None:
    with pytest.raises(Undeclared, match=re.escape(named)):
        functions.every(TOY / folder)
