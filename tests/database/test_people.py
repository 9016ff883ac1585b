"""People, keys and connections: what the database refuses, whatever the functions ask for."""

from collections.abc import Iterator
from dataclasses import replace
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors as pg

from causeway.database.postgres import Database
from causeway.errors.tenancy import Forbidden, TenantNotFound
from causeway.tenancy import identity, key_texts
from causeway.tenancy.identity import Caller, Profile
from tests.database.parallel import at_once, held
from tests.database.world import Casino


@pytest.fixture
def database(shared_casino: Casino) -> Database:
    """The database with the login of the hub's functions."""
    return shared_casino.database("hub")


@pytest.fixture
def hub(ours: Casino) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of our tenant with the hub's login, rolled back at the end."""
    with psycopg.connect(ours.urls["hub"]) as database:
        become(database, ours.tenant_id)
        yield database
        database.rollback()


def become(database: psycopg.Connection[Any], tenant_id: UUID) -> None:
    database.execute("SELECT set_config('causeway.tenant_id', %s::text, true)", [tenant_id])


def person(casino: Casino, role: Any = "staff", subject: str = "") -> Caller:
    return Caller("person", subject or f"subject-{token_hex(6)}", role, casino.tenant_id)


def admitted(database: Database, caller: Caller) -> None:
    with database.transaction(caller.tenant) as transaction:
        identity.admit(transaction, caller)


def membership(casino: Casino, caller: Caller) -> tuple[str, str]:
    row = casino.query(
        "SELECT role, status FROM memberships WHERE tenant_id = %s AND subject = %s", [caller.tenant, caller.subject]
    )[0]
    return row.role, row.status


# ---- People ----


def test_person_is_stored_once_with_the_role(ours: Casino, database: Database) -> None:
    caller = person(ours)
    for _ in range(2):
        admitted(database, caller)
    rows = ours.query("SELECT count(*) AS n FROM users WHERE subject = %s", [caller.subject])

    assert rows[0].n == 1
    assert membership(ours, caller) == ("staff", "active")


def called(casino: Casino, caller: Caller) -> tuple[str, str, bool]:
    [row] = casino.query(
        "SELECT name, email, email_verified FROM memberships WHERE tenant_id = %s AND subject = %s",
        [caller.tenant, caller.subject],
    )
    return row.name, row.email, row.email_verified


def test_name_and_email_are_those_of_the_last_token(ours: Casino, database: Database) -> None:
    """A token without a name does not erase it; a suspended person's token changes nothing."""
    caller = person(ours)
    seen = []
    for profile in (
        Profile("", "", email_verified=False),
        Profile("Zo\u00eb", "zoe@example.com", email_verified=True),
        Profile("", "", email_verified=False),
        Profile("Zo\u00eb B", "", email_verified=False),
        Profile("", "new@example.com", email_verified=False),
    ):
        admitted(database, replace(caller, profile=profile))
        seen.append(called(ours, caller))
        a_minute_passes(ours, caller)
    ours.query("UPDATE memberships SET status = 'suspended' WHERE subject = %s", [caller.subject])
    with pytest.raises(Forbidden):
        admitted(database, replace(caller, profile=Profile("Other", "other@example.com", email_verified=True)))

    assert seen == [
        ("", "", False),
        ("Zo\u00eb", "zoe@example.com", True),
        ("Zo\u00eb", "zoe@example.com", True),
        ("Zo\u00eb B", "zoe@example.com", True),
        ("Zo\u00eb B", "new@example.com", False),
    ]
    assert called(ours, caller) == seen[-1]


def a_minute_passes(casino: Casino, caller: Caller) -> None:
    casino.query(
        "UPDATE memberships SET called_at = called_at - interval '61 seconds' WHERE subject = %s", [caller.subject]
    )


def test_two_tokens_with_different_names_write_once_a_minute(ours: Casino, database: Database) -> None:
    caller = person(ours)
    one, other = (
        replace(caller, profile=Profile(name, "zoe@example.com", email_verified=True)) for name in ("Zoe", "Zoe B")
    )
    for token in (one, other, one, other):
        admitted(database, token)
    within_the_minute = called(ours, one)
    a_minute_passes(ours, one)
    admitted(database, other)

    assert (within_the_minute[0], called(ours, one)[0]) == ("Zoe", "Zoe B")


def test_calls_of_one_person_do_not_wait_for_each_other(ours: Casino, database: Database) -> None:
    """The other call may be long: it locks the membership's row until it ends."""
    caller = person(ours)
    admitted(database, caller)
    with psycopg.connect(ours.urls["superuser"]) as other:
        other.execute("SELECT FROM memberships WHERE subject = %s FOR UPDATE", [caller.subject])
        admitted(database, replace(caller, profile=Profile("Zoe", "zoe@example.com", email_verified=True)))
        during = called(ours, caller)
    admitted(database, replace(caller, profile=Profile("Zoe", "zoe@example.com", email_verified=True)))

    assert (during[0], called(ours, caller)[0]) == ("", "Zoe")


def test_role_of_a_new_token_replaces_the_old(ours: Casino, database: Database) -> None:
    caller = person(ours, "tenant_admin")
    admitted(database, caller)
    admitted(database, person(ours, "regulator", caller.subject))

    assert membership(ours, caller) == ("regulator", "active")


def test_suspended_person_stays_suspended_with_any_token(ours: Casino, database: Database) -> None:
    """HUB 43: the new role is not stored either."""
    caller = person(ours)
    admitted(database, caller)
    ours.query("UPDATE memberships SET status = 'suspended' WHERE subject = %s", [caller.subject])
    for role in ("staff", "tenant_admin"):
        with pytest.raises(Forbidden):
            admitted(database, person(ours, role, caller.subject))

    assert membership(ours, caller) == ("staff", "suspended")


def test_suspension_is_for_one_tenant(ours: Casino, theirs: Casino, database: Database) -> None:
    caller = person(ours)
    admitted(database, caller)
    ours.query("UPDATE memberships SET status = 'suspended' WHERE subject = %s", [caller.subject])
    there = person(theirs, "staff", caller.subject)
    admitted(database, there)

    assert membership(theirs, there) == ("staff", "active")


def test_concurrent_first_calls_create_one_membership(ours: Casino) -> None:
    caller = person(ours)
    databases = [ours.database("hub") for _ in range(8)]
    at_once([lambda one=one: admitted(one, caller) for one in databases])

    assert membership(ours, caller) == ("staff", "active")


def test_call_with_a_new_role_during_a_suspension_is_refused(ours: Casino, database: Database) -> None:
    """HUB 43"""
    caller = person(ours)
    admitted(database, caller)
    with held(ours, "UPDATE memberships SET status = 'suspended' WHERE subject = %s", caller.subject) as waiting:
        outcome = waiting(lambda: admitted(ours.database("hub"), person(ours, "regulator", caller.subject)))
    with pytest.raises(Forbidden, match="suspended"):
        outcome()

    assert membership(ours, caller) == ("staff", "suspended")


def test_super_admin_and_machine_get_no_membership(ours: Casino, database: Database) -> None:
    for caller in (person(ours, "super_admin"), Caller("machine", str(uuid4()), "service", ours.tenant_id)):
        admitted(database, caller)
        assert ours.query("SELECT FROM memberships WHERE subject = %s", [caller.subject]) == []


def test_unknown_tenant_admits_nobody(ours: Casino, database: Database) -> None:
    for tenant_id in (uuid4(), UUID(int=0)):
        with pytest.raises(TenantNotFound):
            admitted(database, Caller("person", "x", "super_admin", tenant_id))


def test_only_the_user_sees_the_users_row(ours: Casino, database: Database) -> None:
    """HUB 42"""
    first, second = person(ours), person(ours)
    for caller in (first, second):
        admitted(database, caller)
    with database.transaction(ours.tenant_id) as transaction:
        nobody = transaction.execute("SELECT subject FROM users").fetchall()
        identity.admit(transaction, first)
        found = transaction.execute("SELECT subject FROM users").fetchall()

    assert nobody == []
    assert [row.subject for row in found] == [first.subject]


def test_subject_and_role_do_not_leak_into_the_next_transaction(ours: Casino, database: Database) -> None:
    """HUB 42"""
    look = """
        SELECT pg_backend_pid() AS pid, current_subject() AS subject,
            nullif(current_setting('causeway.role', true), '') AS role
    """
    with database.transaction(ours.tenant_id) as transaction:
        identity.admit(transaction, person(ours, "super_admin", "somebody"))
        inside = transaction.execute(look).fetchone()
    after = database.one(look, [])

    assert inside is not None
    assert (inside.subject, inside.role) == ("somebody", "super_admin")
    assert (after.pid, after.subject, after.role) == (inside.pid, None, None)


def test_tenant_of_a_checked_key_does_not_leak_into_the_next_statement(ours: Casino, database: Database) -> None:
    """HUB 42: the function that checks a key sets the tenant itself."""
    key, digest = key_texts.make(ours.tenant_id, uuid4())
    made = """
        INSERT INTO api_keys (tenant_id, key_id, name, hash, created_by) VALUES (%s, %s, %s, %s, '') RETURNING key_id
    """
    ours.value(made, [ours.tenant_id, key.key_id, token_hex(6), digest])

    assert key_texts.use(database, key.text).machine.tenant == ours.tenant_id
    after = database.one("SELECT nullif(current_setting('causeway.tenant_id', true), '') AS tenant", [])
    assert after.tenant is None


def test_nobody_can_create_another_user(hub: psycopg.Connection[Any]) -> None:
    hub.execute("SELECT set_config('causeway.subject', 'somebody', true)")
    with pytest.raises(pg.InsufficientPrivilege, match="row-level security"):
        hub.execute("INSERT INTO users (subject) VALUES ('another')")


@pytest.mark.parametrize("role", ["super_admin", "service", "", "Staff"])
def test_membership_has_one_of_the_tenants_roles(ours: Casino, role: str) -> None:
    """No row can make a super admin."""
    ours.query("INSERT INTO users (subject) VALUES ('checked') ON CONFLICT DO NOTHING")
    with pytest.raises(pg.CheckViolation, match="memberships_role_check"):
        ours.query(
            "INSERT INTO memberships (tenant_id, subject, role) VALUES (%s, 'checked', %s)", [ours.tenant_id, role]
        )


# ---- Forbidden to the hub's login ----


@pytest.mark.parametrize(("subject", "status"), [("another", "active"), ("another", "suspended"), ("own", "suspended")])
def test_membership_is_created_active_and_only_by_its_person(
    ours: Casino, hub: psycopg.Connection[Any], subject: str, status: str
) -> None:
    """HUB 43: with any role in the token."""
    own, another = person(ours), person(ours)
    for caller in (own, another):
        ours.query("INSERT INTO users (subject) VALUES (%s)", [caller.subject])
    insert = "INSERT INTO memberships (tenant_id, subject, role, status) VALUES (%s, %s, 'staff', %s)"
    for role in ("staff", "tenant_admin", "super_admin"):
        hub.execute("SELECT set_config('causeway.subject', %s, true)", [own.subject])
        hub.execute("SELECT set_config('causeway.role', %s, true)", [role])
        with hub.transaction():
            assert hub.execute(insert, [ours.tenant_id, own.subject, "active"]).rowcount == 1
            raise psycopg.Rollback
        named = {"own": own, "another": another}[subject].subject
        with pytest.raises(pg.InsufficientPrivilege, match="row-level security"), hub.transaction():
            hub.execute(insert, [ours.tenant_id, named, status])


FORBIDDEN = [
    "UPDATE memberships SET subject = 'somebody'",
    "UPDATE memberships SET tenant_id = tenant_id",
    "DELETE FROM memberships",
    "UPDATE users SET created_at = now()",
    "DELETE FROM users",
    "UPDATE api_keys SET hash = hash",
    "UPDATE api_keys SET channel = NULL",
    "DELETE FROM api_keys",
    "UPDATE integration_connections SET provider_key = 'twilio'",
    "UPDATE integration_connections SET tenant_id = tenant_id",
    "UPDATE integration_connections SET created_by = ''",
    "DELETE FROM integration_connections",
    "UPDATE integration_api_logs SET error = NULL",
    "DELETE FROM integration_api_logs",
    "UPDATE sync_runs SET connection_id = connection_id",
    "DELETE FROM sync_runs",
    "UPDATE idempotency_keys SET subject = subject",
    "INSERT INTO idempotency_keys (object_id) VALUES (gen_random_uuid())",
    "DELETE FROM idempotency_keys",
    "DELETE FROM integration_health",
    "UPDATE circuit_breakers SET connection_id = connection_id",
    "DELETE FROM circuit_breakers",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_hub_cannot_rewrite_history(hub: psycopg.Connection[Any], statement: str) -> None:
    with pytest.raises(pg.InsufficientPrivilege, match="permission denied for table"):
        hub.execute(statement.encode())


ROWS = {
    "memberships": "INSERT INTO memberships (tenant_id, subject, role) VALUES (%s, 'x', 'tenant_admin')",
    "api_keys": "INSERT INTO api_keys (tenant_id, name, hash, created_by) VALUES (%s, 'x', sha256('x'), '')",
    "integration_connections": """
        INSERT INTO integration_connections (tenant_id, provider_key, name, created_by) VALUES (%s, 'twilio', 'x', '')
    """,
    "integration_health": """
        INSERT INTO integration_health (tenant_id, connection_id, status, code, message, next_action)
        VALUES (%s, gen_random_uuid(), 'healthy', '', '', '')
    """,
    "circuit_breakers": """
        INSERT INTO circuit_breakers (tenant_id, connection_id, state, retry_at)
        VALUES (%s, gen_random_uuid(), 'open', now())
    """,
    "integration_api_logs": """
        INSERT INTO integration_api_logs (
            tenant_id, connection_id, method, url, milliseconds, request_id, actor_kind, actor
        )
        VALUES (%s, gen_random_uuid(), '', '', 0, '', 'person', '')
    """,
    "sync_runs": """
        INSERT INTO sync_runs (tenant_id, connection_id, status, requested_by)
        VALUES (%s, gen_random_uuid(), 'failed', '')
    """,
    "idempotency_keys": """
        INSERT INTO idempotency_keys (tenant_id, subject, idempotency_key, request_hash, lease_id)
        VALUES (%s, '', 'x', sha256('x'), gen_random_uuid())
    """,
}


@pytest.mark.parametrize("table", ROWS)
def test_hub_cannot_write_for_another_tenant(hub: psycopg.Connection[Any], theirs: Casino, table: str) -> None:
    """HUB 42"""
    with pytest.raises(pg.InsufficientPrivilege, match=f'row-level security policy for table "{table}"'):
        hub.execute(ROWS[table].encode(), [theirs.tenant_id])


# ---- Keys ----


def insert_key(casino: Casino, name: str, **columns: Any) -> UUID:
    values = {"hash": b"x" * 32, "channel": None, "revoked": False} | columns
    return casino.value(
        """
        INSERT INTO api_keys (tenant_id, name, hash, channel, created_by, revoked_at)
        VALUES (%s, %s, %s, %s, '', CASE WHEN %s THEN now() END) RETURNING key_id
        """,
        [casino.tenant_id, name, values["hash"], values["channel"], values["revoked"]],
    )


def test_name_of_a_key_is_unique_among_the_tenants_keys_that_are_not_revoked(ours: Casino, theirs: Casino) -> None:
    name = token_hex(6)
    for casino in (ours, theirs):
        insert_key(casino, name)
        insert_key(casino, name, revoked=True)
        insert_key(casino, name, revoked=True)
    with pytest.raises(pg.UniqueViolation, match="api_keys_name"):
        insert_key(ours, name)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("", {}),
        ("x" * 101, {}),
        ("key", {"hash": b""}),
        ("key", {"hash": b"x" * 31}),
        ("key", {"hash": b"cwk_" + b"x" * 86}),
        ("key", {"channel": ""}),
        ("key", {"channel": "x" * 101}),
    ],
)
def test_malformed_key_is_refused(ours: Casino, name: str, columns: dict[str, Any]) -> None:
    """A key stored in place of its hash violates the constraint."""
    with pytest.raises(pg.CheckViolation):
        insert_key(ours, name, **columns)


# ---- Connections ----


def insert_connection(casino: Casino, **columns: Any) -> UUID:
    values = {
        "name": token_hex(6),
        "provider": "twilio",
        "status": "pending",
        "environment": "production",
        "deleted": False,
    } | columns
    return casino.value(
        """
        INSERT INTO integration_connections (
            tenant_id, provider_key, name, status, environment, created_by, deleted_at
        )
        VALUES (
            %(tenant)s, %(provider)s, %(name)s, %(status)s, %(environment)s, '',
            CASE WHEN %(deleted)s THEN now() END
        )
        RETURNING connection_id
        """,
        values | {"tenant": casino.tenant_id},
    )


@pytest.fixture(autouse=True)
def provider(ours: Casino) -> None:
    """A provider to connect to: in a migrated database the catalogue is empty until it is loaded."""
    ours.query(
        """
        INSERT INTO integration_providers (
            provider_key, kind, display_name, description, config_schema, setup_instructions, base_urls,
            webhook_support, rate_limits, authentication, health_call
        ) VALUES ('twilio', 'messaging', 'Twilio', 'SMS', '{"type": "object"}', '', '{}', false, '{}', '{}', '{}')
        ON CONFLICT DO NOTHING
        """
    )


def test_name_of_a_connection_is_unique_among_the_tenants_existing_connections(ours: Casino, theirs: Casino) -> None:
    name = token_hex(6)
    for casino in (ours, theirs):
        insert_connection(casino, name=name)
        insert_connection(casino, name=name, deleted=True)
        insert_connection(casino, name=name, deleted=True)
    with pytest.raises(pg.UniqueViolation, match="integration_connections_name"):
        insert_connection(ours, name=name)


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "moon"},
        {"environment": "moon"},
        {"name": ""},
        {"name": "x" * 101},
    ],
)
def test_malformed_connection_is_refused(ours: Casino, columns: dict[str, Any]) -> None:
    with pytest.raises(pg.CheckViolation):
        insert_connection(ours, **columns)


def test_connection_is_to_a_provider_of_the_catalogue(ours: Casino) -> None:
    with pytest.raises(pg.ForeignKeyViolation):
        insert_connection(ours, provider="nowhere")


@pytest.mark.parametrize("table", ["integration_health", "circuit_breakers", "sync_runs"])
def test_rows_of_a_connection_belong_to_its_tenant(ours: Casino, theirs: Casino, table: str) -> None:
    """HUB 42: even for a role that row-level security does not restrict."""
    statement = ROWS[table].replace("gen_random_uuid()", "%s")
    own, other = insert_connection(ours), insert_connection(theirs)
    ours.query(statement, [ours.tenant_id, own])
    with pytest.raises(pg.ForeignKeyViolation):
        ours.query(statement, [ours.tenant_id, other])


def test_call_in_the_api_log_belongs_to_a_connection_of_its_tenant(
    ours: Casino, theirs: Casino, hub: psycopg.Connection[Any]
) -> None:
    """HUB 42: no foreign key, because calls outlive their connection; the policy of the only writer compares it."""
    statement = ROWS["integration_api_logs"].replace("gen_random_uuid()", "%s")
    own, other = insert_connection(ours), insert_connection(theirs)
    hub.execute(statement.encode(), [ours.tenant_id, own])
    for wrong in (other, uuid4()):
        with pytest.raises(pg.InsufficientPrivilege, match="row-level security"), hub.transaction():
            hub.execute(statement.encode(), [ours.tenant_id, wrong])


def test_idempotency_key_belongs_to_its_tenant_and_caller(ours: Casino, theirs: Casino) -> None:
    key = token_hex(6)
    statement = """
        INSERT INTO idempotency_keys (tenant_id, subject, idempotency_key, request_hash, lease_id)
        VALUES (%s, %s, %s, sha256('x'), gen_random_uuid())
    """
    for casino in (ours, theirs):
        for subject in ("a", "b"):
            casino.query(statement, [casino.tenant_id, subject, key])
    with pytest.raises(pg.UniqueViolation):
        ours.query(statement, [ours.tenant_id, "a", key])
