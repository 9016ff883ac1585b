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


@pytest.mark.parametrize(
    ("folder", "named"),
    [
        ("bare", "greetings/bare.py: app: a function file has one App of causeway.edge.routes, "),
        ("renamed", "greetings/renamed.py: routes: a function file has one App of causeway.edge.routes, "),
        ("twice", "greetings/twice.py: GET /greetings is declared twice"),
    ],
)
def test_route_without_one_declaration_is_named_with_its_file(folder: str, named: str) -> None:
    with pytest.raises(Undeclared, match=re.escape(named)):
        functions.every(TOY / folder)
