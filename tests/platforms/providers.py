"""A document of the catalogue as a row of the database."""

from datetime import UTC, datetime
from typing import Any

from causeway.catalogue.document import TemplateDraft
from causeway.catalogue.providers import Provider

_THEN = datetime(2026, 1, 31, tzinfo=UTC)


def released(document: dict[str, Any]) -> Provider:
    """Return the row that a release makes of a file of the catalogue."""
    return row(**TemplateDraft.of_file(document).columns())


def row(**columns: Any) -> Provider:
    """Return a row of a release with these columns."""
    state = {"oauth": None, "is_active": True, "changed_by_admin": False, "version": 1, "created_by": None}
    values: dict[str, Any] = {**state, "created_at": _THEN, "updated_at": _THEN, **columns}
    return Provider(**values)
