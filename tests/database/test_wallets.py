"""A player's wallets: the wallet of a call, its currency, and deposits. WALLET 43."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from causeway.casino.ledger import wallet
from causeway.casino.ledger.requests import BalanceQuery
from causeway.errors.service import Internal
from tests.database.world import B, Outcome, Seat

CALLS: dict[str, Callable[..., Outcome]] = {
    "debit": lambda seat, **more: seat.debit("id", 1000, **more),
    "debit declined": lambda seat, **more: seat.debit("id", 5 * B, **more),
    "credit": lambda seat, **more: seat.credit("id", 50, "bet", **more),
    "promo": lambda seat, **more: seat.credit("id", 70, kind="promo", **more),
    "rollback": lambda seat, **more: seat.rollback("id", "bet", **more),
    "tombstone": lambda seat, **more: seat.rollback("id", "unknown", **more),
}


@pytest.mark.parametrize("id_scope", ["provider", "player"])
@pytest.mark.parametrize("duplicate", ["replay", "refuse"])
@pytest.mark.parametrize("name", CALLS)
def test_id_used_for_another_wallet_is_a_conflict(
    new_seat: Callable[..., Seat], name: str, duplicate: str, id_scope: str
) -> None:
    """WALLET 43: a player's EUR bet is not the same as the player's JPY bet"""
    euro = new_seat(duplicate=duplicate, id_scope=id_scope)
    yen = euro.with_wallet("JPY", 500)
    euro.debit("bet", 300)
    CALLS[name](euro)
    before = euro.state(), yen.state()

    outcome = CALLS[name](yen)

    assert (outcome.code, outcome.refused, outcome.balance) == ("DUPLICATE_TRANSACTION", True, 500)
    assert (euro.state(), yen.state()) == before


def test_tombstone_bars_its_id_for_the_players_other_wallet(new_seat: Callable[..., Seat]) -> None:
    """WALLET 43, 21"""
    euro = new_seat(late_bet="swallow")
    yen = euro.with_wallet("JPY")
    euro.rollback("undo", "late")

    assert yen.debit("late", 10).code == "DUPLICATE_TRANSACTION"
    assert yen.state() == (B, [])


def test_win_and_rollback_must_name_a_bet_of_their_own_wallet(new_seat: Callable[..., Seat]) -> None:
    """WALLET 43"""
    euro = new_seat()
    yen = euro.with_wallet("JPY")
    euro.debit("bet", 300)

    assert yen.credit("win", 50, "bet").code == "TRANSACTION_NOT_FOUND"
    assert yen.rollback("undo", "bet").code == "TRANSACTION_NOT_FOUND"
    assert yen.state() == (B, [])


@pytest.mark.parametrize("currency", ["USD", "eur", "EUR ", "\N{EURO SIGN}"])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("name", [*CALLS, "balance"])
def test_currency_that_is_not_the_wallets_is_refused(
    new_seat: Callable[..., Seat], name: str, known: bool, currency: str
) -> None:
    """WALLET 43: also for an id that was accepted without a currency"""
    calls: dict[str, Callable[..., Any]] = {**CALLS, "balance": lambda seat, **more: seat.asked_balance(**more)}
    seat = new_seat()
    seat.debit("bet", 300)
    if known:
        calls[name](seat)
    before = seat.state()

    outcome = calls[name](seat, currency=currency)

    assert (outcome.code, outcome.refused) == ("WRONG_CURRENCY", True)
    assert seat.state() == before


@pytest.mark.parametrize("name", CALLS)
def test_sending_the_wallets_own_currency_changes_nothing(new_seat: Callable[..., Seat], name: str) -> None:
    """WALLET 43, 9: the call with it and the call without it are the same call"""
    seat = new_seat()
    seat.debit("bet", 300)

    first = CALLS[name](seat, currency="EUR")
    again = CALLS[name](seat)

    assert (again.body, again.replayed, first.replayed) == (first.body, True, False)


@pytest.mark.parametrize("amount", [-300, -1, -(2**63)])
def test_negative_deposit_is_refused(seat: Seat, amount: int) -> None:
    """WALLET 48: a function does not trust the sign of its caller's amount"""
    before = seat.casino.query("SELECT * FROM casino_transactions WHERE wallet_id = %s", [seat.wallet_id])

    assert seat.deposit("deposit", amount) == "INVALID_AMOUNT"

    after = seat.casino.query("SELECT * FROM casino_transactions WHERE wallet_id = %s", [seat.wallet_id])
    assert (seat.balance, after) == (B, before)


@pytest.mark.parametrize("function", wallet.STATEMENTS)
def test_parameters_of_a_money_call_stand_in_the_order_of_the_functions_arguments(seat: Seat, function: str) -> None:
    """SQL does not name them: an exchange of two of one type is no error."""
    names = seat.casino.value(
        "SELECT coalesce(proargnames, '{}')::text[] FROM pg_proc WHERE oid = %s::regproc", [function]
    )
    given = re.findall(r"%\((\w+)\)s", wallet.STATEMENTS[function])

    assert len(given) == seat.casino.value("SELECT pronargs FROM pg_proc WHERE oid = %s::regproc", [function])
    assert given == [name.removeprefix("p_") for name in names[: len(given)]]


def test_deposits_id_is_used_for_one_wallet(seat: Seat) -> None:
    """WALLET 43"""
    yen = seat.with_wallet("JPY")
    id = f"deposit-{seat.wallet_id}"

    assert (seat.deposit(id, 70), seat.deposit(id, 70)) == ("OK", "OK")
    assert (yen.deposit(id, 70), seat.deposit(id, 71)) == ("DUPLICATE_TRANSACTION", "DUPLICATE_TRANSACTION")
    assert (seat.balance, yen.balance) == (B + 70, B)


def test_outcome_of_a_newer_schema_is_a_fault_that_names_it(seat: Seat) -> None:
    """After a rollback of the code alone. The caller is not told a refusal that this release does not know."""
    for name in ("casino_resolve", "casino_balance_v1"):
        definition = seat.casino.value("SELECT pg_get_functiondef(%s::regproc)", [name])
        assert "'SESSION_NOT_FOUND'" in definition
        seat.casino.query(definition.replace("'SESSION_NOT_FOUND'", "'A_CODE_OF_LATER'").encode())
    gone = replace(seat, token="gone")

    for call in (
        lambda: gone.debit("bet", 100),
        lambda: gone.rollback("undo", "bet"),
        lambda: wallet.balance(gone.database, gone.game_provider, BalanceQuery("gone", gone.player_id)),
    ):
        with pytest.raises(Internal, match="A_CODE_OF_LATER"):
            call()
    assert seat.state() == (B, [])
