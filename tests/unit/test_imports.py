"""Every module of functions/, layers/, local/, tools/ and benchmarks/ can be imported by the Python that runs this.

.ci/run runs this with the oldest supported Python: some code imports only in newer versions (since 3.12 a dataclass
accepts more kinds of default values).
"""

import ast
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from tests.findings import none_of

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "layers" / "causeway" / "python"


def modules() -> list[str]:
    """The dotted name of every module of the packages."""
    files = [(PACKAGES, file) for file in PACKAGES.rglob("*.py")]
    files += [(ROOT, file) for folder in ("local", "tools", "benchmarks") for file in (ROOT / folder).rglob("*.py")]
    return sorted(".".join(file.relative_to(root).with_suffix("").parts) for root, file in files)


@pytest.mark.parametrize("name", modules())
def test_module_can_be_imported(name: str) -> None:
    import_module(name.removesuffix(".__init__"))


@pytest.mark.parametrize("file", sorted(PACKAGES.rglob("__init__.py")), ids=lambda file: file.parent.name)
def test_init_of_a_package_is_one_docstring(file: Path) -> None:
    """A function loads only the modules that it imports by name."""
    [docstring] = ast.parse(file.read_text()).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(docstring.value, ast.Constant)


def imported(file: Path) -> set[str]:
    """The modules that a file imports from, and those that it imports."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return names | {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}


def test_no_test_file_is_imported() -> None:
    """What several test files use is a module beside them: otherwise a change of one file's tests breaks another."""
    files = sorted((ROOT / "tests").rglob("*.py"))

    assert len(files) > 100
    none_of(f"{file}: {name}" for file in files for name in imported(file) if ".test_" in name)


# Lambda imports a function by its file; the folder is not a package.
@pytest.mark.parametrize(
    "file", sorted((ROOT / "functions").rglob("*.py")), ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_function_can_be_imported(file: Path) -> None:
    spec = spec_from_file_location(f"imported_{file.parent.name}_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.handler)
