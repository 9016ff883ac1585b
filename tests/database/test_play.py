"""Bets and wins in normal play, and at the limits: WALLET 1 to 8, 31, 33, 34."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import LiteralString

import psycopg
import pytest

from tests.database.world import B, Casino, Seat

CAP = 1_000_000_000_000_000
LONGEST = 2**63 - 1


def test_20_concurrent_balance_calls_answer_the_same_and_write_nothing(seat: Seat) -> None:
    """WALLET 1"""
    before = seat.state()
    version = "SELECT xmin::text, ctid::text FROM casino_wallets WHERE wallet_id = %s"
    stored = seat.casino.query(version, [seat.wallet_id])

    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(lambda own: own.asked_balance().body, [seat.elsewhere() for _ in range(20)]))

    assert set(answers) == {f'{{"userId":{seat.player_id},"balance":"10000","currency":"EUR"}}'}
    assert seat.state() == before
    assert seat.casino.query(version, [seat.wallet_id]) == stored


def test_debit_then_credit_moves_the_balance_and_rows_have_before_and_after(seat: Seat) -> None:
    """WALLET 2"""
    assert seat.debit("bet", 1000).balance == 9000
    assert seat.credit("win", 2500, "bet").balance == 11500

    assert [(r.type, r.amount, r.balance_before, r.balance_after, r.counter_account) for r in seat.rows] == [
        ("bet", -1000, 10000, 9000, "game"),
        ("win", 2500, 9000, 11500, "game"),
    ]
    assert seat.balance == 11500


def test_answers_are_as_specified(seat: Seat) -> None:
    """WALLET 2: exactly the specified fields"""
    assert seat.debit("bet", 1000).body == '{"transactionId":"bet","balance":"9000","currency":"EUR","status":"ok"}'


def test_debit_of_the_whole_balance_leaves_zero_and_the_next_is_declined(seat: Seat) -> None:
    """WALLET 3"""
    assert seat.debit("all", B).balance == 0

    declined = seat.debit("more", 1)

    assert (declined.code, declined.balance) == ("INSUFFICIENT_FUNDS", 0)
    assert declined.fields.keys() == {"error", "code", "requestId", "balance"}
    assert seat.balance == 0


def test_zero_debit_and_zero_credit_are_accepted_and_keep_their_ids(seat: Seat) -> None:
    """WALLET 4"""
    assert (seat.debit("bet", 0).code, seat.credit("win", 0, "bet").code) == ("OK", "OK")

    assert seat.balance == B
    assert [(row.id, row.amount) for row in seat.rows] == [("bet", 0), ("win", 0)]
    assert seat.debit("bet", 1).code == "DUPLICATE_TRANSACTION"


def test_zero_credit_settles_a_losing_round(seat: Seat) -> None:
    """WALLET 4, 23: a payout of 0 is a payout"""
    seat.debit("bet", 1000)
    seat.credit("win", 0, "bet")

    assert seat.rollback("undo", "bet").code == "ROUND_HAS_PAYOUT"
    assert seat.balance == 9000


def test_101_pairs_in_one_round_are_exact(seat: Seat) -> None:
    """WALLET 5"""
    for number in range(101):
        seat.debit(f"bet-{number}", 100 + number)
        seat.credit(f"win-{number}", 2 * number, f"bet-{number}")

    assert seat.balance == B - sum(100 + n for n in range(101)) + sum(2 * n for n in range(101))
    assert len(seat.rows) == 202


def test_interleaved_rounds_and_sessions_of_one_player_are_exact(seat: Seat) -> None:
    """WALLET 6"""
    other = seat.casino.second_session(seat)
    seat.debit("a1", 1000, "round a")
    other.debit("b1", 2000, "round b")
    seat.debit("a2", 300, "round a")
    other.credit("b-win", 500, "b1", "round b")
    assert seat.rollback("a-undo", "a2").code == "OK"
    assert seat.rollback("b-undo", "b1").code == "ROUND_HAS_PAYOUT"
    other.credit("a-win", 50, "a1", "round a")

    assert seat.balance == other.balance == B - 1000 - 2000 + 500 + 50


@pytest.mark.parametrize(("kind", "account"), [("promo", "promotion"), ("jackpot", "jackpot")])
def test_promo_or_jackpot_without_a_bet_is_credited_once_and_marked(seat: Seat, kind: str, account: str) -> None:
    """WALLET 7"""
    first = seat.credit("gift", 700, kind=kind)
    again = seat.credit("gift", 700, kind=kind)

    assert first.balance == B + 700
    assert (again.body, again.replayed) == (first.body, True)
    assert [(row.type, row.counter_account, row.amount) for row in seat.rows] == [(kind, account, 700)]


def test_payout_beyond_32_bits_and_its_debit_are_exact(seat: Seat) -> None:
    """WALLET 8"""
    seat.debit("bet", 1)
    assert seat.credit("win", 6372709234, "bet").balance == B - 1 + 6372709234
    assert seat.debit("again", 6372709234, "round 2").balance == B - 1


@pytest.mark.parametrize("amount", [CAP - B + 1, CAP, 2**62, LONGEST])
@pytest.mark.parametrize("kind", ["win", "promo", "jackpot"])
def test_credit_past_the_wallets_cap_is_declined(seat: Seat, kind: str, amount: int) -> None:
    """WALLET 31"""
    seat.debit("bet", 0)

    assert seat.credit("win", amount, "bet", kind=kind).code == "BALANCE_LIMIT_EXCEEDED"
    assert seat.credit("win", amount, "bet", kind=kind).replayed
    assert seat.balance == B


def test_credit_up_to_the_wallets_cap_is_paid(seat: Seat) -> None:
    """WALLET 31: the cap itself is allowed"""
    seat.debit("bet", 0)

    assert seat.credit("win", CAP - B, "bet").balance == CAP
    assert seat.credit("zero", 0, "bet").code == "OK"
    assert seat.credit("one", 1, "bet").code == "BALANCE_LIMIT_EXCEEDED"


def test_refund_reaches_a_wallet_at_its_cap(seat: Seat) -> None:
    """WALLET 31: a refund returns the player's own money"""
    seat.debit("bet", 1000, "round 1")
    seat.debit("other", 0, "round 2")
    assert seat.credit("win", CAP - B + 1000, "other", "round 2").balance == CAP

    assert seat.rollback("undo", "bet").balance == CAP + 1000
    assert seat.credit("promo", 1, kind="promo").code == "BALANCE_LIMIT_EXCEEDED"
    assert seat.credit("promo zero", 0, kind="promo").code == "OK"


def test_debit_of_the_greatest_amount_is_declined(seat: Seat) -> None:
    """WALLET 31"""
    assert seat.debit("bet", LONGEST).code == "INSUFFICIENT_FUNDS"
    assert seat.balance == B


def test_deposit_past_the_cap_moves_nothing(seat: Seat) -> None:
    """WALLET 31"""
    assert seat.deposit(f"big-{seat.player_id}", CAP) == "BALANCE_LIMIT_EXCEEDED"
    assert seat.balance == B


def test_wallet_with_the_highest_cap_holds_no_more(casino: Casino) -> None:
    """WALLET 31: the sum of the cap and any amount fits into a bigint"""
    seat = casino.seat()
    casino.query("UPDATE casino_wallets SET balance_cap = 4000000000000000000 WHERE wallet_id = %s", [seat.wallet_id])
    seat.debit("bet", 0)

    assert seat.credit("win", LONGEST, "bet").code == "BALANCE_LIMIT_EXCEEDED"
    assert seat.credit("most", 4 * 10**18 - B, "bet").balance == 4 * 10**18
    assert seat.debit("all", 4 * 10**18, "round 2").balance == 0


@pytest.mark.parametrize(
    "id",
    [
        "x",
        "x" * 255,
        "\U0001f3b0" * 255,
        "e\u0301",
        "\u00e9",
        " leading and trailing ",
        "'); DROP TABLE casino_transactions; --",
        '<script>alert("1")</script>',
        'back\\slash "quote" \n\t\x01\x7f',
        "%s %(id)s {id} $1",
        "\u202e\ufeff\uffff",
    ],
)
def test_ids_are_stored_and_answered_verbatim(seat: Seat, id: str) -> None:
    """WALLET 33"""
    first = seat.debit(id, 10, round_id=id)

    assert first.fields["transactionId"] == id
    assert [(row.id, row.round_id) for row in seat.rows] == [(id, id)]
    assert seat.debit(id, 10, round_id=id).body == first.body
    assert seat.credit("win", 20, id, round_id=id).balance == B + 10


@pytest.mark.parametrize(("one", "other"), [("Id", "ID"), ("e\u0301", "\u00e9"), ("id", "id "), ("ss", "\u00df")])
def test_ids_that_look_alike_are_different(seat: Seat, one: str, other: str) -> None:
    """WALLET 33: no normalisation, case-sensitive"""
    assert (seat.debit(one, 10).code, seat.debit(other, 10).code) == ("OK", "OK")
    assert seat.balance == B - 20


def test_unknown_session_or_player_is_refused_and_nothing_is_stored(seat: Seat) -> None:
    """WALLET 34"""
    before = seat.state()
    nowhere = replace(seat, token="no such session")

    for stranger, code in ((nowhere, "SESSION_NOT_FOUND"), (replace(seat, player_id=LONGEST), "PLAYER_NOT_FOUND")):
        outcomes = [
            stranger.asked_balance(),
            stranger.debit("bet", 1),
            stranger.credit("win", 1, "bet"),
            stranger.credit("promo", 1, kind="promo"),
            stranger.rollback("undo", "bet"),
        ]
        assert {(outcome.code, outcome.refused) for outcome in outcomes} == {(code, True)}
    assert seat.state() == before
    # The refused call did not use the id up.
    assert seat.debit("bet", 1).code == "OK"


def test_session_of_another_player_or_provider_is_refused(seat: Seat, new_seat: Callable[..., Seat]) -> None:
    """WALLET 34"""
    neighbour, stranger = new_seat(game_provider=seat.game_provider), new_seat()
    before = seat.state(), neighbour.state()

    assert replace(seat, player_id=neighbour.player_id).debit("bet", 1).code == "PLAYER_NOT_FOUND"
    assert replace(seat, player_id=neighbour.player_id).asked_balance().code == "PLAYER_NOT_FOUND"
    assert replace(seat, game_provider=stranger.game_provider).debit("bet", 1).code == "SESSION_NOT_FOUND"
    assert replace(seat, game_provider=stranger.game_provider).asked_balance().code == "SESSION_NOT_FOUND"
    assert (seat.state(), neighbour.state()) == before


def test_another_tenants_session_is_not_found(seat: Seat, cluster: object) -> None:
    """WALLET 34"""
    other = Casino(seat.casino.urls)
    foreign = replace(seat, game_provider=other.game_provider())

    assert foreign.debit("bet", 1).code == "SESSION_NOT_FOUND"
    assert foreign.asked_balance().code == "SESSION_NOT_FOUND"
    other.close()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE casino_sessions SET status = 'closed' WHERE session_token = %s", "SESSION_CLOSED"),
        ("UPDATE casino_sessions SET expires_at = now() WHERE session_token = %s", "SESSION_EXPIRED"),
        (
            """
            UPDATE casino_players SET status = 'blocked' WHERE player_id =
            (SELECT player_id FROM casino_sessions WHERE session_token = %s)
            """,
            "PLAYER_BLOCKED",
        ),
    ],
)
def test_bets_are_declined_but_wins_and_rollbacks_are_accepted(seat: Seat, change: str, code: str) -> None:
    """Closed or expired session, or blocked player: the bet is declined for ever, open bets are still settled."""
    seat.debit("won", 1000, "round 1")
    seat.debit("void", 500, "round 2")
    seat.casino.query(change, [seat.token])

    declined = seat.debit("late", 100)
    assert declined.code == code
    assert seat.debit("late", 100).body == declined.body
    assert seat.debit("won", 1000, "round 1").replayed
    assert seat.credit("win", 3000, "won", "round 1").code == "OK"
    assert seat.rollback("undo", "void").code == "OK"
    assert seat.asked_balance().balance == B - 1000 + 3000


def test_session_still_launching_takes_bets(seat: Seat) -> None:
    """A provider may bet before its answer to the launch has arrived."""
    seat.casino.query(
        "UPDATE casino_sessions SET status = 'launching', expires_at = created_at + interval '1 minute' "
        "WHERE session_token = %s",
        [seat.token],
    )

    assert seat.debit("bet", 1).code == "OK"


def test_session_cannot_be_launching_for_longer_than_a_minute(seat: Seat) -> None:
    """WALLET 46: an unfinished launch leaves no session that takes bets."""
    with pytest.raises(psycopg.errors.CheckViolation):
        seat.casino.query("UPDATE casino_sessions SET status = 'launching' WHERE session_token = %s", [seat.token])


def test_inactive_game_provider_settles_but_takes_no_bets(seat: Seat) -> None:
    """Money of earlier bets is not lost."""
    seat.debit("won", 100, round_id="1")
    seat.debit("undone", 100, round_id="2")
    seat.casino.query("UPDATE casino_game_providers SET status = 'inactive' WHERE code = %s", [seat.game_provider.code])

    assert seat.debit("new", 1).code == "GAME_PROVIDER_INACTIVE"
    assert seat.debit("won", 100, round_id="1").replayed
    settled = [seat.credit("win", 250, "won", round_id="1"), seat.rollback("undo", "undone"), seat.asked_balance()]

    assert {outcome.code for outcome in settled} == {"OK"}
    assert seat.state()[0] == B + 150


@pytest.mark.parametrize("amount", [-1, -B])
def test_functions_refuse_calls_that_no_provider_may_send(seat: Seat, amount: int) -> None:
    """The database checks it too, behind the parser: no negative amount, no deposit, no tombstone."""
    casino, before = seat.casino, seat.state()
    start = [casino.tenant_id, seat.game_provider.code, True]
    debit = "SELECT casino_debit_v1(%s, %s, %s, %s, %s, 'x', 'r', %s, NULL, %s, 'request')"
    transact = "SELECT casino_transact_v1(%s, %s, %s, %s, %s, %s, 'x', 'r', %s, NULL, NULL, %s, NULL, 'request')"
    with psycopg.connect(casino.urls["casino"], autocommit=True) as database:
        with pytest.raises(psycopg.Error, match="cannot send"):
            database.execute(debit, [*start, seat.token, seat.player_id, amount, bytes(32)])
        for kind, units in (("promo", amount), ("deposit", 1), ("tombstone", 0)):
            with pytest.raises(psycopg.Error, match="cannot send"):
                database.execute(transact, [*start, kind, seat.token, seat.player_id, units, bytes(32)])
    assert seat.state() == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE casino_game_providers SET id_scope = 'player' WHERE code = %s",
        "UPDATE casino_game_providers SET code = 'ANOTHER' WHERE code = %s",
        "UPDATE casino_game_providers SET game_provider_id = DEFAULT WHERE code = %s",
        "UPDATE casino_game_providers SET tenant_id = gen_random_uuid() WHERE code = %s",
        "DELETE FROM casino_game_providers WHERE code = %s",
    ],
)
def test_meaning_of_a_providers_ids_cannot_change(seat: Seat, change: LiteralString) -> None:
    """WALLET 45: with another meaning, earlier ids would not be found, and a retry would move money again"""
    with pytest.raises(psycopg.Error, match="cannot change"):
        seat.casino.query(change, [seat.game_provider.code])

    seat.casino.query(
        "UPDATE casino_game_providers SET duplicate = 'refuse' WHERE code = %s", [seat.game_provider.code]
    )


def test_session_with_another_players_wallet_cannot_be_made(seat: Seat, new_seat: Callable[..., Seat]) -> None:
    """A bet signed for one player must not take another player's money."""
    other = new_seat()
    with pytest.raises(psycopg.Error, match="foreign key"):
        seat.casino.query(
            "UPDATE casino_sessions SET wallet_id = %s WHERE session_token = %s", [other.wallet_id, seat.token]
        )


def test_block_applies_to_earlier_and_later_wallets_until_it_is_lifted(
    seat: Seat, new_seat: Callable[..., Seat]
) -> None:
    neighbour = new_seat()
    casino, status = seat.casino, "UPDATE casino_players SET status = %s WHERE player_id = %s"
    casino.query(status, ["blocked", seat.player_id])
    casino.query(
        "INSERT INTO casino_wallets (tenant_id, player_id, currency) VALUES (%s, %s, 'JPY')",
        [casino.tenant_id, seat.player_id],
    )

    blocked = casino.query("SELECT takes_bets FROM casino_wallets WHERE player_id = %s", [seat.player_id])
    untouched = casino.query("SELECT takes_bets FROM casino_wallets WHERE player_id = %s", [neighbour.player_id])
    casino.query(status, ["active", seat.player_id])
    lifted = casino.query("SELECT takes_bets FROM casino_wallets WHERE player_id = %s", [seat.player_id])

    assert (blocked, lifted) == ([(False,), (False,)], [(True,), (True,)])
    assert untouched == [(True,)]
    assert seat.debit("bet", 100).code == "OK"


def test_concurrent_block_and_new_wallet_see_each_other(seat: Seat) -> None:
    """Both wait for the player's turn, so the second sees the first."""
    casino = seat.casino
    with (
        psycopg.connect(casino.urls["superuser"]) as first,
        psycopg.connect(casino.urls["superuser"], autocommit=True) as second,
        ThreadPoolExecutor() as pool,
    ):
        first.execute(
            "INSERT INTO casino_wallets (tenant_id, player_id, currency) VALUES (%s, %s, 'JPY')",
            [casino.tenant_id, seat.player_id],
        )
        block = pool.submit(
            second.execute, "UPDATE casino_players SET status = 'blocked' WHERE player_id = %s", [seat.player_id]
        )
        assert not wait([block], 0.3).done
        first.commit()
        block.result(10)

    assert (
        casino.query("SELECT takes_bets FROM casino_wallets WHERE player_id = %s", [seat.player_id]) == [(False,)] * 2
    )


def test_refund_beyond_bigint_is_declined(seat: Seat) -> None:
    """Wins stop at the cap, refunds do not: after enough wins, bets and rollbacks the balance has no room."""
    most = 4_000_000_000_000_000_000
    seat.casino.query("UPDATE casino_wallets SET balance_cap = %s WHERE wallet_id = %s", [most, seat.wallet_id])
    for turn in range(3):
        assert seat.credit(f"win {turn}", most - seat.balance, kind="promo").code == "OK"
        assert seat.debit(f"bet {turn}", most, f"round {turn}").code == "OK"
    taken_back = [seat.rollback(f"undo {turn}", f"bet {turn}", f"round {turn}").code for turn in range(3)]

    assert taken_back == ["OK", "OK", "BALANCE_LIMIT_EXCEEDED"]
    assert seat.balance == 2 * most
    assert seat.rollback("undo 2", "bet 2", "round 2").code == "BALANCE_LIMIT_EXCEEDED"
