"""Docstrings list all parameters of the signature, and no others; of a class, only attributes that it has.

The attributes and parameters of a class are in lists, not within its text.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.findings import none_of

ROOT = Path(__file__).parents[2]
FOLDERS = ("layers/causeway/python/causeway", "functions", "local", "tools", "benchmarks")
_LIST = r"^{}:\n((?: .*\n?|\n)*)"
# One name, or several with commas between them, before a colon.
_NAMES = re.compile(r"^ {4}(\*{0,2}\w+(?:, \*{0,2}\w+)*): ", re.MULTILINE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def described(node: Function | ast.ClassDef, title: str) -> set[str] | None:
    """The names that a docstring lists under a title; None if it has no such list."""
    found = re.search(_LIST.format(title), ast.get_docstring(node) or "", re.MULTILINE)
    return found and {name.strip(" *") for names in _NAMES.findall(found[1]) for name in names.split(",")}


def parameters(function: Function) -> set[str]:
    """The parameters of a signature, without self, cls, and those that are ignored (_)."""
    own = function.args
    every = [*own.posonlyargs, *own.args, *own.kwonlyargs, *(one for one in (own.vararg, own.kwarg) if one)]
    return {one.arg for one in every if one.arg not in ("self", "cls") and not one.arg.startswith("_")}


def attributes(node: ast.ClassDef) -> set[str]:
    """The fields of a class, its properties, and what its methods assign to self."""
    fields = {one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)}
    functions = {one.name for one in node.body if isinstance(one, Function)}
    assigned = {
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self"
    }
    return fields | functions | assigned


def arguments(node: ast.ClassDef) -> set[str]:
    """The parameters of a class's __init__."""
    return {
        name
        for one in node.body
        if isinstance(one, ast.FunctionDef) and one.name == "__init__"
        for name in parameters(one)
    }


def within_text(node: ast.ClassDef) -> set[str]:
    """The fields and parameters that a class explains in its text, as `name: ...`, and not in a list."""
    text = re.split(r"^(?:Args|Attributes|Raises):$", ast.get_docstring(node) or "", flags=re.MULTILINE)[0]
    known = arguments(node) | {
        one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }
    return known & set(re.findall(r"(?:^|[.,] |and )(\w+):\s", text, re.MULTILINE))


def wrong(source: str) -> Iterator[str]:
    """The names that a docstring lists and its function or class has not, or that it lacks, with their lines."""
    for node in ast.walk(ast.parse(source)):
        names: set[str] = set()
        if isinstance(node, Function):
            listed = described(node, "Args")
            names = set() if listed is None else listed ^ parameters(node)
        elif isinstance(node, ast.ClassDef):
            listed = described(node, "Attributes")
            names = set() if listed is None else listed - attributes(node)
            listed = described(node, "Args")
            names |= set() if listed is None else listed ^ arguments(node)
            names |= within_text(node)
        if names and isinstance(node, Function | ast.ClassDef):
            yield f"line {node.lineno}: {node.name}: {', '.join(sorted(names))}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_docstring_lists_what_its_function_or_class_has(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))

    assert files
    none_of(f"{file}: {line}" for file in files for line in wrong(file.read_text(encoding="utf-8")))


def test_parameter_that_is_not_there_or_not_listed_is_found() -> None:
    docstring = (
        "Do it.",
        "",
        "    Args:",
        "        {}: x.",
        "            More: of it.",
        "",
        "    Returns:",
        "        d: y.",
    )
    source = 'def f(a, *, b=1, **c):\n    """{}\n    """\n'.format("\n".join(docstring))

    assert list(wrong(source.format("a, b, c"))) == []
    assert list(wrong(source.format("a, b, **c"))) == []
    assert list(wrong(source.format("a, b"))) == ["line 1: f: c"]
    assert list(wrong(source.format("a, b, c, e"))) == ["line 1: f: e"]


def test_attribute_that_is_not_there_is_found() -> None:
    source = 'class A:\n    """It.\n\n    Attributes:\n        {}: x.\n    """\n\n    b: int\n    c: int = 1\n'

    assert list(wrong(source.format("b"))) == []
    assert list(wrong(source.format("b, c"))) == []
    assert list(wrong(source.format("b, d"))) == ["line 1: A: d"]


def test_parameter_of_a_class_that_is_not_listed_is_found() -> None:
    source = 'class A:\n    """{}"""\n\n    def __init__(self, b, c):\n        pass\n'

    assert list(wrong(source.format("It."))) == []
    assert list(wrong(source.format("It.\n\n    Args:\n        b, c: x.\n    "))) == []
    assert list(wrong(source.format("It.\n\n    Args:\n        b: x.\n    "))) == ["line 1: A: c"]
    assert list(wrong(source.format("It. b: x."))) == ["line 1: A: b"]
