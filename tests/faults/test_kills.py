"""Execution environments and the Postgres server are killed with SIGKILL during play; then the ledger is checked."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
import pytest

from local.stack import Stack
from tests.conformance.client import B, Casino, Fields, Player, Reply
from tests.conftest import audit_findings
from tests.findings import none_of

# Concurrent players, and rounds per player: a bet, then its win or rollback. Set CAUSEWAY_ROUNDS for more.
PLAYERS = 6
ROUNDS = int(os.environ.get("CAUSEWAY_ROUNDS", "20"))
# Answers between two kills. Kills by the clock may come faster than restarts, and then nothing would be answered.
_ANSWERS = 6
# Seconds within which a repeated call must succeed.
_PATIENCE = 60

pytestmark = pytest.mark.timeout(300 + ROUNDS)


@dataclass(frozen=True)
class Played:
    """A call that was finally answered, and the status of every answer before."""

    fields: Fields
    reply: Reply
    failed: int


@pytest.fixture
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A separate stack, because the test breaks it."""
    with Stack(state_folder=tmp_path_factory.mktemp("stack")) as running:
        yield running


def insist(call: Callable[[Fields], Reply], fields: Fields, answers: threading.Semaphore) -> Played:
    """Repeat a call with the same id until the answer is not 5xx; answers counts the answered calls."""
    failed = 0
    end = time.monotonic() + _PATIENCE
    while (reply := call(fields)).status >= 500:
        failed += 1
        assert time.monotonic() < end, f"still {reply}"
        time.sleep(0.05)
    answers.release()
    return Played(fields, reply, failed)


def play(casino: Casino, player: Player, answers: threading.Semaphore) -> tuple[list[Played], int, int]:
    """Play a player's rounds; returns the calls, the expected balance and the actual balance."""
    expected, calls = B, []
    for number in range(ROUNDS):
        bet = player.bet(100)
        calls.append(insist(casino.debit, bet, answers))
        if (number + player.user_id) % 2:
            calls.append(insist(casino.rollback, player.undo(bet), answers))
        else:
            calls.append(insist(casino.credit, player.win(150, bet), answers))
            expected += 50
    balance = insist(lambda _: casino.send("getBalance", encoded_balance(player.fields)), player.fields, answers)
    return calls, expected, int(balance.reply.json["balance"])


def encoded_balance(fields: Fields) -> bytes:
    """The body of getBalance."""
    return f'{{"sessionToken":"{fields["sessionToken"]}","userId":{fields["userId"]}}}'.encode()


def play_under(stack: Stack, kill: Callable[[], None]) -> list[Played]:
    """All players play while kill is called again and again as they progress; returns the answered calls."""
    over, answers = threading.Event(), threading.Semaphore(0)

    def keep_killing() -> None:
        while True:
            for _ in range(_ANSWERS):
                answers.acquire()
            if over.is_set():
                return
            kill()

    with Casino(stack.base_url, stack.info["casino_secret"]) as casino, ThreadPoolExecutor(PLAYERS + 1) as threads:
        # All players have sessions before the first kill: a launch must not be repeated blindly.
        players = [casino.player() for _ in range(PLAYERS)]
        games = [threads.submit(play, casino, player, answers) for player in players]
        killer = threads.submit(keep_killing)
        try:
            results = [game.result() for game in games]
        finally:
            over.set()
            answers.release(_ANSWERS)
            killer.result()
    for _, expected, balance in results:
        assert balance == expected
    return [call for calls, _, _ in results for call in calls]


def assert_ledger_holds_what_was_answered(stack: Stack, calls: list[Played]) -> None:
    """Every answered call is one row with exactly that answer, and no player has another row."""
    with psycopg.connect(stack.database_urls["superuser"]) as database:
        rows = database.execute(
            """
            SELECT external_transaction_id, coalesce(
                response, casino_response_v1('OK', external_transaction_id, balance_after, 'EUR', false, NULL)
            )
            FROM casino_transactions
            WHERE type IN ('bet', 'win', 'rollback', 'tombstone') AND amount <> 0
            """
        ).fetchall()
    stored = dict(rows)
    assert len(stored) == len(rows)
    answered = {call.fields["transactionId"]: call.reply.body.decode() for call in calls}
    assert stored == answered
    assert all(call.reply.status == 200 for call in calls)
    none_of(audit_findings(stack))


def test_environments_killed_under_load_lose_and_double_nothing(own_stack: Stack) -> None:
    """WALLET 18: SIGKILL ends environments of the wallet's functions in the middle of calls."""
    functions = ["wallet-debit", "wallet-credit", "wallet-rollback"]
    kills = []

    def kill() -> None:
        function = functions[len(kills) % len(functions)]
        try:
            kills.append(own_stack.kill_environment(function))
        except ProcessLookupError:
            kills.append(None)

    calls = play_under(own_stack, kill)
    # Each function was killed more than once.
    assert sum(killed is not None for killed in kills) > 2 * len(functions), kills
    assert_ledger_holds_what_was_answered(own_stack, calls)


def test_postgres_killed_under_load_loses_and_doubles_nothing(own_stack: Stack) -> None:
    """WALLET 18, 39: SIGKILL ends the server, which recovers, again and again; callers repeat the same ids."""
    if os.environ.get("DATABASE_URL"):
        pytest.skip("DATABASE_URL's server is not ours to kill")
    kills = []

    def kill() -> None:
        if len(kills) < 4:
            own_stack.postgres.kill()
            time.sleep(0.2)
            own_stack.postgres.restart()
            kills.append(True)

    calls = play_under(own_stack, kill)
    assert kills
    assert sum(call.failed for call in calls) > 0
    assert_ledger_holds_what_was_answered(own_stack, calls)
