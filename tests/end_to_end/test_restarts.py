"""A replay is identical after functions or the database were killed and restarted."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from local.services.postgres import Postgres
from local.stack import Stack
from tests.conformance.client import B, Casino, Reply
from tests.conformance.expectations import accepted, moves, refused, replays, unmoved
from tests.end_to_end.conftest import kill_environments

pytestmark = pytest.mark.usefixtures("audited")


def test_replay_is_identical_after_the_environments_were_killed(stack: Stack, casino: Casino) -> None:
    """WALLET 9: Same debit twice -> byte-identical, also after restart."""
    player = casino.player()
    bet = player.bet(1000)
    undo = player.undo(bet)
    lost = player.bet(B + 1)
    firsts = [casino.debit(bet), casino.rollback(undo), casino.debit(lost)]
    before = {status.pid for status in stack.environments()}
    kill_environments(stack)
    with unmoved(player):
        replays(casino.debit(bet), firsts[0])
        replays(casino.rollback(undo), firsts[1])
        replays(casino.debit(lost), firsts[2])
    assert before.isdisjoint(status.pid for status in stack.environments())


def test_replay_is_identical_after_postgres_was_killed_and_restarted(postgres: Postgres, casino: Casino) -> None:
    """WALLET 9: Same debit twice -> byte-identical, also after a restart of the database."""
    player = casino.player()
    bet = player.bet(1000)
    first = accepted(casino.debit(bet), bet, 9000)
    postgres.kill()
    postgres.restart()
    with unmoved(player):
        replays(casino.debit(bet), first)
    win = player.win(500, bet)
    with moves(player, 500):
        accepted(casino.credit(win), win, 9500)


def waiting_backend(superuser: psycopg.Connection) -> int:
    """Return the process id of the one database session that waits for an advisory lock."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        waiting = superuser.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchall()
        if waiting:
            return waiting[0][0]
        time.sleep(0.01)
    raise AssertionError("nobody waits for the player's lock")


@pytest.mark.parametrize("committed", [True, False])
def test_retry_after_the_function_was_killed_moves_money_once(
    stack: Stack, casino: Casino, superuser: psycopg.Connection, committed: bool
) -> None:
    """WALLET 18: killed after commit -> the retry returns the first response; before -> the retry moves the money."""
    player = casino.player()
    warm = casino.debit(player.bet(0))
    assert warm.status == 200
    bet = player.bet(1000)
    with moves(player, -1000):
        with ThreadPoolExecutor(1) as pool, superuser.transaction():
            # The test holds the player's lock, and so decides when the bet is committed.
            superuser.execute("SELECT pg_advisory_xact_lock(%s)", [player.user_id])
            call = pool.submit(casino.debit, bet)
            backend = waiting_backend(superuser)
            assert stack.kill_environment("wallet-debit")
            assert call.result().status >= 500
            if not committed:
                superuser.execute("SELECT pg_terminate_backend(%s, 1000)", [backend])
        if committed:
            wait_for_row(superuser, bet["transactionId"])
        else:
            assert player.balance() == B
        retry: Reply = accepted(casino.debit(bet), bet, 9000)
        assert retry.replayed == committed


def wait_for_row(superuser: psycopg.Connection, transaction_id: str) -> None:
    for _ in range(200):
        if superuser.execute(
            "SELECT FROM casino_transactions WHERE external_transaction_id = %s", [transaction_id]
        ).rowcount:
            return
        time.sleep(0.01)
    raise AssertionError("the bet was not committed")


def test_balance_writes_nothing(casino: Casino, superuser: psycopg.Connection) -> None:
    """WALLET 1: getBalance -> no writes."""
    player = casino.player()
    query = "SELECT xmin::text, ctid::text, w FROM casino_wallets AS w WHERE player_id = %s"
    before = superuser.execute(query, [player.user_id]).fetchall()
    for _ in range(5):
        assert player.balance() == B
    assert superuser.execute(query, [player.user_id]).fetchall() == before


def test_rows_of_a_round_carry_balances_and_kinds(casino: Casino, superuser: psycopg.Connection) -> None:
    """WALLET 2, 7: rows carry balance before and after; a promo or jackpot is marked so."""
    player = casino.player()
    bet = player.placed(1000)
    casino.credit(player.win(2500, bet))
    casino.credit(player.gift(10))
    casino.credit(player.gift(20, "jackpot"))
    refused(casino.debit(player.bet(10**6)))
    rows = superuser.execute(
        """
        SELECT t.type::text, t.outcome, t.balance_before, t.balance_after, t.counter_account::text
        FROM casino_transactions AS t
        INNER JOIN casino_wallets AS w USING (tenant_id, wallet_id)
        WHERE w.player_id = %s ORDER BY t.entry
        """,
        [player.user_id],
    ).fetchall()
    assert rows == [
        ("deposit", "OK", 0, 10000, "cashier"),
        ("bet", "OK", 10000, 9000, "game"),
        ("win", "OK", 9000, 11500, "game"),
        ("promo", "OK", 11500, 11510, "promotion"),
        ("jackpot", "OK", 11510, 11530, "jackpot"),
        ("bet", "INSUFFICIENT_FUNDS", 11530, 11530, "game"),
    ]
