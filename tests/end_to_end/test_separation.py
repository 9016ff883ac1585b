"""Neither side can access the other side's tables, and no log has a secret."""

import psycopg
import pytest

from local.stack import Stack
from tests.conformance.client import Casino, encoded, sign
from tests.end_to_end.conftest import told_secrets

COMMANDS = {
    "SELECT": "SELECT 1 FROM {} LIMIT 1",
    "INSERT": "INSERT INTO {} DEFAULT VALUES",
    "UPDATE": "UPDATE {} SET tenant_id = tenant_id",
    "DELETE": "DELETE FROM {}",
    "TRUNCATE": "TRUNCATE {} CASCADE",
}


def statements(superuser: psycopg.Connection, prefix: str) -> list[bytes]:
    """Return a statement of each kind for each table with this prefix; views can only be read."""
    rows = superuser.execute(
        """
        SELECT c.relname, c.relkind = 'v' FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND starts_with(c.relname, %s)
        """,
        [prefix],
    ).fetchall()
    assert len(rows) >= 5
    return [
        text.format(name).encode()
        for name, is_view in rows
        for command, text in COMMANDS.items()
        if command == "SELECT" or not is_view
    ]


@pytest.mark.parametrize(("role", "others"), [("provider", "casino_"), ("casino", "provider_")])
def test_role_can_access_no_table_of_the_other_side(
    stack: Stack, superuser: psycopg.Connection, role: str, others: str
) -> None:
    with psycopg.connect(stack.database_urls[role], autocommit=True) as database:
        for statement in statements(superuser, others):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                database.execute(statement)


@pytest.mark.parametrize("role", ["casino", "provider", "auditor"])
def test_no_login_can_write_balances_or_ledger_rows_directly(stack: Stack, role: str) -> None:
    with psycopg.connect(stack.database_urls[role], autocommit=True) as database:
        for table in ("casino_wallets", "casino_transactions"):
            for name, command in COMMANDS.items():
                if name != "SELECT":
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        database.execute(command.format(table).encode())


def test_provider_role_can_call_no_function_of_the_casino(stack: Stack, superuser: psycopg.Connection) -> None:
    names = superuser.execute(
        """
        SELECT p.oid::regprocedure::text FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND starts_with(p.proname, 'casino_')
            AND p.prorettype <> 'trigger'::regtype
        """
    ).fetchall()
    assert len(names) >= 5
    with psycopg.connect(stack.database_urls["provider"]) as database:
        for (name,) in names:
            allowed = database.execute("SELECT has_function_privilege(%s, 'EXECUTE')", [name]).fetchone()
            assert allowed == (False,), name


def test_logs_hold_no_secret(stack: Stack, casino: Casino) -> None:
    """Covers the calls of all earlier tests, and a valid, a forged, a malformed and a declined call."""
    player = casino.player()
    casino.debit(player.bet(10))
    casino.debit(player.bet(10**9))
    casino.send("debit", b"{", signature=casino.secret)
    casino.send("debit", encoded({"secret": casino.secret, "userId": "x"}))
    casino.send("launchGame", encoded({"userId": player.user_id, "gameId": casino.game_id}), signature=None)
    signature = sign(casino.secret, encoded(player.fields))
    casino.send("getBalance", encoded(player.fields), signature=signature)
    logs = list(stack.log("wallet-debit").parent.glob("*.log"))
    assert len(logs) >= 9
    for log in logs:
        text = log.read_text()
        for secret in [*told_secrets(stack), signature, player.session_token]:
            assert secret not in text, f"{log.name} tells {secret}"
