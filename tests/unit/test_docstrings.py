"""Docstrings that list parameters list all of the signature's, and no others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("layers/causeway/python/causeway", "functions", "local", "tools", "benchmarks")
_ARGS = re.compile(r"^Args:\n((?: .*\n?|\n)*)", re.MULTILINE)
# One name, or several with commas between them, before a colon.
_NAMES = re.compile(r"^ {4}(\*{0,2}\w+(?:, \*{0,2}\w+)*): ", re.MULTILINE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def described(function: Function) -> set[str] | None:
    """The parameters that a docstring lists; None if it has no list."""
    found = _ARGS.search(ast.get_docstring(function) or "")
    return found and {name.strip(" *") for names in _NAMES.findall(found[1]) for name in names.split(",")}


def parameters(function: Function) -> set[str]:
    """The parameters of a signature, without self, cls, and those that are ignored (_)."""
    own = function.args
    every = [*own.posonlyargs, *own.args, *own.kwonlyargs, *(one for one in (own.vararg, own.kwarg) if one)]
    return {one.arg for one in every if one.arg not in ("self", "cls") and not one.arg.startswith("_")}


def wrong(source: str) -> Iterator[str]:
    """The functions whose docstring lists other parameters than the signature has, with their lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            listed = described(node)
            if listed is not None and listed != parameters(node):
                yield f"line {node.lineno}: {node.name}: {', '.join(sorted(listed ^ parameters(node)))}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_docstring_lists_the_parameters_of_its_function(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))

    assert files
    assert [f"{file}: {line}" for file in files for line in wrong(file.read_text(encoding="utf-8"))] == []


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
