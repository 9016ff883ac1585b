"""Concurrent calls on real parallel database connections: WALLET 15 to 17, 22, 23, 41."""

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import psycopg
import pytest

from tests.database.parallel import at_once
from tests.database.world import B, Casino, Seat
from tests.findings import none_of

RACES = 500


@pytest.fixture(autouse=True)
def _audited(shared_casino: Casino) -> Iterator[None]:
    """After each race the audit has no findings."""
    yield
    none_of(shared_casino.findings())


def test_50_concurrent_identical_debits_move_money_once(seat: Seat) -> None:
    """WALLET 15"""
    outcomes = at_once([partial(seat.elsewhere().debit, "bet", 1000) for _ in range(50)])

    assert {(outcome.code, outcome.body) for outcome in outcomes} == {("OK", outcomes[0].body)}
    assert Counter(outcome.replayed for outcome in outcomes) == {False: 1, True: 49}
    assert (seat.balance, len(seat.rows)) == (9000, 1)


def test_50_concurrent_different_debits_take_only_the_balance(seat: Seat) -> None:
    """WALLET 16"""
    outcomes = at_once([partial(seat.elsewhere().debit, f"bet-{n}", 1000) for n in range(50)])

    assert Counter(outcome.code for outcome in outcomes) == {"OK": 10, "INSUFFICIENT_FUNDS": 40}
    assert (seat.balance, len(seat.rows)) == (0, 50)


def test_20_concurrent_debits_with_one_id_and_different_amounts_apply_one(seat: Seat) -> None:
    """WALLET 17"""
    outcomes = at_once([partial(seat.elsewhere().debit, "bet", 100 + n) for n in range(20)])

    assert Counter(outcome.code for outcome in outcomes) == {"OK": 1, "DUPLICATE_TRANSACTION": 19}
    applied = next(n for n, outcome in enumerate(outcomes) if outcome.code == "OK")
    assert (seat.balance, len(seat.rows)) == (B - 100 - applied, 1)


def test_one_id_sent_concurrently_for_two_players_is_used_by_one(seat: Seat) -> None:
    """WALLET 10, 17: the players have separate queues, the id is unique across them"""
    other = seat.casino.seat(game_provider=seat.game_provider)
    for number in range(50):
        before = seat.balance + other.balance
        outcomes = at_once([partial(player.debit, f"bet-{number}", 10) for player in (seat, other)])

        assert Counter(outcome.code for outcome in outcomes) == {"OK": 1, "DUPLICATE_TRANSACTION": 1}
        assert seat.balance + other.balance == before - 10


def test_one_id_sent_concurrently_for_a_bet_and_a_win_is_used_by_one(seat: Seat) -> None:
    """WALLET 12: across types and players"""
    other = seat.casino.seat(game_provider=seat.game_provider)
    for number in range(50):
        before = seat.balance + other.balance
        bet, promo = at_once(
            [partial(seat.debit, f"id-{number}", 10), partial(other.credit, f"id-{number}", 10, kind="promo")]
        )

        assert {bet.code, promo.code} == {"OK", "DUPLICATE_TRANSACTION"}
        assert seat.balance + other.balance == before + (10 if promo.code == "OK" else -10)


def test_unknown_id_concurrently_rolled_back_by_one_player_and_bet_by_another(seat: Seat) -> None:
    """WALLET 21, 27: either the tombstone of one, or the bet of the other"""
    other = seat.casino.seat(game_provider=seat.game_provider)
    for number in range(50):
        before = other.balance
        bet, undo = at_once(
            [partial(other.debit, f"bet-{number}", 10), partial(seat.rollback, f"undo-{number}", f"bet-{number}")]
        )

        assert (bet.code, undo.code) in {("OK", "TRANSACTION_NOT_FOUND"), ("DUPLICATE_TRANSACTION", "OK")}
        assert other.balance == before - (10 if bet.code == "OK" else 0)
    assert seat.balance == B


def test_concurrent_debit_and_rollback_leave_the_balance_unchanged(seat: Seat) -> None:
    """WALLET 22"""
    other = seat.elsewhere()
    seen = Counter()
    for number in range(RACES):
        first, second = (
            partial(seat.debit, f"bet-{number}", 1000, f"round-{number}"),
            partial(other.rollback, f"undo-{number}", f"bet-{number}", f"round-{number}"),
        )
        bet, undo = at_once([first, second]) if number % 2 else reversed(at_once([second, first]))

        assert undo.code == "OK"
        seen["tombstone" if undo.fields.get("tombstone") else "reversed", bet.code] += 1
        assert seat.balance == B, number
    assert sum(seen.values()) == RACES
    assert seen.keys() <= {("reversed", "OK"), ("tombstone", "TRANSACTION_ROLLED_BACK")}


def test_of_concurrent_credit_and_rollback_one_succeeds(seat: Seat) -> None:
    """WALLET 23"""
    other = seat.elsewhere()
    for number in range(100):
        bet, round_id = f"bet-{number}", f"round-{number}"
        seat.debit(bet, 100, round_id)
        before = seat.balance
        win, undo = at_once(
            [partial(seat.credit, f"win-{number}", 250, bet, round_id), partial(other.rollback, f"undo-{number}", bet)]
        )

        if win.code == "OK":
            assert (undo.code, seat.balance) == ("ROUND_HAS_PAYOUT", before + 250)
        else:
            assert (win.code, undo.code, seat.balance) == ("TRANSACTION_ROLLED_BACK", "OK", before + 100)


def test_two_concurrent_rollbacks_of_one_bet_refund_once(seat: Seat) -> None:
    """WALLET 19"""
    other = seat.elsewhere()
    for number in range(50):
        bet = f"bet-{number}"
        seat.debit(bet, 100, bet)
        undos = at_once([partial(seat.rollback, f"a-{number}", bet), partial(other.rollback, f"b-{number}", bet)])

        assert {undo.code for undo in undos} == {"OK", "ALREADY_ROLLED_BACK"}
        assert seat.balance == B


def test_concurrent_bets_and_deposits_are_exact(seat: Seat) -> None:
    """Deposits queue together with the provider's calls."""
    calls = [partial(seat.elsewhere().debit, f"bet-{n}", 10) for n in range(20)]
    deposits = [partial(seat.deposit, f"deposit-{seat.player_id}-{n}", 7) for n in range(20)]

    def deposited() -> set[str]:
        return {deposit() for deposit in deposits}

    results = at_once([*calls, deposited])

    assert results[-1] == {"OK"}
    assert seat.balance == B - 200 + 140


def test_hot_wallet_under_32_callers_has_no_errors_and_does_not_affect_others(seat: Seat) -> None:
    """WALLET 41"""
    other = seat.casino.seat(game_provider=seat.game_provider)

    def play(own: Seat, round_: int) -> set[str]:
        return {own.debit(f"bet-{own.player_id}-{round_}-{n}", 1).code for n in range(20)}

    results = at_once([*(partial(play, seat.elsewhere(), n) for n in range(32)), partial(play, other, 0)])

    assert all(result == {"OK"} for result in results)
    assert (seat.balance, other.balance) == (B - 640, B - 20)


def test_id_scope_cannot_change_under_a_first_debit_that_is_not_committed(seat: Seat) -> None:
    """WALLET 45: nobody else can see that debit yet"""
    change = "UPDATE casino_game_providers SET id_scope = 'player' WHERE code = %s"
    with uncommitted(seat, seat, "timed") as outcome:
        assert outcome == "OK"
        with pytest.raises(psycopg.Error, match="cannot change"):
            seat.casino.query(change, [seat.game_provider.code])

    assert seat.debit("bet", 10).code == "OK"
    with pytest.raises(psycopg.Error, match="cannot change"):
        seat.casino.query(change, [seat.game_provider.code])


@contextmanager
def uncommitted(own: Seat, victim: Seat, kind: str) -> Generator[str]:
    """A money call with a session for a victim's player id, whose transaction stays open in the block."""
    casino = own.casino
    start = [casino.tenant_id, own.game_provider.code, kind == "bare", own.token, victim.player_id]
    with psycopg.connect(casino.urls["casino"]) as database:
        if kind == "credit":
            answer = database.execute(
                "SELECT casino_transact_v1(%s, %s, %s, 'promo', %s, %s, 'x', 'r', 5, NULL, NULL, '', NULL, 'request')",
                start,
            ).fetchone()
        else:
            answer = database.execute(
                "SELECT casino_debit_v1(%s, %s, %s, %s, %s, 'x', 'r', 5, NULL, '', 'request')", start
            ).fetchone()
        assert answer is not None
        yield answer[0][0]
        database.rollback()


@pytest.mark.parametrize("kind", ["timed", "bare", "credit"])
def test_caller_without_the_players_session_makes_nobody_wait(seat: Seat, kind: str) -> None:
    """WALLET 35: only callers with a session of the player take the player's turn"""
    another_player = seat.casino.seat(game_provider=seat.game_provider)
    another_provider = replace(seat, game_provider=seat.casino.game_provider())
    no_session = replace(seat, token="none")
    strangers = [another_player, another_provider, no_session, *([seat] if kind == "bare" else [])]
    for number, stranger in enumerate(strangers):
        with uncommitted(stranger, seat, kind) as outcome:
            assert outcome in {"PLAYER_NOT_FOUND", "SESSION_NOT_FOUND", "SIGNATURE_INVALID"}
            locks = seat.casino.value(
                """
                SELECT count(*) FROM pg_locks AS l INNER JOIN pg_database AS d ON d.oid = l.database
                WHERE l.locktype = 'advisory' AND d.datname = current_database()
                """
            )
            assert locks == 0
            assert seat.debit(f"bet-{number}", 10).code == "OK"


def test_no_trigger_or_check_reads_rows_that_may_be_uncommitted(shared_casino: Casino) -> None:
    """WALLET 45: uncommitted rows of other transactions are invisible, so a guard may check its own row only"""
    readers = shared_casino.query(
        r"""
        SELECT p.proname FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace
            AND regexp_replace(p.prosrc, '(distinct from|--[^\n]*)', '', 'gin') ~* '\m(from|perform)\M'
            AND (
                p.prorettype = 'trigger'::regtype
                OR EXISTS (
                    SELECT FROM pg_depend AS d
                    WHERE d.refobjid = p.oid AND d.classid = 'pg_constraint'::regclass
                )
            )
        ORDER BY p.proname
        """
    )

    assert [row.proname for row in readers] == [
        # These two wait for each other by the player's lock:
        # test_play.test_concurrent_block_and_new_wallet_see_each_other.
        "casino_players_tell_wallets",
        "casino_wallets_ask_player",
    ]
