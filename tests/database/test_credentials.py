"""Credentials in the database: versions, rotation, re-encryption, destruction, and access to them."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors as pg
from psycopg import sql

from causeway.errors.tree import CausewayError
from causeway.errors.vault import CredentialMissing, CredentialUnreadable, KeyServiceUnavailable, NothingToRollBack
from causeway.vault import credentials, key_rotation, versions
from causeway.vault.crypto import CacheLimits
from causeway.vault.data_keys import StoredKeys
from tests.database.hub import CANARY, SECRETS, Hub, hubs
from tests.database.parallel import at_once
from tests.database.world import Casino
from tests.findings import none_of


@pytest.fixture
def new_hub(shared_casino: Casino, kms_key_id: str) -> Iterator[Callable[[], Hub]]:
    """Makes tenants of the hub in the module's database."""
    with hubs(shared_casino.urls, kms_key_id) as make:
        yield make


def test_candidate_is_read_by_its_version_until_it_is_active(hub: Hub) -> None:
    """HUB 3."""
    version = hub.store()

    assert hub.read(version) == SECRETS
    with pytest.raises(CredentialMissing):
        hub.read()
    hub.change(versions.promote, version)
    assert (hub.read(), hub.statuses) == (SECRETS, ["active"])


def test_database_refuses_credentials_written_by_a_super_admin(hub: Hub) -> None:
    """HUB 43: whatever the functions allow; a super admin may use the stored credential."""
    hub.use({"key": "old"})
    hub.use({"key": "new"})
    encrypted = credentials.encrypt(hub.keys, hub.tenant_id, hub.connection_id, {"key": "his"})

    def attempt(change: Callable[..., Any], *arguments: Any) -> Any:
        with hub.database.transaction(hub.tenant_id) as transaction:
            transaction.execute("SELECT set_config('causeway.role', 'super_admin', true)")
            return change(transaction, *arguments)

    with pytest.raises(CausewayError, match="row-level security"):
        attempt(credentials.store, encrypted)
    with pytest.raises(NothingToRollBack):
        attempt(versions.roll_back, hub.connection_id, 1)
    assert attempt(versions.retire, hub.connection_id) is False
    assert attempt(versions.destroy, hub.connection_id) == []

    assert (hub.read(), hub.read(1), hub.statuses) == ({"key": "new"}, {"key": "old"}, ["retiring", "active"])


def test_credential_without_secrets_is_a_credential(hub: Hub) -> None:
    hub.use({})

    assert hub.read() == {}


def test_rotation_keeps_the_old_credential_beside_the_new(hub: Hub) -> None:
    """HUB 3: running calls finish with the credential they have read, or name its version."""
    old = hub.use({"key": "old"})
    new = hub.store({"key": "new"})
    assert (hub.read(), hub.read(new)) == ({"key": "old"}, {"key": "new"})

    hub.change(versions.promote, new)
    assert (hub.read(), hub.read(old), hub.statuses) == ({"key": "new"}, {"key": "old"}, ["retiring", "active"])
    assert hub.change(versions.retire) is True
    assert hub.change(versions.retire) is False
    assert hub.statuses == ["retired", "active"]


def test_rollback_works_while_the_old_version_is_retiring(hub: Hub) -> None:
    """HUB 3."""
    old = hub.use({"key": "old"})
    new = hub.use({"key": "new"})

    hub.change(versions.roll_back, old)
    assert (hub.read(), hub.statuses) == ({"key": "old"}, ["active", "retired"])
    for version in (old, new):
        with pytest.raises(NothingToRollBack):
            hub.change(versions.roll_back, version)
    assert (hub.read(), hub.statuses) == ({"key": "old"}, ["active", "retired"])


def test_rollback_restores_only_the_version_that_was_tested(hub: Hub) -> None:
    """HUB 3: another rotation between the test and the rollback changes which version is retiring."""
    first, _, _ = hub.use(), hub.use(), hub.use()

    with pytest.raises(NothingToRollBack):
        hub.change(versions.roll_back, first)
    assert hub.statuses == ["retired", "retiring", "active"]


def test_retiring_version_has_the_end_of_its_overlap(hub: Hub) -> None:
    """HUB 3."""
    old = hub.use()
    assert hub.change(versions.rollback_target) is None
    hub.use()
    hub.aged(hours=23)
    back = hub.change(versions.rollback_target)

    assert back is not None
    assert back.version == old
    since = hub.casino.value(
        "SELECT changed_at FROM api_credential_versions WHERE connection_id = %s AND version = %s",
        [hub.connection_id, old],
    )
    assert back.until - since == versions.OVERLAP


def test_rollback_after_the_overlap_is_refused(hub: Hub) -> None:
    """HUB 3: even if no schedule has ended the overlap."""
    old = hub.use()
    hub.use()
    hub.aged(hours=25)

    assert hub.change(versions.rollback_target) is None
    with pytest.raises(NothingToRollBack):
        hub.change(versions.roll_back, old)
    assert hub.statuses == ["retiring", "active"]


def test_each_change_of_status_restarts_the_time(hub: Hub) -> None:
    """Any statement does so, without naming the time."""
    hub.use()
    hub.aged(hours=1000)
    hub.use()
    hub.aged(hours=20)
    hub.change(versions.retire)
    assert hub.change(versions.expire) == versions.Expired([], [])

    ages = hub.casino.query(
        "SELECT status, now() - changed_at < interval '1 hour' AS young FROM api_credential_versions "
        "WHERE connection_id = %s ORDER BY version",
        [hub.connection_id],
    )
    assert [tuple(row) for row in ages] == [("retired", True), ("active", False)]
    with hub.database.transaction(hub.tenant_id) as transaction, pytest.raises(pg.InsufficientPrivilege):
        transaction.execute("UPDATE api_credential_versions SET changed_at = now()")


def test_expired_version_is_retired_and_later_destroyed(hub: Hub) -> None:
    """HUB 3: the overlap ends by time, and a replaced credential is not kept for ever."""
    for _ in range(3):
        hub.use()
    assert hub.change(versions.expire) == versions.Expired([], [])
    hub.aged(hours=25)

    assert hub.change(versions.expire) == versions.Expired([2], [])
    assert hub.statuses == ["retired", "retired", "active"]
    hub.aged(days=29)
    assert hub.change(versions.expire) == versions.Expired([], [1])
    hub.aged(days=1)
    assert hub.change(versions.expire) == versions.Expired([], [2])
    assert (hub.statuses, hub.key_versions()) == (["destroyed", "destroyed", "active"], {1: 2})
    hub.aged(days=1000)
    assert hub.change(versions.expire) == versions.Expired([], [])
    assert hub.read() == SECRETS


@pytest.mark.parametrize("attempt", range(5))
def test_four_concurrent_rollbacks_of_one_rotation_roll_back_once(hub: Hub, attempt: int) -> None:
    """HUB 3: the other callers learn that they changed nothing."""
    old = hub.use({"key": "old"})
    hub.use({"key": "new"})

    def rolled_back(here: Hub) -> bool:
        with suppress(NothingToRollBack):
            here.change(versions.roll_back, old)
            return True
        return False

    environments = [hub.elsewhere() for _ in range(4)]
    assert sorted(at_once([partial(rolled_back, here) for here in environments])) == [False] * 3 + [True]
    assert (hub.read(), hub.statuses) == ({"key": "old"}, ["active", "retired"])


@pytest.mark.parametrize("attempt", range(5))
def test_concurrent_rotations_and_rollbacks_leave_exactly_one_active(hub: Hub, attempt: int) -> None:
    """HUB 3: eight concurrent callers and the schedule; the active credential can be decrypted."""
    keys = {hub.use({"key": key}): key for key in ("first", "second")}

    def rotated(here: Hub, key: str) -> str:
        keys[here.use({"key": key})] = key
        return "rotated"

    def rolled_back(here: Hub) -> str:
        back = here.change(versions.rollback_target)
        with suppress(NothingToRollBack):
            here.change(versions.roll_back, 0 if back is None else back.version)
            return "rolled back"
        return "refused"

    def expired(here: Hub) -> str:
        here.change(versions.expire)
        return "expired"

    environments = [hub.elsewhere() for _ in range(9)]
    done = at_once(
        [partial(rotated, here, str(n)) for n, here in enumerate(environments[:4])]
        + [partial(rolled_back, here) for here in environments[4:8]]
        + [partial(expired, environments[8])]
    )

    assert done.count("rotated") == 4
    assert hub.statuses.count("active") == 1
    assert hub.statuses.count("retiring") <= 1
    assert sorted(set(hub.statuses)) in (["active", "retired"], ["active", "retired", "retiring"])
    assert hub.read() == {"key": keys[hub.statuses.index("active") + 1]}


def test_only_the_previous_credential_is_retiring(hub: Hub) -> None:
    for _ in range(3):
        hub.use()

    assert hub.statuses == ["retired", "retiring", "active"]


@pytest.mark.parametrize("version", [1, 3])
def test_version_that_is_not_a_candidate_is_not_activated(hub: Hub, version: int) -> None:
    hub.use()
    hub.store()

    with pytest.raises(CredentialMissing):
        hub.change(versions.promote, version)
    assert hub.statuses == ["active", "candidate"]


def test_refused_change_has_no_effect_even_if_the_transaction_continues(hub: Hub) -> None:
    hub.use()
    with hub.database.transaction(hub.tenant_id) as transaction:
        for change in (
            lambda: versions.promote(transaction, hub.connection_id, 9),
            lambda: versions.roll_back(transaction, hub.connection_id, 1),
        ):
            with suppress(CredentialMissing, NothingToRollBack):
                change()

    assert hub.statuses == ["active"]


@pytest.mark.parametrize("attempt", range(5))
def test_concurrent_promotions_leave_exactly_one_active(hub: Hub, attempt: int) -> None:
    """HUB 3."""
    hub.use()
    candidates = [hub.store() for _ in range(4)]
    changes = [partial(hub.elsewhere().change, versions.promote, version) for version in candidates]
    at_once(changes)

    assert sorted(hub.statuses) == ["active", "retired", "retired", "retired", "retiring"]
    assert hub.read() == SECRETS


def test_concurrent_promotions_of_one_candidate_promote_it_once(hub: Hub) -> None:
    hub.use()
    version = hub.store()

    def promoted(here: Hub) -> bool:
        with suppress(CredentialMissing):
            here.change(versions.promote, version)
            return True
        return False

    environments = [hub.elsewhere() for _ in range(4)]
    assert sorted(at_once([partial(promoted, here) for here in environments])) == [False] * 3 + [True]
    assert hub.statuses == ["retiring", "active"]


def test_database_refuses_a_second_active_credential(hub: Hub) -> None:
    """HUB 3."""
    hub.use()
    hub.store()

    for status in ("active", "retiring"):
        with pytest.raises(pg.UniqueViolation, match=f"one_{status}"):
            hub.casino.query(
                "UPDATE api_credential_versions SET status = %s WHERE connection_id = %s", [status, hub.connection_id]
            )


def test_candidates_stored_concurrently_get_different_versions(hub: Hub) -> None:
    environments = [hub.elsewhere() for _ in range(6)]
    versions = at_once([here.store for here in environments])

    assert sorted(versions) == [1, 2, 3, 4, 5, 6]
    assert all(hub.read(version) == SECRETS for version in versions)


@pytest.mark.parametrize("attempt", range(5))
def test_concurrent_first_uses_create_one_data_key(hub: Hub, attempt: int) -> None:
    """HUB 2: each decrypts what the others encrypted."""
    environments = [hub.elsewhere() for _ in range(6)]
    versions = at_once([here.store for here in environments])

    assert hub.data_keys == ["active"]
    assert hub.key_versions() == {1: 12}
    assert all(here.read(version) == SECRETS for here in environments for version in versions)


def test_concurrent_rotations_of_the_data_key_create_one(hub: Hub) -> None:
    """HUB 4. Each saw key 1; the row lock lets only one of them create the next."""
    hub.use()
    store = StoredKeys(hub.database)
    first = store.find(hub.tenant_id)
    assert first is not None
    stores = [StoredKeys(hub.casino.database("credentials")) for _ in range(5)]
    tenant = hub.tenant_id
    active = at_once([partial(other.activate, tenant, 1, bytes([n]), "key") for n, other in enumerate(stores)])

    assert len({key.wrapped for key in active}) == 1
    assert hub.data_keys == ["retired", "active"]
    assert store.find(hub.tenant_id, 1) == first


def test_rows_are_reencrypted_in_resumable_batches(hub: Hub) -> None:
    """HUB 4: a count per key version; nothing undecryptable at the end."""
    for n in range(5):
        hub.use({"a": f"a{n}", "b": f"b{n}"})
    assert hub.rotate_data_key() == 2
    assert hub.key_versions() == {1: 10}

    assert key_rotation.rewrap(hub.database, hub.keys, hub.tenant_id, None, 3).fields == 3
    assert hub.key_versions() == {1: 7, 2: 3}
    # Killed here; the next run starts at the beginning.
    assert [(batch.fields, batch.unreadable) for batch in hub.elsewhere().rewrap(3)] == [(3, 0), (3, 0), (1, 0)]
    assert hub.key_versions() == {2: 10}
    assert [batch.fields for batch in hub.rewrap()] == [0]
    assert [hub.read(n + 1) for n in range(5)] == [{"a": f"a{n}", "b": f"b{n}"} for n in range(5)]
    assert hub.data_keys == ["retired", "active"]


def test_rows_are_reencrypted_while_they_are_in_use(hub: Hub) -> None:
    """HUB 4: readers and writers notice nothing."""
    written = [hub.use({"key": str(n)}) for n in range(20)]
    done = Event()
    failures: list[BaseException] = []

    def serve(here: Hub) -> None:
        try:
            while not done.is_set():
                for version in written[:20]:
                    assert here.read(version) == {"key": str(version - 1)}
                assert here.read(here.store({"key": "more"})) == {"key": "more"}
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    serving = [Thread(target=serve, args=[hub.elsewhere()]) for _ in range(2)]
    for thread in serving:
        thread.start()
    for _ in range(3):
        hub.rotate_data_key()
        hub.rewrap(5)
    done.set()
    for thread in serving:
        thread.join()
    hub.rewrap()

    none_of(failures)
    assert list(hub.key_versions()) == [4]
    assert hub.data_keys == ["retired", "retired", "retired", "active"]


def test_rewrap_skips_rows_destroyed_or_replaced_meanwhile(hub: Hub) -> None:
    hub.use()
    hub.rotate_data_key()
    rows = hub.casino.query(
        "SELECT connection_id, version, field, ciphertext FROM api_credentials WHERE tenant_id = %s ORDER BY field",
        [hub.tenant_id],
    )
    hub.rewrap()
    exchanged = hub.read()
    stale = [(row, row.ciphertext) for row in rows]

    assert key_rotation._replace(hub.database, hub.tenant_id, stale) == 0
    assert hub.read() == exchanged
    hub.change(versions.destroy)
    assert key_rotation._replace(hub.database, hub.tenant_id, stale) == 0
    assert hub.key_versions() == {}


def test_rewrap_skips_and_counts_unreadable_rows(hub: Hub) -> None:
    hub.use({name: name for name in "abcd"})
    hub.casino.query(
        "UPDATE api_credentials SET ciphertext = ciphertext || '\\x00' WHERE tenant_id = %s AND field = 'b'",
        [hub.tenant_id],
    )
    hub.rotate_data_key()

    assert [(batch.fields, batch.unreadable) for batch in hub.rewrap(1)] == [(1, 0), (0, 1), (1, 0), (1, 0), (0, 0)]
    assert hub.key_versions() == {1: 1, 2: 3}


def test_destroyed_credential_has_no_ciphertext_left(hub: Hub) -> None:
    """HUB 1. The versions themselves stay on record."""
    for _ in range(3):
        hub.use()
    other = hub.store(connection_id=uuid4())

    assert hub.change(versions.destroy) == [1, 2, 3]
    assert hub.statuses == ["destroyed"] * 3
    assert hub.key_versions() == {1: 2}
    for version in (None, 1, 3):
        with pytest.raises(CredentialMissing):
            hub.read(version)
    with pytest.raises(NothingToRollBack):
        hub.change(versions.roll_back, 2)
    with pytest.raises(CredentialMissing):
        hub.change(versions.promote, 3)
    assert hub.change(versions.destroy) == []
    assert other == 1


def test_version_with_ciphertexts_cannot_become_destroyed(hub: Hub) -> None:
    hub.use()

    with pytest.raises(pg.ForeignKeyViolation, match="api_credentials_version"):
        hub.casino.query(
            "UPDATE api_credential_versions SET status = 'destroyed' WHERE tenant_id = %s", [hub.tenant_id]
        )


@pytest.mark.parametrize("status", ["candidate", "active", "retiring", "retired"])
def test_destroyed_version_cannot_change_its_status(hub: Hub, status: str) -> None:
    """HUB 1: it is final."""
    hub.use()
    hub.change(versions.destroy)

    with pytest.raises(psycopg.DatabaseError, match="is destroyed") as raised:
        hub.casino.query("UPDATE api_credential_versions SET status = %s WHERE tenant_id = %s", [status, hub.tenant_id])
    assert raised.value.sqlstate == "CW009"
    assert hub.statuses == ["destroyed"]


def test_destroyed_version_takes_no_ciphertext(hub: Hub) -> None:
    hub.use()
    row = hub.casino.query("SELECT * FROM api_credentials WHERE tenant_id = %s LIMIT 1", [hub.tenant_id])[0]
    hub.change(versions.destroy)

    with pytest.raises(pg.ForeignKeyViolation, match="api_credentials_version"):
        hub.casino.query(
            """
            INSERT INTO api_credentials (tenant_id, connection_id, version, field, ciphertext)
            VALUES (%s, %s, %s, %s, %s)
            """,
            [row.tenant_id, row.connection_id, row.version, row.field, row.ciphertext],
        )


def copied(source: Hub, target: Hub, **changed: str) -> None:
    """Copy a ciphertext over another, as anybody with write access to the table could."""
    source.casino.query(
        """
        UPDATE api_credentials AS t SET ciphertext = s.ciphertext FROM api_credentials AS s
        WHERE s.tenant_id = %s AND s.connection_id = %s AND s.field = 'auth_token'
            AND t.tenant_id = %s AND t.connection_id = %s AND t.field = %s
        """,
        [
            source.tenant_id,
            source.connection_id,
            target.tenant_id,
            target.connection_id,
            changed.get("field", "auth_token"),
        ],
    )


def test_ciphertext_copied_to_another_tenant_is_refused(
    new_hub: Callable[[], Hub], caplog: pytest.LogCaptureFixture
) -> None:
    """HUB 2: it fails closed, with an alert, even if the key is copied too."""
    ours, theirs = new_hub(), new_hub()
    theirs.connection_id = ours.connection_id
    ours.use()
    theirs.use({"auth_token": "theirs"})

    copied(ours, theirs)
    with pytest.raises(CredentialUnreadable):
        theirs.read()
    ours.casino.query(
        """
        UPDATE tenant_data_keys AS t SET wrapped = s.wrapped FROM tenant_data_keys AS s
        WHERE s.tenant_id = %s AND t.tenant_id = %s
        """,
        [ours.tenant_id, theirs.tenant_id],
    )
    with pytest.raises(CredentialUnreadable, match="InvalidCiphertext"):
        theirs.elsewhere().read()
    assert ours.read() == SECRETS
    alerts = [vars(record) for record in caplog.records if "alert" in vars(record)]
    assert [alert["tenant_id"] for alert in alerts] == [str(theirs.tenant_id)] * 2


def test_ciphertext_copied_to_another_connection_is_refused(hub: Hub) -> None:
    """HUB 2."""
    hub.use()
    other = hub.elsewhere()
    other.connection_id = uuid4()
    other.use({"auth_token": "other"})

    copied(hub, other)
    with pytest.raises(CredentialUnreadable):
        other.read()


def test_ciphertext_copied_to_another_field_is_refused(hub: Hub) -> None:
    """HUB 2."""
    hub.use()

    copied(hub, hub, field="account_sid")
    with pytest.raises(CredentialUnreadable):
        hub.read()


def test_ciphertext_given_another_key_version_is_refused(hub: Hub) -> None:
    """HUB 2."""
    hub.use()
    hub.rotate_data_key()
    hub.casino.query(
        "UPDATE api_credentials SET ciphertext = set_byte(ciphertext, 4, 2) WHERE tenant_id = %s", [hub.tenant_id]
    )

    assert hub.key_versions() == {2: 2}
    with pytest.raises(CredentialUnreadable):
        hub.read()


@pytest.mark.parametrize("text", [b"", b"\x01", CANARY.encode() * 3, b"\x02\0\0\0\x01" + b"\0" * 40])
def test_database_refuses_plaintext_as_a_ciphertext(hub: Hub, text: bytes) -> None:
    """HUB 5: never plaintext."""
    hub.use()

    with pytest.raises((pg.CheckViolation, pg.ArraySubscriptError)):
        hub.casino.query("UPDATE api_credentials SET ciphertext = %s WHERE tenant_id = %s", [text, hub.tenant_id])


def test_ciphertext_needs_its_key(hub: Hub) -> None:
    hub.use()

    with pytest.raises(pg.ForeignKeyViolation, match="api_credentials_key"):
        hub.casino.query("DELETE FROM tenant_data_keys WHERE tenant_id = %s", [hub.tenant_id])
    with pytest.raises(pg.ForeignKeyViolation, match="api_credentials_key"):
        hub.casino.query(
            "UPDATE api_credentials SET ciphertext = set_byte(ciphertext, 1, 255) WHERE tenant_id = %s",
            [hub.tenant_id],
        )


def test_with_kms_down_nothing_is_stored_and_the_answer_is_503(hub: Hub, kms_down: Callable[[], None]) -> None:
    """HUB 5."""
    kms_down()

    with pytest.raises(KeyServiceUnavailable) as raised:
        hub.store()
    assert raised.value.status == 503
    assert (hub.data_keys, hub.statuses, hub.key_versions()) == ([], [], {})


def test_with_kms_down_cached_keys_serve_within_their_bounds(hub: Hub, kms_down: Callable[[], None]) -> None:
    """HUB 5."""
    hub.use()
    warm, cold = hub.elsewhere(CacheLimits(uses=4)), hub.elsewhere()
    warm.read()
    kms_down()

    assert warm.read() == SECRETS
    for refused in (warm.read, cold.read, cold.store, warm.store):
        with pytest.raises(KeyServiceUnavailable):
            refused()
    with pytest.raises(KeyServiceUnavailable):
        hub.rotate_data_key()
    assert (hub.data_keys, hub.statuses) == (["active"], ["active"])
    assert hub.read() == SECRETS


TABLES = ["tenant_data_keys", "api_credential_versions", "api_credentials"]


@pytest.mark.parametrize("login", ["casino", "provider", "auditor"])
@pytest.mark.parametrize("table", TABLES)
def test_no_other_login_reads_credentials(hub: Hub, login: str, table: str) -> None:
    """HUB 1."""
    with hub.casino.database(login).transaction(hub.tenant_id) as transaction, pytest.raises(pg.InsufficientPrivilege):
        transaction.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(table)))


@pytest.mark.parametrize("table", TABLES)
def test_tenant_sees_only_its_own_rows(new_hub: Callable[[], Hub], table: str) -> None:
    ours, theirs = new_hub(), new_hub()
    ours.use()
    theirs.use()
    seen = sql.SQL("SELECT DISTINCT tenant_id FROM {}").format(sql.Identifier(table))

    with psycopg.connect(ours.casino.urls["credentials"]) as database:
        assert database.execute(seen).fetchall() == []
        database.execute("SELECT set_config('causeway.tenant_id', %s::text, true)", [ours.tenant_id])
        assert database.execute(seen).fetchall() == [(ours.tenant_id,)]


def test_another_tenants_credentials_cannot_be_read_or_changed(new_hub: Callable[[], Hub]) -> None:
    ours, theirs = new_hub(), new_hub()
    ours.use()
    theirs.use()
    encrypted = credentials.encrypt(ours.keys, theirs.tenant_id, theirs.connection_id, SECRETS)
    theirs_in_our_name = Hub(ours.casino, ours.database, ours.keys, ours.kms_key_id, theirs.connection_id)

    with pytest.raises(CredentialMissing):
        theirs_in_our_name.read()
    theirs.use()
    theirs.aged(days=100)
    assert theirs_in_our_name.change(versions.destroy) == []
    assert theirs_in_our_name.change(versions.retire) is False
    assert theirs_in_our_name.change(versions.expire) == versions.Expired([], [])
    with ours.database.transaction(ours.tenant_id) as transaction, pytest.raises(pg.InsufficientPrivilege):
        credentials.store(transaction, encrypted)
    assert (theirs.read(), theirs.statuses) == (SECRETS, ["retiring", "active"])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tenant_data_keys SET wrapped = wrapped",
        "UPDATE tenant_data_keys SET version = version + 1",
        "DELETE FROM tenant_data_keys",
        "DELETE FROM api_credential_versions",
        "UPDATE api_credential_versions SET connection_id = gen_random_uuid()",
        "UPDATE api_credentials SET field = 'other'",
        "UPDATE api_credentials SET connection_id = gen_random_uuid()",
        "TRUNCATE api_credentials",
    ],
)
def test_hub_cannot_move_a_secret_or_delete_a_key(hub: Hub, statement: str) -> None:
    hub.use()

    with hub.database.transaction(hub.tenant_id) as transaction, pytest.raises(pg.InsufficientPrivilege):
        transaction.execute(statement.encode())


def test_no_secret_is_in_tables_logs_errors_or_reprs(
    hub: Hub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """HUB 1: a canary secret goes through every operation on a credential."""
    caplog.set_level(logging.DEBUG)
    said = []
    hub.use()
    hub.use()
    said.append(repr(hub.read()) + str(hub.read()) + f"{hub.read()}")
    said.append(repr(credentials.encrypt(hub.keys, hub.tenant_id, hub.connection_id, SECRETS)))
    hub.rotate_data_key()
    said.append(repr(hub.rewrap()) + repr(hub.keys) + repr(vars(hub.keys)))
    assert hub.elsewhere().read(1)["auth_token"] == CANARY
    copied(hub, hub, field="account_sid")
    with pytest.raises(CredentialUnreadable) as raised:
        hub.read()
    said.append(repr(raised.value) + repr(raised.value.__cause__) + raised.value.sentence + raised.value.cause)
    tables = [
        row[0]
        for table in TABLES
        for row in hub.casino.query(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table)))
    ]
    said += [*tables, caplog.text, repr([vars(record) for record in caplog.records]), *capsys.readouterr()]

    assert len(tables) >= 8
    for form in (CANARY, CANARY.encode().hex()):
        assert form not in "\n".join(said)
