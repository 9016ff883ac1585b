"""The auditor: no findings in an unchanged ledger, a finding for every change by somebody with full access."""

import re
from collections.abc import Iterator

import pytest

from causeway.casino.ledger.requests import request_hash
from tests.database.clones import Cluster
from tests.database.played import (
    Played,
    audited,
    delete,
    entries,
    entry,
    named,
    play,
    response,
    run,
    wallet,
)
from tests.database.world import B, Casino
from tests.unit.wrong_urls import SECRET, WRONG_URLS


@pytest.fixture
def played(casino: Casino) -> Played:
    return play(casino)


@pytest.fixture(scope="module")
def shared_played(cluster: Cluster) -> Iterator[Played]:
    """A played ledger that no test changes."""
    with cluster.clone() as urls:
        casino = Casino(urls)
        yield play(casino)
        casino.close()


def test_unchanged_ledger_is_clean(shared_played: Played) -> None:
    """The database is given in both possible ways."""
    url = shared_played.casino.urls["auditor"]

    for number, result in enumerate((run("ledger", "--database-url", url), run("ledger", DATABASE_URL=url)), start=1):
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == f"2 wallets, 14 rows, audit run {number}, 0 findings\n"


def test_unused_ledger_is_clean(casino: Casino) -> None:
    result = run("ledger", "--database-url", casino.urls["auditor"])

    assert (result.returncode, result.stdout) == (0, "0 wallets, 0 rows, audit run 1, 0 findings\n")


def test_wallet_without_rows_is_clean(casino: Casino) -> None:
    casino.seat(balance=0)

    assert (
        run("ledger", "--database-url", casino.urls["auditor"]).stdout == "1 wallets, 0 rows, audit run 1, 0 findings\n"
    )


def test_superuser_may_audit(shared_played: Played) -> None:
    assert run("ledger", "--database-url", shared_played.casino.urls["superuser"]).returncode == 0


CORRUPTIONS: dict[str, tuple[str, ...]] = {
    "balance after": (entry(3, "balance_after = balance_after + 1"),),
    "balance after of the last row, and the wallet's with it": (
        entry(11, "balance_after = balance_after + 1"),
        wallet("balance = balance + 1"),
    ),
    "balance before": (entry(3, "balance_before = balance_before - 1"),),
    "both balances of a row": (entry(3, "balance_before = balance_before + 1, balance_after = balance_after + 1"),),
    "all balances of the wallet": (
        entries("balance_before = balance_before + 1, balance_after = balance_after + 1"),
        wallet("balance = balance + 1"),
    ),
    "amount": (entry(3, "amount = 2499"),),
    "amount of the declined bet": (entry(10, "amount = -5"),),
    "sign of an amount": (entry(2, "amount = 1000"),),
    "amount, and every balance after it": (
        entry(6, "amount = amount + 100, balance_after = balance_after + 100"),
        entries("balance_before = balance_before + 100, balance_after = balance_after + 100", after=6),
        wallet("balance = balance + 100"),
    ),
    "amount, balances and answers": (
        entry(
            11,
            "amount = 0, balance_after = balance_before, response = replace(response, balance_after::text, "
            "balance_before::text)",
        ),
        wallet("balance = balance + 1"),
    ),
    "outcome to OK": (entry(10, "outcome = 'OK'"),),
    "outcome to another decline": (entry(10, "outcome = 'PLAYER_BLOCKED'"),),
    "outcome and answer to another decline": (
        entry(10, "outcome = 'PLAYER_BLOCKED', response = replace(response, 'INSUFFICIENT_FUNDS', 'PLAYER_BLOCKED')"),
    ),
    "outcome to a decline": (entry(3, "outcome = 'BALANCE_LIMIT_EXCEEDED'"),),
    "outcome that is no code": (entry(3, "outcome = ''"),),
    "type": (entry(3, "type = 'jackpot'"),),
    "type with its account": (entry(6, "type = 'jackpot', counter_account = 'jackpot'"),),
    "type of the tombstone": (entry(8, "type = 'bet'"),),
    "rollback to a win": (entry(5, "type = 'win'"),),
    "counter account": (entry(3, "counter_account = 'cashier'"),),
    "counter account of the deposit": (entry(1, "counter_account = 'game'"),),
    "hash": (entry(4, "hash = sha256('x')"),),
    "hash of the first row": (entry(1, "hash = sha256('x')"),),
    "hash of the last row": (entry(11, "hash = sha256('x')"),),
    "hash of the last row, and the head with it": (entry(11, "hash = sha256('x')"), wallet("head = sha256('x')")),
    "hash emptied": (entry(4, "hash = ''"),),
    "request hash": (entry(4, "request_hash = sha256('x')"),),
    "request hash of the tombstone": (entry(8, "request_hash = sha256('x')"),),
    "request hashes of two rows exchanged": (
        """
        UPDATE casino_transactions AS t SET request_hash = o.request_hash FROM casino_transactions AS o
        WHERE t.wallet_id = %(wallet)s AND o.wallet_id = t.wallet_id AND (t.entry, o.entry) IN ((2, 4), (4, 2))
        """,
    ),
    "external id": (entry(2, "external_transaction_id = 'another'"),),
    "external id and answer": (
        entry(2, "external_transaction_id = 'another', response = replace(response, 'bet 1', 'another')"),
    ),
    "external id of the tombstone": (entry(8, "external_transaction_id = 'free again'"),),
    "scope of an id": (entry(2, "id_scope = 77"),),
    "scope of an id to the player": (entry(2, "id_scope = (SELECT min(player_id) FROM casino_players)"),),
    "scope of the deposit's id": (entry(1, "id_scope = 77"),),
    "session": (entry(2, "session_id = session_id + 1"),),
    "session taken away": (entry(2, "session_id = NULL"),),
    "game provider": (entry(2, "game_provider_id = 99"),),
    "round": (entry(2, "round_id = 'another'"),),
    "round taken away": (entry(5, "round_id = NULL"),),
    "reference of the win": (entry(3, "reference_id = 'bet 2'"),),
    "reference taken away": (entry(3, "reference_id = NULL"),),
    "reference added": (entry(6, "reference_id = 'bet 1'"),),
    "reference of the rollback": (entry(5, "reference_id = 'bet 4'"),),
    "time by a microsecond": (entry(4, "created_at = created_at + interval '1 microsecond'"),),
    "time to another century": (entry(4, "created_at = '1626-01-01'"),),
    "time to infinity": (entry(4, "created_at = 'infinity'"),),
    "time before Christ": (entry(4, "created_at = '0044-03-15 BC'"),),
    "answer's balance": (response(9, '"balance":"11512"', '"balance":"11513"'),),
    "answer's balance as a number": (response(9, '"11512"', "11512"),),
    "answer's id": (response(9, "undo nothing", "undo something"),),
    "answer's currency": (response(9, "EUR", "USD"),),
    "answer's status": (response(9, '"ok"', '"no"'),),
    "answer's code": (response(10, "INSUFFICIENT_FUNDS", "PLAYER_BLOCKED"),),
    "answer of a decline to one of success": (
        entry(10, "response = (SELECT max(response) FROM casino_transactions WHERE response LIKE '%%tombstone%%')"),
    ),
    "answer with a tombstone more": (
        entry(5, "response = (SELECT max(response) FROM casino_transactions WHERE response LIKE '%%tombstone%%')"),
    ),
    "answer with a tombstone taken away": (entry(9, "response = NULL"),),
    "answer of a decline taken away": (entry(10, "response = NULL"),),
    "answer with a tombstone less": (response(9, ',"tombstone":true', ""),),
    "answer with a field more": (response(9, '"status"', '"bonus":"1","status"'),),
    "answer with a field less": (response(10, '"requestId":', '"other":'),),
    "answer emptied": (entry(3, "response = ''"),),
    "answer to no object": (entry(3, "response = '[]'"),),
    "answer to null": (entry(3, "response = 'null'"),),
    "answer to a number": (entry(10, "response = '1'"),),
    "answer to no JSON": (entry(9, "response = response || 'x'"),),
    "answer nested without end": (entry(3, "response = repeat('[', 200000)"),),
    "tombstone given an answer": (entry(8, "response = '{}'"),),
    "row deleted in the middle": (delete(6),),
    "row without a movement deleted": (delete(10),),
    "first row deleted": (delete(1),),
    "last row deleted": (delete(11),),
    "last row deleted, and the wallet's balance with it": (delete(11), wallet("balance = balance + 1")),
    "last row deleted, and the wallet's balance and count with it": (
        delete(11),
        wallet("balance = balance + 1, entries = entries - 1"),
    ),
    "all rows deleted": ("DELETE FROM casino_transactions WHERE wallet_id = %(wallet)s",),
    "all rows but the last deleted": ("DELETE FROM casino_transactions WHERE wallet_id = %(wallet)s AND entry < 11",),
    "row deleted and the others moved up": (
        delete(6),
        entries("entry = entry - 1", after=6),
        wallet("entries = entries - 1"),
    ),
    "rows exchanged": (
        entry(6, "entry = -6"),
        entry(7, "entry = 6"),
        entry(-6, "entry = 7"),
    ),
    "place in the chain": (entry(11, "entry = 12"), wallet("entries = 12")),
    "wallet's balance": (wallet("balance = balance + 1"),),
    "wallet's balance below zero": (wallet("balance = -1"),),
    "wallet's count of entries": (wallet("entries = entries + 1"),),
    "wallet's head": (wallet("head = sha256('x')"),),
    "wallet's head emptied": (wallet("head = ''"),),
    "wallet's currency": (wallet("currency = 'USD'"),),
    "wallet's currency, of one without exponent": (wallet("currency = 'JPY'"),),
    "request's id": (entry(3, "request_id = 'another'"),),
    "wallet's player": (wallet("player_id = player_id + 100"),),
    "wallet deleted": ("DELETE FROM casino_wallets WHERE wallet_id = %(wallet)s",),
}


@pytest.mark.parametrize("statements", CORRUPTIONS.values(), ids=CORRUPTIONS.keys())
def test_corrupted_wallet_is_named(played: Played, statements: tuple[str, ...]) -> None:
    """The other player's wallet is not named."""
    played.corrupt(*statements)

    assert named(played, audited(played)) == {played.seat.wallet_id}


# The columns that every row has a value for.
VALUES = (
    "type", "outcome", "game_provider_id", "id_scope", "external_transaction_id", "amount", "balance_before",
    "balance_after", "counter_account", "request_hash", "request_id", "created_at", "hash",
)  # fmt: skip


def test_row_with_a_missing_value_is_named_and_does_not_stop_the_audit(played: Played) -> None:
    """NOT NULL was removed before; one missing value per row, and three in the last row."""
    for column in VALUES:
        played.casino.query(f"ALTER TABLE casino_transactions ALTER {column} DROP NOT NULL".encode())
    numbers = [min(place, 11) for place, _ in enumerate(VALUES, start=1)]
    played.corrupt(*(entry(number, f"{column} = NULL") for number, column in zip(numbers, VALUES, strict=True)))

    findings = audited(played)

    assert named(played, findings) == {played.seat.wallet_id}
    lacking = [text for text in findings if "lacks values that every row has" in text]
    assert [text.split(": ", 1)[1].split()[1] for text in lacking] == [str(number) for number in range(1, 12)]


@pytest.mark.parametrize("column", ["entry", "hash", "signature"])
def test_signed_head_with_a_missing_value_is_named_and_does_not_stop_the_audit(played: Played, column: str) -> None:
    assert run("ledger", "--database-url", played.casino.urls["auditor"]).returncode == 0
    played.casino.query(f"ALTER TABLE ledger_audit_heads ALTER {column} DROP NOT NULL".encode())
    played.corrupt(f"UPDATE ledger_audit_heads SET {column} = NULL WHERE wallet_id = %(wallet)s")  # noqa: S608

    assert named(played, audited(played)) == {played.seat.wallet_id}


def test_row_of_an_unknown_type_is_named_and_does_not_stop_the_audit(played: Played) -> None:
    played.casino.query("ALTER TYPE casino_transaction_type ADD VALUE 'gift'")
    played.corrupt(entry(6, "type = 'gift'"))

    assert named(played, audited(played)) == {played.seat.wallet_id}


def test_inserted_row_is_named(played: Played) -> None:
    """A row as the ledger would write it, except for the chain: possible for a thief with INSERT."""
    seat = played.seat
    digest = request_hash(played.casino.tenant_id, "promo", seat.player_id, "gift", "round", 100, None)
    played.corrupt(
        f"""
        INSERT INTO casino_transactions
        SELECT tenant_id, wallet_id, 12, 'promo', 'OK', game_provider_id, id_scope, 'gift', session_id, 'round', NULL,
            100, balance_after, balance_after + 100, 'promotion', decode('{digest.hex()}', 'hex'),
            'request', NULL, now(), sha256('x')
        FROM casino_transactions WHERE wallet_id = %(wallet)s AND entry = 11
        """,  # noqa: S608
        wallet("balance = balance + 100, entries = 12, head = sha256('x')"),
    )

    findings = audited(played)
    assert named(played, findings) == {seat.wallet_id}
    assert [finding.split(": ", 1)[1] for finding in findings] == ["entry 12: the hash chain is broken"]


def test_row_inserted_without_the_wallet_is_named(played: Played) -> None:
    played.corrupt(
        """
        INSERT INTO casino_transactions
        SELECT tenant_id, wallet_id, 12, type, outcome, game_provider_id, id_scope, 'copy', session_id, round_id,
            reference_id, amount, balance_before, balance_after, counter_account, request_hash, request_id, response,
            created_at, hash
        FROM casino_transactions WHERE wallet_id = %(wallet)s AND entry = 11
        """
    )

    assert named(played, audited(played)) == {played.seat.wallet_id}


def test_row_moved_to_another_wallet_names_both(played: Played) -> None:
    """The first wallet's chain has lost its end, the second's has a row that is not its own."""
    played.corrupt(
        "UPDATE casino_transactions SET wallet_id = %(other)s, entry = 4 WHERE wallet_id = %(wallet)s AND entry = 11",
        wallet("balance = balance + 1, entries = 10"),
        "UPDATE casino_wallets SET balance = balance - 1, entries = 4 WHERE wallet_id = %(other)s",
    )

    assert named(played, audited(played)) == {played.seat.wallet_id, played.neighbour.wallet_id}


def test_chain_moved_to_another_wallet_names_it(played: Played) -> None:
    """All rows, head and balance are moved: the hashes show to which wallet they belong."""
    played.corrupt(
        "DELETE FROM casino_transactions WHERE wallet_id = %(other)s",
        "UPDATE casino_transactions SET wallet_id = %(other)s WHERE wallet_id = %(wallet)s",
        """
        UPDATE casino_wallets AS o SET balance = w.balance, entries = w.entries, head = w.head
        FROM casino_wallets AS w WHERE o.wallet_id = %(other)s AND w.wallet_id = %(wallet)s
        """,
        wallet("balance = 0, entries = 0, head = ''"),
    )

    assert named(played, audited(played)) == {played.neighbour.wallet_id}


def test_rows_of_a_missing_wallet_are_named(played: Played) -> None:
    played.corrupt("UPDATE casino_transactions SET wallet_id = 4711 WHERE wallet_id = %(wallet)s")

    findings = audited(played)
    assert f"wallet 4711 of tenant {played.casino.tenant_id}: the wallet is gone, its rows are there" in findings
    assert named(played, findings) == {played.seat.wallet_id}


def test_money_from_one_wallet_to_another_names_both(played: Played) -> None:
    """The sum of all wallets is still zero."""
    played.corrupt(
        wallet("balance = balance - 1"), "UPDATE casino_wallets SET balance = balance + 1 WHERE wallet_id = %(other)s"
    )

    findings = audited(played)
    assert named(played, findings) == {played.seat.wallet_id, played.neighbour.wallet_id}
    assert not [finding for finding in findings if "not zero together" in finding]


def test_created_money_is_found_in_the_sum(played: Played) -> None:
    played.corrupt(wallet("balance = balance + 5"))

    # The wallet's own deposits and play: both wallets' B, 1000 + 1 lost, 2500 + 5 + 7 won.
    total = 2 * B - 1001 + 2512
    assert f"wallets hold {total + 5}, the house's accounts {-total}: not zero together" in audited(played)


def test_corruption_by_the_owner_is_found(played: Played) -> None:
    """Row-level security stops the owner from writing rows, but the owner can switch it off."""
    played.casino.corrupted = True
    for statement in (
        "ALTER TABLE casino_wallets NO FORCE ROW LEVEL SECURITY",
        wallet("balance = balance + 1"),
    ):
        with played.casino.superuser.transaction():
            played.casino.query("SET LOCAL ROLE causeway_owner")
            played.casino.query(statement.encode(), {"wallet": played.seat.wallet_id} if "%(" in statement else ())

    assert named(played, audited(played)) == {played.seat.wallet_id}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/nothing",
        "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=x",
        "no connection string at all",
        "",
    ],
)
def test_unreachable_database_is_status_2_and_one_line(url: str) -> None:
    """2 differs from 1: nothing is known to be wrong with the ledger."""
    result = run("ledger", "--database-url", url)

    assert (result.returncode, result.stdout) == (2, "")
    if url:
        assert result.stderr.startswith("The audit could not run: ")
        assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("url", "reason"), WRONG_URLS.items())
def test_wrong_url_is_status_2_and_not_quoted(url: str, reason: str) -> None:
    result = run("log", DATABASE_URL=url.format(place="127.0.0.1:1"))

    step = "give postgresql://user:password@host/database"
    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(f"The log could not be verified: {reason}: {step}\n", result.stderr)
    assert SECRET not in result.stderr


def test_unknown_command_is_status_2() -> None:
    assert run("repair").returncode == 2
    without = run("ledger")
    assert (without.returncode, "set DATABASE_URL to the URL of causeway_auditor" in without.stderr) == (2, True)


@pytest.mark.parametrize("login", ["casino", "provider"])
def test_role_that_does_not_see_every_tenant_cannot_audit(played: Played, login: str) -> None:
    """The role would see no rows, and so find nothing wrong."""
    played.corrupt(wallet("balance = balance + 1"))

    result = run("ledger", "--database-url", played.casino.urls[login])
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("The audit could not run: ")
    assert len(result.stderr.splitlines()) == 1
