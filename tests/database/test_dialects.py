"""The differences between game providers are columns of their row: each column with both values."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.database.world import B, Seat


def test_refused_unknown_rollback_leaves_a_tombstone_too(new_seat: Callable[..., Seat]) -> None:
    """unknown_rollback = refuse; WALLET 20, 21"""
    seat = new_seat(unknown_rollback="refuse")

    declined = seat.rollback("undo", "late")
    again = seat.rollback("undo", "late")

    assert declined.code == "TRANSACTION_NOT_FOUND"
    assert (again.body, again.replayed) == (declined.body, True)
    assert seat.debit("late", 1000).code == "TRANSACTION_ROLLED_BACK"
    assert seat.credit("win", 1000, "late").code == "TRANSACTION_ROLLED_BACK"
    assert seat.rollback("another undo", "late").code == "TRANSACTION_NOT_FOUND"
    assert seat.balance == B


def test_swallowed_late_bet_is_answered_ok_and_takes_nothing(new_seat: Callable[..., Seat]) -> None:
    """late_bet = swallow; WALLET 21"""
    seat = new_seat(late_bet="swallow")
    seat.rollback("undo", "late")
    before = seat.state()

    late = seat.debit("late", 1000)

    assert (late.code, late.balance, late.fields["status"]) == ("OK", B, "ok")
    assert seat.debit("late", 1000).body == late.body
    assert seat.credit("late", 1000, kind="promo").code == "TRANSACTION_ROLLED_BACK"
    assert seat.credit("win", 1000, "late").code == "TRANSACTION_ROLLED_BACK"
    assert seat.state()[0] == before[0]


def test_refused_unknown_rollback_with_swallowed_late_bet(new_seat: Callable[..., Seat]) -> None:
    """unknown_rollback = refuse with late_bet = swallow"""
    seat = new_seat(unknown_rollback="refuse", late_bet="swallow")

    assert seat.rollback("undo", "late").code == "TRANSACTION_NOT_FOUND"
    assert (seat.debit("late", 1000).code, seat.balance) == ("OK", B)


def test_ids_unique_per_player_do_not_conflict(new_seat: Callable[..., Seat]) -> None:
    """id_scope = player"""
    one = new_seat(id_scope="player")
    other = new_seat(game_provider=one.game_provider)

    assert (one.debit("bet", 1000).code, other.debit("bet", 300).code) == ("OK", "OK")
    assert other.credit("win", 50, "bet").balance == B - 250
    # The other player's payout is not in this player's round.
    assert one.rollback("undo", "bet").balance == B
    assert other.rollback("undo", "bet").code == "ROUND_HAS_PAYOUT"
    # A tombstone bars the id for its own player only.
    one.rollback("undo 2", "later")
    assert one.debit("later", 1).code == "TRANSACTION_ROLLED_BACK"
    assert other.debit("later", 1).code == "OK"
    assert one.debit("bet", 1001).code == "DUPLICATE_TRANSACTION"
    assert one.debit("bet", 1000).replayed


def test_ids_unique_per_provider_conflict_across_players(new_seat: Callable[..., Seat]) -> None:
    """id_scope = provider; WALLET 10"""
    one = new_seat()
    other = new_seat(game_provider=one.game_provider)
    one.debit("bet", 1000)
    one.rollback("undo", "late")

    assert other.debit("bet", 1000).code == "DUPLICATE_TRANSACTION"
    assert other.debit("late", 1000).code == "DUPLICATE_TRANSACTION"
    assert other.state() == (B, [])


def test_rollback_until_the_bet_is_settled_ignores_other_bets_payouts(new_seat: Callable[..., Seat]) -> None:
    """rollback_until = bet_settled; WALLET 23"""
    seat = new_seat(rollback_until="bet_settled")
    seat.debit("bet 1", 1000)
    seat.debit("bet 2", 700)
    seat.credit("win", 5, "bet 1")

    assert seat.rollback("undo 1", "bet 1").code == "ROUND_HAS_PAYOUT"
    assert seat.rollback("undo 2", "bet 2").balance == B - 1000 + 5


def test_jackpot_without_a_bet_closes_its_round_for_rollbacks(new_seat: Callable[..., Seat]) -> None:
    """rollback_until; WALLET 7, 23: a jackpot is a payout of the round, and of a bet only if it names the bet"""
    strict, per_bet = new_seat(), new_seat(rollback_until="bet_settled")
    for seat in (strict, per_bet):
        seat.debit("bet", 1000)
        seat.credit("pot", 5, kind="jackpot")

    assert strict.rollback("undo", "bet").code == "ROUND_HAS_PAYOUT"
    assert per_bet.rollback("undo", "bet").code == "OK"


def test_refused_duplicate_is_an_error_and_moves_nothing(new_seat: Callable[..., Seat]) -> None:
    """Duplicate = refuse; WALLET 9"""
    seat = new_seat(duplicate="refuse")
    seat.debit("bet", 1000)
    seat.debit("declined", 5 * B)
    seat.credit("win", 50, "bet")
    seat.rollback("undo", "unknown")
    before = seat.state()

    again = [
        seat.debit("bet", 1000),
        seat.credit("win", 50, "bet"),
        seat.rollback("undo", "unknown"),
    ]

    assert {(outcome.code, outcome.refused) for outcome in again} == {("TRANSACTION_ALREADY_PROCESSED", True)}
    assert seat.debit("bet", 1001).code == "DUPLICATE_TRANSACTION"
    # A decline must not be taken for success.
    assert seat.debit("declined", 5 * B).code == "INSUFFICIENT_FUNDS"
    assert seat.state() == before


@pytest.mark.parametrize(("allowed", "code"), [(True, "OK"), (False, "SIGNATURE_INVALID")])
def test_bare_signature_is_accepted_if_the_provider_allows_it(
    new_seat: Callable[..., Seat], allowed: bool, code: str
) -> None:
    """allow_bare_signature; WALLET 36"""
    seat = new_seat(allow_bare_signature=allowed)
    bare = replace(seat, game_provider=replace(seat.game_provider, bare_signature=True))

    codes = [
        bare.asked_balance().code,
        bare.debit("bet", 1).code,
        bare.credit("win", 1, "bet").code,
        bare.rollback("undo", "unknown").code,
    ]

    assert set(codes) == {code}
    assert len(seat.rows) == (4 if allowed else 0)
    assert seat.debit("timed", 1, "round 2").code == "OK"


def test_replay_with_a_forbidden_signature_is_refused(new_seat: Callable[..., Seat]) -> None:
    """allow_bare_signature = false; WALLET 35: no stored answer is sent either"""
    seat = new_seat()
    seat.debit("bet", 1)

    assert (
        replace(seat, game_provider=replace(seat.game_provider, bare_signature=True)).debit("bet", 1).code
        == "SIGNATURE_INVALID"
    )
