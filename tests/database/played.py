"""A played ledger for tests of the auditor: changes that somebody with full access can make, and the audit command."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from causeway.casino.ledger.requests import request_hash
from tests.database.world import Casino, Seat

# The auditor's key, which the database does not hold.
KEY = "a key of the auditor's of forty characters"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Played:
    """A ledger with a row of every kind: one wallet to corrupt, and another player's wallet."""

    seat: Seat
    neighbour: Seat

    @property
    def casino(self) -> Casino:
        return self.seat.casino

    def corrupt(self, *statements: str) -> None:
        """Change the ledger with full access: triggers and constraints are switched off."""
        self.casino.corrupted = True
        with self.casino.superuser.transaction():
            self.casino.query("SET LOCAL session_replication_role = replica")
            self.casino.query("ALTER TABLE casino_transactions DROP CONSTRAINT casino_transactions_sound")
            self.casino.query("ALTER DOMAIN wallet_balance DROP CONSTRAINT wallet_balance_covered")
            for statement in statements:
                cursor = self.casino.superuser.execute(
                    statement.encode(), {"wallet": self.seat.wallet_id, "other": self.neighbour.wallet_id}
                )
                assert cursor.rowcount > 0, statement


def play(casino: Casino) -> Played:
    """Ten rows: deposit, bets, win, promo, jackpot, rollback, tombstone, decline; and some on another wallet."""
    seat = casino.seat()
    neighbour = casino.seat(game_provider=seat.game_provider)
    codes = [
        seat.debit("bet 1", 1000, "round 1").code,
        seat.credit("win 1", 2500, "bet 1", "round 1").code,
        seat.debit("bet 2", 300, "round 2").code,
        seat.rollback("undo 2", "bet 2", "round 2").code,
        seat.credit("promo", 5, kind="promo").code,
        seat.credit("jackpot", 7, kind="jackpot", round_id="round 1").code,
        seat.rollback("undo nothing", "never seen").code,
        seat.debit("bet 3", 10**9, "round 3").code,
        seat.debit("bet 4", 1, "round 4").code,
        neighbour.debit("neighbour's", 400).code,
        neighbour.rollback("neighbour's undo", "neighbour's").code,
    ]
    assert codes == ["OK"] * 7 + ["INSUFFICIENT_FUNDS"] + ["OK"] * 3
    # Entries: 1 deposit, 2 bet 1, 3 win 1, 4 bet 2, 5 undo 2, 6 promo, 7 jackpot, 8 tombstone, 9 undo nothing,
    # 10 the decline, 11 bet 4.
    assert seat.casino.value("SELECT entries FROM casino_wallets WHERE wallet_id = %s", [seat.wallet_id]) == 11
    return Played(seat, neighbour)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "tools.chain_audit", *arguments],
        cwd=ROOT,
        env={"PATH": os.defpath, "PYTHONPATH": "layers/causeway/python", "LEDGER_AUDIT_KEY": KEY, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def audited(played: Played) -> list[str]:
    """Run the audit command, which must have findings; returns the lines about wallets, without the last line."""
    result = run("ledger", "--database-url", played.casino.urls["auditor"])
    assert (result.returncode, result.stderr) == (1, ""), result.stdout
    *findings, last = result.stdout.splitlines()
    assert last.endswith(f"{len(findings)} findings")
    return findings


def named(played: Played, findings: list[str]) -> set[int]:
    """The wallets named in findings."""
    wallets = {
        f"wallet {seat.wallet_id} of tenant {played.casino.tenant_id}: ": seat.wallet_id
        for seat in (played.seat, played.neighbour)
    }
    return {number for finding in findings for prefix, number in wallets.items() if finding.startswith(prefix)}


def entry(number: int, change: str) -> str:
    """A change of one row of the wallet."""
    return f"UPDATE casino_transactions SET {change} WHERE wallet_id = %(wallet)s AND entry = {number}"  # noqa: S608


def entries(change: str, after: int = 0) -> str:
    """A change of all of the wallet's rows after an entry."""
    return f"UPDATE casino_transactions SET {change} WHERE wallet_id = %(wallet)s AND entry > {after}"  # noqa: S608


def wallet(change: str) -> str:
    """A change of the wallet itself."""
    return f"UPDATE casino_wallets SET {change} WHERE wallet_id = %(wallet)s"  # noqa: S608


def delete(number: int) -> str:
    """The deletion of one row of the wallet."""
    return f"DELETE FROM casino_transactions WHERE wallet_id = %(wallet)s AND entry = {number}"  # noqa: S608


def response(number: int, old: str, new: str) -> str:
    """A change of part of a stored answer."""
    return entry(number, f"response = replace(response, '{old}', '{new}')") + f" AND response LIKE '%%{old}%%'"


def forge(played: Played) -> None:
    """Recompute every hash of the wallet from its rows, as the ledger does."""
    casino = played.casino
    wallet = casino.query("SELECT * FROM casino_wallets WHERE wallet_id = %s", [played.seat.wallet_id])[0]
    head = b""
    with casino.superuser.transaction():
        casino.query("SET LOCAL session_replication_role = replica")
        for row in casino.query(
            "SELECT * FROM casino_transactions WHERE wallet_id = %s ORDER BY entry", [played.seat.wallet_id]
        ):
            digest = request_hash(
                row.tenant_id, row.type, wallet.player_id, row.external_transaction_id, row.round_id,
                0 if row.type == "rollback" else abs(row.amount), row.reference_id,
            )  # fmt: skip
            head = casino.value(
                """
                UPDATE casino_transactions AS t SET request_hash = %s, hash = casino_entry_hash(
                    %s, %s, wallet_id, entry, outcome, %s, request_id, game_provider_id, id_scope, session_id,
                    balance_before, balance_after, created_at
                ) WHERE wallet_id = %s AND entry = %s RETURNING hash
                """,
                [digest, head, digest, wallet.currency, row.wallet_id, row.entry],
            )
        casino.query(
            """
            UPDATE casino_wallets AS w SET entries = l.entry, balance = l.balance_after, head = l.hash
            FROM (SELECT * FROM casino_transactions WHERE wallet_id = %(wallet)s ORDER BY entry DESC LIMIT 1) AS l
            WHERE w.wallet_id = %(wallet)s
            """,
            {"wallet": played.seat.wallet_id},
        )


def signed(played: Played) -> int:
    """Audit a clean ledger; returns the number of the run."""
    result = run("ledger", "--database-url", played.casino.urls["auditor"])
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    return int(result.stdout.split("audit run ")[1].split(",")[0])
