"""Tenants and memberships: who may create and change them, enforced by the database whatever the functions ask for."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from secrets import token_hex
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors as pg

from causeway.errors.tenancy import TenantNotFound
from causeway.tenancy import identity, memberships, tenants
from causeway.tenancy.claims import person_of
from causeway.tenancy.context import RequestContext
from causeway.tenancy.identity import Caller, NewRole
from causeway.tenancy.memberships import MembershipChange
from causeway.tenancy.tenants import Tenant, TenantChange
from causeway.wire.preconditions import ANY
from tests.database.parallel import held
from tests.database.world import Casino

DEPLOYMENT = UUID(int=0)
EVERYBODY_ELSE = ["tenant_admin", "regulator", "staff", "service", "Super_Admin", "", None]
MAKE = "INSERT INTO tenants (code, display_name) VALUES (%s, 'New') RETURNING tenant_id"

Transaction = Callable[..., AbstractContextManager[psycopg.Connection[Any]]]


@pytest.fixture
def hub(ours: Casino) -> Transaction:
    """A transaction with the hub's login, rolled back at the end: hub(tenant, role, subject)."""

    @contextmanager
    def begin(tenant: UUID | None, role: str | None, subject: str = "caller") -> Generator[psycopg.Connection[Any]]:
        with psycopg.connect(ours.urls["hub"]) as database:
            for name, value in (("tenant_id", tenant), ("role", role), ("subject", subject)):
                if value is not None:
                    database.execute("SELECT set_config('causeway.' || %s, %s::text, true)", [name, value])
            yield database
            database.rollback()

    return begin


def code() -> str:
    return f"T{token_hex(8).upper()}"


def tenants_seen(database: psycopg.Connection[Any]) -> set[UUID]:
    return {row[0] for row in database.execute("SELECT tenant_id FROM tenants")}


# ---- Tenants ----


@pytest.mark.parametrize("role", EVERYBODY_ELSE)
@pytest.mark.parametrize("tenant", ["deployment", "own", None])
def test_only_a_super_admin_creates_a_tenant(
    hub: Transaction, ours: Casino, role: str | None, tenant: UUID | None
) -> None:
    """HUB 43"""
    named = {"deployment": DEPLOYMENT, "own": ours.tenant_id}.get(tenant or "")
    with hub(named, role) as database, pytest.raises(pg.InsufficientPrivilege, match="row-level security"):
        database.execute(MAKE, [code()])


def test_tenant_is_created_only_in_a_transaction_of_the_deployment(hub: Transaction, ours: Casino) -> None:
    with hub(DEPLOYMENT, "super_admin") as database:
        [row] = database.execute(MAKE, [code()]).fetchall()
        assert row[0] != UUID(int=0)
    for tenant in (ours.tenant_id, None, ""):
        with hub(tenant, "super_admin") as database, pytest.raises(pg.InsufficientPrivilege, match="row-level"):
            database.execute(MAKE, [code()])


@pytest.mark.parametrize("role", EVERYBODY_ELSE)
def test_nobody_else_sees_or_renames_another_tenant(
    hub: Transaction, ours: Casino, theirs: Casino, role: str | None
) -> None:
    """HUB 42, 43"""
    rename = "UPDATE tenants SET display_name = 'Renamed'"
    for tenant, seen in ((ours.tenant_id, {ours.tenant_id}), (DEPLOYMENT, set()), (None, set())):
        with hub(tenant, role) as database:
            assert tenants_seen(database) == seen
            assert database.execute(rename).rowcount == 0


def test_super_admin_sees_all_tenants_but_only_one_inside_a_tenant(
    hub: Transaction, ours: Casino, theirs: Casino
) -> None:
    """HUB 42"""
    rename = "UPDATE tenants SET display_name = 'Renamed' WHERE tenant_id = %s"
    with hub(DEPLOYMENT, "super_admin") as database:
        assert tenants_seen(database) >= {ours.tenant_id, theirs.tenant_id}
        assert database.execute(rename, [theirs.tenant_id]).rowcount == 1
    with hub(ours.tenant_id, "super_admin") as database:
        assert tenants_seen(database) == {ours.tenant_id}
        assert database.execute(rename, [ours.tenant_id]).rowcount == 0
    with hub(None, "super_admin") as database:
        assert tenants_seen(database) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tenants (tenant_id, code, display_name) VALUES (gen_random_uuid(), 'CHOSEN', 'x')",
        "INSERT INTO tenants (code, display_name, created_at) VALUES ('BACKDATED', 'x', '2000-01-01')",
        "UPDATE tenants SET code = 'OTHER'",
        "UPDATE tenants SET tenant_id = gen_random_uuid()",
        "UPDATE tenants SET created_at = now()",
        "DELETE FROM tenants",
        "TRUNCATE tenants CASCADE",
    ],
)
def test_super_admin_cannot_choose_an_id_and_changes_only_the_name(hub: Transaction, statement: str) -> None:
    with hub(DEPLOYMENT, "super_admin") as database, pytest.raises(pg.InsufficientPrivilege, match="permission denied"):
        database.execute(statement.encode())


@pytest.mark.parametrize(("column", "value"), [("code", "jaqpot"), ("code", ""), ("name", ""), ("name", "x" * 201)])
def test_malformed_tenant_is_refused(hub: Transaction, column: str, value: str) -> None:
    values = {"code": code(), "name": "A tenant"} | {column: value}
    with hub(DEPLOYMENT, "super_admin") as database, pytest.raises(pg.CheckViolation):
        database.execute("INSERT INTO tenants (code, display_name) VALUES (%(code)s, %(name)s)", values)


def renamed(casino: Casino, name: str) -> Tenant:
    """A tenant renamed by a super admin, in a separate execution environment."""
    caller = Caller("person", "caller", "super_admin", None)
    context = RequestContext(caller, "203.0.113.7", "call", casino.database("hub"))
    return tenants.change(context, casino.tenant_id, TenantChange.parse({"displayName": name}), ANY)


def changes(casino: Casino, object_id: str) -> list[tuple[Any, Any]]:
    """An object's state before and after each change, from the tenant's audit log, oldest first."""
    rows = casino.query(
        """
        SELECT before::text::json AS before, after::text::json AS after FROM audit_log
        WHERE tenant_id = %s AND object_id = %s ORDER BY entry
        """,
        [casino.tenant_id, object_id],
    )
    return [tuple(row) for row in rows]


def test_second_of_two_concurrent_renames_wins(theirs: Casino) -> None:
    """HUB 44: the audit log shows this order."""
    with held(theirs, "UPDATE tenants SET display_name = 'First' WHERE tenant_id = %s", theirs.tenant_id) as waiting:
        outcome = waiting(lambda: renamed(theirs, "Second"))

    assert outcome().display_name == "Second"
    [(before, after)] = changes(theirs, str(theirs.tenant_id))
    assert (before["displayName"], after["displayName"]) == ("First", "Second")


def test_tenant_is_renamed_while_its_rows_are_written(ours: Casino) -> None:
    """The rows refer to the tenant; neither waits for the other."""
    with psycopg.connect(ours.urls["superuser"]) as other:
        other.execute(
            "INSERT INTO api_keys (tenant_id, name, hash, created_by) VALUES (%s, 'x', sha256('x'), '')",
            [ours.tenant_id],
        )
        assert renamed(ours, "Renamed meanwhile").display_name == "Renamed meanwhile"
        other.rollback()


@pytest.mark.parametrize("form", ["urn:uuid:{}", "{{{}}}", "{} ", "no dashes", ""])
def test_malformed_id_is_not_found(ours: Casino, form: str) -> None:
    text = str(ours.tenant_id).replace("-", "") if form == "no dashes" else form.format(ours.tenant_id)
    with pytest.raises(TenantNotFound):
        tenants.parse_tenant_id({"tenant_id": text})
    with pytest.raises(TenantNotFound):
        person_of({"sub": "x", "cognito:groups": "super_admin"}, text)
    assert tenants.parse_tenant_id({"tenant_id": str(ours.tenant_id).upper()}) == ours.tenant_id


# ---- Memberships ----

SUSPEND = "UPDATE memberships SET status = 'suspended' WHERE subject = %s"
RESTORE = "UPDATE memberships SET status = 'active' WHERE subject = %s"


def person(casino: Casino, role: str = "staff", status: str = "active") -> str:
    """The subject of a new person of a tenant."""
    subject = f"subject-{token_hex(6)}"
    casino.query("INSERT INTO users (subject) VALUES (%s)", [subject])
    casino.query(
        "INSERT INTO memberships (tenant_id, subject, role, status) VALUES (%s, %s, %s, %s)",
        [casino.tenant_id, subject, role, status],
    )
    return subject


@pytest.mark.parametrize("role", ["tenant_admin", "super_admin"])
def test_admin_suspends_and_restores_people_of_the_tenant(hub: Transaction, ours: Casino, role: str) -> None:
    for status, change in (("active", SUSPEND), ("suspended", RESTORE)):
        subject = person(ours, status=status)
        with hub(ours.tenant_id, role) as database:
            assert database.execute(change, [subject]).rowcount == 1


@pytest.mark.parametrize("role", ["tenant_admin", "super_admin"])
def test_admin_cannot_change_people_of_another_tenant(
    hub: Transaction, ours: Casino, theirs: Casino, role: str
) -> None:
    """HUB 43"""
    subject = person(theirs)
    for tenant in (ours.tenant_id, DEPLOYMENT, None):
        with hub(tenant, role) as database:
            assert database.execute(SUSPEND, [subject]).rowcount == 0


@pytest.mark.parametrize("role", ["regulator", "staff", "service", "", None])
def test_only_an_admin_changes_other_people(hub: Transaction, ours: Casino, role: str | None) -> None:
    """HUB 43"""
    active, suspended = person(ours), person(ours, status="suspended")
    with hub(ours.tenant_id, role) as database:
        assert database.execute(SUSPEND, [active]).rowcount == 0
        assert database.execute(RESTORE, [suspended]).rowcount == 0
        assert database.execute("UPDATE memberships SET role = 'staff' WHERE subject = %s", [active]).rowcount == 0


@pytest.mark.parametrize("role", ["tenant_admin", "super_admin", "staff"])
def test_nobody_can_suspend_or_restore_themselves(hub: Transaction, ours: Casino, role: str) -> None:
    active, suspended = person(ours), person(ours, status="suspended")
    with hub(ours.tenant_id, role, active) as database, pytest.raises(pg.InsufficientPrivilege, match="row-level"):
        database.execute(SUSPEND, [active])
    with hub(ours.tenant_id, role, suspended) as database:
        assert database.execute(RESTORE, [suspended]).rowcount == 0


def test_second_of_two_concurrent_suspensions_changes_nothing(theirs: Casino) -> None:
    """HUB 44: the log has no second entry."""
    admin = Caller("person", person(theirs, "tenant_admin"), "tenant_admin", theirs.tenant_id)
    subject = person(theirs)
    context = RequestContext(admin, "203.0.113.7", "call", theirs.database("hub"))
    change = MembershipChange(status="suspended")
    with held(theirs, "UPDATE memberships SET status = 'suspended' WHERE subject = %s", subject) as waiting:
        outcome = waiting(lambda: memberships.change(context, subject, change, ANY))

    assert outcome().status == "suspended"
    assert changes(theirs, subject) == []


def test_admit_reports_what_it_stored(ours: Casino) -> None:
    database = ours.database("hub")
    subject = f"subject-{token_hex(6)}"

    def admitted(role: Any) -> NewRole | None:
        with database.transaction(ours.tenant_id) as transaction:
            return identity.admit(transaction, Caller("person", subject, role, ours.tenant_id))

    assert admitted("tenant_admin") == NewRole(None)
    assert admitted("tenant_admin") is None
    assert admitted("staff") == NewRole("tenant_admin")
    assert admitted("super_admin") is None
    assert admitted("staff") is None
