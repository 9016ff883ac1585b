"""The log's filter and the hub's page name every failure that an attempt can have."""

from collections.abc import Iterator
from pathlib import Path

from causeway.connections.call_log_listing import CallLogQuery
from causeway.outbound.failures import CallFailed
from causeway.platforms import failures, tokens  # noqa: F401 - they have failures too

ROOT = Path(__file__).parents[2]


def below(kind: type[CallFailed]) -> Iterator[type[CallFailed]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from below(inner)


def names() -> list[str]:
    """A call that failed before its first attempt is logged too, so each failure may be the error of a row."""
    return sorted(kind.__name__ for kind in below(CallFailed) if kind.__module__.startswith("causeway."))


def test_filter_takes_each_failure_and_no_other() -> None:
    schema = CallLogQuery.model_json_schema()["properties"]["error"]
    assert schema["enum"] == names()


def test_page_names_each_failure() -> None:
    page = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
    assert [name for name in names() if f"`{name}`" not in page] == []
