"""Statements use an index whenever they were planned, and declines have the sentences of their errors."""

from typing import Any

from causeway.errors import table
from tests.database.world import B, Casino

_SCANS = """
    SELECT relname, seq_scan FROM pg_stat_user_tables
    WHERE relname IN ('casino_wallets', 'casino_transactions', 'casino_sessions', 'casino_players')
    ORDER BY relname
"""


def _scans(casino: Casino) -> list[Any]:
    casino.disconnect()
    casino.query("SELECT pg_stat_force_next_flush()")
    return casino.query(_SCANS)


def test_plans_made_on_empty_tables_do_not_scan_full_ones(casino: Casino) -> None:
    casino.query("ANALYZE")
    first = casino.seat()
    first.debit("bet", 1)
    seats = [casino.seat(game_provider=first.game_provider, balance=0) for _ in range(300)]
    before = _scans(casino)
    # One database connection plans while the tables are nearly empty, another when they are full.
    for seat in (first, seats[-1], seats[0]):
        for number in range(5):
            seat.debit(f"{seat.player_id}-{number}", 0)
            seat.credit(f"{seat.player_id}-win-{number}", 0, f"{seat.player_id}-{number}")
            seat.rollback(f"{seat.player_id}-undo-{number}", f"{seat.player_id}-{number}")
            seat.asked_balance()

    assert _scans(casino) == before


def test_decline_has_the_same_sentence_as_its_error(casino: Casino) -> None:
    """The database states a decline, Python states a refusal: the sentences must be the same."""
    source = casino.value("SELECT pg_get_functiondef('casino_decline_sentence'::regproc)")
    told = {code: casino.value("SELECT casino_decline_sentence(%s)", [code]) for code in table.every()}
    declines = {code: sentence for code, sentence in told.items() if sentence is not None}

    assert declines == {code: table.every()[code]().sentence for code in declines}
    # Every code that the function knows is an error of ours.
    assert len(declines) == source.count("WHEN")


def test_every_decline_the_ledger_stores_has_a_sentence(casino: Casino) -> None:
    seat = casino.seat()
    seat.debit("bet", B)
    declined = [
        seat.debit("more", 1),
        seat.credit("big", 2**62, "bet"),
        seat.rollback("r", "big"),
        seat.rollback("u", "x"),
    ]

    assert [outcome.fields.get("error") for outcome in declined] == [
        "The balance is too low for this bet",
        "The credit would exceed the balance the wallet may hold",
        "Only bets can be rolled back",
        None,
    ]
