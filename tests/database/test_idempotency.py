"""One id moves money once: WALLET 9, 10, 12 to 14, 18."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from tests.database.parallel import waiting_backend
from tests.database.world import B, Casino, Outcome, Seat


def test_debit_twice_with_same_id_moves_money_once(seat: Seat) -> None:
    """WALLET 9"""
    first = seat.debit("bet", 1000)
    again = seat.debit("bet", 1000)

    assert (first.replayed, again.replayed) == (False, True)
    assert (again.body, again.code) == (first.body, first.code)
    assert (seat.balance, len(seat.rows)) == (9000, 1)


def test_replay_gives_the_first_answer_after_later_play_and_on_a_new_connection(seat: Seat) -> None:
    """WALLET 9"""
    first = [seat.debit("bet", 1000), seat.credit("win", 10, "bet"), seat.rollback("undo", "unknown")]
    seat.debit("later", 2000, "round 2")
    seat.database.close()
    other = seat.elsewhere()

    again = [other.debit("bet", 1000), other.credit("win", 10, "bet"), other.rollback("undo", "unknown")]

    assert [a.body for a in again] == [f.body for f in first]
    assert all(a.replayed for a in again)
    assert seat.balance == B - 1000 + 10 - 2000


def test_replay_in_another_session_of_the_player_gives_the_first_answer(seat: Seat) -> None:
    """WALLET 9, 10: the session is not one of the fields that make a request different"""
    first = seat.debit("bet", 1000)

    assert seat.casino.second_session(seat).debit("bet", 1000).body == first.body


@pytest.mark.parametrize(
    "conflicting",
    [
        lambda seat, _: seat.debit("bet", 1001),
        lambda seat, _: seat.debit("bet", 0),
        lambda seat, _: seat.debit("bet", 1000, "another round"),
        lambda seat, _: seat.debit("bet", 1000, player_id=seat.player_id + 100000),
        lambda _, neighbour: neighbour.debit("bet", 1000),
        lambda seat, neighbour: replace(seat, token=neighbour.token).debit("bet", 1000),
        lambda seat, _: seat.credit("win", 501, "bet"),
        lambda seat, _: seat.credit("win", 500, "bet", "another round"),
        lambda seat, _: seat.credit("win", 500, "bet 2"),
        lambda seat, _: seat.credit("win", 500, "bet", kind="jackpot"),
        lambda seat, _: seat.credit("win", 500, None, kind="promo"),
        lambda seat, _: seat.rollback("undo", "bet 2"),
        lambda seat, _: seat.rollback("undo", "void", "another round"),
        lambda _, neighbour: neighbour.rollback("undo", "void"),
    ],
)
def test_same_id_with_other_fields_conflicts_and_moves_nothing(
    seat: Seat, new_seat: Callable[..., Seat], conflicting: Callable[[Seat, Seat], Outcome]
) -> None:
    """WALLET 10"""
    neighbour = new_seat(game_provider=seat.game_provider)
    for bet in ("bet", "bet 2"):
        seat.debit(bet, 1000)
    seat.debit("void", 100, "round 2")
    seat.credit("win", 500, "bet")
    seat.rollback("undo", "void")
    before = seat.state(), neighbour.state()

    outcome = conflicting(seat, neighbour)

    assert (outcome.code, outcome.refused) == ("DUPLICATE_TRANSACTION", True)
    assert (seat.state(), neighbour.state()) == before


@pytest.mark.parametrize("used", ["bet", "win", "gift", "undo", "declined"])
def test_id_of_one_type_cannot_be_used_for_another(seat: Seat, used: str) -> None:
    """WALLET 12"""
    seat.debit("bet", 1000)
    seat.credit("win", 500, "bet")
    seat.credit("gift", 500, kind="promo")
    seat.debit("void", 500, "round 2")
    seat.rollback("undo", "void")
    seat.debit("declined", 10 * B, "round 3")
    before = seat.state()

    calls = {
        "bet": lambda: seat.debit(used, 700, "round 4"),
        "win": lambda: seat.credit(used, 700, "bet"),
        "promo": lambda: seat.credit(used, 700, kind="promo"),
        "rollback": lambda: seat.rollback(used, "void"),
    }

    for kind, call in calls.items():
        if (kind, used) != ("rollback", "undo"):
            assert call().code == "DUPLICATE_TRANSACTION", kind
    assert seat.state() == before


def test_same_id_from_another_game_provider_is_independent(seat: Seat) -> None:
    """WALLET 13"""
    other = seat.casino.second_session(seat, seat.casino.game_provider())

    assert (seat.debit("bet", 1000).code, other.debit("bet", 400).code) == ("OK", "OK")
    assert seat.balance == B - 1400
    assert seat.rollback("undo", "bet").balance == B - 400
    assert other.rollback("undo", "bet").balance == B


def test_declined_debit_stays_declined_after_a_deposit(seat: Seat) -> None:
    """WALLET 14"""
    declined = seat.debit("bet", B + 1)
    assert seat.deposit(f"deposit-{seat.player_id}", 50 * B) == "OK"

    again = seat.debit("bet", B + 1)

    assert declined.code == "INSUFFICIENT_FUNDS"
    assert (again.body, again.replayed) == (declined.body, True)
    assert seat.balance == 51 * B
    assert seat.debit("new bet", B + 1).code == "OK"


def test_deposit_twice_with_same_id_moves_money_once(seat: Seat) -> None:
    id = f"deposit-{seat.player_id}"

    assert [seat.deposit(id, 5), seat.deposit(id, 5), seat.deposit(id, 6)] == ["OK", "OK", "DUPLICATE_TRANSACTION"]
    assert seat.balance == B + 5


_DEBIT = """
import sys
from uuid import UUID
from causeway.casino.ledger import wallet
from causeway.casino.ledger.requests import Bet
from causeway.game_signing.authentication import GameProvider
from causeway.database.postgres import Database

url, tenant, code, token, player = sys.argv[1:]
bet = Bet(token, int(player), "bet", "round", 1000)
wallet.debit(Database(conninfo=url), GameProvider(UUID(tenant), code, False), bet, "killed")
"""


@contextmanager
def _debit_stuck_on_its_wallet(seat: Seat) -> Generator[tuple[subprocess.Popen[bytes], int, psycopg.Connection]]:
    """A process inside debit, whose backend waits for the wallet's row; and the transaction that locks the row."""
    with psycopg.connect(seat.casino.urls["superuser"]) as holder:
        holder.execute("SELECT FROM casino_wallets WHERE wallet_id = %s FOR UPDATE", [seat.wallet_id])
        process = subprocess.Popen(
            [
                sys.executable, "-c", _DEBIT, seat.casino.urls["casino"], str(seat.casino.tenant_id),
                seat.game_provider.code, seat.token, str(seat.player_id),
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        try:
            yield process, waiting_backend(seat.casino), holder
        finally:
            process.kill()
            process.wait()


def _wait_until_gone(casino: Casino, pid: int) -> None:
    deadline = time.monotonic() + 10
    while casino.query("SELECT pid FROM pg_stat_activity WHERE pid = %s AND state <> 'idle'", [pid]):
        assert time.monotonic() < deadline, "the backend is still at work"
        time.sleep(0.005)


def test_caller_killed_before_the_answer_gets_the_committed_answer_on_retry(seat: Seat) -> None:
    """WALLET 18: killed after commit, before the answer"""
    with _debit_stuck_on_its_wallet(seat) as (process, backend, holder):
        process.send_signal(signal.SIGKILL)
        process.wait()
        holder.rollback()
        _wait_until_gone(seat.casino, backend)
    assert (seat.balance, len(seat.rows)) == (9000, 1)

    retry = seat.debit("bet", 1000)

    assert (retry.code, retry.replayed, retry.balance) == ("OK", True, 9000)
    assert seat.balance == 9000


def test_caller_and_backend_killed_before_commit_leave_nothing_and_the_retry_succeeds(seat: Seat) -> None:
    """WALLET 18: killed before commit"""
    with _debit_stuck_on_its_wallet(seat) as (process, backend, holder):
        process.send_signal(signal.SIGKILL)
        process.wait()
        seat.casino.query("SELECT pg_terminate_backend(%s)", [backend])
        _wait_until_gone(seat.casino, backend)
        holder.rollback()
    assert seat.state() == (B, [])

    retry = seat.debit("bet", 1000)

    assert (retry.code, retry.replayed, retry.balance) == ("OK", False, 9000)
