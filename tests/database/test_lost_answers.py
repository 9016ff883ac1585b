"""Our retry after a lost answer finds its own result; a game provider's repeated call does not. WALLET 44."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from causeway.casino.ledger.requests import request_hash
from tests.database.cutting_proxy import CuttingProxy
from tests.database.world import B, Casino, Outcome, Seat

# Each money call, its answer, and the balance change it makes.
CALLS: dict[str, tuple[Callable[[Seat], Outcome], str, int]] = {
    "debit": (lambda seat: seat.debit("id", 1000), "OK", -1000),
    "debit declined": (lambda seat: seat.debit("id", 5 * B), "INSUFFICIENT_FUNDS", 0),
    "credit": (lambda seat: seat.credit("id", 50, "bet"), "OK", 50),
    "credit declined": (lambda seat: seat.credit("id", 50, "undone"), "TRANSACTION_ROLLED_BACK", 0),
    "promo": (lambda seat: seat.credit("id", 70, kind="promo"), "OK", 70),
    "rollback": (lambda seat: seat.rollback("id", "bet"), "OK", 300),
    "rollback declined": (lambda seat: seat.rollback("id", "undone"), "ALREADY_ROLLED_BACK", 0),
    "tombstone": (lambda seat: seat.rollback("id", "unknown"), "OK", 0),
    "late bet": (lambda seat: seat.debit("late", 1000), "TRANSACTION_ROLLED_BACK", 0),
}


@pytest.fixture(scope="module")
def proxy(shared_casino: Casino) -> Iterator[CuttingProxy]:
    with CuttingProxy(shared_casino.urls["casino"]) as proxy:
        yield proxy


def _seat(proxy: CuttingProxy, casino: Casino, **dialect: Any) -> Seat:
    """A player with an open bet of 300, a rolled back bet and a tombstone, whose calls go through the proxy."""
    seat = casino.seat(**dialect)
    seat.debit("bet", 300)
    seat.debit("undone", 300, "round 2")
    seat.rollback("undo", "undone")
    seat.rollback("undo late", "late")
    return replace(seat, database=casino.database_at(proxy.url))


@pytest.mark.parametrize("duplicate", ["replay", "refuse"])
@pytest.mark.parametrize("unknown_rollback", ["accept", "refuse"])
@pytest.mark.parametrize("late_bet", ["refuse", "swallow"])
@pytest.mark.parametrize("name", CALLS)
def test_retry_after_a_lost_answer_gets_the_first_answer(
    shared_casino: Casino, proxy: CuttingProxy, name: str, duplicate: str, unknown_rollback: str, late_bet: str
) -> None:
    """WALLET 44: in every dialect, and money moves once"""
    call, code, moved = CALLS[name]
    if name == "late bet" and late_bet == "swallow":
        code = "OK"
    if name == "tombstone" and unknown_rollback == "refuse":
        code = "TRANSACTION_NOT_FOUND"
    seat = _seat(proxy, shared_casino, duplicate=duplicate, unknown_rollback=unknown_rollback, late_bet=late_bet)
    before, lost = seat.balance, proxy.lost
    seat.asked_balance()

    proxy.lose_answer()
    outcome = call(seat)

    assert proxy.lost == lost + 1
    assert (outcome.code, outcome.replayed, seat.balance) == (code, False, before + moved)
    # A second call by the caller is different.
    rows = len(seat.rows)
    again = call(seat)
    stored = name != "late bet"
    if duplicate == "refuse" and code == "OK" and stored:
        assert (again.code, again.refused) == ("TRANSACTION_ALREADY_PROCESSED", True)
    else:
        assert (again.code, again.body if stored else None, again.replayed) == (
            code,
            outcome.body if stored else None,
            stored,
        )
    assert (seat.balance, len(seat.rows)) == (before + moved, rows)


@pytest.mark.parametrize("name", ["debit", "credit", "promo", "rollback", "tombstone"])
def test_callers_duplicate_with_a_lost_answer_is_still_refused(
    shared_casino: Casino, proxy: CuttingProxy, name: str
) -> None:
    """WALLET 44: the row that our retry finds belongs to an earlier call of the caller"""
    call, _, moved = CALLS[name]
    seat = _seat(proxy, shared_casino, duplicate="refuse")
    before = seat.balance
    assert call(seat).code == "OK"

    proxy.lose_answer()
    again = call(seat)

    assert (again.code, seat.balance) == ("TRANSACTION_ALREADY_PROCESSED", before + moved)


def test_deposit_with_a_lost_answer_is_made_once(shared_casino: Casino) -> None:
    """WALLET 44"""
    seat = shared_casino.seat()
    digest = request_hash(shared_casino.tenant_id, "deposit", seat.player_id, "lost", None, 70, None)
    parameters = [shared_casino.tenant_id, seat.wallet_id, "lost", 70, digest, "request"]
    with CuttingProxy(shared_casino.urls["superuser"]) as proxy:
        database = shared_casino.database_at(proxy.url)
        database.one("SELECT 1", [])
        proxy.lose_answer()

        row = database.one("SELECT * FROM casino_deposit_v1(%s, %s, %s, %s, %s, %s)", parameters)

        assert (proxy.lost, row.outcome, row.balance, seat.balance) == (1, "OK", B + 70, B + 70)
        database.close()
