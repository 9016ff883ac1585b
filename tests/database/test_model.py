"""Any sequence of calls ends as in the reference model (hypothesis); CAUSEWAY_EXAMPLES=1000 tries more."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.database.model import Dialect, Expected, Kind, Model, Operation
from tests.database.play import agrees, new_model, perform, states
from tests.database.world import Casino, Outcome, Seat

# Sequences of calls.
PLAYS = int(os.environ.get("CAUSEWAY_EXAMPLES", "40"))
_PLAYERS = 2
_IDS = st.sampled_from([f"id-{n}" for n in range(7)])
_ROUNDS = st.sampled_from(["round-1", "round-2"])
_AMOUNTS = st.one_of(st.sampled_from([0, 1, 400, 1000, 1001, 10**15, 2**63 - 1]), st.integers(0, 1200))
_WHO = st.integers(0, _PLAYERS - 1)
_KINDS: st.SearchStrategy[Kind] = st.sampled_from(["win", "promo", "jackpot"])


class WalletMachine(RuleBasedStateMachine):
    """Two players at one game provider, in the ledger and in the model."""

    casino: Casino
    model: Model
    seats: list[Seat]

    @initialize(
        dialect=st.builds(
            Dialect,
            st.sampled_from(["accept", "refuse"]),
            st.sampled_from(["refuse", "swallow"]),
            st.sampled_from(["provider", "player"]),
            st.sampled_from(["round_paid", "bet_settled"]),
            st.sampled_from(["replay", "refuse"]),
        )
    )
    def open_casino(self, dialect: Dialect) -> None:
        self.model, self.seats = new_model(self.casino, dialect, _PLAYERS, 1000)
        self.bodies: dict[Operation, str | None] = {}
        self.made: list[Operation] = []

    @rule(who=_WHO, id=_IDS, round_id=_ROUNDS, amount=_AMOUNTS)
    def bet(self, who: int, id: str, round_id: str, amount: int) -> None:
        self._make(Operation("bet", who, id, round_id, amount))

    @rule(who=_WHO, id=_IDS, round_id=_ROUNDS, amount=_AMOUNTS, reference=_IDS, kind=_KINDS)
    def credit(self, who: int, id: str, round_id: str, amount: int, reference: str, kind: Kind) -> None:
        self._make(Operation(kind, who, id, round_id, amount, reference))

    @rule(who=_WHO, id=_IDS, round_id=_ROUNDS, amount=_AMOUNTS, kind=st.sampled_from(["promo", "jackpot"]))
    def gift(self, who: int, id: str, round_id: str, amount: int, kind: Kind) -> None:
        self._make(Operation(kind, who, id, round_id, amount))

    @rule(who=_WHO, id=_IDS, round_id=st.none() | _ROUNDS, reference=_IDS)
    def rollback(self, who: int, id: str, round_id: str | None, reference: str) -> None:
        if id != reference:
            self._make(Operation("rollback", who, id, round_id, 0, reference))

    @rule(data=st.data())
    def send_again(self, data: Any) -> None:
        if self.made:
            self._make(data.draw(st.sampled_from(self.made)))

    @rule(who=_WHO, blocked=st.booleans())
    def block(self, who: int, blocked: bool) -> None:
        self.model.players[who].blocked = blocked
        self.casino.query(
            "UPDATE casino_players SET status = %s WHERE player_id = %s",
            ["blocked" if blocked else "active", self.seats[who].player_id],
        )

    @rule(who=_WHO, closed=st.booleans())
    def close_session(self, who: int, closed: bool) -> None:
        self.model.players[who].session_closed = closed
        self.casino.query(
            "UPDATE casino_sessions SET status = %s WHERE session_token = %s",
            ["closed" if closed else "active", self.seats[who].token],
        )

    @rule(who=_WHO)
    def ask_balance(self, who: int) -> None:
        assert self.seats[who].asked_balance().balance == self.model.players[who].balance

    @invariant()
    def balances_are_the_models(self) -> None:
        for number, seat in enumerate(getattr(self, "seats", [])):
            assert seat.balance == self.model.players[number].balance

    def teardown(self) -> None:
        for number, seat in enumerate(getattr(self, "seats", [])):
            assert states(seat) == self.model.states(number)
        self.casino.disconnect()

    def _make(self, operation: Operation) -> None:
        expected = self.model.apply(operation)
        outcome = perform(self.seats[operation.player], operation)
        assert agrees(outcome, expected), (operation, outcome, expected)
        if outcome.replayed:
            assert outcome.body == self.bodies[operation]
        elif expected.stored:
            self.bodies[operation] = outcome.body
            self.made.append(operation)


def test_any_sequence_of_calls_ends_as_in_the_model(shared_casino: Casino) -> None:
    """WALLET 42: sequential calls, in every dialect"""
    machine = type("Machine", (WalletMachine,), {"casino": shared_casino})

    run_state_machine_as_test(machine, settings=settings(max_examples=PLAYS))


@pytest.mark.parametrize(
    "differs",
    [
        lambda outcome: Outcome("SESSION_CLOSED", outcome.body, False, outcome.balance),
        lambda outcome: Outcome(outcome.code, outcome.body, True, outcome.balance),
        lambda outcome: Outcome(outcome.code, outcome.body, False, (outcome.balance or 0) + 1),
        lambda outcome: Outcome(outcome.code, None, False, outcome.balance),
    ],
)
def test_comparison_with_the_model_finds_each_difference(seat: Seat, differs: Callable[[Outcome], Outcome]) -> None:
    outcome, expected = seat.debit("bet", 10), Expected("OK", 9990)

    assert agrees(outcome, expected)
    assert not agrees(differs(outcome), expected)
