"""Entries about connections in the audit log: settings in plain text, secrets as fingerprints."""

from collections.abc import Mapping
from typing import Any, Literal

from causeway import settings
from causeway.audit_log import entries, fingerprints
from causeway.audit_log.entries import Action
from causeway.aws import secrets
from causeway.connections.connection import ConnectionRow
from causeway.database.postgres import Transaction
from causeway.tenancy.context import Context, RequestContext


def record(
    context: Context,
    transaction: Transaction,
    action: Action,
    connection: ConnectionRow,
    *,
    outcome: Literal["done", "refused", "failed"] = "done",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write an entry about a connection, in the transaction of the change."""
    about = {"object_kind": "connection", "object_id": str(connection.connection_id), "outcome": outcome}
    entries.record(transaction, context.entry(action, **about, before=before, after=after))


def record_refusal(
    context: RequestContext,
    action: Action,
    connection: ConnectionRow,
    *,
    outcome: Literal["refused", "failed"],
    after: dict[str, Any],
) -> None:
    """Write an entry about a refusal or a failure, in a transaction of its own, as context.record_refusal does."""
    about = {"object_kind": "connection", "object_id": str(connection.connection_id), "outcome": outcome}
    context.record_refusal(context.entry(action, **about, after=after))


def fingerprint_key(context: Context) -> bytes:
    """Return the key of the tenant's fingerprints; raises Misconfigured if the deployment has no pepper."""
    return fingerprints.fingerprint_key(secrets.pepper(settings.audit_secret()), context.tenant)


def fingerprints_of(key: bytes, secret: Mapping[str, str]) -> dict[str, str]:
    """Return secrets as entries show them: equal fingerprints mean equal secrets."""
    return {name: fingerprints.fingerprint(value, key) for name, value in secret.items()}
