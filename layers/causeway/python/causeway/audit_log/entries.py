"""Entries of the audit log: written with the change they tell of, and read in pages."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Any, Literal
from uuid import UUID

import psycopg
from aws_lambda_powertools import Logger
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from causeway.database.postgres import Database
from causeway.errors.service import Unavailable
from causeway.wire.pages import Listing, Page, PageRequest

logger = Logger(child=True)

# The tenant_id of the platform's own chain (RFC 9562, 5.9); no tenant can have it.
PLATFORM = UUID(int=0)
# Newest first.
LISTING = Listing("audit_log", (int,), most_rows=1000, rows=100)

# The most characters kept of an id, which must fit an index, and of a text in before and after. What a refused caller
# sent is anything at all, and must not stop its own entry.
_LONGEST_ID = 200
_LONGEST_TEXT = 20_000


class Action(StrEnum):
    """What can be done, as noun and verb."""

    CONNECTION_CREATED = "connection.created"
    CONNECTION_CHANGED = "connection.changed"
    CONNECTION_ENABLED = "connection.enabled"
    CONNECTION_DISABLED = "connection.disabled"
    CONNECTION_DELETED = "connection.deleted"
    CONNECTION_TESTED = "connection.tested"
    SYNC_REQUESTED = "sync.requested"
    SYNC_ENDED = "sync.ended"
    CREDENTIAL_STORED = "credential.stored"
    CREDENTIAL_ROTATED = "credential.rotated"
    CREDENTIAL_ROLLED_BACK = "credential.rolled_back"
    CREDENTIAL_RETIRED = "credential.retired"
    CREDENTIAL_UNREADABLE = "credential.unreadable"
    CREDENTIAL_DESTROYED = "credential.destroyed"
    DATA_KEY_REWRAPPED = "data_key.rewrapped"
    TEMPLATE_CREATED = "template.created"
    TEMPLATE_CHANGED = "template.changed"
    TEMPLATE_DEACTIVATED = "template.deactivated"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    MEMBERSHIP_GRANTED = "membership.granted"
    MEMBERSHIP_CHANGED = "membership.changed"
    MEMBERSHIP_SUSPENDED = "membership.suspended"
    MEMBERSHIP_RESTORED = "membership.restored"
    TENANT_CREATED = "tenant.created"
    TENANT_CHANGED = "tenant.changed"
    # A game session, by a person who is not its player.
    SESSION_OPENED = "session.opened"
    # A call that its role, tenant or token did not allow; the object is the route.
    ACCESS_REFUSED = "access.refused"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORTED = "audit.exported"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written; tenant, number, time and hashes come from the database.

    Attributes:
        actor: a person's subject, a machine's key id, a job's name; None where a refused caller proved none.
        object_id: None where the action has no one object.
        before: the object's fields before, secrets as fingerprints (see redacted).
        after: likewise after.
    """

    action: Action
    actor_kind: Literal["person", "machine", "system"]
    actor: str | None
    actor_role: str | None
    object_kind: str
    object_id: str | None = None
    outcome: Literal["done", "refused", "failed"] = "done"
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    source_ip: str | None = None
    request_id: str | None = None


# Fields of an entry that a list can be filtered by, compared exactly.
TEXT_FILTERS = ("action", "actor", "object_kind", "object_id", "outcome")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries to read; None asks for all. Times are aware: since is included, until is not."""

    action: str | None = None
    actor: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as it was written."""

    tenant_id: UUID
    entry: int
    at: datetime
    actor_kind: str
    actor: str | None
    actor_role: str | None
    action: str
    object_kind: str
    object_id: str | None
    outcome: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    source_ip: str | None
    request_id: str | None
    # In hexadecimal.
    hash: str

    def as_json(self) -> dict[str, Any]:
        """Return the entry as its tenant is shown it."""
        return {
            "entry": self.entry,
            "at": self.at.isoformat(),
            "actorKind": self.actor_kind,
            "actor": self.actor,
            "actorRole": self.actor_role,
            "action": self.action,
            "objectKind": self.object_kind,
            "objectId": self.object_id,
            "outcome": self.outcome,
            "before": self.before,
            "after": self.after,
            "sourceIp": self.source_ip,
            "requestId": self.request_id,
            "hash": self.hash,
        }


_APPEND = "SELECT audit_append_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
# What the casino's login may do; it takes entries about launches alone.
_APPEND_LAUNCH = "SELECT audit_append_launch_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


def record(connection: psycopg.Connection[Any], entry: Entry, *, launch: bool = False) -> int | None:
    """Append an entry to the chain of the transaction's tenant, and return its number.

    Of refused attempts that are alike (actor, action, object, after's route) one in five minutes is appended, and its
    alsoRefused says how many were not since the one before; None is returned for these.

    It is committed and rolled back with the transaction, and is best its last statement: from here to the end, the
    tenant's other writers wait.

    Args:
        connection: of causeway_hub, in a transaction that has set its tenant (PLATFORM for what belongs to none).
        entry: what happened.
        launch: the entry is about the launch of a game, and the connection is of causeway_casino.
    """
    texts = [
        None if text is None else _text(text, _LONGEST_ID)
        for text in (
            *(entry.actor_kind, entry.actor, entry.actor_role, entry.action, entry.object_kind, entry.object_id),
            *(entry.outcome, entry.source_ip, entry.request_id),
        )
    ]
    states = [None if fields is None else Jsonb(_storable(fields)) for fields in (entry.before, entry.after)]
    append = _APPEND_LAUNCH if launch else _APPEND
    [row] = connection.execute(append, [*texts[:7], *states, *texts[7:]]).fetchall()
    return row[0]


def record_apart(database: Database, tenant_id: UUID, entry: Entry, *, launch: bool = False) -> int | None:
    """Append an entry in a transaction of its own: for what was refused or failed. Arguments and answer as record's.

    Call it once the refusing transaction is over, not inside it: nested, it would be rolled back with it.

    Raises:
        Unavailable: the database cannot be used; the entry may be missing.
    """
    with database.transaction(tenant_id) as connection:
        return record(connection, entry, launch=launch)


@contextmanager
def attempt(entry: Entry) -> Generator[None]:
    """Let a refusal be answered though the block cannot append its entry: the function's own log has it then."""
    try:
        yield
    except Unavailable as error:
        told = {name: getattr(entry, name) for name in ("actor", "object_id", "outcome", "source_ip", "request_id")}
        logger.exception(
            "A refused attempt could not be recorded",
            extra=told | {"action": str(entry.action), "reason": error.cause or error.sentence},
        )


def _storable(value: Any) -> Any:
    """Return a value as jsonb can hold it: without NUL, lone surrogates, NaN, or texts without end."""
    match value:
        case None | bool() | int():
            return value
        case float() if isfinite(value):
            return value
        case Mapping():
            return {_text(str(name), _LONGEST_ID): _storable(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_storable(inner) for inner in value]
    return _text(str(value), _LONGEST_TEXT)


def _text(text: str, longest: int) -> str:
    text = text.replace("\0", "\ufffd").encode(errors="replace").decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


_PAGE = """
    SELECT tenant_id, entry, at, actor_kind, actor, actor_role, action, object_kind, object_id, outcome,
        before, after, source_ip, request_id, encode(hash, 'hex') AS hash
    FROM audit_log
    WHERE tenant_id = current_tenant()
        AND entry < coalesce(%(below)s, 9223372036854775807)
        AND (%(action)s::text IS NULL OR action = %(action)s)
        AND (%(actor)s::text IS NULL OR actor = %(actor)s)
        AND (%(object_kind)s::text IS NULL OR object_kind = %(object_kind)s)
        AND (%(object_id)s::text IS NULL OR object_id = %(object_id)s)
        AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
        AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
    ORDER BY entry DESC
    LIMIT %(limit)s + 1
"""


def page(connection: psycopg.Connection[Any], only: Filter, wanted: PageRequest) -> Page[Record]:
    """Return a page of the entries of the transaction's tenant, newest first.

    Entries are committed in their order, so pages that each begin below the last one's end miss none and repeat none,
    whatever is written meanwhile. Reading is itself an action: record AUDIT_READ or AUDIT_EXPORTED.

    Args:
        connection: in a transaction that has set its tenant.
        only: which entries.
        wanted: of LISTING.
    """
    texts = {name: getattr(only, name) for name in TEXT_FILTERS}
    [below] = wanted.after or [None]
    parameters = {
        # As they were written, so that whatever was sent can be looked for.
        **{name: None if text is None else _text(text, _LONGEST_ID) for name, text in texts.items()},
        "since": only.since,
        "until": only.until,
        "below": below,
        "limit": wanted.limit,
    }
    with connection.cursor(row_factory=class_row(Record)) as cursor:
        found = cursor.execute(_PAGE, parameters).fetchall()
    return wanted.page(found, lambda entry: (entry.entry,), Record.as_json)
