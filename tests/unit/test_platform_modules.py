"""Platforms' code keeps to its folders, and each module there has the functions that its Protocol declares."""

import ast
import inspect
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from textwrap import dedent
from typing import Any, get_type_hints

import pytest

from causeway.platforms import kinds
from causeway.platforms.code_exchange import Exchange, Granted
from causeway.platforms.open_account import OpenAccount
from tests.findings import none_of
from tests.unit.platform_folders import PLATFORMS, TOY, folders, loaded

ROOT = Path(__file__).parents[2]
PACKAGE = "causeway.platforms"


def protocols() -> dict[str, type]:
    """The Protocol of each module of kinds/, by the module's name."""
    modules = [import_module(f"{kinds.__name__}.{module.name}") for module in iter_modules(kinds.__path__)]
    return {
        module.__name__.rpartition(".")[2]: kind
        for module in modules
        for kind in vars(module).values()
        if getattr(kind, "_is_protocol", False) and kind.__module__ == module.__name__
    }


PROTOCOLS = protocols()


def signature(function: Callable[..., Any]) -> str:
    """The names and types of the parameters, without self, and the type of the result."""
    # A Protocol imports it for type checkers only.
    hints = get_type_hints(function, localns={"OpenAccount": OpenAccount, "Exchange": Exchange, "Granted": Granted})
    own = [one for one in inspect.signature(function).parameters.values() if one.name != "self"]
    shown = [f"{one.replace(annotation=inspect.Parameter.empty)}: {hints.get(one.name)}" for one in own]
    return f"({', '.join(shown)}) -> {hints.get('return')}"


def as_written(function: Callable[..., Any]) -> str:
    """The names and types of the parameters, without self, and the type of the result, as the source has them."""
    if getattr(function, "__name__", "") == "<lambda>":
        return str(inspect.signature(function))
    [node] = ast.parse(dedent(inspect.getsource(function))).body
    assert isinstance(node, ast.FunctionDef)
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(node.args).removeprefix('self, ')}){result}"


def plain(function: Callable[..., Any]) -> bool:
    """Whether a call runs the function: it does not only make a coroutine or a generator."""
    lazy = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return not any(is_lazy(function) for is_lazy in lazy)


def faults(file: Path, kind: type) -> Iterator[str]:
    """What is wrong with a platform's module, by its Protocol: a line each, with the next step."""
    module, example = loaded(file), f"platforms/kinds/{file.name}"
    for name, wanted in inspect.getmembers(kind, inspect.isfunction):
        if name.startswith("_"):
            continue
        given = getattr(module, name, None)
        declared = f"{name}{as_written(wanted)}"
        if not inspect.isfunction(given):
            yield f"{file}: the function {name} is missing: add {declared}, as {kind.__name__} in {example} says"
        elif not plain(given):
            yield f"{file}: {name} is asynchronous or a generator: make it a function that returns its result"
        elif signature(given) != signature(wanted):
            is_now = f"{name}{as_written(given)}"
            yield f"{file}: {is_now} must be {declared}: copy it from {kind.__name__} in {example}"


def all_faults(root: Path) -> list[str]:
    files = [(folder / f"{name}.py", kind) for folder in folders(root) for name, kind in PROTOCOLS.items()]
    return [fault for file, kind in files if file.exists() for fault in faults(file, kind)]


def lost(root: Path) -> list[str]:
    """Modules that nothing finds, a line each: neither of a kind nor imported by another platform's module."""
    files = [file for folder in folders(root) for file in sorted(folder.glob("*.py")) if file.stem != "__init__"]
    imported = {name for file in files for name in imports_in(file)}
    own = [file for file in files if file.stem not in PROTOCOLS]
    return [
        f"{file}: nothing imports it: {expected_name(file.stem)}"
        for file in own
        if f"{PACKAGE}.{file.parent.name}.{file.stem}" not in imported
    ]


def expected_name(stem: str) -> str:
    """What a lost module should be called."""
    close = get_close_matches(stem, PROTOCOLS, 1)
    kinds_files = ", ".join(f"{name}.py" for name in sorted(PROTOCOLS))
    return f"call it {close[0]}.py" if close else f"import it in another module, or call it one of {kinds_files}"


def test_each_kind_has_one_protocol_in_its_own_module() -> None:
    assert PROTOCOLS.keys() == {module.name for module in iter_modules(kinds.__path__)}
    assert {"errors", "calendars", "messages", "sync"} <= PROTOCOLS.keys()


@pytest.mark.parametrize("root", [PLATFORMS, TOY], ids=["product", "toy"])
def test_modules_of_platforms_implement_their_protocols(root: Path) -> None:
    assert folders(root)
    none_of([*all_faults(root), *lost(root)])


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (
            "",
            "read_error is missing: add read_error(status: int, content: Mapping[str, Any]) -> Meaning | None, ",
        ),
        ("read_error = None", "the function read_error is missing"),
        ("def read_error(status): ...", "read_error(status) must be read_error(status: int, content: "),
        ("read_error = lambda status, content: None", "read_error(status, content) must be read_error("),
        ("async def read_error(status, content): ...", "read_error is asynchronous or a generator"),
        ("def read_error(status, content): yield", "read_error is asynchronous or a generator"),
        ("async def read_error(status, content): yield", "read_error is asynchronous or a generator"),
    ],
    ids=[
        "nothing",
        "no function",
        "a parameter less",
        "another type",
        "coroutine",
        "generator",
        "both",
    ],
)
def test_half_implemented_protocol_is_named_with_its_file(tmp_path: Path, source: str, fault: str) -> None:
    file = tmp_path / "toy" / "errors.py"
    file.parent.mkdir()
    file.write_text(source)

    [found] = all_faults(tmp_path)
    assert found.startswith(f"{file}: ")
    assert fault in found
    assert "causeway." not in found


@pytest.mark.parametrize(
    ("stem", "next_step"),
    [("mesages", "call it messages.py"), ("message", "call it messages.py"), ("error", "call it errors.py")],
)
def test_misspelt_module_is_named_with_its_right_name(tmp_path: Path, stem: str, next_step: str) -> None:
    """A text that is the module's name does not import it."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / f"{stem}.py").write_text(f"from causeway.platforms.toy import signing\nFIELD = {stem!r}")
    (folder / "signing.py").touch()

    assert lost(tmp_path) == [f"{folder / stem}.py: nothing imports it: {next_step}"]


def test_module_of_its_own_that_nothing_imports_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "signing.py").touch()

    [found] = lost(tmp_path)
    assert found.startswith(
        f"{folder / 'signing.py'}: nothing imports it: import it in another module, or call it one of "
    )


def imports_in(file: Path) -> set[str]:
    """The modules that a file imports, each with its packages."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


# The examples of a field, which the API's document shows: an example of a template's id is the id of one.
EXAMPLES = re.compile(r"\bexamples=\[[^\n]*?\](?=[,)\n])")


def texts_in(file: Path) -> set[str]:
    """The texts that stand in a file, without the examples of fields."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    examples = [node for node in nodes if isinstance(node, ast.keyword) and node.arg == "examples"]
    shown = {inner for example in examples for inner in ast.walk(example)}
    texts = [node for node in nodes if isinstance(node, ast.Constant) and node not in shown]
    return {node.value for node in texts if isinstance(node.value, str)}


def test_kinds_are_below_what_uses_them() -> None:
    """A Protocol may name an open account as a type; loading it loads none."""
    modules = " ".join(f"import {kinds.__name__}.{name};" for name in PROTOCOLS)
    script = f"import sys; {modules} print(*(name for name in sys.modules if name.startswith('causeway.platforms.')))"
    root = PLATFORMS.parents[1]
    printed = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)

    beside = {name for name in printed.stdout.split() if not name.startswith(kinds.__name__)}
    assert beside == set()


def test_contract_names_each_module_that_is_no_platforms() -> None:
    """The contract of import-linter cannot be exhaustive: it would have to name the platforms."""
    [contract] = [
        one
        for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        if one.get("containers") == ["causeway.platforms"]
    ]
    named = {name for layer in contract["layers"] for name in layer.split(" | ")}

    assert named | {"__init__", "vendors"} == {file.stem for file in PLATFORMS.glob("*.py")} | {"kinds", "vendors"}


def test_platforms_code_is_found_by_its_folder_alone() -> None:
    """No list of platforms and no import of one outside its folder, neither in the layer nor in a function."""
    keys = {file.stem for file in (ROOT / "schema" / "catalogue").glob("[!_]*.json")}
    telling = keys | {f"causeway.platforms.{key}" for key in keys}
    files = [file for top in ("layers/causeway/python", "functions") for file in (ROOT / top).rglob("*.py")]
    elsewhere = [file for file in files if not keys & {part.name for part in file.parents if part.parent == PLATFORMS}]

    assert len(keys) >= 23
    none_of(f"{file}: {name}" for file in elsewhere for name in (imports_in(file) | texts_in(file)) & telling)


def test_text_outside_a_platforms_folder_names_no_platform() -> None:
    """Comments and docstrings too: what is said of one platform stands in its folder. Fields may have it as example."""
    catalogue = (ROOT / "schema" / "catalogue").glob("[!_]*.json")
    names = [name for file in catalogue for name in (file.stem, json.loads(file.read_bytes())["display_name"])]
    named = re.compile("|".join(rf"\b{re.sub('[ _]', '[ _-]?', name)}\b" for name in names), re.IGNORECASE)
    files = [file for top in ("layers/causeway/python", "functions", "tools") for file in (ROOT / top).rglob("*.py")]
    files += [ROOT / "template.yaml", *(ROOT / "schema").glob("*.sql")]
    shared = [PLATFORMS / name for name in ("", "kinds")]
    elsewhere = [file for file in files if PLATFORMS not in file.parents or file.parent in shared]

    assert named.search("The GoHighLevel calendars")
    none_of(f"{file}: {found[0]}" for file in elsewhere for found in named.finditer(EXAMPLES.sub("", file.read_text())))
