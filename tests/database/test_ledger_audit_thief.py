"""The auditor against a thief who knows the functions: consistent rows, and recomputed chains. WALLET 48."""

from collections.abc import Callable

import psycopg
import pytest

from causeway.casino.ledger.heads import SignedHeads
from causeway.casino.ledger.verifier import LedgerTotals, verify
from tests.database.played import (
    KEY,
    Played,
    audited,
    entries,
    entry,
    forge,
    named,
    play,
    run,
    signed,
    wallet,
)
from tests.database.world import Casino
from tests.findings import none_of

ANOTHER_TENANT = "00000000-0000-4000-8000-00000000000f"


@pytest.fixture
def played(casino: Casino) -> Played:
    return play(casino)


# Changes that are inconsistent whatever the hashes say; entries as in played.play.
UNFITTING: dict[str, tuple[tuple[str, ...], str]] = {
    "refund unlike its bet": (
        (
            entry(5, "amount = 999999, balance_after = balance_before + 999999"),
            entries("balance_before = balance_before + 999699, balance_after = balance_after + 999699", after=5),
            entry(9, "response = replace(response, '11512', '1011211')"),
            entry(10, "response = replace(response, '11512', '1011211')"),
        ),
        "entry 5 gives back 999999, its bet took 300",
    ),
    "win of another round than its bet's": (
        (entry(3, "round_id = 'round 2'"),),
        "entry 3 pays in round 'round 2' for a bet of round 'round 1'",
    ),
    "win of a bet that was rolled back": (
        (entry(7, "reference_id = 'bet 2', round_id = 'round 2'"),),
        "entry 7 pays for a bet that is rolled back",
    ),
    "negative deposit": (
        (
            entry(1, "amount = -300, balance_after = -300"),
            entries("balance_before = balance_before - 10300, balance_after = balance_after - 10300", after=1),
        ),
        "entry 1, a deposit of -300 that ended OK, moved -300",
    ),
}


@pytest.mark.parametrize(("statements", "finding"), UNFITTING.values(), ids=UNFITTING.keys())
def test_inconsistent_rows_are_named_although_the_chain_is_intact(
    played: Played, statements: tuple[str, ...], finding: str
) -> None:
    played.corrupt(*statements)
    forge(played)

    findings = audited(played)

    assert named(played, findings) == {played.seat.wallet_id}
    assert finding in [text.split(": ", 1)[1] for text in findings]
    assert not [text for text in findings if "chain" in text]


def test_refund_of_a_declined_bet_is_named(played: Played) -> None:
    """A declined bet took nothing."""
    assert played.seat.rollback("undo 3", "bet 3", "round 3").code == "OK"
    played.corrupt(entry(12, "amount = 7, balance_after = balance_before + 7"))
    forge(played)

    findings = audited(played)

    assert [text.split(": ", 1)[1] for text in findings] == ["entry 12 gives back 7, its bet took 0"]


def move_to_another_tenant(played: Played) -> None:
    """Move a wallet and everything that refers to it; what it refers to is copied, because others need it too."""
    copied = [
        f"""
        INSERT INTO {table} OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(t, '{{"tenant_id": "{ANOTHER_TENANT}"}}')).* FROM {table} AS t
        """  # noqa: S608
        for table in ("casino_game_providers", "casino_games")
    ]
    played.casino.query("DROP INDEX casino_game_providers_by_code")
    played.corrupt(
        f"""
        INSERT INTO tenants (tenant_id, code, display_name) VALUES ('{ANOTHER_TENANT}', 'ANOTHER', 'Another')
        """,  # noqa: S608
        *copied,
        f"""
        UPDATE casino_players SET tenant_id = '{ANOTHER_TENANT}'
        WHERE player_id = (SELECT player_id FROM casino_wallets WHERE wallet_id = %(wallet)s)
        """,  # noqa: S608
        f"UPDATE casino_sessions SET tenant_id = '{ANOTHER_TENANT}' WHERE wallet_id = %(wallet)s",  # noqa: S608
        wallet(f"tenant_id = '{ANOTHER_TENANT}'"),
        entries(f"tenant_id = '{ANOTHER_TENANT}'"),
    )


def rewrite(played: Played) -> None:
    played.corrupt(
        entry(3, "amount = 3500, balance_after = balance_after + 1000"),
        entries("balance_before = balance_before + 1000, balance_after = balance_after + 1000", after=3),
        entry(9, "response = replace(response, '11512', '12512')"),
        entry(10, "response = replace(response, '11512', '12512')"),
    )


def cut(played: Played) -> None:
    played.corrupt("DELETE FROM casino_transactions WHERE wallet_id = %(wallet)s AND entry > 7")


THEFTS: dict[str, tuple[Callable[[Played], None], str]] = {
    "past rewritten": (rewrite, "entry 11 is not the one that audit run 1 signed: the past was rewritten"),
    "tail cut off": (cut, "its rows end at entry 7, audit run 1 signed entry 11: the tail was cut off"),
    "wallet moved to another tenant": (
        move_to_another_tenant,
        "its rows end at entry 0, audit run 1 signed entry 11: the tail was cut off",
    ),
}


def test_wallet_moved_to_another_tenant_is_named(played: Played) -> None:
    """The tenant is part of the hash, so no signed head is needed."""
    move_to_another_tenant(played)

    findings = audited(played)

    assert {text.split(": ")[0] for text in findings} == {f"wallet {played.seat.wallet_id} of tenant {ANOTHER_TENANT}"}


@pytest.mark.parametrize(("steal", "finding"), THEFTS.values(), ids=THEFTS.keys())
def test_theft_with_recomputed_hashes_is_found_by_the_signed_head(
    played: Played, steal: Callable[[Played], None], finding: str
) -> None:
    assert signed(played) == 1
    steal(played)
    forge(played)
    without = run("ledger", "--without-heads", "--database-url", played.casino.urls["auditor"])
    assert (without.returncode, without.stdout.splitlines()[-1][-10:]) == (0, "0 findings")

    findings = audited(played)

    assert f"wallet {played.seat.wallet_id} of tenant {played.casino.tenant_id}: {finding}" in findings
    # It is found again: a run does not sign a chain that has a finding.
    assert audited(played) == findings


def test_growing_ledger_is_signed_again_and_its_past_stays_signed(played: Played) -> None:
    assert signed(played) == 1
    assert played.seat.debit("bet 5", 1, "round 5").code == "OK"
    assert [signed(played), signed(played)] == [2, 3]

    heads = played.casino.query("SELECT wallet_id, run, entry FROM ledger_audit_heads ORDER BY run, wallet_id")
    assert heads == [(played.seat.wallet_id, 1, 11), (played.neighbour.wallet_id, 1, 3), (played.seat.wallet_id, 2, 12)]


def test_audit_reads_only_the_newest_signed_head_of_each_wallet(played: Played) -> None:
    """There is one head per wallet and run in which it grew."""
    signed(played)
    played.casino.query(
        """
        INSERT INTO ledger_audit_heads (tenant_id, wallet_id, series, run, entry, hash, signature)
        SELECT h.tenant_id, h.wallet_id, s.series, r.run, r.run, h.hash, h.signature
        FROM ledger_audit_heads AS h CROSS JOIN generate_series(-5000, -1) AS r (run)
        CROSS JOIN (SELECT series FROM ledger_audit_runs UNION ALL VALUES (''::bytea)) AS s (series)
        """
    )
    played.casino.query("ANALYZE ledger_audit_heads")
    read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'ledger_audit_heads'"
    played.casino.query("SELECT pg_stat_force_next_flush()")
    before = played.casino.value(read)

    assert signed(played) == 2
    assert played.casino.value(read) - before < 20


def test_wallet_deleted_with_its_rows_is_named(played: Played) -> None:
    signed(played)
    played.corrupt(
        "DELETE FROM casino_transactions WHERE wallet_id = %(wallet)s",
        "DELETE FROM casino_wallets WHERE wallet_id = %(wallet)s",
    )

    findings = audited(played)

    assert named(played, findings) == {played.seat.wallet_id}
    assert [text.split(": ", 1)[1] for text in findings[:2]] == [
        "session 1: its wallet is not there",
        "the wallet is gone, its rows too",
    ]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (
            "UPDATE ledger_audit_heads SET hash = sha256('x') WHERE wallet_id = %(wallet)s",
            "its head of audit run 1 is not signed with this key",
        ),
        (
            "DELETE FROM ledger_audit_heads WHERE wallet_id = %(wallet)s",
            "the signed heads are not those of audit run 1",
        ),
        ("UPDATE ledger_audit_runs SET heads = sha256('x')", "audit run 1 is not signed with this key"),
        ("UPDATE ledger_audit_runs SET facts = sha256('x')", "audit run 1 is not signed with this key"),
        ("UPDATE ledger_audit_runs SET signature = sha256('x')", "audit run 1 is not signed with this key"),
        (
            "UPDATE ledger_audit_facts SET signature = sha256('x') WHERE subject = 'currency EUR'",
            "currency EUR: the fact of audit run 1 is not signed with this key",
        ),
        (
            "DELETE FROM ledger_audit_facts WHERE subject = 'currency EUR'",
            "the signed facts are not those of audit run 1",
        ),
        (
            """
            INSERT INTO ledger_audit_heads SELECT tenant_id, wallet_id, series, run + 1, entry, hash, signature
            FROM ledger_audit_heads WHERE wallet_id = %(wallet)s
            """,
            ": signed by audit run 2, which has not been",
        ),
        (
            "INSERT INTO ledger_audit_facts SELECT series, 'currency XXX', '2 decimals', 2, '' FROM ledger_audit_runs",
            "currency XXX: signed by audit run 2, which has not been",
        ),
        (
            "INSERT INTO ledger_audit_facts SELECT series, 'currency XXX', '2 decimals', 1, '' FROM ledger_audit_runs",
            "currency XXX: the fact of audit run 1 is not signed with this key",
        ),
        (
            "INSERT INTO ledger_audit_runs SELECT series, 2, now(), '', '', '' FROM ledger_audit_runs",
            "audit run 2 is not signed with this key",
        ),
        (
            """
            INSERT INTO ledger_audit_runs SELECT series, 9223372036854775807, now(), '', '', '' FROM ledger_audit_runs
            """,
            "807 is not signed with this key",
        ),
        ("DELETE FROM ledger_audit_runs", ": signed by audit run 1, which has not been"),
    ],
)
def test_changed_signature_is_found(played: Played, change: str, finding: str) -> None:
    """WALLET 48: the finding names the cause, also at the next audit, and although the wallets grow."""
    signed(played)
    played.corrupt(change)
    assert played.seat.debit("bet 5", 1, "round 5").code == "OK"

    findings = audited(played)

    assert [text for text in findings if finding in text]
    # A run with this finding signs nothing; otherwise the next run would find nothing.
    assert audited(played) == findings


def test_audit_overtaken_by_another_signs_nothing_and_says_so(played: Played) -> None:
    """Both started after the same run: what the other one signed is no forgery."""
    with psycopg.connect(played.casino.urls["auditor"], autocommit=True) as database:
        heads = SignedHeads(database, KEY)
        assert signed(played) == 1
        none_of(verify(database, LedgerTotals(), heads))

        assert heads.write(database) is None

    assert signed(played) == 2


NEW_KEY = "another key of the auditor's, of forty characters"


def audited_anew(played: Played, *options: str) -> tuple[int, list[str]]:
    """Audit with another key; returns the exit status and the output."""
    played.casino.corrupted = True
    result = run("ledger", *options, LEDGER_AUDIT_KEY=NEW_KEY, DATABASE_URL=played.casino.urls["auditor"])
    return result.returncode, (result.stdout + result.stderr).splitlines()


def test_unknown_key_signs_nothing(played: Played) -> None:
    """The key may be the wrong one, and earlier signatures would no longer be compared."""
    signed(played)

    for _ in range(2):
        assert audited_anew(played) == (
            1,
            [
                "no audit run is signed with this key; run 1 is signed with another",
                "2 wallets, 14 rows, nothing signed, 1 findings",
            ],
        )
    assert signed(played) == 2


def test_new_series_with_a_new_key_is_a_finding_once(played: Played) -> None:
    """After the old key was lost or disclosed, the audit is useful again."""
    signed(played)
    assert signed(played) == 2

    assert audited_anew(played, "--new-series") == (
        1,
        [
            "a new series of audit runs begins: what runs up to 2 signed is not compared any more",
            "2 wallets, 14 rows, audit run 1, 1 findings",
        ],
    )
    assert audited_anew(played) == (0, ["2 wallets, 14 rows, audit run 2, 0 findings"])
    assert played.seat.debit("bet 5", 1, "round 5").code == "OK"
    assert audited_anew(played) == (0, ["2 wallets, 15 rows, audit run 3, 0 findings"])
    cut(played)
    forge(played)
    status, findings = audited_anew(played)
    assert (status, findings[0].split(": ", 1)[1]) == (
        1,
        "its rows end at entry 7, audit run 3 signed entry 12: the tail was cut off",
    )


def test_new_series_with_a_key_that_has_signed_is_refused(played: Played) -> None:
    """Otherwise a theft that the signed heads reveal could be signed."""
    signed(played)
    cut(played)
    forge(played)

    result = run("ledger", "--new-series", "--database-url", played.casino.urls["auditor"])

    assert (result.returncode, result.stdout) == (2, "")
    assert "This key has signed audit runs: make a new key for a new series" in result.stderr
    assert len(audited(played)) == 1


def test_forged_runs_do_not_block_a_new_series(played: Played) -> None:
    """They belong to the old key's series, whatever number they claim."""
    signed(played)
    played.corrupt(
        "INSERT INTO ledger_audit_runs SELECT series, 9223372036854775807, now(), '', '', '' FROM ledger_audit_runs",
        """
        INSERT INTO ledger_audit_heads SELECT tenant_id, wallet_id, series, 9223372036854775807, entry, hash, signature
        FROM ledger_audit_heads
        """,
    )
    assert audited_anew(played, "--new-series")[0] == 1
    assert audited_anew(played) == (0, ["2 wallets, 14 rows, audit run 2, 0 findings"])


@pytest.mark.parametrize(("key", "reason"), [("", "LEDGER_AUDIT_KEY"), ("short", "at least 32 characters")])
def test_audit_without_a_key_differs_from_one_with_it(played: Played, key: str, reason: str) -> None:
    result = run("ledger", LEDGER_AUDIT_KEY=key, DATABASE_URL=played.casino.urls["auditor"])

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("The audit could not run: ")
    assert reason in result.stderr


@pytest.mark.parametrize("table", ["ledger_audit_runs", "ledger_audit_heads", "ledger_audit_facts"])
@pytest.mark.parametrize("change", ["UPDATE {} SET signature = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_signatures_are_append_only_even_for_a_superuser(played: Played, table: str, change: str) -> None:
    signed(played)

    with pytest.raises(Exception, match="append-only"):
        played.casino.query(change.format(table).encode())
