"""Rules of names that no type checker knows: ids are UUIDs, and a database connection is not called connection."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.findings import none_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "causeway" / "python" / "causeway"
# Ids that are uuid in the database.
IDS = {"tenant_id", "connection_id", "run_id", "row_id"}


def sources(*folders: Path) -> list[Path]:
    """The Python files of the folders, except those of the toy platform, which is a copy."""
    return [file for folder in folders for file in sorted(folder.rglob("*.py")) if "toy_platform" not in file.parts]


def annotations(file: Path) -> Iterator[tuple[int, str, str]]:
    """Line, name and annotation of every parameter and field."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.arg) and node.annotation is not None:
            yield node.lineno, node.arg, ast.unparse(node.annotation)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.lineno, node.target.id, ast.unparse(node.annotation)


def named_connection(file: Path) -> Iterator[int]:
    """The lines that call a connection of psycopg or a transaction `connection`."""
    for line, name, annotation in annotations(file):
        if name == "connection" and re.search(r"psycopg|Connection\[Any\]", annotation):
            yield line
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            opened = ast.unparse(node.context_expr)
            if node.optional_vars.id == "connection" and re.search(r"psycopg\.connect\(|transaction\(", opened):
                yield node.context_expr.lineno


@pytest.mark.parametrize("file", sources(PACKAGE), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_id_that_is_a_uuid_in_the_database_is_a_uuid_in_python(file: Path) -> None:
    """A text is parsed once, where it comes in, and written once, where it goes out."""
    # Id is the type of a UUID in models (causeway.wire.field_types).
    texts = [
        (line, name)
        for line, name, annotation in annotations(file)
        if name in IDS and not re.search(r"\b(UUID|Id)\b", annotation)
    ]
    casts = [found[0] for found in re.finditer(rf"\b(?:{'|'.join(IDS)})::text\b", file.read_text())]

    assert (texts, casts) == ([], [])


@pytest.mark.parametrize("folder", ["layers/causeway", "functions", "local", "tools", "benchmarks", "tests"])
def test_database_connection_is_called_database_or_transaction(folder: str) -> None:
    """The word connection is for a tenant's connection to a platform."""
    files = sources(ROOT / folder)

    none_of(f"{file.relative_to(ROOT)}:{line}" for file in files for line in named_connection(file))
