"""The schedule that rotates data keys: everything due is done, however often it is stopped, and nothing else."""

from collections.abc import Callable
from functools import partial
from itertools import chain, repeat
from typing import Any

import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError
from psycopg import errors as pg

from causeway.errors.vault import KeyServiceUnavailable
from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.vault import key_rotation, versions
from tests.database.hub import SECRETS, Hub
from tests.database.parallel import at_once
from tests.database.world import Casino

NOTHING = {"rotated": 0, "rewrapped": 0, "unreadable": 0, "failed": 0}
# More than two batches.
MANY = {f"field_{n}": f"secret {n}" for n in range(450)}


def age(hub: Hub, days: int) -> None:
    """Make a tenant's data keys this old."""
    statement = "UPDATE tenant_data_keys SET created_at = now() - %s * interval '1 day' WHERE tenant_id = %s"
    hub.casino.query(statement, [days, hub.tenant_id])


def run(hub: Hub, *has_time: bool) -> dict[str, int]:
    """Run in an environment without cached keys; has_time: the first answers of the time budget, then there is time."""
    there = hub.elsewhere()
    answers = chain(has_time, repeat(True))
    budget = TimeBudget(lambda: int(next(answers)))
    counts: dict[str, int] = {}
    key_rotation.run(Invocation(there.database, "invocation", budget), there.keys, counts)
    return counts


def ciphertexts(hub: Hub) -> list[tuple[Any, ...]]:
    statement = "SELECT * FROM api_credentials WHERE tenant_id = %s ORDER BY connection_id, version, field"
    return [tuple(row) for row in hub.casino.query(statement, [hub.tenant_id])]


def entries(hub: Hub) -> list[dict[str, Any]]:
    """The entries about the data key in the tenant's audit log, oldest first."""
    rows = hub.casino.query(
        """
        SELECT actor_kind, actor, request_id, object_kind, outcome, after::text::json AS after FROM audit_log
        WHERE tenant_id = %s AND action = 'data_key.rewrapped' ORDER BY entry
        """,
        [hub.tenant_id],
    )
    for row in rows:
        assert row[:5] == ("system", "key-rotation", "invocation", "data_key", "done")
    return [row.after for row in rows]


def test_old_key_is_rotated_and_everything_is_reencrypted(hub: Hub) -> None:
    """HUB 4."""
    versions = [hub.use(SECRETS | {"number": str(n)}) for n in range(3)]
    age(hub, 91)

    assert run(hub) == NOTHING | {"rotated": 1, "rewrapped": 9}
    assert hub.data_keys == ["retired", "active"]
    assert hub.key_versions() == {2: 9}
    assert [hub.elsewhere().read(version)["number"] for version in versions] == ["0", "1", "2"]


def test_rotation_is_audited_in_the_tenants_log(hub: Hub) -> None:
    """HUB 44."""
    hub.use()
    age(hub, 91)
    run(hub)

    assert entries(hub) == [{"rotated": True, "fields": 2}]


def test_nothing_due_means_nothing_done(new_hub: Callable[[], Hub], kms_down: Callable[[], None]) -> None:
    """A young key, a rotated one, and a tenant without a key; KMS is not called."""
    young, rotated, _ = new_hub(), new_hub(), new_hub()
    for hub in (young, rotated):
        hub.use()
    age(young, 89)
    age(rotated, 91)
    run(rotated)
    before = [(ciphertexts(hub), hub.data_keys, entries(hub)) for hub in (young, rotated)]
    kms_down()

    assert run(young) == NOTHING
    assert [(ciphertexts(hub), hub.data_keys, entries(hub)) for hub in (young, rotated)] == before


def test_unfinished_reencryption_is_due_without_an_old_key(hub: Hub) -> None:
    hub.use()
    hub.rotate_data_key()

    assert run(hub) == NOTHING | {"rewrapped": 2}
    assert hub.data_keys == ["retired", "active"]
    assert entries(hub) == [{"rotated": False, "fields": 2}]


def test_old_key_without_secrets_is_rotated(hub: Hub) -> None:
    hub.use()
    hub.change(versions.destroy)
    age(hub, 91)

    assert run(hub) == NOTHING | {"rotated": 1}
    assert run(hub) == NOTHING


def test_run_without_time_is_finished_by_later_runs(hub: Hub) -> None:
    """HUB 4: resumable batches, zero undecryptable at the end."""
    hub.use(MANY)
    age(hub, 91)

    assert run(hub, False) == NOTHING
    assert (hub.data_keys, entries(hub)) == (["active"], [])
    assert run(hub, True, False) == NOTHING | {"rotated": 1}
    assert run(hub, True, True, False) == NOTHING | {"rewrapped": 200}
    assert hub.key_versions() == {1: 250, 2: 200}
    assert hub.elsewhere().read() == MANY
    assert run(hub) == NOTHING | {"rewrapped": 250}
    assert run(hub) == NOTHING

    assert hub.key_versions() == {2: 450}
    assert hub.elsewhere().read() == MANY
    assert [(one["rotated"], one["fields"]) for one in entries(hub)] == [(True, 0), (False, 200), (False, 250)]


def test_tenants_skipped_by_one_run_are_in_the_next(new_hub: Callable[[], Hub]) -> None:
    hubs = [new_hub() for _ in range(3)]
    for n, hub in enumerate(hubs):
        hub.use()
        age(hub, 100 - n)

    # The oldest first: there is time for one of them and its batch.
    assert run(hubs[0], True, True, False) == NOTHING | {"rotated": 1, "rewrapped": 2}
    assert [len(hub.data_keys) for hub in hubs] == [2, 1, 1]
    assert run(hubs[0]) == NOTHING | {"rotated": 2, "rewrapped": 4}
    assert [hub.key_versions() for hub in hubs] == [{2: 2}] * 3


@pytest.mark.parametrize("attempt", range(3))
def test_concurrent_runs_are_safe(hub: Hub, attempt: int) -> None:
    """HUB 4."""
    hub.use(MANY)
    age(hub, 91)
    at_once([partial(run, hub)] * 3)
    run(hub)

    assert hub.elsewhere().read() == MANY
    assert hub.data_keys.count("active") == 1
    assert hub.data_keys[-1] == "active"
    assert hub.key_versions() == {len(hub.data_keys): len(MANY)}
    assert run(hub) == NOTHING


def test_run_does_not_change_other_tenants(new_hub: Callable[[], Hub]) -> None:
    ours, theirs = new_hub(), new_hub()
    for hub in (ours, theirs):
        hub.use()
    age(ours, 91)
    before = ciphertexts(theirs)

    assert run(ours) == NOTHING | {"rotated": 1, "rewrapped": 2}
    assert (ciphertexts(theirs), theirs.data_keys, entries(theirs)) == (before, ["active"], [])


def test_unreadable_field_is_counted_and_skipped(new_hub: Callable[[], Hub]) -> None:
    broken, whole = new_hub(), new_hub()
    for n, hub in enumerate((broken, whole)):
        hub.use({name: name for name in "abcd"})
        age(hub, 100 - n)
    broken.casino.query(
        "UPDATE api_credentials SET ciphertext = ciphertext || '\\x00' WHERE tenant_id = %s AND field = 'b'",
        [broken.tenant_id],
    )

    assert run(broken) == NOTHING | {"rotated": 2, "rewrapped": 7, "unreadable": 1}
    assert (broken.key_versions(), whole.key_versions()) == ({1: 1, 2: 3}, {2: 4})
    # It is counted, with an alert, until somebody repairs it; the audit log does not grow.
    assert run(broken) == NOTHING | {"unreadable": 1}
    assert entries(broken) == [{"rotated": True, "fields": 3}]


def test_unreadable_key_is_counted_and_skipped(new_hub: Callable[[], Hub]) -> None:
    broken, whole = new_hub(), new_hub()
    for hub in (broken, whole):
        hub.use()
    broken.rotate_data_key()
    broken.casino.query(
        "UPDATE tenant_data_keys SET wrapped = '\\x00', created_at = now() - interval '1 day' "
        "WHERE tenant_id = %s AND version = 2",
        [broken.tenant_id],
    )
    # It comes after the broken one in the order of age.
    whole.rotate_data_key()

    assert run(broken) == NOTHING | {"rewrapped": 2, "unreadable": 1}
    assert (broken.key_versions(), whole.key_versions()) == ({1: 2}, {2: 2})
    assert broken.elsewhere().read() == SECRETS


def test_locked_tenant_is_skipped(new_hub: Callable[[], Hub]) -> None:
    """HUB 4."""
    held, whole = new_hub(), new_hub()
    for n, hub in enumerate((held, whole)):
        hub.use()
        age(hub, 100 - n)
    with psycopg.connect(held.casino.urls["superuser"]) as call:
        call.execute("SELECT FROM api_credentials WHERE tenant_id = %s FOR UPDATE", [held.tenant_id])
        assert run(held) == NOTHING | {"rotated": 2, "rewrapped": 2, "failed": 1}

    assert (held.key_versions(), whole.key_versions()) == ({1: 2}, {2: 2})
    assert entries(held) == [{"rotated": True, "fields": 0}]
    assert run(held) == NOTHING | {"rewrapped": 2}


def test_with_kms_down_nothing_is_changed(hub: Hub, kms_down: Callable[[], None]) -> None:
    """HUB 5."""
    hub.use()
    age(hub, 91)
    before = ciphertexts(hub)
    kms_down()

    with pytest.raises(KeyServiceUnavailable):
        run(hub)
    assert (ciphertexts(hub), hub.data_keys, entries(hub)) == (before, ["active"], [])


def test_rotation_is_audited_although_kms_fails_after_it(hub: Hub, kms: Any) -> None:
    hub.use()
    age(hub, 91)

    def refuse(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://kms")

    kms.meta.events.register_first("before-call.kms.Decrypt", refuse)
    try:
        with pytest.raises(KeyServiceUnavailable):
            run(hub)
    finally:
        kms.meta.events.unregister("before-call.kms.Decrypt", refuse)

    assert (hub.data_keys, hub.key_versions()) == (["retired", "active"], {1: 2})
    assert entries(hub) == [{"rotated": True, "fields": 0}]
    assert run(hub) == NOTHING | {"rewrapped": 2}
    assert hub.elsewhere().read() == SECRETS


def test_due_keys_are_listed_by_tenant_and_age_only(new_hub: Callable[[], Hub]) -> None:
    old, unfinished, young = new_hub(), new_hub(), new_hub()
    for hub in (old, unfinished, young):
        hub.use()
    age(old, 91)
    unfinished.rotate_data_key()

    # Without a tenant: rows that row-level security hides.
    with psycopg.connect(old.casino.urls["credentials"]) as database:
        assert database.execute("SELECT FROM tenant_data_keys").rowcount == 0
        told = database.execute("SELECT * FROM data_keys_due_v1('90 days')")
        assert [column.name for column in told.description or ()] == ["tenant_id", "rotate"]
        assert [tuple(row) for row in told] == [
            (old.tenant_id, True),
            (unfinished.tenant_id, False),
        ]


@pytest.mark.parametrize("login", ["casino", "provider", "auditor"])
def test_no_other_login_can_list_due_keys(casino: Casino, login: str) -> None:
    with psycopg.connect(casino.urls[login]) as database, pytest.raises(pg.InsufficientPrivilege):
        database.execute("SELECT FROM data_keys_due_v1('90 days')")
