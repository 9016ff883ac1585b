"""Rolling bets back, in time, too early and too late: WALLET 19 to 21, 23 to 29."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.database.world import B, Seat


def test_rollback_gives_the_bet_back_once(seat: Seat) -> None:
    """WALLET 19"""
    seat.debit("bet", 1000)
    undo = seat.rollback("undo", "bet")
    again = seat.rollback("undo", "bet")
    before = seat.state()
    another = seat.rollback("another undo", "bet")

    assert (undo.code, undo.balance) == ("OK", B)
    assert "tombstone" not in undo.fields
    assert (again.body, again.replayed) == (undo.body, True)
    assert another.code == "ALREADY_ROLLED_BACK"
    assert seat.balance == before[0] == B
    assert seat.rollback("another undo", "bet").body == another.body


def test_rolled_back_bet_replays_as_accepted_and_takes_nothing(seat: Seat) -> None:
    """WALLET 9, 19"""
    first = seat.debit("bet", 1000)
    seat.rollback("undo", "bet")

    assert seat.debit("bet", 1000).body == first.body
    assert seat.balance == B


def test_rollback_of_an_unknown_id_leaves_a_tombstone(seat: Seat) -> None:
    """WALLET 20"""
    undo = seat.rollback("undo", "never seen")
    again = seat.rollback("undo", "never seen")

    assert undo.body == '{"transactionId":"undo","balance":"10000","currency":"EUR","status":"ok","tombstone":true}'
    assert (again.body, again.replayed) == (undo.body, True)
    assert seat.balance == B
    assert [(row.type, row.id, row.amount) for row in seat.rows] == [
        ("tombstone", "never seen", 0),
        ("rollback", "undo", 0),
    ]


def test_new_rollback_of_a_tombstone_moves_nothing(seat: Seat) -> None:
    """WALLET 20"""
    seat.rollback("undo", "never seen")

    assert seat.rollback("another undo", "never seen").code == "ALREADY_ROLLED_BACK"
    assert seat.balance == B


def test_late_bet_or_win_after_its_tombstone_is_refused_for_ever(seat: Seat) -> None:
    """WALLET 21"""
    seat.rollback("undo", "late", "round")
    before = seat.state()

    for _ in range(2):
        late = seat.debit("late", 1000)
        assert (late.code, late.refused, late.balance) == ("TRANSACTION_ROLLED_BACK", True, B)
        assert seat.credit("late", 1000, kind="promo").code == "TRANSACTION_ROLLED_BACK"
    assert seat.state() == before


def test_credit_naming_a_tombstone_is_declined(seat: Seat) -> None:
    """WALLET 21"""
    seat.rollback("undo", "late")

    declined = seat.credit("win", 1000, "late")

    assert (declined.code, declined.balance) == ("TRANSACTION_ROLLED_BACK", B)
    assert seat.credit("win", 1000, "late").body == declined.body
    assert seat.balance == B


def test_rollback_after_a_payout_of_the_round_is_declined(seat: Seat) -> None:
    """WALLET 23"""
    seat.debit("bet", 1000)
    seat.debit("sister", 500)
    seat.credit("win", 2000, "bet")

    declined = seat.rollback("undo", "bet")

    assert (declined.code, declined.fields["error"]) == (
        "ROUND_HAS_PAYOUT",
        "Cannot rollback: round already has a payout",
    )
    assert seat.rollback("undo sister", "sister").code == "ROUND_HAS_PAYOUT"
    assert seat.balance == B - 1500 + 2000


def test_declined_payout_does_not_settle_the_round(seat: Seat) -> None:
    """WALLET 23"""
    seat.debit("bet", 1000)
    assert seat.credit("win", 2**62, "bet").code == "BALANCE_LIMIT_EXCEEDED"

    assert seat.rollback("undo", "bet").balance == B


def test_promo_in_the_round_does_not_settle_it(seat: Seat) -> None:
    """WALLET 7, 23: a promotion is no payout"""
    seat.debit("bet", 1000)
    seat.credit("gift", 50, kind="promo")

    assert seat.rollback("undo", "bet").balance == B + 50


def test_payout_of_a_round_with_the_same_id_elsewhere_does_not_matter(
    seat: Seat, new_seat: Callable[..., Seat]
) -> None:
    """WALLET 23: a round belongs to one provider and one player"""
    neighbour, elsewhere = (
        new_seat(game_provider=seat.game_provider),
        seat.casino.second_session(seat, seat.casino.game_provider()),
    )
    seat.debit("bet", 1000)
    neighbour.debit("their bet", 1000)
    neighbour.credit("their win", 1000, "their bet")
    elsewhere.debit("bet", 1000)
    elsewhere.credit("win", 1000, "bet")

    assert seat.rollback("undo", "bet").code == "OK"


def test_credit_after_rollback_is_declined(seat: Seat) -> None:
    """WALLET 24"""
    seat.debit("bet", 1000)
    seat.rollback("undo", "bet")

    assert seat.credit("win", 5000, "bet").code == "TRANSACTION_ROLLED_BACK"
    assert seat.balance == B


@pytest.mark.parametrize("of", ["win", "undo", "gift", "pot"])
def test_only_bets_are_reversible(seat: Seat, of: str) -> None:
    """WALLET 25"""
    seat.debit("bet", 1000)
    seat.credit("win", 100, "bet")
    seat.debit("void", 500, "round 2")
    seat.rollback("undo", "void")
    seat.credit("gift", 10, kind="promo")
    seat.credit("pot", 10, kind="jackpot")
    balance = seat.balance

    declined = seat.rollback("wrong", of)

    assert declined.code == "NOT_REVERSIBLE"
    assert seat.rollback("wrong", of).body == declined.body
    assert seat.balance == balance


@pytest.mark.parametrize("round_id", [None, "round", "a wrong round"])
def test_rollback_refunds_the_stored_amount(seat: Seat, round_id: str | None) -> None:
    """WALLET 26: the amount of a rollback is not read, and its round need not match"""
    seat.debit("bet", 1000)

    assert seat.rollback("undo", "bet", round_id).balance == B
    assert [row.amount for row in seat.rows] == [-1000, 1000]


def test_rollback_of_another_players_bet_reveals_and_stores_nothing(seat: Seat, new_seat: Callable[..., Seat]) -> None:
    """WALLET 27"""
    neighbour = new_seat(game_provider=seat.game_provider)
    neighbour.debit("theirs", 1000)
    before = seat.state(), neighbour.state()

    outcome = seat.rollback("undo", "theirs")

    assert (outcome.code, outcome.refused) == ("TRANSACTION_NOT_FOUND", True)
    assert (seat.state(), neighbour.state()) == before
    assert neighbour.debit("theirs", 1000).replayed
    assert neighbour.rollback("their undo", "theirs").balance == B


def test_rollback_of_another_providers_bet_cannot_bar_its_id(seat: Seat) -> None:
    """WALLET 27"""
    other = seat.casino.second_session(seat, seat.casino.game_provider())
    other.debit("theirs", 1000)

    # For this provider the id is free: its tombstone bars its own id only.
    assert seat.rollback("undo", "theirs").fields["tombstone"] is True
    assert seat.balance == B - 1000
    assert other.rollback("undo", "theirs").balance == B
    assert other.debit("next", 1000, "round 2").code == "OK"


def test_rollback_of_another_tenants_bet_finds_nothing(seat: Seat) -> None:
    """WALLET 27"""
    seat.debit("bet", 1000)
    other = type(seat.casino)(seat.casino.urls)
    theirs = other.seat(game_provider=other.game_provider())

    assert theirs.rollback("undo", "bet").fields["tombstone"] is True
    assert seat.rollback("undo", "bet").balance == B
    other.close()


def test_rollback_of_a_declined_bet_is_answered_and_refunds_nothing(seat: Seat) -> None:
    """WALLET 28"""
    seat.debit("bet", 5 * B)

    undo = seat.rollback("undo", "bet")

    assert (undo.code, undo.balance) == ("OK", B)
    assert seat.rollback("undo", "bet").body == undo.body
    assert seat.rollback("another undo", "bet").code == "ALREADY_ROLLED_BACK"
    assert seat.balance == B


def test_rollback_of_one_bet_leaves_the_rounds_other_bet_open(seat: Seat) -> None:
    """WALLET 29"""
    seat.debit("bet 1", 1000)
    seat.debit("bet 2", 700)
    assert seat.rollback("undo", "bet 2").balance == B - 1000

    assert seat.credit("win", 3000, "bet 1").balance == B + 2000
    assert seat.rollback("undo 1", "bet 1").code == "ROUND_HAS_PAYOUT"


@pytest.mark.parametrize(
    ("bet_id", "round_id", "code", "refused"),
    [
        ("nothing", "round", "TRANSACTION_NOT_FOUND", True),
        ("theirs", "round", "TRANSACTION_NOT_FOUND", True),
        ("declined", "round", "INVALID_REFERENCE", False),
        ("win", "round", "INVALID_REFERENCE", False),
        ("undo", "round", "INVALID_REFERENCE", False),
        ("bet", "another round", "INVALID_REFERENCE", False),
    ],
)
def test_win_without_an_accepted_bet_of_its_round_moves_nothing(
    seat: Seat, new_seat: Callable[..., Seat], bet_id: str, round_id: str, code: str, refused: bool
) -> None:
    """WALLET 24, 34"""
    new_seat(game_provider=seat.game_provider).debit("theirs", 1)
    seat.debit("declined", 5 * B)
    seat.debit("bet", 1000)
    seat.credit("win", 5, "bet")
    seat.rollback("undo", "unknown")
    balance = seat.balance

    outcome = seat.credit("new win", 100, bet_id, round_id)

    assert (outcome.code, outcome.refused) == (code, refused)
    assert seat.balance == balance
    if refused:
        # The bet may arrive a moment later.
        assert seat.credit("new win", 100, "bet").code == "OK"


def test_win_sent_before_its_bet_succeeds_after_it(seat: Seat) -> None:
    """A provider's calls may arrive in the wrong order, so the refusal is not stored."""
    assert seat.credit("win", 500, "bet").code == "TRANSACTION_NOT_FOUND"
    seat.debit("bet", 1000)

    assert seat.credit("win", 500, "bet").balance == B - 500


def test_rollback_in_another_session_of_the_player_is_accepted(seat: Seat) -> None:
    seat.debit("bet", 1000)
    later = seat.casino.second_session(replace(seat))

    assert later.rollback("undo", "bet").balance == B


@pytest.mark.parametrize("known", ["bet", "win", "undo", "tombstone", "nothing"])
def test_rollback_with_the_id_of_its_bet_is_a_conflict(new_seat: Callable[..., Seat], known: str) -> None:
    """WALLET 12"""
    seat = new_seat()
    seat.debit("bet", 1000)
    seat.debit("other", 1000, "round 2")
    seat.credit("win", 5, "bet")
    seat.rollback("undo", "other")
    seat.rollback("undo nothing", "tombstone")
    before = seat.state()

    assert seat.rollback(known, known).code == "DUPLICATE_TRANSACTION"

    assert seat.state() == before
    # No tombstone was left: the id can still be used.
    assert known != "nothing" or seat.debit("nothing", 1).code == "OK"
