"""The API keys of a tenant's machines: created, listed, revoked. A key's text is shown once and never stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, Self
from uuid import UUID

from psycopg import errors as pg

from causeway.audit_log.entries import Action, record
from causeway.database.postgres import Transaction
from causeway.errors.requests import NameTaken
from causeway.errors.tenancy import ApiKeyNotFound
from causeway.tenancy import key_texts
from causeway.tenancy.context import RequestContext
from causeway.wire.fields import known_fields, parse_uuid
from causeway.wire.names import name_field
from causeway.wire.pages import Listing, Page
from causeway.wire.preconditions import Expected

# In the order of ApiKey's fields.
_COLUMNS: LiteralString = "key_id, name, channel, created_by, created_at, last_used_at, revoked_at, version"
_FROM: LiteralString = "FROM api_keys WHERE tenant_id = current_tenant()"
_SELECT: LiteralString = f"SELECT {_COLUMNS} {_FROM}"
_INSERT: LiteralString = "INSERT INTO api_keys (tenant_id, key_id, name, hash, channel, created_by)"
_UPDATE: LiteralString = "UPDATE api_keys"
# Newest first. All keys in one answer, without being asked for: a script that looks for a leaked key must not miss it.
LISTING = Listing("api_keys", (datetime, UUID), most_rows=1000, rows=1000)


def parse_key_id(path: Mapping[str, str]) -> UUID:
    """Read a key's id from a request's path; raises ApiKeyNotFound if it is not a UUID."""
    return parse_uuid(path["key_id"], ApiKeyNotFound)


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """POST /api-keys.

    Attributes:
        channel: the only channel that the key is for; None if it is for the whole tenant.
    """

    name: str
    channel: str | None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        known_fields(body, {"name", "channel"})
        channel = None if body.get("channel") is None else name_field(body, "channel", 100)
        return cls(name_field(body, "name", 100), channel)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its text."""

    key_id: UUID
    name: str
    channel: str | None
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    version: int

    def as_json(self) -> dict[str, Any]:
        """Return the key as the API shows it."""
        return {
            "id": str(self.key_id),
            "name": self.name,
            "channel": self.channel,
            "createdBy": self.created_by,
            "createdAt": self.created_at.isoformat(),
            "lastUsedAt": None if self.last_used_at is None else self.last_used_at.isoformat(),
            "revokedAt": None if self.revoked_at is None else self.revoked_at.isoformat(),
            "version": self.version,
        }


def create(context: RequestContext, draft: KeyDraft) -> tuple[ApiKey, str]:
    """Create a key; return it with its text, which is never shown again.

    Args:
        context: of the tenant.
        draft: as sent.

    Raises:
        NameTaken: a key of the tenant that is not revoked has the name.
    """
    new, digest = key_texts.make(context.caller.tenant, context.new_id())
    with context.transaction() as transaction:
        try:
            [row] = transaction.execute(
                f"""
                {_INSERT}
                VALUES (current_tenant(), %s, %s, %s, %s, %s)
                RETURNING {_COLUMNS}
                """,
                [new.key_id, draft.name, digest, draft.channel, context.caller.subject],
            ).fetchall()
        except pg.UniqueViolation as error:
            raise NameTaken from error
        key = ApiKey(*row)
        record(
            transaction,
            context.entry(
                Action.API_KEY_CREATED, object_kind="api_key", object_id=str(key.key_id), after=key.as_json()
            ),
        )
        context.finish(transaction, (key, new.text))
    return key, new.text


def page(context: RequestContext, query: dict[str, str]) -> Page[ApiKey]:
    """Return a page of the tenant's keys, newest first, with the revoked keys.

    Args:
        context: of the tenant.
        query: limit and cursor.

    Raises:
        InvalidRequest: the sentence names the parameter.
    """
    wanted = LISTING.request(query, context.tenant)
    after_at, after_id = wanted.after or (None, None)
    with context.transaction() as transaction:
        rows = transaction.execute(
            f"""
            {_SELECT} AND (%(at)s::timestamptz IS NULL OR (created_at, key_id) < (%(at)s, %(id)s::uuid))
            ORDER BY created_at DESC, key_id DESC
            LIMIT %(limit)s + 1
            """,
            {"at": after_at, "id": after_id, "limit": wanted.limit},
        ).fetchall()
    return wanted.page([ApiKey(*row) for row in rows], lambda key: (key.created_at, key.key_id), ApiKey.as_json)


def revoke(context: RequestContext, key_id: UUID, expected: Expected) -> ApiKey:
    """Revoke a key for ever and return it. Revoking it again changes nothing.

    Raises:
        ApiKeyNotFound, VersionMismatch.
    """
    with context.transaction() as transaction:
        key = _find_and_lock(transaction, key_id)
        expected.check(key.version)
        if key.revoked_at is not None:
            context.finish(transaction, key)
            return key
        [row] = transaction.execute(
            f"""
            {_UPDATE} SET revoked_at = now(), version = version + 1
            WHERE tenant_id = current_tenant() AND key_id = %s RETURNING {_COLUMNS}
            """,
            [key_id],
        ).fetchall()
        record(transaction, context.entry(Action.API_KEY_REVOKED, object_kind="api_key", object_id=str(key_id)))
        revoked = ApiKey(*row)
        context.finish(transaction, revoked)
    return revoked


def _find_and_lock(transaction: Transaction, key_id: UUID) -> ApiKey:
    row = transaction.execute(f"{_SELECT} AND key_id = %s FOR NO KEY UPDATE", [key_id]).fetchone()
    if row is None:
        raise ApiKeyNotFound
    return ApiKey(*row)
