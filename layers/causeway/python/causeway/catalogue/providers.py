"""The rows of the catalogue's providers, which the API calls templates: found, listed, written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, LiteralString, cast

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from causeway.catalogue import terms
from causeway.database.paging import KeyColumn, PagedSelect, Shown
from causeway.database.postgres import Transaction
from causeway.errors.catalogue import ProviderNotFound
from causeway.errors.requests import NameTaken, VersionMismatch
from causeway.wire.pages import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A platform that tenants connect to. Its parts are JSON as it was sent, in the names of the catalogue's files.

    Attributes:
        base_urls: by environment (production, sandbox); None: each connection has its own base_url.
        rate_limits: requests by window (minute, hour, day, month).
        authentication: how each call is authenticated (causeway.catalogue.authentication).
        health_call: the cheapest call that shows that the credentials are valid.
        oauth: how a person authorizes a connection (causeway.catalogue.oauth); None: not by OAuth.
        created_by: the subject of the super admin who added it; None: it came with a release.
        updated_at: of the last change by a super admin, or by a release whose file differs from the row.
    """

    key: str
    kind: str
    display_name: str
    description: str
    icon: str | None
    config_schema: dict[str, Any]
    setup_instructions: str
    documentation_url: str | None
    base_urls: dict[str, str | None]
    api_version: str | None
    webhook_support: bool
    webhook_url: str | None
    rate_limits: dict[str, int]
    authentication: dict[str, Any]
    health_call: dict[str, Any]
    oauth: dict[str, Any] | None
    is_active: bool
    changed_by_admin: bool
    version: int
    created_by: str | None
    created_at: datetime
    updated_at: datetime

    def terms(self, environment: str) -> list[Any]:
        """Return the arguments of terms.digest: all that decides where a connection's secrets are sent."""
        base_url = self.base_urls.get(environment)
        return [base_url, self.authentication, self.health_call, self.config_schema, self.oauth]

    def terms_digest(self, environment: str) -> bytes:
        """Return the digest of the terms that a tenant agrees to with its secrets for this environment."""
        return terms.digest(*self.terms(environment))


_STATE: tuple[LiteralString, ...] = (
    *("is_active", "changed_by_admin", "version", "created_by", "created_at", "updated_at"),
)
# The columns that a template's document sets, beside its key. All other lists of columns are made from this list.
COLUMNS: tuple[LiteralString, ...] = tuple(
    cast("LiteralString", field.name) for field in fields(Provider) if field.name not in ("key", *_STATE)
)
_NAMES: LiteralString = ", ".join(COLUMNS)
_PARAMETERS: LiteralString = ", ".join([f"%({name})s" for name in COLUMNS])
_ASSIGNMENTS: LiteralString = ", ".join([f"{name} = %({name})s" for name in COLUMNS])
_PREFIX: LiteralString = "provider__"
# All columns of a provider `p`, for a statement that reads it together with another row.
BESIDE: LiteralString = ", ".join(
    [f"p.provider_key AS {_PREFIX}key", *(f"p.{name} AS {_PREFIX}{name}" for name in (*COLUMNS, *_STATE))]
)
_FROM: LiteralString = "FROM integration_providers"
_SELECT: LiteralString = f"SELECT provider_key AS key, {_NAMES}, {', '.join(_STATE)} {_FROM}"
_FILTER: LiteralString = """
    (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(active)s::boolean IS NULL OR is_active = %(active)s)
"""
# In the order of the keys.
PAGES = PagedSelect("templates", _SELECT, _FILTER, (KeyColumn("provider_key", str, "key"),))
_INTO: LiteralString = "INSERT INTO integration_providers AS p"
INSERT: LiteralString = f"""
    {_INTO} (provider_key, {_NAMES}, changed_by_admin, created_by)
    VALUES (%(key)s, {_PARAMETERS}, %(changed_by_admin)s, %(created_by)s)
"""
_UPDATE: LiteralString = "UPDATE integration_providers"


def split_row(row: Any) -> tuple[dict[str, Any], Provider]:
    """Return the other columns of a row that has BESIDE, and its provider."""
    columns = row._asdict()
    beside = {name: columns.pop(name) for name in tuple(columns) if name.startswith(_PREFIX)}
    return columns, Provider(**{name.removeprefix(_PREFIX): value for name, value in beside.items()})


def as_row(columns: Mapping[str, Any], created_by: str | None) -> dict[str, Any]:
    """Return the parameters of INSERT.

    Args:
        columns: as TemplateDraft.columns returns them.
        created_by: the subject of the super admin; None: a file of the release. No later file changes the row of a
            super admin.
    """
    return _written(columns) | {"changed_by_admin": created_by is not None, "created_by": created_by}


def _written(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Jsonb(value) if isinstance(value, dict) else value for name, value in columns.items()}


def find(transaction: Transaction, key: str) -> Provider:
    """Return a provider, active or not.

    Raises:
        ProviderNotFound: no provider has this key.
    """
    with transaction.cursor(row_factory=class_row(Provider)) as cursor:
        provider = cursor.execute(
            f"""
            {_SELECT}
            WHERE provider_key = %s
            """,
            [key],
        ).fetchone()
    if provider is None:
        raise ProviderNotFound
    return provider


def page(
    transaction: Transaction,
    wanted: PageRequest,
    filters: Mapping[str, Any],
    shown: Callable[[Provider], Shown],
) -> Page[Shown]:
    """Return a page of the providers, in the order of their keys.

    Args:
        transaction: a transaction of the hub's.
        wanted: of PAGES.listing.
        filters: kind: only providers of this kind; active: True: only active ones, False: only inactive ones. None
            selects all.
        shown: returns a provider as it is answered.
    """
    return PAGES.page(transaction, wanted, lambda row: shown(Provider(**row._asdict())), filters)


def create(transaction: Transaction, columns: Mapping[str, Any], created_by: str) -> Provider:
    """Insert a super admin's provider; no file of a later release changes it.

    Args:
        transaction: a transaction whose causeway.role is super_admin; the database refuses any other.
        columns: as TemplateDraft.columns returns them.
        created_by: the super admin's subject.

    Raises:
        NameTaken: a provider has this key.
    """
    row = transaction.execute(
        f"""
        {INSERT}
        ON CONFLICT (provider_key) DO NOTHING
        RETURNING provider_key
        """,
        as_row(columns, created_by),
    ).fetchone()
    if row is None:
        raise NameTaken("There is already a template with this id")
    return find(transaction, columns["key"])


def change(transaction: Transaction, before: Provider, columns: Mapping[str, Any]) -> Provider:
    """Replace the document of a provider for a super admin. From then on, files of later releases do not change it.

    Args:
        transaction: as for create.
        before: the provider that the change was made from.
        columns: as TemplateDraft.columns returns them, with the same key.

    Raises:
        VersionMismatch: the provider was changed since.
    """
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET {_ASSIGNMENTS}, changed_by_admin = true, version = version + 1, updated_at = now()
        WHERE provider_key = %(key)s AND version = %(before)s
        RETURNING version, updated_at
        """,
        _written(columns) | {"before": before.version},
    ).fetchone()
    if row is None:
        raise VersionMismatch
    version, updated_at = row
    return replace(before, **columns, changed_by_admin=True, version=version, updated_at=updated_at)


def set_active(transaction: Transaction, before: Provider, *, active: bool) -> Provider:
    """Activate or deactivate a provider for a super admin; files of later releases do not change this.

    Args:
        transaction: as for create.
        before: the provider that the change was made from.
        active: whether new connections to it may be created.

    Raises:
        VersionMismatch: the provider was changed since.
    """
    row = transaction.execute(
        """
        UPDATE integration_providers SET is_active = %s, version = version + 1, updated_at = now()
        WHERE provider_key = %s AND version = %s
        RETURNING version, updated_at
        """,
        [active, before.key, before.version],
    ).fetchone()
    if row is None:
        raise VersionMismatch
    version, updated_at = row
    return replace(before, is_active=active, version=version, updated_at=updated_at)
