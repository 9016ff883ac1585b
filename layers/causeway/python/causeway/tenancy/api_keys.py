"""The API keys of a tenant's machines: created, listed, revoked. A key's text is shown once and never stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, LiteralString
from uuid import UUID

from psycopg import errors as pg
from pydantic import Field

from causeway.audit_log.entries import Action, record
from causeway.database.paging import KeyColumn, PagedSelect
from causeway.database.postgres import Transaction
from causeway.errors.requests import NameTaken
from causeway.errors.tenancy import ApiKeyNotFound
from causeway.tenancy import key_texts
from causeway.tenancy.context import RequestContext
from causeway.wire import example_ids
from causeway.wire.field_readers import parse_uuid
from causeway.wire.field_types import Id, Name, Time, Version
from causeway.wire.models import Answer, Request
from causeway.wire.page_models import Limit, PageAnswer, PageQuery
from causeway.wire.preconditions import Expected

# The fields of ApiKey.
_COLUMNS: LiteralString = "key_id, name, channel, created_by, created_at, last_used_at, revoked_at, version"
_FROM: LiteralString = "FROM api_keys"
_SELECT: LiteralString = f"SELECT {_COLUMNS} {_FROM}"
_OWN: LiteralString = "tenant_id = current_tenant()"
_INSERT: LiteralString = "INSERT INTO api_keys (tenant_id, key_id, name, hash, channel, created_by)"
_UPDATE: LiteralString = "UPDATE api_keys"
# Newest first.
_KEY = (KeyColumn("created_at", datetime), KeyColumn("key_id", UUID))
PAGES = PagedSelect("api_keys", _SELECT, _OWN, _KEY, descending=True)


def parse_key_id(path: Mapping[str, str]) -> UUID:
    """Read a key's id from a request's path; raises ApiKeyNotFound if it is not a UUID."""
    return parse_uuid(path["key_id"], ApiKeyNotFound)


class ApiKeyDraft(Request):
    """POST /api-keys."""

    name: Annotated[str, Name(100)] = Field(examples=["Cash desk"])
    channel: Annotated[str, Name(100)] | None = Field(
        None, description="The only channel that the key is for; null: the whole tenant.", examples=["sms"]
    )


class ApiKey(Answer):
    """A key without its text."""

    key_id: Id = Field(alias="id")
    name: str = Field(examples=["Cash desk"])
    channel: str | None = Field(examples=["sms"])
    created_by: str = Field(examples=[example_ids.SUBJECT])
    created_at: Time
    last_used_at: Time | None = Field(examples=[None])
    revoked_at: Time | None = Field(examples=[None])
    version: Version


class NewApiKey(ApiKey):
    """A new key with its text."""

    api_key: str | None = Field(
        description="The key; it is shown only here, and is null in a replay of the call.",
        examples=["cwk_example"],
    )
    next_action: str = Field("", description="Only in a replay: what to do if the key was lost.")


class ApiKeyQuery(PageQuery):
    """GET /api-keys: all keys in one answer by default, as a script that looks for a leaked key must not miss it."""

    limit: Annotated[int, Limit(1000)] = 1000


class ApiKeyPage(PageAnswer):
    """A page of keys."""

    api_keys: list[ApiKey]


def create(context: RequestContext, draft: ApiKeyDraft) -> NewApiKey:
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
        key = ApiKey.of_row(row)
        record(
            transaction,
            context.entry(
                Action.API_KEY_CREATED, object_kind="api_key", object_id=str(key.key_id), after=key.as_json()
            ),
        )
        made = NewApiKey(**key.model_dump(), api_key=new.text)
        context.finish(transaction, made)
    return made


def page(context: RequestContext, query: ApiKeyQuery) -> ApiKeyPage:
    """Return a page of the tenant's keys, newest first, with the revoked keys.

    Args:
        context: of the tenant.
        query: as sent.

    Raises:
        InvalidRequest: the cursor is not one of this list.
    """
    wanted = query.request(PAGES.listing, context.tenant)
    with context.transaction() as transaction:
        found = PAGES.page(transaction, wanted, ApiKey.of_row)
    return ApiKeyPage(api_keys=found.items, **found.cursors)


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
        revoked = ApiKey.of_row(row)
        context.finish(transaction, revoked)
    return revoked


def _find_and_lock(transaction: Transaction, key_id: UUID) -> ApiKey:
    row = transaction.execute(f"{_SELECT} WHERE {_OWN} AND key_id = %s FOR NO KEY UPDATE", [key_id]).fetchone()
    if row is None:
        raise ApiKeyNotFound
    return ApiKey.of_row(row)
