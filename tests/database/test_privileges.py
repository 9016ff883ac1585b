"""Privileges of the database roles: only the ledger's functions move money, and the ledger is append-only for all."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from tests.database.conftest import Cluster, opened
from tests.database.world import B, Casino, Seat

FILE = "tests/database/test_privileges.py"
READ = {"SELECT"}
CASINO_TABLES = (
    "casino_players",
    "casino_game_providers",
    "casino_games",
    "casino_wallets",
    "casino_sessions",
    "casino_transactions",
    "casino_postings",
)
# All columns except the key of a provider and its creation time.
PROVIDER_COLUMNS = [
    *("kind", "display_name", "description", "icon", "config_schema", "setup_instructions", "documentation_url"),
    *("base_urls", "api_version", "webhook_support", "webhook_url", "rate_limits", "authentication", "health_call"),
    *("oauth", "is_active", "changed_by_admin", "version", "updated_at"),
]
# All columns except tenant, provider and creation.
TOKEN_COLUMNS = (
    *(
        "ciphertext",
        "terms",
        "renewal",
        "grants",
        "by_shared_app",
        "obtained_at",
        "expires_at",
        "refresh_expires_at",
        "scopes",
    ),
    *("lease_id", "leased_until", "failed_status", "refusal", "failures", "waits_until", "warned_at"),
)
# All columns except tenant, connection and actor.
FLOW_COLUMNS = (
    *("flow_id", "state_hash", "callback", "return_url", "declined", "verifier", "begun_at", "expires_at"),
    *("returned_at", "code", "error", "taken_at", "completed_at"),
)
CONNECTION_COLUMNS = [
    *(
        "name",
        "description",
        "external_id",
        "metadata",
        "rate_limits",
        "config",
        "terms",
        "status",
        "environment",
        "status_changes",
        "error_code",
        "error_message",
        "last_sync_at",
        "version",
        "updated_at",
    ),
    "deleted_at",
]
IDEMPOTENCY_COLUMNS = [
    *("request_hash", "object_id", "lease_id", "leased_until", "begun", "status", "headers", "body"),
    "created_at",
]
HEALTH_COLUMNS = [
    *("status", "failures", "successes", "changed_at", "code", "message", "next_action", "response_ms", "checked_at"),
]
RATE_LIMIT_COUNTS = (
    *("taken_at", "minute_used", "hour_used", "day_used", "month_used", "told_remaining", "told_until"),
)
# A dialect without id_scope, which cannot be changed once the game provider exists.
CHANGING_DIALECT = ("allow_bare_signature", "unknown_rollback", "late_bet", "rollback_until", "duplicate")
# All privileges of a login on tables; UPDATE is for some columns.
ALLOWED: dict[str, dict[str, set[str]]] = {
    "causeway_casino": {
        "tenants": READ,
        "currencies": READ,
        **dict.fromkeys(CASINO_TABLES, READ),
        "casino_sessions": {"SELECT", "INSERT", "UPDATE"},
        "events_out": {"INSERT"},
    },
    "causeway_provider": {
        "tenants": READ,
        "currencies": READ,
        "provider_casinos": READ,
        "provider_games": READ,
        "provider_players": {"SELECT", "INSERT"},
        "provider_sessions": {"SELECT", "INSERT"},
        "provider_rounds": {"SELECT", "INSERT", "UPDATE"},
    },
    "causeway_auditor": {
        "tenants": READ,
        "currencies": READ,
        **dict.fromkeys(CASINO_TABLES, READ),
        "audit_log": READ,
        "audit_log_heads": READ,
        "ledger_audit_runs": {"SELECT", "INSERT"},
        "ledger_audit_heads": {"SELECT", "INSERT"},
        "ledger_audit_facts": {"SELECT", "INSERT"},
    },
    "causeway_auditlog": {
        "audit_log": {"INSERT"},
        "audit_log_heads": {"SELECT", "INSERT", "UPDATE"},
        "audit_refusals": {"SELECT", "INSERT", "UPDATE"},
    },
    "causeway_directory": {
        **dict.fromkeys(("casino_game_providers", "provider_casinos", "memberships"), READ),
        "oauth_flows": {"SELECT", "UPDATE"},
    },
    "causeway_keeper": {
        **dict.fromkeys(("tenant_data_keys", "api_credentials", "api_credential_versions", "sync_runs"), READ),
        **dict.fromkeys(("integration_connections", "oauth_tokens"), READ),
        "idempotency_keys": {"SELECT", "DELETE"},
        "events_out": {"SELECT", "DELETE"},
        "rate_limits": {"SELECT", "DELETE"},
        "oauth_apps": {"SELECT", "UPDATE"},
    },
    "causeway_ledger": {
        "currencies": READ,
        **{name: READ for name in CASINO_TABLES if name != "casino_postings"},
        "casino_wallets": {"SELECT", "UPDATE"},
        "casino_transactions": {"SELECT", "INSERT"},
    },
    "causeway_operator": {},
    "causeway_partitioner": {},
    "causeway_registrar": {
        name: {"SELECT", "INSERT", "UPDATE"}
        for name in (
            *("casino_players", "casino_wallets", "casino_game_providers", "casino_games"),
            *("provider_casinos", "provider_games"),
        )
    },
    "causeway_hub": {
        "tenants": {"SELECT", "INSERT", "UPDATE"},
        **dict.fromkeys(("countries", "currencies", "time_zones"), READ),
        "audit_log": READ,
        "integration_providers": {"SELECT", "INSERT", "UPDATE"},
        "users": {"SELECT", "INSERT"},
        "memberships": {"SELECT", "INSERT", "UPDATE"},
        "api_keys": {"SELECT", "INSERT", "UPDATE"},
        "integration_connections": {"SELECT", "INSERT", "UPDATE"},
        "integration_health": {"SELECT", "INSERT", "UPDATE"},
        "circuit_breakers": {"SELECT", "INSERT", "UPDATE"},
        "integration_api_logs": {"SELECT", "INSERT"},
        "integration_api_log_bodies": {"SELECT", "INSERT"},
        "sync_runs": {"SELECT", "INSERT", "UPDATE"},
        "idempotency_keys": {"SELECT", "INSERT", "UPDATE"},
        "events_out": {"INSERT"},
        "rate_limits": {"SELECT", "INSERT", "UPDATE"},
    },
}
ALLOWED["causeway_credentials"] = ALLOWED["causeway_hub"] | {
    "tenant_data_keys": {"SELECT", "INSERT", "UPDATE"},
    "api_credential_versions": {"SELECT", "INSERT", "UPDATE"},
    "api_credentials": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "oauth_tokens": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "oauth_flows": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "oauth_apps": {"SELECT", "INSERT", "UPDATE"},
    "deployment_data_keys": {"SELECT", "INSERT", "UPDATE"},
}
WRITABLE_COLUMNS = {
    "causeway_casino": {f"casino_sessions.{column}" for column in ("status", "provider_session_id", "expires_at")},
    "causeway_provider": {"provider_rounds.status"},
    "causeway_auditor": set(),
    "causeway_operator": set(),
    "causeway_registrar": {
        *("casino_players.status", "casino_wallets.balance_cap", "casino_games.display_name", "casino_games.status"),
        *(f"casino_game_providers.{column}" for column in ("display_name", "api_url", "status", *CHANGING_DIALECT)),
        *("provider_casinos.api_url", "provider_casinos.provider_code"),
        *("provider_games.min_bet", "provider_games.max_bet"),
    },
    "causeway_auditlog": {
        *("audit_log_heads.entries", "audit_log_heads.head"),
        *("audit_refusals.written_at", "audit_refusals.counted"),
    },
    "causeway_directory": {"oauth_flows.returned_at", "oauth_flows.code", "oauth_flows.error"},
    "causeway_keeper": {"oauth_apps.client_secret"},
    "causeway_partitioner": set(),
    "causeway_ledger": {
        "casino_wallets.balance",
        "casino_wallets.takes_bets",
        "casino_wallets.entries",
        "casino_wallets.head",
    },
    "causeway_hub": {
        *(f"integration_providers.{column}" for column in PROVIDER_COLUMNS),
        *(
            f"tenants.{column}"
            for column in ("display_name", "country", "time_zone", "currency", "language", "version")
        ),
        *(
            f"memberships.{column}"
            for column in ("role", "status", "version", "name", "email", "email_verified", "called_at")
        ),
        *(f"api_keys.{column}" for column in ("last_used_at", "revoked_at", "version")),
        *(f"idempotency_keys.{column}" for column in IDEMPOTENCY_COLUMNS),
        *(f"integration_connections.{column}" for column in CONNECTION_COLUMNS),
        *(f"integration_health.{column}" for column in HEALTH_COLUMNS),
        *(f"circuit_breakers.{column}" for column in ("state", "openings", "retry_at", "changed_at")),
        *(
            f"sync_runs.{column}"
            for column in ("status", "reason", "ended_at", "queued_at", "started_at", "attempts", "leased_until")
        ),
        *(f"rate_limits.{column}" for column in (*RATE_LIMIT_COUNTS, "exceeded")),
    },
}
WRITABLE_COLUMNS["causeway_credentials"] = WRITABLE_COLUMNS["causeway_hub"] | {
    "tenant_data_keys.status",
    "api_credential_versions.status",
    "api_credentials.ciphertext",
    *(f"oauth_tokens.{column}" for column in TOKEN_COLUMNS),
    *(f"oauth_flows.{column}" for column in FLOW_COLUMNS),
    *(f"oauth_apps.{column}" for column in ("client_id", "client_secret", "version", "updated_by", "updated_at")),
    "deployment_data_keys.status",
}
# Columns that a role may read, of tables that it may not read as a whole.
READABLE_COLUMNS: dict[str, dict[str, set[str]]] = {
    "causeway_directory": {
        "casino_game_providers": {"code"},
        "provider_casinos": {"provider_code"},
        "memberships": {"tenant_id", "subject", "status"},
        "oauth_flows": {
            *("tenant_id", "flow_id", "state_hash", "return_url", "declined", "expires_at", "returned_at"),
        },
    },
    "causeway_keeper": {
        "tenant_data_keys": {"tenant_id", "version", "status", "created_at"},
        "api_credentials": {"tenant_id", "key_version"},
        "api_credential_versions": {"tenant_id", "connection_id", "version", "status", "changed_at"},
        "integration_connections": {"tenant_id", "connection_id", "status", "deleted_at"},
        "oauth_tokens": {
            *("tenant_id", "connection_id", "credential_version", "renewal", "obtained_at", "expires_at"),
            *("refresh_expires_at", "refusal", "waits_until", "warned_at"),
        },
        "sync_runs": {"tenant_id", "run_id", "status", "queued_at", "leased_until"},
        "idempotency_keys": {"tenant_id", "subject", "idempotency_key", "created_at", "leased_until"},
        "events_out": {"tenant_id", "event_id", "created_at"},
        "rate_limits": {"tenant_id", "kind", "subject_id", "taken_on", "told_until"},
        "oauth_apps": {"provider_key", "version", "key_version"},
    },
}
_EVENT = {"tenant_id", "event_id", "type", "object_kind", "object_id", "version", "payload"}
# Columns that a role may give a new row, of tables whose other columns it leaves to their defaults.
INSERTABLE_COLUMNS: dict[str, dict[str, set[str]]] = {
    "causeway_casino": {"events_out": _EVENT},
    "causeway_auditor": {"ledger_audit_runs": {"series", "run", "heads", "facts", "signature"}},
    "causeway_auditlog": {
        "audit_log_heads": {"tenant_id", "entries", "head"},
        "audit_refusals": {"tenant_id", "attempt"},
    },
    "causeway_hub": {
        "events_out": _EVENT,
        "idempotency_keys": {
            *("tenant_id", "subject", "idempotency_key", "request_hash", "lease_id", "leased_until"),
        },
        "rate_limits": {"tenant_id", "kind", "subject_id", *RATE_LIMIT_COUNTS},
        # Neither time nor number of a call: none is backdated.
        "integration_api_logs": {
            *("tenant_id", "connection_id", "method", "url", "status", "milliseconds", "error", "request_id"),
            *("actor_kind", "actor", "source_ip", "credential_version", "purpose", "attempt", "attempts"),
            *("platform_request_id", "run_id", "event_id", "platform_failed"),
        },
        "integration_api_log_bodies": {"tenant_id", "log_id", "request_body", "response_body"},
        "tenants": {"code", "display_name", "country", "time_zone", "currency", "language"},
    },
}
INSERTABLE_COLUMNS["causeway_credentials"] = INSERTABLE_COLUMNS["causeway_hub"]
# Functions about the current transaction, which every role may call.
ASKED = {"current_tenant", "current_subject", "current_caller_role", "ledger_tenant", "is_name"}
HUB_FUNCTIONS = {
    *("enter_tenant_v1", "enter_deployment_v1", "admit_v1", "api_key_use_v1", "audit_append_v1"),
    *(
        "idempotency_claim_v1",
        "idempotency_kept",
        "idempotency_sweep_v1",
        "sync_runs_due_v1",
        "events_sweep_v1",
        *("rate_limit_owner", "rate_limit_tenant", "rate_limit_at", "rate_limit_refusals", "rate_limit_announce"),
        *("rate_limit_take_v1", "rate_limit_take_one_v1", "rate_limit_correct_v1", "rate_limits_sweep_v1"),
        *("partitions_limits_v1", "partitions_step_v1"),
        "oauth_flow_awaited_v1",
        "oauth_flow_returned_v1",
        *ASKED,
    ),
}
CALLABLE = {
    "causeway_casino": {
        *("enter_tenant_v1", "casino_transact_v1", "casino_debit_v1", "casino_balance_v1"),
        *("game_provider_known_v1", "membership_suspended_v1", "audit_append_launch_v1"),
        *ASKED,
    },
    "causeway_provider": {"enter_tenant_v1", "provider_code_known_v1", *ASKED},
    "causeway_auditor": {"enter_tenant_v1", *ASKED},
    "causeway_operator": {
        *("casino_add_player_v1", "casino_add_wallet_v1", "casino_add_game_provider_v1", "casino_add_game_v1"),
        *("provider_add_casino_v1", "provider_add_game_v1"),
        *("casino_change_player_v1", "casino_change_wallet_v1", "casino_change_game_provider_v1"),
        *("casino_change_game_v1", "provider_change_casino_v1", "provider_change_game_v1"),
        *ASKED,
    },
    "causeway_hub": HUB_FUNCTIONS,
    "causeway_credentials": {
        *("credentials_due_v1", "data_keys_due_v1", "oauth_tokens_due_v1", "oauth_app_rewrapped_v1"),
        *HUB_FUNCTIONS,
    },
}

# The owner of each function that runs with its owner's rights.
OWNERS = {
    "casino_transact_v1": "causeway_ledger",
    "casino_debit_v1": "causeway_ledger",
    "casino_balance_v1": "causeway_ledger",
    "casino_deposit_v1": "causeway_ledger",
    "casino_players_tell_wallets": "causeway_ledger",
    "casino_add_player_v1": "causeway_registrar",
    "casino_add_wallet_v1": "causeway_registrar",
    "casino_add_game_provider_v1": "causeway_registrar",
    "casino_add_game_v1": "causeway_registrar",
    "provider_add_casino_v1": "causeway_registrar",
    "provider_add_game_v1": "causeway_registrar",
    "casino_change_player_v1": "causeway_registrar",
    "casino_change_wallet_v1": "causeway_registrar",
    "casino_change_game_provider_v1": "causeway_registrar",
    "casino_change_game_v1": "causeway_registrar",
    "provider_change_casino_v1": "causeway_registrar",
    "provider_change_game_v1": "causeway_registrar",
    "audit_append_v1": "causeway_auditlog",
    "audit_append_launch_v1": "causeway_auditlog",
    "game_provider_known_v1": "causeway_directory",
    "provider_code_known_v1": "causeway_directory",
    "membership_suspended_v1": "causeway_directory",
    "oauth_flow_awaited_v1": "causeway_directory",
    "oauth_flow_returned_v1": "causeway_directory",
    "data_keys_due_v1": "causeway_keeper",
    "credentials_due_v1": "causeway_keeper",
    "oauth_tokens_due_v1": "causeway_keeper",
    "oauth_app_rewrapped_v1": "causeway_keeper",
    "sync_runs_due_v1": "causeway_keeper",
    "idempotency_sweep_v1": "causeway_keeper",
    "events_sweep_v1": "causeway_keeper",
    "rate_limits_sweep_v1": "causeway_keeper",
    "partitions_step_v1": "causeway_partitioner",
}


@pytest.fixture(scope="module")
def seat(cluster: Cluster) -> Iterator[Seat]:
    """A player with a bet, in a database whose ledger must not change; audited at the end."""
    with opened(cluster) as casino:
        seat = casino.seat()
        assert seat.debit("bet", 1000).code == "OK"
        yield seat


def differs(role: str, constant: str) -> str:
    """The message of a test whose list differs from the schema."""
    return f"{role} has other rights than listed: mend the GRANT in schema/, or {constant} in {FILE}"


def functions(casino: Casino) -> list[Any]:
    """Every function of ours except trigger functions, which cannot be called."""
    return casino.query(
        """
        SELECT p.oid, p.proname, p.prosecdef, p.proconfig, pg_get_userbyid(p.proowner) AS owner,
            ARRAY (SELECT format_type(t, NULL) FROM unnest(p.proargtypes) AS t) AS types
        FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype <> 'trigger'::regtype
        ORDER BY p.proname
        """
    )


@pytest.mark.parametrize("role", ALLOWED)
def test_role_has_exactly_the_listed_privileges_on_tables(shared_casino: Casino, role: str) -> None:
    rows = shared_casino.query(
        """
        SELECT c.relname, p.name
        FROM pg_class AS c
        CROSS JOIN string_to_table('SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER', ' ') AS p (name)
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND (
                has_table_privilege(%(role)s, c.oid, p.name)
                OR (
                    p.name IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                    AND has_any_column_privilege(%(role)s, c.oid, p.name)
                )
            )
        """,
        {"role": role},
    )
    found: dict[str, set[str]] = {}
    for table, privilege in rows:
        found.setdefault(table, set()).add(privilege)

    assert found == ALLOWED[role], differs(role, "ALLOWED")


def test_every_role_is_listed(shared_casino: Casino) -> None:
    rows = shared_casino.query(
        "SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'causeway_') AND rolname <> 'causeway_owner'"
    )
    roles = {row.rolname for row in rows}
    assert set(ALLOWED) == roles, differs("a role", "ALLOWED")
    assert set(WRITABLE_COLUMNS) == roles, differs("a role", "WRITABLE_COLUMNS")


@pytest.mark.parametrize("role", ALLOWED)
@pytest.mark.parametrize(
    ("command", "constant", "columns"),
    [("SELECT", "READABLE_COLUMNS", READABLE_COLUMNS), ("INSERT", "INSERTABLE_COLUMNS", INSERTABLE_COLUMNS)],
    ids=["SELECT", "INSERT"],
)
def test_role_may_read_and_insert_exactly_the_listed_columns(
    shared_casino: Casino, command: str, constant: str, columns: dict[str, dict[str, set[str]]], role: str
) -> None:
    """HUB 1: a role that reads across tenants reads neither a wrapped key nor a ciphertext."""
    rows = shared_casino.query(
        """
        SELECT c.relname, array_agg(a.attname::text) AS columns
        FROM pg_class AS c INNER JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0
            AND NOT a.attisdropped AND has_column_privilege(%(role)s, c.oid, a.attnum, %(command)s)
            AND NOT has_table_privilege(%(role)s, c.oid, %(command)s)
        GROUP BY c.relname
        """,
        {"role": role, "command": command},
    )
    assert {row.relname: set(row.columns) for row in rows} == columns.get(role, {}), differs(role, constant)


@pytest.mark.parametrize("role", WRITABLE_COLUMNS)
def test_role_may_update_exactly_the_listed_columns(shared_casino: Casino, role: str) -> None:
    rows = shared_casino.query(
        """
        SELECT c.relname || '.' || a.attname FROM pg_class AS c INNER JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0
            AND NOT a.attisdropped AND has_column_privilege(%s, c.oid, a.attnum, 'UPDATE')
        """,
        [role],
    )
    assert {row[0] for row in rows} == WRITABLE_COLUMNS[role], differs(role, "WRITABLE_COLUMNS")


@pytest.mark.parametrize("role", CALLABLE)
def test_role_may_call_exactly_the_listed_functions(shared_casino: Casino, role: str) -> None:
    found = {
        function.proname
        for function in functions(shared_casino)
        if shared_casino.value("SELECT has_function_privilege(%s, %s::oid, 'EXECUTE')", [role, function.oid])
    }
    assert found == CALLABLE[role], differs(role, "CALLABLE (the hub's logins: HUB_FUNCTIONS)")


@pytest.mark.parametrize("role", CALLABLE)
def test_role_cannot_create_in_the_schema(shared_casino: Casino, role: str) -> None:
    assert not shared_casino.value("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [role])


@pytest.mark.parametrize("login", ["casino", "provider", "auditor", "operator", "hub"])
def test_forbidden_function_is_refused_when_called(seat: Seat, login: str) -> None:
    allowed = CALLABLE[f"causeway_{login}"]
    forbidden = [function for function in functions(seat.casino) if function.proname not in allowed]
    assert {"casino_append", "casino_deposit_v1", "casino_find_transaction"} <= {f.proname for f in forbidden}

    with psycopg.connect(seat.casino.urls[login], autocommit=True) as database:
        for function in forbidden:
            arguments = sql.SQL(", ").join(sql.SQL("NULL::{}").format(sql.SQL(name)) for name in function.types)
            call = sql.SQL("SELECT {}({})").format(sql.Identifier(function.proname), arguments)
            with pytest.raises(errors.InsufficientPrivilege, match="permission denied for function"):
                database.execute(call)


WRITES = {
    "INSERT": sql.SQL("INSERT INTO {} DEFAULT VALUES"),
    "UPDATE": sql.SQL("UPDATE {} SET tenant_id = tenant_id"),
    "DELETE": sql.SQL("DELETE FROM {}"),
    "TRUNCATE": sql.SQL("TRUNCATE {} CASCADE"),
}


def refused(database: psycopg.Connection[Any], statement: sql.Composed, table: str) -> None:
    """Run a statement that the role may not run."""
    with pytest.raises(errors.InsufficientPrivilege, match=f"permission denied for (table|view) {table}"):
        database.execute(statement)


@pytest.mark.parametrize("login", ["casino", "provider", "auditor", "operator", "hub"])
@pytest.mark.parametrize("table", ["casino_transactions", "casino_wallets"])
@pytest.mark.parametrize("command", WRITES)
def test_no_login_can_write_balances_or_ledger_rows(seat: Seat, login: str, table: str, command: str) -> None:
    before = seat.state()
    with psycopg.connect(seat.casino.urls[login], autocommit=True) as database:
        refused(database, WRITES[command].format(sql.Identifier(table)), table)
    assert seat.state() == before


def test_casino_cannot_raise_a_balance_column_by_column(seat: Seat) -> None:
    with psycopg.connect(seat.casino.urls["casino"], autocommit=True) as database:
        for column in ("balance", "balance_cap", "entries", "currency", "player_id"):
            statement = sql.SQL("UPDATE casino_wallets SET {0} = {0}").format(sql.Identifier(column))
            refused(database, statement, "casino_wallets")
    assert seat.balance == B - 1000


@pytest.mark.parametrize(
    ("login", "foreign"),
    [
        ("casino", "provider_"),
        ("provider", "casino_"),
        ("auditor", "provider_"),
        ("hub", "casino_"),
        ("hub", "provider_"),
    ],
)
def test_login_cannot_read_or_write_the_other_sides_tables(seat: Seat, login: str, foreign: str) -> None:
    rows = seat.casino.query(
        """
        SELECT relname, relkind FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND starts_with(relname, %s)
        """,
        [foreign],
    )
    assert len(rows) >= 5
    with psycopg.connect(seat.casino.urls[login], autocommit=True) as database:
        for table, kind in rows:
            name = sql.Identifier(table)
            refused(database, sql.SQL("SELECT FROM {}").format(name), table)
            for write in WRITES.values() if kind != "v" else ():
                refused(database, write.format(name), table)


def test_auditor_reads_and_writes_only_its_signatures(seat: Seat) -> None:
    rows = seat.casino.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    )
    with psycopg.connect(seat.casino.urls["auditor"], autocommit=True) as database:
        assert database.execute("SELECT count(*) FROM casino_transactions").fetchone() == (2,)
        assert database.execute("SELECT count(*) FROM casino_postings").fetchone() == (4,)
        for (table,) in rows:
            name = sql.Identifier(table)
            # It writes its signatures into its own tables, which are append-only for it too.
            for command in ("DELETE", "TRUNCATE", *(() if table.startswith("ledger_audit_") else ("INSERT",))):
                refused(database, WRITES[command].format(name), table)


@pytest.mark.parametrize("login", ["casino", "provider", "auditor", "operator", "hub"])
def test_login_cannot_become_another_role(seat: Seat, login: str) -> None:
    rows = seat.casino.query(
        "SELECT rolname FROM pg_roles WHERE (rolname LIKE 'causeway%%' AND rolname <> %s) OR rolname = current_user",
        [f"causeway_{login}"],
    )
    assert len(rows) >= 5
    with psycopg.connect(seat.casino.urls[login], autocommit=True) as database:
        for (role,) in rows:
            for statement in (sql.SQL("SET ROLE {}"), sql.SQL("SET SESSION AUTHORIZATION {}")):
                with pytest.raises(errors.InsufficientPrivilege):
                    database.execute(statement.format(sql.Identifier(role)))


@pytest.mark.parametrize("login", ["casino", "provider", "auditor", "operator", "hub"])
def test_login_cannot_switch_triggers_off(seat: Seat, login: str) -> None:
    with psycopg.connect(seat.casino.urls[login], autocommit=True) as database:
        with pytest.raises(errors.InsufficientPrivilege):
            database.execute("SET session_replication_role = replica")
        with pytest.raises(errors.InsufficientPrivilege):
            database.execute("ALTER TABLE casino_transactions DISABLE TRIGGER ALL")
        with pytest.raises(errors.InsufficientPrivilege):
            database.execute("ALTER TABLE casino_wallets NO FORCE ROW LEVEL SECURITY")


CHANGES = [
    "UPDATE casino_transactions SET amount = amount",
    "UPDATE casino_transactions SET amount = amount WHERE false",
    "DELETE FROM casino_transactions",
    "DELETE FROM casino_transactions WHERE false",
    "TRUNCATE casino_transactions",
    """
    INSERT INTO casino_transactions SELECT * FROM casino_transactions
    ON CONFLICT (tenant_id, wallet_id, entry) DO UPDATE SET amount = 0
    """,
    """
    MERGE INTO casino_transactions AS t USING casino_wallets AS w
    ON t.tenant_id = w.tenant_id AND t.wallet_id = w.wallet_id WHEN MATCHED THEN DELETE
    """,
]


@pytest.mark.parametrize("login", ["owner", "superuser"])
@pytest.mark.parametrize("change", CHANGES)
def test_ledger_refuses_changes_even_by_its_owner_and_a_superuser(seat: Seat, login: str, change: str) -> None:
    before = seat.state()
    with (
        psycopg.connect(seat.casino.urls[login], autocommit=True) as database,
        pytest.raises(psycopg.Error) as raised,
    ):
        database.execute(change.encode())
    assert (raised.value.sqlstate, "append-only" in str(raised.value)) == ("CW001", True)
    assert seat.state() == before


def test_tables_around_the_ledger_cannot_be_truncated_with_it(seat: Seat) -> None:
    before = seat.state()
    with pytest.raises(psycopg.Error, match="append-only"):
        seat.casino.query("TRUNCATE tenants, casino_wallets, casino_transactions CASCADE")
    assert seat.state() == before


def test_role_that_moves_money_cannot_change_the_ledger(seat: Seat) -> None:
    """In a migration the owner may act as causeway_ledger."""
    with psycopg.connect(seat.casino.urls["owner"], autocommit=True) as database:
        database.execute("SET ROLE causeway_ledger")
        for change in ("UPDATE casino_transactions SET amount = 0", "DELETE FROM casino_transactions"):
            with pytest.raises(errors.InsufficientPrivilege):
                database.execute(change.encode())
        with pytest.raises(errors.InsufficientPrivilege):
            database.execute("CREATE TABLE of_its_own ()")


@pytest.mark.parametrize("balance", [-1, -(2**63)])
def test_wallet_refuses_a_negative_balance_to_everyone(seat: Seat, balance: int) -> None:
    with pytest.raises(errors.CheckViolation, match="wallet_balance_covered"):
        seat.casino.query("UPDATE casino_wallets SET balance = %s WHERE wallet_id = %s", [balance, seat.wallet_id])


@pytest.mark.parametrize("cap", [-1, 4 * 10**18 + 1, 2**63 - 1])
def test_wallets_cap_leaves_room_for_any_amount(seat: Seat, cap: int) -> None:
    with pytest.raises(errors.CheckViolation, match="balance_cap"):
        seat.casino.query("UPDATE casino_wallets SET balance_cap = %s WHERE wallet_id = %s", [cap, seat.wallet_id])


# A row of each type as the ledger's functions write it, by column; its amount is 100 if possible.
_USUAL = {
    "type": "bet", "outcome": "OK", "game_provider_id": 7, "session_id": 1, "round_id": "round", "reference_id": None,
    "amount": -100, "balance_before": 500, "balance_after": 400, "counter_account": "game", "response": None,
}  # fmt: skip
_PAID = _USUAL | {"type": "win", "amount": 100, "balance_after": 600, "reference_id": "bet"}
_NOWHERE = {"session_id": None, "round_id": None, "reference_id": None}
SOUND: dict[str, dict[str, Any]] = {
    "bet": _USUAL,
    "bet of 0": _USUAL | {"amount": 0, "balance_after": 500},
    "declined bet": _USUAL | {"outcome": "INSUFFICIENT_FUNDS", "balance_after": 500, "response": "{}"},
    "win": _PAID,
    "win of all there is": _PAID | {"amount": 2**63 - 1, "balance_before": 0, "balance_after": 2**63 - 1},
    "declined win": _PAID | {"outcome": "INVALID_REFERENCE", "balance_after": 500, "response": "{}"},
    "promo": _PAID | {"type": "promo", "counter_account": "promotion", "reference_id": None},
    "jackpot": _PAID | {"type": "jackpot", "counter_account": "jackpot"},
    "rollback": _PAID | {"type": "rollback", "round_id": None},
    "rollback of nothing": _PAID | {"type": "rollback", "amount": 0, "balance_after": 500, "response": "{}"},
    "tombstone": _PAID | {"type": "tombstone", "amount": 0, "balance_after": 500},
    "deposit": _PAID | _NOWHERE | {"type": "deposit", "counter_account": "cashier", "game_provider_id": 0},
}  # fmt: skip
UNSOUND: dict[str, dict[str, Any]] = {
    "bet that pays": _USUAL | {"amount": 100, "balance_after": 600},
    "bet that moves less": _USUAL | {"balance_after": 401},
    "bet that moves nothing": _USUAL | {"balance_after": 500},
    "bet of 0 that moves": _USUAL | {"amount": 0, "balance_after": 501},
    "declined bet that moves": _USUAL | {"outcome": "INSUFFICIENT_FUNDS", "response": "{}"},
    "declined bet without an answer": _USUAL | {"outcome": "INSUFFICIENT_FUNDS", "balance_after": 500},
    "bet with an answer": _USUAL | {"response": "{}"},
    "bet without a session": _USUAL | {"session_id": None},
    "bet without a round": _USUAL | {"round_id": None},
    "bet that names another": _USUAL | {"reference_id": "bet"},
    "bet against the cashier": _USUAL | {"counter_account": "cashier"},
    "win that takes": _PAID | {"amount": -100, "balance_after": 400},
    "win that moves more": _PAID | {"balance_after": 601},
    "win that moves nothing": _PAID | {"balance_after": 500},
    "win of no bet": _PAID | {"reference_id": None},
    "win of no round": _PAID | {"round_id": None},
    "win without a session": _PAID | {"session_id": None},
    "win of a promotion": _PAID | {"counter_account": "promotion"},
    "declined win that moves": _PAID | {"outcome": "INVALID_REFERENCE", "response": "{}"},
    "promo of the game": _PAID | {"type": "promo"},
    "jackpot of the game": _PAID | {"type": "jackpot"},
    "negative promo": _PAID
    | {"type": "promo", "counter_account": "promotion", "amount": -100, "balance_after": 400},
    "rollback that takes": _PAID | {"type": "rollback", "amount": -100, "balance_after": 400},
    "rollback of what": _PAID | {"type": "rollback", "reference_id": None},
    "tombstone that moves": _PAID | {"type": "tombstone"},
    "tombstone for nobody": _PAID
    | {"type": "tombstone", "amount": 0, "balance_after": 500, "reference_id": None},
    "negative deposit": SOUND["deposit"] | {"amount": -300, "balance_after": 200},
    "deposit of a game": SOUND["deposit"] | {"counter_account": "game"},
    "deposit of a provider": SOUND["deposit"] | {"game_provider_id": 7},
    "deposit in a session": SOUND["deposit"] | {"session_id": 1},
    "deposit for a bet": SOUND["deposit"] | {"reference_id": "bet"},
}  # fmt: skip


def insert(seat: Seat, row: dict[str, Any]) -> None:
    """Insert a row into the ledger, and roll back."""
    columns = row | {
        "tenant_id": seat.casino.tenant_id, "wallet_id": seat.wallet_id, "entry": 100, "id_scope": 0,
        "external_transaction_id": "by hand", "request_hash": b"", "request_id": "", "hash": b"",
    }  # fmt: skip
    statement = sql.SQL("INSERT INTO casino_transactions ({}, created_at) VALUES ({}, now())").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join(sql.Placeholder() * len(columns))
    )
    with seat.casino.superuser.transaction(force_rollback=True):
        seat.casino.query(statement, list(columns.values()))


@pytest.mark.parametrize("row", UNSOUND.values(), ids=UNSOUND.keys())
def test_row_invalid_for_its_type_is_refused(seat: Seat, row: dict[str, Any]) -> None:
    with pytest.raises(errors.CheckViolation, match="casino_transactions_sound"):
        insert(seat, row)


@pytest.mark.parametrize("row", SOUND.values(), ids=SOUND.keys())
def test_row_as_the_functions_write_it_is_accepted(seat: Seat, row: dict[str, Any]) -> None:
    """This proves that the rows above are refused for their one difference."""
    insert(seat, row)


@pytest.mark.parametrize(
    "again",
    [
        # the same position in the chain
        "UPDATE copy SET external_transaction_id = 'other'",
        # the same id
        "UPDATE copy SET entry = 100",
    ],
)
def test_position_in_the_chain_and_id_are_unique(seat: Seat, again: str) -> None:
    casino = seat.casino
    with casino.superuser.transaction(force_rollback=True):
        casino.query("CREATE TEMP TABLE copy AS SELECT * FROM casino_transactions WHERE type = 'bet'")
        casino.query(again)
        with pytest.raises(errors.UniqueViolation), casino.superuser.transaction():
            casino.query("INSERT INTO casino_transactions SELECT * FROM copy")


def test_security_definer_functions_pin_their_search_path(shared_casino: Casino) -> None:
    """A caller's own tables and operators must not come before the real ones."""
    definers = shared_casino.query(
        """
        SELECT proname, proconfig, pg_get_userbyid(proowner) AS owner FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prosecdef
        """
    )

    assert {function.proname: function.owner for function in definers} == OWNERS, (
        f"mend ALTER FUNCTION ... OWNER TO in schema/, or OWNERS in {FILE}"
    )
    assert {tuple(function.proconfig) for function in definers} == {("search_path=public, pg_temp",)}


def test_casino_functions_except_the_registrys_belong_to_the_ledger(shared_casino: Casino) -> None:
    owners = {
        f.owner
        for f in functions(shared_casino)
        if f.proname.startswith("casino_") and not f.proname.startswith(("casino_add_", "casino_change_"))
    }

    assert owners == {"causeway_ledger"}


@pytest.mark.parametrize("owner", sorted(set(OWNERS.values())))
def test_roles_that_own_functions_cannot_log_in_and_have_no_other_rights(shared_casino: Casino, owner: str) -> None:
    role = shared_casino.query(
        """
        SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
        FROM pg_roles WHERE rolname = %s
        """,
        [owner],
    )[0]
    members = shared_casino.query(
        "SELECT member::regrole::text FROM pg_auth_members WHERE roleid = %s::regrole", [owner]
    )

    assert not any(role)
    assert not shared_casino.value("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [owner])
    assert not {row[0] for row in members} & set(CALLABLE)


def test_callers_temporary_tables_do_not_replace_the_real_ones(seat: Seat) -> None:
    before = seat.state()
    with psycopg.connect(seat.casino.urls["casino"], autocommit=True) as database:
        database.execute("CREATE TEMP TABLE casino_wallets AS SELECT %s::uuid AS tenant_id", [seat.casino.tenant_id])
        database.execute("CREATE TEMP TABLE casino_transactions (tenant_id uuid)")
        database.execute("SET search_path = pg_temp, public")
        asked = database.execute(
            "SELECT outcome, balance FROM casino_balance_v1(%s, %s, false, %s, %s, NULL)",
            [seat.casino.tenant_id, seat.game_provider.code, seat.token, seat.player_id],
        ).fetchone()
        declined = database.execute(
            "SELECT (casino_debit_v1(%s, %s, false, %s, %s, 'bet', 'round', 1, NULL, '', 'request'))[1]",
            [seat.casino.tenant_id, seat.game_provider.code, seat.token, seat.player_id],
        ).fetchone()
    assert (asked, declined) == (("OK", B - 1000), ("DUPLICATE_TRANSACTION",))
    assert seat.state() == before
