"""The debit's fast path and the full path of every money call write the same rows and give the same answers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.casino.ledger.requests import request_hash
from tests.database.world import B, Casino, Seat

_STATES: dict[str, list[str]] = {
    "session": ["active", "launching", "closed", "expired"],
    "player": ["active", "blocked"],
    "provider": ["active", "inactive"],
    "bare": ["timed", "allowed", "not allowed"],
    "scope": ["provider", "player"],
    "late_bet": ["refuse", "swallow"],
    "duplicate": ["replay", "refuse"],
    "known": ["no", "same", "other amount", "declined", "win", "tombstone", "another player's", "another's tombstone"],
    "caller": ["right", "wrong token", "wrong player", "wrong provider"],
}


def _prepare(casino: Casino, state: dict[str, str], amount: int) -> Seat:
    seat = casino.seat(
        id_scope=state["scope"], late_bet=state["late_bet"], allow_bare_signature=state["bare"] == "allowed"
    )
    neighbour = casino.seat(game_provider=seat.game_provider)
    known = {
        "no": lambda: None,
        "same": lambda: seat.debit("id", amount),
        "other amount": lambda: seat.debit("id", amount + 1),
        "declined": lambda: seat.debit("id", 2 * B),
        "win": lambda: seat.credit("id", 5, kind="promo"),
        "tombstone": lambda: seat.rollback("undo", "id"),
        "another player's": lambda: neighbour.debit("id", amount),
        "another's tombstone": lambda: neighbour.rollback("undo", "id"),
    }
    known[state["known"]]()
    if state["session"] == "expired":
        casino.query("UPDATE casino_sessions SET expires_at = now() WHERE session_token = %s", [seat.token])
    elif state["session"] == "launching":
        # It lives for one minute at most.
        casino.query(
            """
            UPDATE casino_sessions SET status = 'launching', expires_at = created_at + interval '1 minute'
            WHERE session_token = %s
            """,
            [seat.token],
        )
    else:
        casino.query("UPDATE casino_sessions SET status = %s WHERE session_token = %s", [state["session"], seat.token])
    casino.query("UPDATE casino_players SET status = %s WHERE player_id = %s", [state["player"], seat.player_id])
    casino.query(
        "UPDATE casino_game_providers SET status = %s, duplicate = %s WHERE code = %s",
        [state["provider"], state["duplicate"], seat.game_provider.code],
    )
    return seat


def _arguments(seat: Seat, state: dict[str, str], amount: int) -> list[Any]:
    player = seat.player_id + (1 if state["caller"] == "wrong player" else 0)
    return [
        seat.casino.tenant_id,
        "NOBODY" if state["caller"] == "wrong provider" else seat.game_provider.code,
        state["bare"] != "timed",
        "no such session" if state["caller"] == "wrong token" else seat.token,
        player,
        "id",
        "round",
        amount,
        None,
        request_hash(seat.casino.tenant_id, "bet", player, "id", "round", amount, None),
        "request",
    ]


_FAST = "SELECT casino_debit_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_WHOLE = "SELECT casino_transact_v1(%s, %s, %s, 'bet', %s, %s, %s, %s, %s, NULL, %s, %s, NULL, %s)"


def _tried(seat: Seat, statement: str, arguments: list[Any]) -> tuple[Any, ...]:
    """A statement's answer and its rows; it is rolled back. now() is the same throughout a transaction."""
    casino = seat.casino
    with casino.superuser.transaction(force_rollback=True):
        answer = casino.query(statement, arguments)
        rows = casino.query("SELECT * FROM casino_transactions WHERE tenant_id = %s ORDER BY 2, 3", [casino.tenant_id])
        wallets = casino.query("SELECT * FROM casino_wallets WHERE tenant_id = %s ORDER BY 2", [casino.tenant_id])
        return answer, rows, wallets


def _check(casino: Casino, state: dict[str, str], amount: int) -> str:
    seat = _prepare(casino, state, amount)
    arguments = _arguments(seat, state, amount)
    # Both calls run in one transaction, so that both have the same start time.
    with casino.superuser.transaction(force_rollback=True):
        fast, whole = _tried(seat, _FAST, arguments), _tried(seat, _WHOLE, arguments)
    casino.disconnect()
    assert fast == whole
    return fast[0][0][0][0]


@given(state=st.fixed_dictionaries({k: st.sampled_from(v) for k, v in _STATES.items()}), amount=st.integers(0, B + 2))
def test_both_paths_agree_in_any_state(shared_casino: Casino, state: dict[str, str], amount: int) -> None:
    _check(shared_casino, state, amount)


_ORDINARY = {name: values[0] for name, values in _STATES.items()}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in _STATES.items() for value in values])
@pytest.mark.parametrize("amount", [0, 1000, B, B + 1])
def test_both_paths_agree_on_each_exception(shared_casino: Casino, name: str, value: str, amount: int) -> None:
    outcome = _check(shared_casino, {**_ORDINARY, name: value}, amount)

    if value == _ORDINARY[name]:
        assert outcome == ("OK" if amount <= B else "INSUFFICIENT_FUNDS")
