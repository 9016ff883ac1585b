"""Writing events into the outbox. Nothing sends them yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from psycopg.types.json import Jsonb

from causeway.database.postgres import Transaction
from causeway.database.storable import storable_json, storable_text

# The first part of an event's type; the table's CHECK lists the same kinds.
Kind = Literal[
    "connection",
    "sync",
    "payment",
    "message",
    "shipment",
    "webhook",
    "sms_payment",
    "player",
    "lead",
    "booking",
    "wallet",
    "issue",
]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one object of a tenant.

    Attributes:
        kind: kind and what, joined by a dot, are the event's type, which subscribers select: payment.succeeded.
        what: what happened: a word in the past tense, in lower case, parts joined by underscores.
        object_kind: of the object that changed, such as "sync_run".
        object_id: 1 to 255 characters; what Postgres cannot store is replaced.
        version: of the object after the change, counted from 1: it orders the events of one object.
        payload: what subscribers get, without secrets; at most 64 KiB as JSON, so cut texts of other systems. A UUID, a
            date, a datetime or a Decimal becomes its text, an Enum its value; what Postgres cannot store (NUL, a lone
            surrogate, NaN) is replaced. If names of an object are then equal, each but the first gets its number
            in the object: name, name (2).
    """

    kind: Kind
    what: str
    object_kind: str
    object_id: str
    version: int
    payload: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The event's type."""
        return f"{self.kind}.{self.what}"


def write(transaction: Transaction, event: Event) -> None:
    """Write an event in the transaction that makes the change, by one statement.

    Args:
        transaction: of the object's tenant, of the hub's, the credentials' or the casino's login.
        event: what happened.

    Raises:
        TypeError: the payload has a value of another type (bytes, a set, an object of a class) or a name that is not
            str, which is an error in our code.
        psycopg.errors.CheckViolation: a field breaks a rule above, which is an error in our code: the transaction must
            be rolled back.
    """
    transaction.execute(
        """
        INSERT INTO events_out (tenant_id, type, object_kind, object_id, version, payload)
        VALUES (current_tenant(), %s, %s, %s, %s, %s)
        """,
        [
            event.type,
            event.object_kind,
            storable_text(event.object_id),
            event.version,
            Jsonb(storable_json(event.payload)),
        ],
    )
