"""No statement of a function pins a connection of RDS Proxy.

The proxy gives a connection to one client alone once it has seen a statement that sets something, and cannot share it
any more. It does not see what a SQL function does: enter_tenant_v1 and others set the tenant.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-pinning.html
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.findings import none_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "causeway" / "python" / "causeway"
# A migration, and an audit that a person starts, may pin a connection for some minutes.
MAY_PIN = {PACKAGE / "migrations.py", PACKAGE / "catalogue" / "files.py", PACKAGE / "database" / "snapshots.py"}
PINS = re.compile(
    r"set_config\(|\A\s*(?:SET|DISCARD|PREPARE|LISTEN|DECLARE)\s|\bTEMP(?:ORARY)? TABLE\b|pg_advisory_lock"
)


def texts(source: Path) -> Iterator[tuple[int, str]]:
    """Every text of a module that is not a docstring, with its line; an inserted value is an x."""
    tree = ast.parse(source.read_text())
    parts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            parts |= {id(first.value) for first in node.body[:1] if isinstance(first, ast.Expr)}
        if isinstance(node, ast.JoinedStr):
            parts |= {id(part) for part in node.values}
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values),
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value


def found(sources: set[Path]) -> list[str]:
    return [
        f"{source.relative_to(ROOT)}:{line}" for source in sources for line, text in texts(source) if PINS.search(text)
    ]


def test_no_statement_of_a_function_pins_its_connection() -> None:
    sources = {*PACKAGE.rglob("*.py"), *(ROOT / "functions").rglob("*.py")}

    none_of(found(sources - MAY_PIN), "set it inside a SQL function in schema/")
    assert found({PACKAGE / "catalogue" / "files.py"}), "the pattern finds no set_config any more"
