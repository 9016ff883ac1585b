"""The rotation of data keys by a schedule: an old key is replaced, and the secrets under it are re-wrapped.

To re-wrap a secret is to decrypt it and to encrypt it again under the tenant's active data key, while it is in use.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from causeway.audit_log.entries import Action, record
from causeway.database.postgres import Database, Transaction
from causeway.errors.vault import CredentialUnreadable, KeyServiceUnavailable
from causeway.jobs.due import for_each_due
from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.tenancy.context import JobContext
from causeway.vault import oauth_tokens
from causeway.vault.crypto import DataKeys, SecretField, encrypt

# The job's name in the audit log.
JOB = "key-rotation"
# A data key older than this is rotated.
ROTATE_AFTER = timedelta(days=90)
# Secret fields that one transaction re-wraps.
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of re-wrapping.

    Attributes:
        fields: how many were re-wrapped.
        unreadable: how many could not be decrypted.
        after: where the next batch begins; None if there is nothing left.
    """

    fields: int
    unreadable: int
    after: tuple[UUID, int, str] | None


def run(invocation: Invocation, keys: DataKeys, counts: dict[str, int]) -> None:
    """Rotate and re-wrap everything that is due, within the time budget.

    Args:
        invocation: of a login that may read credentials; its time budget is asked before each batch.
        keys: the data keys of all tenants.
        counts: filled as the work is done, so that it is right also if this raises. The numbers of keys rotated, of
            fields re-wrapped, of fields or keys unreadable (each has raised its alert), and of tenants that failed, for
            example because another transaction had locked a row.

    Raises:
        KeyServiceUnavailable: KMS does not answer.
        Unavailable: what is due cannot be read.
        Exception: as jobs.due.for_each_due.
    """
    counts |= {"rotated": 0, "rewrapped": 0, "unreadable": 0, "failed": 0}

    def renew(context: JobContext, tenant: Any) -> None:
        try:
            _renew(context, keys, invocation.budget, counts, rotate=tenant.rotate)
        except CredentialUnreadable:
            # The tenant's active data key itself cannot be unwrapped.
            counts["unreadable"] += 1

    # Every tenant's keys need KMS.
    for_each_due(invocation, JOB, _due, renew, counts, stop_on=(KeyServiceUnavailable,))


def _due(transaction: Transaction) -> list[Any]:
    return transaction.execute("SELECT tenant_id, rotate FROM data_keys_due_v1(%s) AS d", [ROTATE_AFTER]).fetchall()


def _renew(context: JobContext, keys: DataKeys, budget: TimeBudget, counts: dict[str, int], *, rotate: bool) -> None:
    before = counts["rewrapped"]
    if rotate:
        keys.rotate(context.tenant)
        counts["rotated"] += 1
    try:
        after, more = None, True
        while more and budget.has_time():
            batch = rewrap(context.database, keys, context.tenant, after, _BATCH)
            counts["rewrapped"] += batch.fields
            counts["unreadable"] += batch.unreadable
            after, more = batch.after, batch.after is not None
    finally:
        _audit(context, rotated=rotate, fields=counts["rewrapped"] - before)


def rewrap(
    database: Database,
    keys: DataKeys,
    tenant_id: UUID,
    after: tuple[UUID, int, str] | None,
    batch: int,
) -> Batch:
    """Re-wrap a batch of a tenant's secret fields under its active data key.

    It calls KMS between transactions. It may be killed at any point and begin again from the start: fields that are
    done are not found again. A field that cannot be decrypted is counted and stays as it is; its alert has been raised.
    The cached access tokens under an older key are dropped: each is got anew on its next use.

    Args:
        database: of a login that may read credentials.
        keys: the data keys of all tenants.
        tenant_id: the tenant.
        after: where to begin, as the batch before returned it; None: at the start.
        batch: fields, at most.

    Raises:
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    key = keys.active(tenant_id)
    with database.transaction(tenant_id) as transaction:
        oauth_tokens.drop_old(transaction, key.version)
        rows = transaction.execute(
            """
            SELECT connection_id, version, field, ciphertext FROM api_credentials
            WHERE tenant_id = %s AND key_version <> %s AND (connection_id, version, field) > (%s, %s, %s)
            ORDER BY connection_id, version, field LIMIT %s
            """,
            [tenant_id, key.version, *(after or (UUID(int=0), 0, "")), batch],
        ).fetchall()
    changes: list[tuple[Any, bytes]] = []
    unreadable = 0
    for row in rows:
        secret = SecretField(tenant_id, row.connection_id, row.field)
        try:
            ciphertext = encrypt(key, secret, keys.decrypt(secret, row.ciphertext))
        except CredentialUnreadable:
            unreadable += 1
        else:
            changes.append((row, ciphertext))
    last = rows[-1] if len(rows) == batch else None
    fields = _replace(database, tenant_id, changes)
    return Batch(fields, unreadable, None if last is None else (last.connection_id, last.version, last.field))


def _replace(database: Database, tenant_id: UUID, changes: list[tuple[Any, bytes]]) -> int:
    """Replace the ciphertexts of rows, except those replaced or destroyed meanwhile; return how many were replaced."""
    if not changes:
        return 0
    with database.transaction(tenant_id) as transaction:
        return transaction.execute(
            """
            UPDATE api_credentials AS c SET ciphertext = s.rewrapped
            FROM unnest(
                %(connections)s::uuid[], %(versions)s::bigint[], %(fields)s::text[], %(ciphertexts)s::bytea[],
                %(rewrapped)s::bytea[]
            ) AS s (connection_id, version, field, ciphertext, rewrapped)
            WHERE c.tenant_id = current_tenant() AND c.connection_id = s.connection_id AND c.version = s.version
                AND c.field = s.field AND c.ciphertext = s.ciphertext
            """,
            {
                "connections": [row.connection_id for row, _ in changes],
                "versions": [row.version for row, _ in changes],
                "fields": [row.field for row, _ in changes],
                "ciphertexts": [row.ciphertext for row, _ in changes],
                "rewrapped": [rewrapped for _, rewrapped in changes],
            },
        ).rowcount


def _audit(context: JobContext, *, rotated: bool, fields: int) -> None:
    if not rotated and not fields:
        return
    entry = context.entry(
        Action.DATA_KEY_REWRAPPED, object_kind="data_key", after={"rotated": rotated, "fields": fields}
    )
    with context.transaction() as transaction:
        record(transaction, entry)
