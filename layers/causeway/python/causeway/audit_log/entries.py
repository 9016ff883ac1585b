"""Entries of the audit log, written in the transaction of the change they describe."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Literal, LiteralString
from uuid import UUID

from aws_lambda_powertools import Logger
from psycopg.types.json import Jsonb

from causeway.database.postgres import Database, Transaction
from causeway.database.storable import storable_json, storable_text
from causeway.errors.service import Unavailable

logger = Logger(child=True)

# The tenant_id of the deployment's chain: the nil UUID (RFC 9562, 5.9), which no tenant can have.
DEPLOYMENT = UUID(int=0)

# Characters that are kept of an id, which must fit into an index, and of a text in before and after. A refused call can
# hold anything, and its entry must be written all the same.
_LONGEST_ID = 200
_LONGEST_TEXT = 20_000
# The casino's login may call only the second function, which takes only entries about launches.
_ARGUMENTS: LiteralString = """
    p_actor_kind => %(actor_kind)s, p_actor => %(actor)s, p_actor_role => %(actor_role)s, p_action => %(action)s,
    p_object_kind => %(object_kind)s, p_object_id => %(object_id)s, p_outcome => %(outcome)s, p_before => %(before)s,
    p_after => %(after)s, p_source_ip => %(source_ip)s, p_request_id => %(request_id)s
"""
_APPEND: LiteralString = f"SELECT audit_append_v1({_ARGUMENTS}) AS entry"
_APPEND_LAUNCH: LiteralString = f"SELECT audit_append_launch_v1({_ARGUMENTS}) AS entry"
# The others are ids and words.
_STATES = ("before", "after")


class Action(StrEnum):
    """The action of an entry: object and verb."""

    CONNECTION_CREATED = "connection.created"
    CONNECTION_CHANGED = "connection.changed"
    CONNECTION_ENABLED = "connection.enabled"
    CONNECTION_DISABLED = "connection.disabled"
    CONNECTION_DELETED = "connection.deleted"
    CONNECTION_TESTED = "connection.tested"
    CONNECTION_AUTHORIZATION_BEGUN = "connection.authorization_begun"
    CONNECTION_AUTHORIZED = "connection.authorized"
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
    OAUTH_APP_SET = "oauth_app.set"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    MEMBERSHIP_GRANTED = "membership.granted"
    MEMBERSHIP_CHANGED = "membership.changed"
    MEMBERSHIP_SUSPENDED = "membership.suspended"
    MEMBERSHIP_RESTORED = "membership.restored"
    TENANT_CREATED = "tenant.created"
    TENANT_CHANGED = "tenant.changed"
    # A game session that a person opened for a player.
    SESSION_OPENED = "session.opened"
    # A call that the caller's role, tenant or token does not allow; the object is the permission.
    ACCESS_REFUSED = "access.refused"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORTED = "audit.exported"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry to write. The database adds tenant, number, time and hashes.

    Attributes:
        actor: a person's subject, the id of a machine's key, a job's name; None: the refused call proved no identity.
        object_id: None: the action concerns no single object.
        before: the object's fields before the change; fingerprints in the place of secrets.
        after: the same after the change.
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


def record(transaction: Transaction, entry: Entry, *, launch: bool = False) -> int | None:
    """Append an entry to the chain of the transaction's tenant.

    Make it the transaction's last statement: from here to the commit, the tenant's other writers wait.

    Args:
        transaction: of causeway_hub, with its tenant set (DEPLOYMENT for what belongs to no tenant).
        entry: what happened.
        launch: the entry is about the launch of a game, and the transaction is of causeway_casino.

    Returns:
        The entry's number. None: not appended, as an equal refusal (actor, action, object, route) was appended less
        than five minutes ago. The next one that is appended counts the omitted ones in alsoRefused.
    """
    values = {field.name: getattr(entry, field.name) for field in fields(entry)}
    states = {name: None if values[name] is None else _jsonb(values[name]) for name in _STATES}
    ids = {name: storable_id(value) for name, value in values.items() if name not in _STATES}
    [row] = transaction.execute(_APPEND_LAUNCH if launch else _APPEND, ids | states).fetchall()
    return row.entry


def record_in_own_transaction(database: Database, tenant_id: UUID, entry: Entry, *, launch: bool = False) -> int | None:
    """Append an entry about a refusal or a failure, in a transaction of its own. Arguments and result as record's.

    Call it after the refusing transaction, not inside it: nested, it would be rolled back with it.

    Raises:
        Unavailable: the database cannot be used; the entry may be missing.
    """
    with database.transaction(tenant_id) as transaction:
        return record(transaction, entry, launch=launch)


@contextmanager
def logged_if_unavailable(entry: Entry) -> Generator[None]:
    """Log the entry where the block cannot append it, so that the refusal is answered all the same."""
    try:
        yield
    except Unavailable as error:
        names = ("actor", "object_id", "outcome", "source_ip", "request_id")
        fields = {name: getattr(entry, name) for name in names}
        logger.exception(
            "A refused attempt could not be recorded",
            extra=fields | {"action": str(entry.action), "reason": error.cause or error.sentence},
        )


def storable_id(text: str | None) -> str | None:
    """Return an id or a short text as record stores it."""
    return None if text is None else storable_text(text, _LONGEST_ID)


def _jsonb(state: Mapping[str, Any]) -> Jsonb:
    return Jsonb(storable_json(state, _LONGEST_TEXT, str))
