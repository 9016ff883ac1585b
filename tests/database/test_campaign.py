"""Random concurrent operations, while random backends are killed, against the reference model: WALLET 42.

CAUSEWAY_OPERATIONS=100000 runs the full campaign, CAUSEWAY_SEED=7 another one.
"""

import json
import os
import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from typing import Any

import pytest

from tests.database.model import Dialect, Expected, Kind, Model, Operation
from tests.database.play import agrees, new_model, perform, states
from tests.database.world import Casino, Outcome, Seat, converged

OPERATIONS = int(os.environ.get("CAUSEWAY_OPERATIONS", "4000"))
SEED = int(os.environ.get("CAUSEWAY_SEED", "1"))
THREADS = 8
_BALANCE = 20000
_KINDS: list[Kind] = ["bet", "win", "rollback", "promo", "jackpot"]

pytestmark = pytest.mark.timeout(300 + OPERATIONS // 50)


class _Generator:
    """Operations of one player, in which retries, reused ids and late or early rollbacks are frequent."""

    def __init__(self, seed: str, player: int, prefix: str) -> None:
        self._random = random.Random(seed)
        self._player = player
        self._prefix = prefix
        self._made: list[Operation] = []
        self._rounds: dict[str, str] = {}
        self._ids = 0

    def draw(self) -> Operation:
        if self._made and self._random.random() < 0.15:
            return self._random.choice(self._made[-30:])
        operation = self._fresh()
        self._made.append(operation)
        self._rounds[operation.id] = operation.round_id or ""
        return operation

    def _fresh(self) -> Operation:
        kind = self._random.choices(_KINDS, [10, 5, 5, 1, 1])[0]
        reference = None if kind == "bet" else self._some_id()
        if kind in ("promo", "jackpot") and self._random.random() < 0.7:
            reference = None
        round_id = self._rounds.get(reference or "", f"round-{self._ids // 4}")
        id = self._some_id() if self._random.random() < 0.05 else self._new_id()
        if kind == "rollback":
            # A rollback cannot name itself: Rollback.parse refuses it.
            while id == reference:
                id = self._new_id()
            return Operation(kind, self._player, id, self._random.choice([None, round_id]), 0, reference)
        return Operation(kind, self._player, id, round_id, self._random.choice([0, 1, 50, 700, 3000]), reference)

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._prefix}{self._ids}"

    def _some_id(self) -> str:
        """An id used recently, or rarely, one that will be used later."""
        return f"{self._prefix}{max(1, self._ids + self._random.choice([0, 0, -1, -2, -3, -4, -5, -9, 1]))}"


class _Killer:
    """Terminates a random backend of the casino's login after a number of calls of all threads.

    It counts calls, not time, so that a slow machine makes progress too.
    """

    def __init__(self, casino: Casino, every: int = 50) -> None:
        self.killed = 0
        self._casino = casino
        self._every = every
        self._calls = 0
        self._lock = Lock()
        self._random = random.Random(SEED)

    def called(self) -> None:
        """Count a call, before it is made."""
        with self._lock:
            self._calls += 1
            if self._calls % self._every == 0:
                backends = [row.pid for row in self._casino.query(_BACKENDS)]
                if backends:
                    self._casino.query("SELECT pg_terminate_backend(%s)", [self._random.choice(backends)])
                    self.killed += 1


_BACKENDS = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'causeway_casino' ORDER BY pid
"""


def _same_end(outcome: Outcome, expected: Expected) -> bool:
    """Like agrees, except that a replay may be the first answer to a call whose connection was killed."""
    return agrees(outcome, expected) or agrees(outcome, replace(expected, replayed=True))


def _play_alone(model: Model, seat: Seat, player: int, operations: int, killer: _Killer) -> None:
    generator = _Generator(f"{SEED}-{player}", player, f"p{player}-")
    for _ in range(operations):
        operation = generator.draw()
        expected = model.apply(operation)
        killer.called()
        outcome = converged(lambda operation=operation: perform(seat, operation))
        assert _same_end(outcome, expected), (operation, outcome, expected)


def test_random_operations_on_different_players_end_as_in_the_model(casino: Casino) -> None:
    """WALLET 42: different players at the same time; each call is compared"""
    model, seats = new_model(casino, Dialect(), THREADS, _BALANCE)

    killer = _Killer(casino)

    with ThreadPoolExecutor(THREADS) as threads:
        played = [
            threads.submit(_play_alone, model, seat, player, OPERATIONS // 2 // THREADS, killer)
            for player, seat in enumerate(seats)
        ]
        for each in played:
            each.result()

    assert killer.killed
    for player, seat in enumerate(seats):
        assert seat.balance == model.players[player].balance
        assert states(seat) == model.states(player)


@pytest.mark.parametrize(
    "dialect", [Dialect(), Dialect("refuse", "swallow", "player", "bet_settled")], ids=["default", "other"]
)
def test_random_operations_on_the_same_players_match_one_order(casino: Casino, dialect: Dialect) -> None:
    """WALLET 42: many callers on few players; the ledger's order, run through the model, explains every answer"""
    model, seats = new_model(casino, dialect, 3, _BALANCE)
    answers: dict[Operation, list[Outcome]] = defaultdict(list)
    killer = _Killer(casino)

    def play(number: int) -> list[tuple[Operation, Outcome]]:
        player = number % len(seats)
        own = seats[player].elsewhere()
        # Callers of one player share ids, and so collide on them.
        generator = _Generator(f"{SEED}-{number}", player, f"p{player}-")
        played = []
        for _ in range(OPERATIONS // 4 // THREADS):
            operation = generator.draw()
            killer.called()
            played.append((operation, converged(lambda operation=operation: perform(own, operation))))
        return played

    with ThreadPoolExecutor(THREADS) as threads:
        for played in threads.map(play, range(THREADS)):
            for operation, outcome in played:
                answers[operation].append(outcome)

    assert killer.killed
    _explain(model, seats, answers)


# The use of an id, and that it is barred, never changes again.
_FOR_EVER = ("DUPLICATE_TRANSACTION", "TRANSACTION_ROLLED_BACK")


def _explain(model: Model, seats: list[Seat], answers: dict[Operation, list[Outcome]]) -> None:
    """Run each ledger's rows through the model in order, and explain every answer."""
    bodies: dict[Operation, str] = {}
    ends: list[dict[str, str]] = []
    for player, seat in enumerate(seats):
        for row in seat.rows:
            if row.type == "tombstone":
                continue
            amount = 0 if row.type == "rollback" else abs(row.amount)
            operation = Operation(row.type, player, row.id, row.round_id, amount, row.reference_id)
            expected = model.apply(operation)
            assert (expected.code, expected.balance, expected.replayed) == (row.outcome, row.balance_after, False)
            bodies[operation] = row.response or _accepted(row)
        assert seat.balance == model.players[player].balance
        ends.append(model.states(player))
        assert states(seat) == ends[player]
    for operation, outcomes in answers.items():
        for outcome in outcomes:
            assert _has_reason(operation, outcome, bodies, ends[operation.player], model), (operation, outcome)


def _accepted(row: Any) -> str:
    """The answer that belongs to an accepted call's row."""
    answer = {"transactionId": row.id, "balance": str(row.balance_after), "currency": "EUR", "status": "ok"}
    return json.dumps(answer, separators=(",", ":"))


def _has_reason(
    operation: Operation, outcome: Outcome, bodies: dict[Operation, str], ends: dict[str, str], model: Model
) -> bool:
    if outcome.refused:
        if outcome.code in _FOR_EVER:
            return model.apply(operation).code == outcome.code
        return outcome.code == "TRANSACTION_NOT_FOUND" and operation.reference is not None
    # Without a row it must be a late bet that was swallowed.
    return outcome.body == bodies[operation] if operation in bodies else ends[operation.id] == "rolled back"
