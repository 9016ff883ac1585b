"""What the audit log keeps of connections: their settings in plain, their secrets as fingerprints."""

from collections.abc import Mapping
from typing import Any, Literal

from causeway import settings
from causeway.audit_log import entries, fingerprints
from causeway.audit_log.entries import Action
from causeway.aws import secrets
from causeway.connections.connection import Connection
from causeway.database.postgres import Transaction
from causeway.tenancy.context import Context, RequestContext


def note(
    context: Context,
    transaction: Transaction,
    action: Action,
    connection: Connection,
    *,
    outcome: Literal["done", "refused", "failed"] = "done",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write what was done with a connection into the audit log, in the transaction that does it."""
    about = {"object_kind": "connection", "object_id": connection.connection_id, "outcome": outcome}
    entries.record(transaction, context.entry(action, **about, before=before, after=after))


def record_refusal(
    context: RequestContext,
    action: Action,
    connection: Connection,
    *,
    outcome: Literal["refused", "failed"],
    after: dict[str, Any],
) -> None:
    """Write what was not done with a connection into the audit log, as context.record_refusal does."""
    about = {"object_kind": "connection", "object_id": connection.connection_id, "outcome": outcome}
    context.record_refusal(context.entry(action, **about, after=after))


def shown(connection: Connection) -> dict[str, Any]:
    """Return what the audit log keeps of a connection."""
    return connection.as_json(with_config=True)


def fingerprint_key(context: Context) -> bytes:
    """Return the key of the tenant's fingerprints; raises Misconfigured where the deployment has no pepper."""
    return fingerprints.fingerprint_key(secrets.pepper(settings.audit_secret()), context.tenant)


def fingerprints_of(key: bytes, secret: Mapping[str, str]) -> dict[str, str]:
    """Return what the audit log keeps of secrets: whether they changed."""
    return {name: fingerprints.fingerprint(value, key) for name, value in secret.items()}
