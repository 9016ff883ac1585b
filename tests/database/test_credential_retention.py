"""The schedule that ends the overlap of rotations and destroys replaced credentials: what is due, and nothing else."""

from collections.abc import Callable
from functools import partial
from itertools import chain, repeat
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg

from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.vault import retention, versions
from tests.database.hub import SECRETS, Hub
from tests.database.parallel import at_once

NOTHING = {"retired": 0, "destroyed": 0, "failed": 0}


def run(hub: Hub, *has_time: bool) -> dict[str, int]:
    """Run with its own database connection; has_time: the first answers of the time budget, then there is time."""
    answers = chain(has_time, repeat(True))
    budget = TimeBudget(lambda: int(next(answers)))
    counts: dict[str, int] = {}
    retention.run(Invocation(hub.casino.database("credentials"), "invocation", budget), counts)
    return counts


def entries(hub: Hub) -> list[tuple[str, Any]]:
    """The schedule's entries about the connection's versions in the tenant's audit log, oldest first."""
    rows = hub.casino.query(
        """
        SELECT actor_kind, actor, request_id, object_kind, object_id, outcome, action, after::text::json AS after
        FROM audit_log WHERE tenant_id = %s ORDER BY entry
        """,
        [hub.tenant_id],
    )
    for row in rows:
        who = ("system", "credential-retention", "invocation")
        assert row[:6] == (*who, "connection", str(hub.connection_id), "done")
    return [(row.action, row.after) for row in rows]


def test_overlap_ends_after_a_day_for_every_tenant_and_is_audited(new_hub: Callable[[], Hub]) -> None:
    """HUB 3, 44."""
    over, young, unrotated = new_hub(), new_hub(), new_hub()
    for hub in (over, over, young, young, unrotated):
        hub.use()
    over.aged(hours=25)
    young.aged(hours=23)
    unrotated.aged(days=100)

    assert run(over) == NOTHING | {"retired": 1}
    assert [hub.statuses for hub in (over, young, unrotated)] == [
        ["retired", "active"],
        ["retiring", "active"],
        ["active"],
    ]
    assert [entries(hub) for hub in (over, young, unrotated)] == [[("credential.retired", {"versions": [1]})], [], []]
    assert run(over) == NOTHING


def test_version_retired_for_a_month_is_destroyed_and_audited(hub: Hub) -> None:
    """HUB 1, 3, 44: ciphertexts that nobody needs can no longer be stolen."""
    for _ in range(4):
        hub.use()
    hub.aged(days=31)

    assert run(hub) == NOTHING | {"retired": 1, "destroyed": 2}
    assert hub.statuses == ["destroyed", "destroyed", "retired", "active"]
    assert hub.key_versions() == {1: 2 * len(SECRETS)}
    assert entries(hub) == [("credential.retired", {"versions": [3]}), ("credential.destroyed", {"versions": [1, 2]})]
    hub.aged(days=31)
    assert run(hub) == NOTHING | {"destroyed": 1}
    assert run(hub) == NOTHING
    assert (hub.read(), hub.key_versions()) == (SECRETS, {1: len(SECRETS)})


def test_deleted_connection_is_not_due(hub: Hub) -> None:
    for _ in range(3):
        hub.use()
    hub.change(versions.destroy)
    hub.aged(days=100)

    assert run(hub) == NOTHING
    assert hub.statuses == ["destroyed"] * 3


def test_locked_connection_is_skipped_and_the_others_are_processed(new_hub: Callable[[], Hub]) -> None:
    """HUB 3: the longest due of all is locked by a call that does not end."""
    held, *others = hubs = [new_hub() for _ in range(3)]
    for n, hub in enumerate(hubs):
        hub.use()
        hub.use()
        hub.aged(hours=40 - n)
    with psycopg.connect(held.casino.urls["superuser"]) as call:
        call.execute("SELECT FROM api_credential_versions WHERE tenant_id = %s FOR UPDATE", [held.tenant_id])
        assert run(held) == NOTHING | {"retired": 2, "failed": 1}

    assert [hub.statuses for hub in others] == [["retired", "active"]] * 2
    assert (held.statuses, entries(held)) == (["retiring", "active"], [])
    assert run(held) == NOTHING | {"retired": 1}


def test_connections_are_listed_longest_due_first(new_hub: Callable[[], Hub]) -> None:
    """The order differs from that of the tenants, which grouping alone would give."""
    hubs = sorted((new_hub() for _ in range(4)), key=lambda hub: hub.tenant_id, reverse=True)
    for n, hub in enumerate(hubs):
        hub.use()
        hub.use()
        hub.aged(hours=40 - n)
    with psycopg.connect(hubs[0].casino.urls["credentials"]) as database:
        told = database.execute("SELECT tenant_id FROM credentials_due_v1('24 hours', '30 days')").fetchall()

    assert [tenant_id for (tenant_id,) in told] == [hub.tenant_id for hub in hubs]


def test_run_without_time_is_continued_by_the_next_oldest_first(new_hub: Callable[[], Hub]) -> None:
    hubs = [new_hub() for _ in range(3)]
    for n, hub in enumerate(hubs):
        hub.use()
        hub.use()
        hub.aged(hours=30 + n)

    assert run(hubs[0], False) == NOTHING
    assert run(hubs[0], True, False) == NOTHING | {"retired": 1}
    assert [hub.statuses[0] for hub in hubs] == ["retiring", "retiring", "retired"]
    assert run(hubs[0]) == NOTHING | {"retired": 2}


@pytest.mark.parametrize("attempt", range(3))
def test_concurrent_runs_and_rotations_are_safe(hub: Hub, attempt: int) -> None:
    """HUB 3: each version is retired and destroyed once, as the audit log shows; the active one stays."""
    for _ in range(5):
        hub.use()
    hub.aged(days=31)
    at_once([*[partial(run, hub)] * 3, partial(hub.elsewhere().use, {"key": "new"})])
    run(hub)

    assert hub.read() == {"key": "new"}
    assert hub.statuses[:3] == ["destroyed"] * 3
    assert hub.statuses.count("active") == 1
    destroyed = [
        version for action, after in entries(hub) if action == "credential.destroyed" for version in after["versions"]
    ]
    assert sorted(destroyed) == [1, 2, 3]


def test_due_connections_are_listed_by_id_only_and_to_one_login(hub: Hub) -> None:
    """HUB 1."""
    hub.use()
    hub.use()
    hub.aged(hours=25)
    due = "SELECT * FROM credentials_due_v1('24 hours', '30 days')"

    # Without a tenant: rows that row-level security hides.
    with psycopg.connect(hub.casino.urls["credentials"]) as database:
        assert database.execute("SELECT FROM api_credential_versions").rowcount == 0
        told = database.execute(due)
        assert [column.name for column in told.description or ()] == ["tenant_id", "connection_id"]
        assert [tuple(row) for row in told] == [(hub.tenant_id, hub.connection_id)]
    for login in ("hub", "casino", "provider", "auditor"):
        with psycopg.connect(hub.casino.urls[login]) as database, pytest.raises(pg.InsufficientPrivilege):
            database.execute(due)
