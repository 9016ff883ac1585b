"""Row-level security: only a tenant's own transactions see its rows, with any login and whatever the code forgets."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from causeway.audit_log.entries import Action, Entry, record_in_own_transaction
from tests.database.conftest import Cluster, opened
from tests.database.world import Casino, Seat
from tests.findings import none_of

FILE = "tests/database/test_row_security.py"
LOGINS = ["casino", "provider", "auditor", "operator", "hub", "credentials"]
# A login that has all rights of another.
MEMBER_OF = {"causeway_credentials": ["causeway_hub"]}
# Unique across all tenants: a casino's code in the list of tenants, and what finds the tenant of a call (a game
# provider's code).
ACROSS_TENANTS = {"tenants_code_key", "casino_game_providers_by_code", "oauth_flows_state"}

TENANT_ROLES = {
    "causeway_casino",
    "causeway_provider",
    "causeway_ledger",
    "causeway_hub",
    "causeway_credentials",
    "causeway_auditlog",
    "causeway_registrar",
    "causeway_directory",
}
# Policies of causeway_directory that show every tenant's rows: a call is looked up before its tenant is known.
OF_THE_DEPLOYMENT = {"casino_game_providers_directory", "provider_casinos_directory", "oauth_flows_directory"}
_SUPER_ADMIN = "(current_caller_role() = 'super_admin'::text)"
_OF_DEPLOYMENT = "(current_tenant() = '00000000-0000-0000-0000-000000000000'::uuid)"
_BY_SUPER_ADMIN = f"({_OF_DEPLOYMENT} AND {_SUPER_ADMIN})"
_SELF = "(subject = current_subject())"
_DEPLOYMENT_ADMIN = (
    "((current_caller_role() = 'super_admin'::text) AND "
    "(current_tenant() = '00000000-0000-0000-0000-000000000000'::uuid))"
)
_OWN_ROLE = "((tenant_id = current_tenant()) AND (subject = current_subject()) AND (status = 'active'::text))"
_CALLERS_OWN = "((tenant_id = current_tenant()) AND (subject = current_subject()))"
_OTHERS = (
    "((tenant_id = current_tenant()) AND (subject <> current_subject()) AND "
    "(current_caller_role() = ANY (ARRAY['tenant_admin'::text, 'super_admin'::text])))"
)
_GIVES_CREDENTIALS = "((tenant_id = current_tenant()) AND (current_caller_role() IS DISTINCT FROM 'super_admin'::text))"
_OF_A_CONNECTION = (
    "((tenant_id = current_tenant()) AND (EXISTS ( SELECT FROM integration_connections c WHERE "
    "((c.tenant_id = integration_api_logs.tenant_id) AND (c.connection_id = integration_api_logs.connection_id)))))"
)
# Policies that compare something other than the tenant, or more. The first three are the platform's, which creates
# tenants; the next three control who creates and changes a membership, then who writes credentials; a call belongs to a
# connection of its tenant; an idempotency key to its caller. Tenants share the rows of a provider's and an OAuth app's
# limits.
OWN_WORDS = {
    "tenants_deployment_list": _DEPLOYMENT_ADMIN,
    "tenants_deployment_add": _DEPLOYMENT_ADMIN,
    "tenants_deployment_change": _DEPLOYMENT_ADMIN,
    "memberships_add": _OWN_ROLE,
    "memberships_own_role": _OWN_ROLE,
    "memberships_manage": _OTHERS,
    "api_credential_versions_add": _GIVES_CREDENTIALS,
    "api_credential_versions_change": _GIVES_CREDENTIALS,
    "api_credentials_add": _GIVES_CREDENTIALS,
    "api_credentials_change": _GIVES_CREDENTIALS,
    "api_credentials_destroy": _GIVES_CREDENTIALS,
    **dict.fromkeys(
        ("rate_limits_own", "rate_limits_add", "rate_limits_change"),
        "(tenant_id = rate_limit_tenant((kind)::text))",
    ),
    "integration_api_logs_add": _OF_A_CONNECTION,
    **dict.fromkeys(("idempotency_keys_own", "idempotency_keys_add", "idempotency_keys_change"), _CALLERS_OWN),
}
# Rows that the sweeps of all tenants may delete.
SWEPT = {
    "idempotency_keys_sweep": (
        "((created_at < (now() - idempotency_kept())) AND COALESCE((leased_until <= now()), true))"
    ),
    "rate_limits_sweep": (
        "((taken_on < rate_limits_kept_from((kind)::text)) AND COALESCE((told_until <= now()), true))"
    ),
    "events_out_sweep": "(created_at < (now() - events_kept()))",
}
# With them a function of the keeper's replaces a ciphertext of the deployment, in its own transactions only.
REWRAPPING = {"oauth_apps_due", "oauth_apps_rewrap"}
# Only transactions of the deployment see them.
SECRETS_OF_THE_DEPLOYMENT = {"oauth_apps", "deployment_data_keys"}
# Tables that belong to no tenant, and the condition of their policies by command.
WITHOUT_TENANT = {
    "integration_providers": {"SELECT": "true", "INSERT": _SUPER_ADMIN, "UPDATE": _SUPER_ADMIN},
    "users": {"SELECT": _SELF, "INSERT": _SELF},
    "oauth_apps": {"SELECT": _OF_DEPLOYMENT, "INSERT": _BY_SUPER_ADMIN, "UPDATE": _BY_SUPER_ADMIN},
    "deployment_data_keys": dict.fromkeys(("SELECT", "INSERT", "UPDATE"), _OF_DEPLOYMENT),
}

_PROVIDER_SIDE = (
    "INSERT INTO provider_casinos VALUES (%(tenant)s, %(code)s, 'http://127.0.0.1', 'DEMO')",
    "INSERT INTO provider_games VALUES (%(tenant)s, 'SLOTS', 1, 2)",
    "INSERT INTO provider_players (tenant_id, casino_code, user_id) VALUES (%(tenant)s, %(code)s, 1)",
    """
    INSERT INTO provider_sessions (
        tenant_id, provider_player_id, game_code, session_token, casino_session_id, currency
    )
    SELECT tenant_id, provider_player_id, 'SLOTS', 'token', 1, 'EUR' FROM provider_players WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO provider_rounds (tenant_id, provider_session_id)
    SELECT tenant_id, provider_session_id FROM provider_sessions WHERE tenant_id = %(tenant)s
    """,
)


_HUB_SIDE = (
    "INSERT INTO users (subject) VALUES ('subject') ON CONFLICT DO NOTHING",
    "INSERT INTO memberships (tenant_id, subject, role) VALUES (%(tenant)s, 'subject', 'staff')",
    "INSERT INTO api_keys (tenant_id, name, hash, created_by) VALUES (%(tenant)s, 'key', sha256('key'), 'subject')",
    """
    INSERT INTO integration_connections (tenant_id, provider_key, name, created_by)
    VALUES (%(tenant)s, 'twilio', 'Twilio', 'subject')
    """,
    "INSERT INTO tenant_data_keys (tenant_id, version, wrapped, kms_key_id) VALUES (%(tenant)s, 1, 'wrapped', 'key')",
    """
    INSERT INTO api_credential_versions (tenant_id, connection_id, version)
    SELECT tenant_id, connection_id, 1 FROM integration_connections WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO api_credentials (tenant_id, connection_id, version, field, ciphertext)
    SELECT tenant_id, connection_id, 1, 'auth_token', decode('0100000001' || repeat('00', 28), 'hex')
    FROM integration_connections WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO oauth_tokens (tenant_id, connection_id, credential_version)
    SELECT tenant_id, connection_id, 1 FROM integration_connections WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO oauth_flows (tenant_id, connection_id, actor, state_hash, callback, declined, expires_at)
    SELECT tenant_id, connection_id, 'subject', sha256(connection_id::text::bytea), 'https://hub.example', '{}', now()
    FROM integration_connections WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO integration_health (tenant_id, connection_id, status, code, message, next_action)
    SELECT tenant_id, connection_id, 'healthy', 'CONNECTED', '', '' FROM integration_connections
    WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO circuit_breakers (tenant_id, connection_id, state, retry_at)
    SELECT tenant_id, connection_id, 'open', now() FROM integration_connections WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO integration_api_logs (
            tenant_id, connection_id, method, url, milliseconds, request_id, actor_kind, actor
        )
    SELECT tenant_id, connection_id, 'GET', '', 1, '', 'person', 'subject' FROM integration_connections
    WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO integration_api_log_bodies (tenant_id, created_at, log_id, request_body, response_body)
    SELECT tenant_id, created_at, log_id, '', '' FROM integration_api_logs WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO sync_runs (tenant_id, connection_id, status, requested_by)
    SELECT tenant_id, connection_id, 'failed', 'subject' FROM integration_connections WHERE tenant_id = %(tenant)s
    """,
    """
    INSERT INTO idempotency_keys (tenant_id, subject, idempotency_key, request_hash, lease_id)
    VALUES (%(tenant)s, 'subject', 'key', sha256('body'), gen_random_uuid())
    """,
    """
    INSERT INTO events_out (tenant_id, type, object_kind, object_id, version, payload)
    VALUES (%(tenant)s, 'connection.created', 'connection', 'id', 1, '{}')
    """,
    """
    INSERT INTO rate_limits (tenant_id, kind, subject_id, taken_at, minute_used, hour_used, day_used, month_used)
    VALUES (%(tenant)s, 'key', 'key', now(), 1, 1, 1, 1)
    """,
)


_AUDITORS_SIDE = """
    INSERT INTO ledger_audit_heads (tenant_id, wallet_id, series, run, entry, hash, signature)
    SELECT tenant_id, wallet_id, '', 1, entries, head, '' FROM casino_wallets WHERE tenant_id = %(tenant)s
"""


def furnished(casino: Casino) -> Seat:
    """A player with a bet, and the provider's and the hub's side of the same tenant: a row in every table."""
    seat = casino.seat()
    assert seat.debit("bet", 100).code == "OK"
    # A new table needs a row here.
    for statement in (*_PROVIDER_SIDE, *_HUB_SIDE, _AUDITORS_SIDE):
        casino.query(statement, {"tenant": casino.tenant_id, "code": "CASINO"})
    entry = Entry(Action.CONNECTION_CREATED, "person", "subject", "staff", "connection")
    record_in_own_transaction(casino.database("hub"), casino.tenant_id, entry)
    return seat


@pytest.fixture(scope="module")
def ours(cluster: Cluster) -> Iterator[Seat]:
    """A seat in one tenant, in a database with another tenant."""
    with opened(cluster) as casino:
        yield furnished(casino)


@pytest.fixture(scope="module")
def theirs(ours: Seat) -> Iterator[Seat]:
    """A seat in the other tenant."""
    other = Casino(ours.casino.urls)
    yield furnished(other)
    other.close()


def tenant_tables(casino: Casino) -> list[str]:
    """Every table and view with a tenant."""
    rows = casino.query(
        """
        SELECT c.relname FROM pg_class AS c INNER JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attname = 'tenant_id'
        ORDER BY c.relname
        """
    )
    names = [row.relname for row in rows]
    assert {"tenants", "casino_wallets", "casino_transactions", "casino_postings", "provider_rounds"} <= set(names)
    return names


def readable(database: psycopg.Connection[Any], names: list[str]) -> list[str]:
    """The tables that the database connection's role may read."""
    return [
        name
        for name in names
        if database.execute("SELECT has_table_privilege(%s, 'SELECT')", [name]).fetchone() == (True,)
    ]


def tenants_seen(database: psycopg.Connection[Any], table: str) -> set[UUID]:
    """The tenants whose rows are visible in a table."""
    statement = sql.SQL("SELECT DISTINCT tenant_id FROM {}").format(sql.Identifier(table))
    return {row[0] for row in database.execute(statement)}


def become(database: psycopg.Connection[Any], tenant_id: UUID | str) -> None:
    """Set the tenant of the current transaction."""
    database.execute("SELECT set_config('causeway.tenant_id', %s::text, true)", [tenant_id])


def test_every_table_with_a_tenant_forces_row_security_and_has_a_policy(shared_casino: Casino) -> None:
    """FORCE applies it to the owner too."""
    rows = shared_casino.query(
        """
        SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
            (SELECT count(*) FROM pg_policy AS p WHERE p.polrelid = c.oid) AS policies
        FROM pg_class AS c INNER JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = 'tenant_id'
        """
    )
    assert len(rows) == len(tenant_tables(shared_casino)) - 1  # the one view
    open_ = [row.relname for row in rows if not (row.relrowsecurity and row.relforcerowsecurity and row.policies)]
    none_of(open_, "needs ENABLE and FORCE ROW LEVEL SECURITY, and a policy")


def test_every_partition_forces_row_security_and_is_reached_through_its_table_only(shared_casino: Casino) -> None:
    """The table's policies hold for its partitions; a partition has none, so nobody reaches a row of it alone."""
    rows = shared_casino.query(
        """
        SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced, i.inhparent IS NOT NULL AS attached,
            (SELECT count(*) FROM pg_policy AS p WHERE p.polrelid = c.oid) AS policies,
            ARRAY (
                SELECT r.rolname || ' ' || p.name FROM pg_roles AS r
                CROSS JOIN string_to_table('SELECT INSERT UPDATE DELETE TRUNCATE', ' ') AS p (name)
                WHERE NOT r.rolsuper AND starts_with(r.rolname, 'causeway_') AND r.rolname <> 'causeway_owner'
                    AND has_table_privilege(r.oid, c.oid, p.name)
            ) AS rights
        FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
        WHERE c.relnamespace = 'partitions'::regnamespace AND c.relkind IN ('r', 'p')
        """
    )
    assert len(rows) >= 2 + 3 + 8
    none_of((row.relname for row in rows if not row.forced), "needs ENABLE and FORCE ROW LEVEL SECURITY")
    none_of((row.relname for row in rows if row.policies or not row.attached), "is no partition, or has a policy")
    # A new partition gets the columns of the default one, which its owner may therefore read.
    rights = {row.relname: row.rights for row in rows if row.rights}
    assert rights == {
        f"integration_api_{name}_default": ["causeway_partitioner SELECT"] for name in ("logs", "log_bodies")
    }


@pytest.mark.parametrize("login", LOGINS)
def test_no_login_may_use_the_schema_of_partitions(shared_casino: Casino, login: str) -> None:
    for privilege in ("USAGE", "CREATE"):
        statement = "SELECT has_schema_privilege(%s, 'partitions', %s)"
        assert not shared_casino.value(statement, [f"causeway_{login}", privilege])


def test_owner_of_partitions_sees_no_row(ours: Seat) -> None:
    with psycopg.connect(ours.casino.urls["owner"]) as database:
        database.execute("SET ROLE causeway_partitioner")
        become(database, ours.casino.tenant_id)
        assert database.execute("SELECT * FROM partitions.integration_api_logs_default").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("SELECT FROM integration_api_logs")


def test_table_without_a_tenant_has_no_tenants_data(shared_casino: Casino) -> None:
    """Countries, currencies, time zones, the catalogue, users, the deployment's secrets, the records of migrations."""
    rows = shared_casino.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
    )
    others = {row.relname for row in rows} - set(tenant_tables(shared_casino))

    assert {name for name in others if "yoyo" not in name} == {
        *("countries", "currencies", "time_zones", "integration_providers", "users"),
        *SECRETS_OF_THE_DEPLOYMENT,
        # The numbers of audits and their signatures; only the auditor reads them.
        *("ledger_audit_runs", "ledger_audit_facts"),
    }, f"a tenant's table needs tenant_id; a table of the deployment needs a line here, in {FILE}"


def test_view_of_a_tenants_table_uses_its_readers_rights(shared_casino: Casino) -> None:
    rows = shared_casino.query(
        """
        SELECT relname, coalesce('security_invoker=true' = ANY (reloptions), false) AS invoker FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
        """
    )
    assert rows
    none_of((row.relname for row in rows if not row.invoker), "needs security_invoker")


def test_policy_compares_the_tenant_unless_it_is_the_auditors(shared_casino: Casino) -> None:
    policies = shared_casino.query(
        """
        SELECT tablename, policyname, roles::text[], cmd, qual, with_check FROM pg_policies
        WHERE schemaname = 'public'
        """
    )
    assert len(policies) > 20
    for policy in policies:
        across = policy.roles[0] in ("causeway_auditor", "causeway_keeper") or policy.policyname in OF_THE_DEPLOYMENT
        if across and policy.policyname not in REWRAPPING:
            # The auditor signs heads of every tenant's chains, in a table that only it reads.
            signs = (policy.tablename, policy.cmd, policy.with_check) == ("ledger_audit_heads", "INSERT", "true")
            sweeps = policy.cmd == "DELETE" and SWEPT.get(policy.policyname) == policy.qual
            assert signs or sweeps or (policy.cmd, policy.qual) == ("SELECT", "true"), (
                f"{policy.policyname}: a policy across tenants only reads; a sweep is listed in SWEPT in {FILE}"
            )
            continue
        asked = {
            "SELECT": [policy.qual],
            "INSERT": [policy.with_check],
            "UPDATE": [policy.qual, policy.with_check],
            "DELETE": [policy.qual],
        }[policy.cmd]
        if policy.policyname in REWRAPPING:
            assert (policy.roles, set(asked)) == (["causeway_keeper"], {_OF_DEPLOYMENT}), policy.policyname
            continue
        if policy.tablename in WITHOUT_TENANT:
            login = "causeway_credentials" if policy.tablename in SECRETS_OF_THE_DEPLOYMENT else "causeway_hub"
            assert policy.roles == [login], policy.policyname
            assert WITHOUT_TENANT[policy.tablename][policy.cmd] == asked[-1], policy.policyname
            continue
        assert set(policy.roles) <= TENANT_ROLES, f"{policy.policyname}: mend its role, or TENANT_ROLES in {FILE}"
        tenant = "ledger_tenant()" if policy.roles == ["causeway_ledger"] else "current_tenant()"
        expected = OWN_WORDS.get(policy.policyname, f"(tenant_id = {tenant})")
        assert {" ".join(text.split()) for text in asked} == {expected}, (
            f"{policy.policyname}: compare the tenant, or list the policy in {FILE}: OWN_WORDS if it compares more, "
            "OF_THE_DEPLOYMENT if causeway_directory looks up the tenant with it"
        )


def test_privilege_on_a_table_has_a_policy_for_its_command_and_role(shared_casino: Casino) -> None:
    """HUB 42: one policy per command and role; none for PUBLIC, none for all commands together."""
    granted = shared_casino.query(
        """
        SELECT c.relname, r.rolname, p.name AS command
        FROM pg_class AS c
        CROSS JOIN pg_roles AS r
        CROSS JOIN string_to_table('SELECT INSERT UPDATE DELETE', ' ') AS p (name)
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity
            AND starts_with(r.rolname, 'causeway_') AND r.rolname <> 'causeway_owner'
            AND (
                has_table_privilege(r.oid, c.oid, p.name)
                OR (p.name <> 'DELETE' AND has_any_column_privilege(r.oid, c.oid, p.name))
            )
        """
    )
    policies = shared_casino.query(
        "SELECT tablename, unnest(roles)::text AS role, cmd FROM pg_policies WHERE schemaname = 'public'"
    )

    # A member has the policies of the role that it is a member of.
    inherited = {
        (row.tablename, member, row.cmd) for row in policies for member, of in MEMBER_OF.items() if row.role in of
    }

    assert len(granted) > 50
    assert {tuple(row) for row in policies} | inherited == {tuple(row) for row in granted}, (
        "each GRANT needs a CREATE POLICY for its command and role, and each policy its GRANT"
    )


def test_every_unique_index_leads_with_the_tenant(shared_casino: Casino) -> None:
    """Otherwise one tenant could use up ids of all others, and learn that they exist."""
    rows = shared_casino.query(
        """
        SELECT i.indexrelid::regclass::text AS name, a.attname AS first
        FROM pg_index AS i
        INNER JOIN pg_class AS c ON c.oid = i.indrelid
        LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indisunique AND c.relname = ANY (%s)
        """,
        [tenant_tables(shared_casino)],
    )
    assert len(rows) > 15
    assert {row.name for row in rows if row.first != "tenant_id"} == ACROSS_TENANTS, (
        f"begin the key with tenant_id; an index that finds the tenant of a call is listed in ACROSS_TENANTS in {FILE}"
    )


def test_foreign_key_between_tenants_tables_includes_the_tenant(shared_casino: Casino) -> None:
    rows = shared_casino.query(
        """
        SELECT c.conname, array_agg(own.attname::text ORDER BY k.n) AS own,
            array_agg(far.attname::text ORDER BY k.n) AS far
        FROM pg_constraint AS c
        CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, far, n)
        INNER JOIN pg_attribute AS own ON own.attrelid = c.conrelid AND own.attnum = k.own
        INNER JOIN pg_attribute AS far ON far.attrelid = c.confrelid AND far.attnum = k.far
        WHERE c.contype = 'f' AND c.conrelid::regclass::text = ANY (%(tables)s)
            AND c.confrelid::regclass::text = ANY (%(tables)s)
        GROUP BY c.oid
        """,
        {"tables": tenant_tables(shared_casino)},
    )
    assert len(rows) > 10
    # The audit log's heads refer to their tenant by a column that is NULL for the deployment's chain.
    rows = [row for row in rows if row.conname != "audit_log_heads_tenant_fkey"]
    apart = (row.conname for row in rows if ("tenant_id", "tenant_id") not in zip(row.own, row.far, strict=True))
    none_of(apart, "must reference the tenant too")


def test_logins_have_no_server_rights_and_own_nothing(shared_casino: Casino) -> None:
    rows = shared_casino.query(
        """
        SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication,
            EXISTS (
                SELECT FROM pg_shdepend AS d
                WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.deptype = 'o'
            ) AS owns,
            ARRAY (
                SELECT g.rolname::text FROM pg_auth_members AS m INNER JOIN pg_roles AS g ON g.oid = m.roleid
                WHERE m.member = r.oid AND g.rolname <> 'rds_iam'
            ) AS member_of
        FROM pg_roles AS r
        WHERE r.rolcanlogin AND starts_with(r.rolname, 'causeway_') AND r.rolname <> 'causeway_owner'
        ORDER BY r.rolname
        """
    )
    assert [row.rolname for row in rows] == sorted(f"causeway_{login}" for login in LOGINS)
    for row in rows:
        assert not any(row[1:-1]), row.rolname
        assert row.member_of == MEMBER_OF.get(row.rolname, []), row.rolname


def test_row_security_applies_to_a_tables_owner(ours: Seat) -> None:
    """Shown with an owner that is a member of no other role."""
    casino = ours.casino
    tables = [name for name in tenant_tables(casino) if name != "casino_postings"]
    with casino.superuser.transaction(force_rollback=True):
        casino.query("CREATE ROLE causeway_probe")
        for table in tables:
            casino.query(sql.SQL("ALTER TABLE {} OWNER TO causeway_probe").format(sql.Identifier(table)))
            casino.query(sql.SQL("GRANT SELECT ON {} TO causeway_probe").format(sql.Identifier(table)))
        casino.query("SET LOCAL ROLE causeway_probe")
        become(casino.superuser, casino.tenant_id)
        none_of((table for table in tables if tenants_seen(casino.superuser, table)), "shows tenants")


@pytest.mark.parametrize("login", ["casino", "provider", "hub", "credentials"])
@pytest.mark.parametrize("tenant", [None, ""])
def test_without_a_tenant_no_rows_are_visible(ours: Seat, theirs: Seat, login: str, tenant: str | None) -> None:
    names = tenant_tables(ours.casino)
    with psycopg.connect(ours.casino.urls[login]) as database:
        if tenant is not None:
            become(database, tenant)
        found = readable(database, names)
        assert len(found) >= 6
        for table in found:
            assert tenants_seen(ours.casino.superuser, table) >= {ours.casino.tenant_id, theirs.casino.tenant_id}, (
                f"{table} has no row to hide: add one to _HUB_SIDE or _PROVIDER_SIDE in {FILE}"
            )
            assert tenants_seen(database, table) == set(), table


@pytest.mark.parametrize("login", ["casino", "provider", "hub", "credentials"])
def test_only_rows_of_the_set_tenant_are_visible(ours: Seat, theirs: Seat, login: str) -> None:
    names = tenant_tables(ours.casino)
    with psycopg.connect(ours.casino.urls[login]) as database:
        found = readable(database, names)
        assert len(found) >= 6
        # A caller also sees the rows that belong to the caller within the tenant.
        database.execute("SELECT set_config('causeway.subject', 'subject', true)")
        for seat in (ours, theirs):
            become(database, seat.casino.tenant_id)
            for table in found:
                assert tenants_seen(database, table) == {seat.casino.tenant_id}, (
                    f"{table}: mend its policy for causeway_{login}, or add a row to _HUB_SIDE or _PROVIDER_SIDE here"
                )


def test_auditor_sees_every_tenant_without_setting_one(ours: Seat, theirs: Seat) -> None:
    """Otherwise the audit would find nothing wrong, because it saw no rows."""
    with psycopg.connect(ours.casino.urls["auditor"]) as database:
        for table in readable(database, tenant_tables(ours.casino)):
            assert tenants_seen(database, table) >= {ours.casino.tenant_id, theirs.casino.tenant_id}, table


@pytest.mark.parametrize("login", LOGINS)
def test_row_security_cannot_be_switched_off(ours: Seat, login: str) -> None:
    with psycopg.connect(ours.casino.urls[login], autocommit=True) as database:
        database.execute("SET row_security = off")
        for table in readable(database, tenant_tables(ours.casino)):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                tenants_seen(database, table)


def test_casino_cannot_open_a_session_for_another_tenant(ours: Seat, theirs: Seat) -> None:
    insert = """
        INSERT INTO casino_sessions (tenant_id, session_token, player_id, wallet_id, game_id, game_provider_id)
        SELECT tenant_id, gen_random_uuid()::text, player_id, wallet_id, game_id, game_provider_id FROM casino_sessions
        WHERE tenant_id = %s
    """
    row = theirs.casino.query("SELECT * FROM casino_sessions WHERE session_token = %s", [theirs.token])[0]
    values = [row.tenant_id, row.player_id, row.wallet_id, row.game_id, row.game_provider_id]
    with psycopg.connect(ours.casino.urls["casino"]) as database:
        become(database, ours.casino.tenant_id)
        assert database.execute(insert, [ours.casino.tenant_id]).rowcount == 1
        assert database.execute(insert, [theirs.casino.tenant_id]).rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            database.execute(
                """
                INSERT INTO casino_sessions (tenant_id, session_token, player_id, wallet_id, game_id, game_provider_id)
                VALUES (%s, 'new', %s, %s, %s, %s)
                """,
                values,
            )
        database.rollback()


def test_casino_cannot_change_a_session_of_another_tenant(ours: Seat, theirs: Seat) -> None:
    close = "UPDATE casino_sessions SET status = 'closed' WHERE session_token = %s"
    with psycopg.connect(ours.casino.urls["casino"]) as database:
        become(database, ours.casino.tenant_id)
        assert database.execute(close, [ours.token]).rowcount == 1
        assert database.execute(close, [theirs.token]).rowcount == 0
        database.rollback()


@pytest.mark.parametrize(
    "insert",
    [
        "INSERT INTO provider_players (tenant_id, casino_code, user_id) VALUES (%s, 'CASINO', 2)",
        """
        INSERT INTO provider_sessions (
            tenant_id, provider_player_id, game_code, session_token, casino_session_id, currency
        )
        VALUES (%s, 1, 'SLOTS', 'another token', 1, 'EUR')
        """,
        "INSERT INTO provider_rounds (tenant_id, provider_session_id) VALUES (%s, gen_random_uuid())",
    ],
)
def test_provider_cannot_write_for_another_tenant(ours: Seat, theirs: Seat, insert: str) -> None:
    with psycopg.connect(ours.casino.urls["provider"]) as database:
        become(database, ours.casino.tenant_id)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            database.execute(insert.encode(), [theirs.casino.tenant_id])
        database.rollback()


def test_provider_cannot_settle_a_round_of_another_tenant(ours: Seat, theirs: Seat) -> None:
    with psycopg.connect(ours.casino.urls["provider"]) as database:
        become(database, ours.casino.tenant_id)
        assert database.execute("UPDATE provider_rounds SET status = 'settled'").rowcount == 1
        database.rollback()


def test_money_function_finds_nothing_of_another_tenant(ours: Seat, theirs: Seat) -> None:
    """WALLET 34: even if the caller names the other tenant's provider, session and player"""
    before = ours.state(), theirs.state()
    with psycopg.connect(ours.casino.urls["casino"]) as database:
        # Whatever tenant was set before, a function uses the one that it is given.
        become(database, theirs.casino.tenant_id)
        row = database.execute(
            "SELECT outcome FROM casino_balance_v1(%s, %s, false, %s, %s, NULL)",
            [ours.casino.tenant_id, theirs.game_provider.code, theirs.token, theirs.player_id],
        ).fetchone()
    assert row == ("SIGNATURE_INVALID",)
    assert (ours.state(), theirs.state()) == before


def test_tenant_does_not_leak_into_the_next_transaction(ours: Seat) -> None:
    database = ours.casino.database()
    look = """
        SELECT pg_backend_pid() AS pid, current_tenant() AS tenant, (SELECT count(*) FROM casino_wallets) AS seen
    """

    with database.transaction(ours.casino.tenant_id) as transaction:
        inside = transaction.execute(look).fetchone()
    after = database.one(look, [])

    assert inside is not None
    assert (inside.tenant, inside.seen) == (ours.casino.tenant_id, 1)
    assert (after.pid, after.tenant, after.seen) == (inside.pid, None, 0)


def test_tenant_does_not_leak_from_a_failed_transaction(ours: Seat) -> None:
    database = ours.casino.database()
    look = "SELECT pg_backend_pid() AS pid, current_tenant() AS tenant"
    before = database.one(look, [])
    with suppress(RuntimeError), database.transaction(ours.casino.tenant_id):
        raise RuntimeError

    assert database.one(look, []) == before
    assert before.tenant is None


def test_tenant_does_not_leak_from_a_money_function(ours: Seat) -> None:
    """The functions set the tenant themselves; the setting ends with their transaction."""
    assert ours.asked_balance().code == "OK"
    assert ours.debit("another bet", 1).code == "OK"
    assert ours.debit("too much", 10**9).code == "INSUFFICIENT_FUNDS"
    assert ours.debit("bet", 1).code == "DUPLICATE_TRANSACTION"

    assert ours.database.one("SELECT current_tenant() AS tenant", []).tenant is None
    assert ours.database.one("SELECT count(*) AS seen FROM casino_wallets", []).seen == 0


def test_malformed_tenant_is_an_error_and_not_all_rows(ours: Seat) -> None:
    with psycopg.connect(ours.casino.urls["casino"]) as database:
        become(database, "' OR true --")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            tenants_seen(database, "casino_wallets")
        database.rollback()
