"""The tenants' data keys over time: rotated when they are old, their secrets sealed anew while they are in use."""

from collections.abc import Callable
from datetime import timedelta

from causeway import credentials
from causeway.audit_log import PLATFORM, Action, Entry, record
from causeway.crypto import DataKeys
from causeway.database import Database
from causeway.errors import CredentialUnreadable

# A data key seals for so long.
ROTATE_AFTER = timedelta(days=90)
# Secret fields sealed anew in one transaction.
_BATCH = 200


def run(database: Database, keys: DataKeys, may_go_on: Callable[[], bool]) -> dict[str, int]:
    """Rotate and re-wrap what is due, until nothing is or time is up; what is left is found again by the next run.

    Args:
        database: of the hub's login.
        keys: the data keys of all tenants.
        may_go_on: asked before each batch.

    Returns:
        How many keys were rotated, fields rewrapped, and fields or keys unreadable (each has raised its alert).

    Raises:
        KeyServiceUnavailable: KMS does not answer.
    """
    done = {"rotated": 0, "rewrapped": 0, "unreadable": 0}
    with database.transaction(PLATFORM) as transaction:
        due = transaction.execute(
            "SELECT tenant_id::text, rotate FROM data_keys_due_v1(%s) AS d", [ROTATE_AFTER]
        ).fetchall()
    for tenant in due:
        if not may_go_on():
            break
        before = done["rewrapped"]
        if tenant.rotate:
            credentials.rotate_data_key(keys, tenant.tenant_id)
            done["rotated"] += 1
        try:
            _rewrap(database, keys, tenant.tenant_id, may_go_on, done)
        except CredentialUnreadable:
            # The tenant's key itself; the other tenants must not wait for it to be mended.
            done["unreadable"] += 1
        finally:
            _record(database, tenant.tenant_id, rotated=tenant.rotate, fields=done["rewrapped"] - before)
    return done


def _rewrap(
    database: Database, keys: DataKeys, tenant_id: str, may_go_on: Callable[[], bool], done: dict[str, int]
) -> None:
    after, more = None, True
    while more and may_go_on():
        batch = credentials.rewrap(database, keys, tenant_id, after, _BATCH)
        done["rewrapped"] += batch.fields
        done["unreadable"] += batch.unreadable
        after, more = batch.after, batch.after is not None


def _record(database: Database, tenant_id: str, *, rotated: bool, fields: int) -> None:
    if not rotated and not fields:
        return
    entry = Entry(
        action=Action.DATA_KEY_REWRAPPED,
        actor_kind="system",
        actor="key-rotation",
        actor_role=None,
        object_kind="data_key",
        after={"rotated": rotated, "fields": fields},
    )
    with database.transaction(tenant_id) as transaction:
        record(transaction, entry)
