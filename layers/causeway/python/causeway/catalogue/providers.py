"""The catalogue of integration providers, which the API calls templates: found, listed, changed by super admins."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, LiteralString, Self

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from causeway.catalogue import config_schema, document_rules, secret_fields, terms, validation
from causeway.errors.catalogue import ProviderNotFound
from causeway.errors.requests import InvalidRequest, NameTaken, VersionMismatch
from causeway.errors.service import Misconfigured
from causeway.wire.pages import Listing, Page, PageRequest

# In the order of the keys.
LISTING = Listing("templates", (str,))
_SHAPE = "_provider.schema.json"
# The columns that a provider's document sets, beside provider_key, which is its key. Every other list of these columns
# is made from this one; each column has a field in Provider, and a property in the shape.
COLUMNS: tuple[LiteralString, ...] = (
    "kind",
    "display_name",
    "description",
    "icon",
    "config_schema",
    "setup_instructions",
    "documentation_url",
    "base_urls",
    "api_version",
    "webhook_support",
    "rate_limits",
    "authentication",
    "health_call",
)
_NAMES: LiteralString = ", ".join(COLUMNS)
_PARAMETERS: LiteralString = ", ".join([f"%({name})s" for name in COLUMNS])
_ASSIGNMENTS: LiteralString = ", ".join([f"{name} = %({name})s" for name in COLUMNS])
_FROM: LiteralString = "FROM integration_providers"
_SELECT: LiteralString = f"SELECT provider_key AS key, {_NAMES}, is_active, changed_by_admin, version {_FROM}"
_INTO: LiteralString = "INSERT INTO integration_providers AS p"
INSERT: LiteralString = f"""
    {_INTO} (provider_key, {_NAMES}, changed_by_admin) VALUES (%(key)s, {_PARAMETERS}, %(changed_by_admin)s)
"""
_UPDATE: LiteralString = "UPDATE integration_providers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A platform that tenants connect to; schema/catalogue/_provider.schema.json says what each field holds."""

    key: str
    kind: str
    display_name: str
    description: str
    config_schema: dict[str, Any]
    setup_instructions: str
    documentation_url: str | None
    # By environment: production, sandbox; None where the connection's own base_url says it.
    base_urls: dict[str, str | None]
    api_version: str | None
    webhook_support: bool
    # Requests by window: minute, hour, day, month.
    rate_limits: dict[str, int]
    # How each call proves who makes it.
    authentication: dict[str, Any]
    # The cheapest call that proves the credentials.
    health_call: dict[str, Any]
    # The data of an SVG path, 24 by 24.
    icon: str | None = None
    is_active: bool = True
    changed_by_admin: bool = False
    version: int = 1

    @classmethod
    def parse(cls, document: dict[str, Any], shape: dict[str, Any]) -> Self:
        """Make a provider of a JSON document.

        Args:
            document: the provider, without is_active and version, which it cannot set.
            shape: what read_shape returns.

        Raises:
            InvalidRequest: it has not the shape, or refers to a field it cannot; the sentence names the path.
            ConfigSchemaInvalid: its config_schema is not one that config_schema.check takes.
        """
        wrong = validation.problems(shape, document, "provider")
        if wrong:
            raise InvalidRequest("; ".join(wrong[:3]))
        config_schema.check(document["config_schema"])
        document_rules.check(document)
        return cls(**{name: value for name, value in document.items() if name != "$comment"})

    def sent(self, environment: str) -> list[Any]:
        """Return what terms.digest takes: all that decides where a connection's secrets go."""
        return [self.base_urls.get(environment), self.authentication, self.health_call, self.config_schema]

    def terms(self, environment: str) -> bytes:
        """Return what a tenant agrees to that gives secrets for an environment: the digest of what is sent."""
        return terms.digest(*self.sent(environment))


def read_shape(folder: Path) -> dict[str, Any]:
    """Return the JSON Schema that a provider's document has to fit.

    Args:
        folder: the schema folder's catalogue/.

    Raises:
        Misconfigured: the file is missing.
    """
    try:
        return json.loads((folder / _SHAPE).read_bytes())
    except FileNotFoundError as error:
        raise Misconfigured(cause=f"{folder / _SHAPE} is missing: the schema layer has it") from error


def as_row(provider: Provider) -> dict[str, Any]:
    """Return a provider's fields by name, as they are written into its row."""
    return {name: Jsonb(value) if isinstance(value, dict) else value for name, value in asdict(provider).items()}


def find(connection: Connection[Any], key: str) -> Provider:
    """Return a provider, active or not.

    Raises:
        ProviderNotFound: there is none of that key.
    """
    with connection.cursor(row_factory=class_row(Provider)) as cursor:
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
    connection: Connection[Any], wanted: PageRequest, *, kind: str | None = None, active: bool | None = None
) -> Page[Provider]:
    """Return a page of the providers, in the order of their keys.

    Args:
        connection: a transaction of the hub's.
        wanted: of LISTING.
        kind: only those of this kind.
        active: only those that are, or are not.
    """
    [after] = wanted.after or [None]
    with connection.cursor(row_factory=class_row(Provider)) as cursor:
        found = cursor.execute(
            f"""
            {_SELECT}
            WHERE (%(after)s::text IS NULL OR provider_key > %(after)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
                AND (%(active)s::boolean IS NULL OR is_active = %(active)s)
            ORDER BY provider_key
            LIMIT %(limit)s + 1
            """,
            {"after": after, "kind": kind, "active": active, "limit": wanted.limit},
        ).fetchall()
    return wanted.page(found, lambda provider: (provider.key,))


def create(connection: Connection[Any], provider: Provider) -> Provider:
    """Add a super admin's provider to the catalogue; no file of a later release changes it.

    Args:
        connection: a transaction whose causeway.role is super_admin; the database refuses any other.
        provider: what Provider.parse made of the document.

    Raises:
        NameTaken: there is one of that key.
    """
    row = connection.execute(
        f"""
        {INSERT}
        ON CONFLICT (provider_key) DO NOTHING
        RETURNING provider_key
        """,
        as_row(replace(provider, changed_by_admin=True)),
    ).fetchone()
    if row is None:
        raise NameTaken(f"There is already a provider with the key {provider.key}")
    return find(connection, provider.key)


def change(
    connection: Connection[Any], key: str, changes: dict[str, Any], version: int, shape: dict[str, Any]
) -> Provider:
    """Replace fields of a provider for a super admin; files of later releases leave it alone from then on.

    Args:
        connection: as for create.
        key: the provider's, which stays.
        changes: fields of the document by name; each replaces the whole field.
        version: the one the change was made from.
        shape: what read_shape returns.

    Raises:
        ProviderNotFound: there is none of that key.
        VersionMismatch: it was changed since.
        InvalidRequest, ConfigSchemaInvalid: as Provider.parse, and for a secret field that would be secret no more.
    """
    before = find(connection, key)
    if before.version != version:
        raise VersionMismatch
    if changes.get("key", key) != key:
        raise InvalidRequest("key cannot be changed")
    document = {name: getattr(before, name) for name in ("key", *COLUMNS)}
    after = Provider.parse(document | changes, shape)
    secret_fields.check_unchanged(before.config_schema, after.config_schema)
    row = connection.execute(
        f"""
        {_UPDATE}
        SET {_ASSIGNMENTS}, changed_by_admin = true, version = version + 1, updated_at = now()
        WHERE provider_key = %(key)s AND version = %(before)s
        RETURNING version
        """,
        as_row(after) | {"before": version},
    ).fetchone()
    if row is None:
        raise VersionMismatch
    return replace(after, is_active=before.is_active, changed_by_admin=True, version=version + 1)


def set_active(connection: Connection[Any], key: str, version: int, *, active: bool) -> Provider:
    """Activate or deactivate a provider for a super admin; files of later releases change neither.

    Args:
        connection: as for create.
        key: the provider's.
        version: the one the change was made from.
        active: whether new connections may be made to it.

    Raises:
        ProviderNotFound: there is none of that key.
        VersionMismatch: it was changed since.
    """
    before = find(connection, key)
    row = connection.execute(
        """
        UPDATE integration_providers SET is_active = %s, version = version + 1, updated_at = now()
        WHERE provider_key = %s AND version = %s
        RETURNING version
        """,
        [active, key, version],
    ).fetchone()
    if row is None:
        raise VersionMismatch
    return replace(before, is_active=active, version=version + 1)
