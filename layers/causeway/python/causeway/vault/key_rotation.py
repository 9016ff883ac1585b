"""The tenants' data keys over time: rotated when they are old, their secrets sealed anew while they are in use."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from causeway.audit_log import Action, record
from causeway.database.postgres import Database
from causeway.errors.vault import CredentialUnreadable, KeyServiceUnavailable
from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.jobs.tenants import for_each_due
from causeway.tenancy.context import JobContext
from causeway.vault.crypto import DataKeys, Place, seal

# A data key seals for so long.
ROTATE_AFTER = timedelta(days=90)
# Secret fields sealed anew in one transaction.
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """A batch of re-wrapping: how many fields were sealed anew, how many could not be read.

    after: what the next batch is given; None once there is nothing left to do.
    """

    fields: int
    unreadable: int
    after: tuple[UUID, int, str] | None


def run(invocation: Invocation, keys: DataKeys) -> dict[str, int]:
    """Rotate and re-wrap what is due, until nothing is or the time budget is used up.

    Args:
        invocation: of a login that may read credentials; its time budget is asked before each batch.
        keys: the data keys of all tenants.

    Returns:
        How many keys were rotated, fields re-wrapped, fields or keys unreadable (each has raised its alert), and with
        how many tenants the database refused, for example because another transaction had locked a row.

    Raises:
        KeyServiceUnavailable: KMS does not answer.
        Unavailable: what is due cannot be read.
    """
    done = {"rotated": 0, "rewrapped": 0, "unreadable": 0, "failed": 0}

    def renew(tenant: Any) -> None:
        context = invocation.job("key-rotation", tenant.tenant_id)
        try:
            _renew(context, keys, invocation.budget, done, rotate=tenant.rotate)
        except CredentialUnreadable:
            # The tenant's data key itself.
            done["unreadable"] += 1

    done["failed"] = for_each_due(invocation, _due, renew, stop_on=(KeyServiceUnavailable,))
    return done


def _due(transaction: psycopg.Connection[Any]) -> list[Any]:
    return transaction.execute("SELECT tenant_id, rotate FROM data_keys_due_v1(%s) AS d", [ROTATE_AFTER]).fetchall()


def _renew(context: JobContext, keys: DataKeys, budget: TimeBudget, done: dict[str, int], *, rotate: bool) -> None:
    before = done["rewrapped"]
    if rotate:
        keys.rotate(context.tenant)
        done["rotated"] += 1
    try:
        after, more = None, True
        while more and budget.has_time():
            batch = rewrap(context.database, keys, context.tenant, after, _BATCH)
            done["rewrapped"] += batch.fields
            done["unreadable"] += batch.unreadable
            after, more = batch.after, batch.after is not None
    finally:
        _record(context, rotated=rotate, fields=done["rewrapped"] - before)


def rewrap(
    database: Database,
    keys: DataKeys,
    tenant_id: UUID,
    after: tuple[UUID, int, str] | None = None,
    batch: int = 100,
) -> Rewrapped:
    """Seal up to a batch of a tenant's fields anew under its newest data key, while they are in use.

    KMS is asked between transactions. May be stopped anywhere and begun again from the start: what is done is not found
    again. A field that cannot be read is counted and left; its alert has been raised.

    Args:
        database: whose login may read credentials.
        keys: the data keys of all tenants.
        tenant_id: the tenant.
        after: the place to go on from, as the batch before returned it.
        batch: the most fields to take.

    Raises:
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    newest = keys.newest(tenant_id)
    with database.transaction(tenant_id) as transaction:
        rows = transaction.execute(
            """
            SELECT connection_id, version, field, ciphertext FROM api_credentials
            WHERE tenant_id = %s AND key_version <> %s AND (connection_id, version, field) > (%s, %s, %s)
            ORDER BY connection_id, version, field LIMIT %s
            """,
            [tenant_id, newest.version, *(after or (UUID(int=0), 0, "")), batch],
        ).fetchall()
    anew: list[tuple[Any, ...]] = []
    unreadable = 0
    for row in rows:
        place = Place(tenant_id, row.connection_id, row.field)
        try:
            sealed = seal(newest, place, keys.open(place, row.ciphertext))
        except CredentialUnreadable:
            unreadable += 1
        else:
            anew.append((*row, sealed))
    last = rows[-1] if len(rows) == batch else None
    done = _replace(database, tenant_id, anew)
    return Rewrapped(done, unreadable, None if last is None else (last.connection_id, last.version, last.field))


def _replace(database: Database, tenant_id: UUID, anew: list[tuple[Any, ...]]) -> int:
    """Exchange ciphertexts, but for those exchanged or destroyed meanwhile; return how many were."""
    if not anew:
        return 0
    with database.transaction(tenant_id) as transaction:
        return transaction.execute(
            """
            UPDATE api_credentials AS c SET ciphertext = s.anew
            FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bytea[], %s::bytea[])
                AS s (connection_id, version, field, ciphertext, anew)
            WHERE c.tenant_id = current_tenant() AND c.connection_id = s.connection_id AND c.version = s.version
                AND c.field = s.field AND c.ciphertext = s.ciphertext
            """,
            [list(column) for column in zip(*anew, strict=True)],
        ).rowcount


def _record(context: JobContext, *, rotated: bool, fields: int) -> None:
    if not rotated and not fields:
        return
    entry = context.entry(
        Action.DATA_KEY_REWRAPPED, object_kind="data_key", after={"rotated": rotated, "fields": fields}
    )
    with context.transaction() as transaction:
        record(transaction, entry)
