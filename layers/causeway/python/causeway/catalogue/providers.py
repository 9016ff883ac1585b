"""The catalogue's providers, which the API calls templates: found, listed, and changed by super admins."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, LiteralString, Self

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from causeway.catalogue import config_schema, document_rules, secret_fields, terms, validation
from causeway.database.paging import PagedSelect
from causeway.database.postgres import Transaction
from causeway.errors.catalogue import ProviderNotFound
from causeway.errors.requests import InvalidRequest, NameTaken, VersionMismatch
from causeway.errors.service import Misconfigured
from causeway.wire.pages import Listing, Page, PageRequest

# In the order of the keys.
LISTING = Listing("templates", (str,))
_SHAPE = "_provider.schema.json"
# The columns that a provider's document sets, beside provider_key (the document's key). All other lists of columns are
# made from this list; each column has a field in Provider and a property in the shape.
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


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


# The fields that a template sets: name in the API -> name in the catalogue.
FIELDS = {"id": "key"} | {"category" if name == "kind" else _camel_case(name): name for name in COLUMNS}
_NAMES: LiteralString = ", ".join(COLUMNS)
_PARAMETERS: LiteralString = ", ".join([f"%({name})s" for name in COLUMNS])
_ASSIGNMENTS: LiteralString = ", ".join([f"{name} = %({name})s" for name in COLUMNS])
_FROM: LiteralString = "FROM integration_providers"
_SELECT: LiteralString = f"SELECT provider_key AS key, {_NAMES}, is_active, changed_by_admin, version {_FROM}"
_INTO: LiteralString = "INSERT INTO integration_providers AS p"
_FILTER: LiteralString = """
    (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(active)s::boolean IS NULL OR is_active = %(active)s)
"""
PAGES = PagedSelect(_SELECT, _FILTER, ("provider_key",))
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
    # By environment (production, sandbox); None: each connection has its own base_url.
    base_urls: dict[str, str | None]
    api_version: str | None
    webhook_support: bool
    # Requests by window: minute, hour, day, month.
    rate_limits: dict[str, int]
    # How each call is authenticated.
    authentication: dict[str, Any]
    # The cheapest call that shows that the credentials are valid.
    health_call: dict[str, Any]
    # The data of an SVG path, 24 by 24.
    icon: str | None = None
    is_active: bool = True
    changed_by_admin: bool = False
    version: int = 1

    @classmethod
    def parse(cls, document: dict[str, Any], shape: dict[str, Any]) -> Self:
        """Return the provider of a JSON document.

        Args:
            document: the provider, without is_active and version, which it cannot set.
            shape: what read_shape returns.

        Raises:
            InvalidRequest: the document breaks the shape or document_rules; the sentence names the path.
            ConfigSchemaInvalid: config_schema.check refuses its config_schema.
        """
        wrong = validation.problems(shape, document, "provider")
        if wrong:
            raise InvalidRequest("; ".join(wrong[:3]))
        config_schema.check(document["config_schema"])
        document_rules.check(document)
        return cls(**{name: value for name, value in document.items() if name != "$comment"})

    def as_json(self) -> dict[str, Any]:
        """Return the provider in the API's names."""
        shown = {name: getattr(self, field) for name, field in FIELDS.items()}
        return shown | {"name": self.key, "isActive": self.is_active, "version": self.version}

    def terms(self, environment: str) -> list[Any]:
        """Return the arguments of terms.digest: all that decides where a connection's secrets are sent."""
        return [self.base_urls.get(environment), self.authentication, self.health_call, self.config_schema]

    def terms_digest(self, environment: str) -> bytes:
        """Return the digest of the terms that a tenant agrees to with its secrets for this environment."""
        return terms.digest(*self.terms(environment))


def read_shape(folder: Path) -> dict[str, Any]:
    """Return the shape: the JSON Schema of a provider's document.

    Args:
        folder: the schema folder's catalogue/.

    Raises:
        Misconfigured: the file is missing, or is not valid JSON.
    """
    try:
        return json.loads((folder / _SHAPE).read_bytes())
    except FileNotFoundError as error:
        raise Misconfigured(cause=f"{folder / _SHAPE} is missing: the schema layer has it") from error
    except json.JSONDecodeError as error:
        raise Misconfigured(cause=f"{folder / _SHAPE}: not valid JSON: {error}") from error


def as_row(provider: Provider) -> dict[str, Any]:
    """Return a provider's fields by name, as parameters of SQL."""
    return {name: Jsonb(value) if isinstance(value, dict) else value for name, value in asdict(provider).items()}


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
    transaction: Transaction, wanted: PageRequest, *, kind: str | None = None, active: bool | None = None
) -> Page[Provider]:
    """Return a page of the providers, in the order of their keys.

    Args:
        transaction: a transaction of the hub's.
        wanted: of LISTING.
        kind: only providers of this kind.
        active: True: only active providers; False: only inactive ones.
    """
    rows = PAGES.fetch(transaction, wanted, {"kind": kind, "active": active})
    return wanted.page([Provider(**row._asdict()) for row in rows], lambda provider: (provider.key,), Provider.as_json)


def create(transaction: Transaction, provider: Provider) -> Provider:
    """Insert a super admin's provider; no file of a later release changes it.

    Args:
        transaction: a transaction whose causeway.role is super_admin; the database refuses any other.
        provider: as Provider.parse returned it.

    Raises:
        NameTaken: a provider has this key.
    """
    row = transaction.execute(
        f"""
        {INSERT}
        ON CONFLICT (provider_key) DO NOTHING
        RETURNING provider_key
        """,
        as_row(replace(provider, changed_by_admin=True)),
    ).fetchone()
    if row is None:
        raise NameTaken(f"There is already a provider with the key {provider.key}")
    return find(transaction, provider.key)


def change(
    transaction: Transaction, key: str, changes: dict[str, Any], version: int, shape: dict[str, Any]
) -> Provider:
    """Replace fields of a provider for a super admin. From then on, files of later releases do not change it.

    Args:
        transaction: as for create.
        key: the provider's; it cannot be changed.
        changes: fields of the document by name; each replaces the whole field.
        version: the version that the change was made from.
        shape: what read_shape returns.

    Raises:
        ProviderNotFound: no provider has this key.
        VersionMismatch: the provider was changed since this version.
        InvalidRequest, ConfigSchemaInvalid: as Provider.parse and secret_fields.check_unchanged.
    """
    before = find(transaction, key)
    if before.version != version:
        raise VersionMismatch
    if changes.get("key", key) != key:
        raise InvalidRequest("key cannot be changed")
    document = {name: getattr(before, name) for name in ("key", *COLUMNS)}
    after = Provider.parse(document | changes, shape)
    secret_fields.check_unchanged(before.config_schema, after.config_schema)
    row = transaction.execute(
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


def set_active(transaction: Transaction, key: str, version: int, *, active: bool) -> Provider:
    """Activate or deactivate a provider for a super admin; files of later releases do not change this.

    Args:
        transaction: as for create.
        key: the provider's.
        version: the version that the change was made from.
        active: whether new connections to it may be created.

    Raises:
        ProviderNotFound: no provider has this key.
        VersionMismatch: the provider was changed since this version.
    """
    before = find(transaction, key)
    row = transaction.execute(
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
