"""The ledger's verifier: proves that every balance is the sum of its rows, and that no row was changed.

It computes the hashes in Python from the columns, without the SQL functions that wrote them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from struct import pack
from typing import Any

import psycopg

from causeway.casino.ledger import references
from causeway.casino.ledger.findings import WalletFinding
from causeway.casino.ledger.heads import Head, SignedHeads
from causeway.casino.ledger.requests import request_hash
from causeway.database import snapshots

# Type numbers of pg_type.
_BIGINT, _TEXT = 20, 25

_COUNTER_ACCOUNTS = {
    "bet": "game",
    "win": "game",
    "rollback": "game",
    "tombstone": "game",
    "promo": "promotion",
    "jackpot": "jackpot",
    "deposit": "cashier",
}

# The newest signed head of each wallet is found by two index look-ups, not by reading all signed heads.
_ROWS = """
    WITH RECURSIVE signed (tenant_id, wallet_id) AS (
        (SELECT s.tenant_id, s.wallet_id FROM ledger_audit_heads AS s ORDER BY s.tenant_id, s.wallet_id LIMIT 1)
        UNION ALL
        SELECT n.tenant_id, n.wallet_id
        FROM signed
        CROSS JOIN LATERAL (
            SELECT s.tenant_id, s.wallet_id FROM ledger_audit_heads AS s
            WHERE (s.tenant_id, s.wallet_id) > (signed.tenant_id, signed.wallet_id)
            ORDER BY s.tenant_id, s.wallet_id LIMIT 1
        ) AS n
    )
    SELECT tenant_id, wallet_id, w.player_id, w.currency, w.balance, w.entries, w.head,
        t.entry, t.type::text, t.outcome, t.game_provider_id, t.id_scope, t.external_transaction_id, t.session_id,
        t.round_id, t.reference_id, t.amount, t.balance_before, t.balance_after, t.counter_account::text,
        t.request_hash, t.request_id, t.response, timestamptz_send(t.created_at) AS created_at, t.hash,
        num_nulls(
            t.type, t.outcome, t.game_provider_id, t.id_scope, t.external_transaction_id, t.amount, t.balance_before,
            t.balance_after, t.counter_account, t.request_hash, t.request_id, t.created_at, t.hash
        ) AS missing,
        h.run AS signed_run, coalesce(h.entry, 0) AS signed_entry, coalesce(h.hash, '') AS signed_hash,
        coalesce(h.signature, '') AS head_signature
    FROM casino_wallets AS w
    FULL JOIN casino_transactions AS t USING (tenant_id, wallet_id)
    FULL JOIN (
        SELECT signed.tenant_id, signed.wallet_id, newest.*
        FROM signed
        CROSS JOIN LATERAL (
            SELECT s.run, s.entry, s.hash, s.signature FROM ledger_audit_heads AS s
            WHERE s.tenant_id = signed.tenant_id AND s.wallet_id = signed.wallet_id AND s.series = %s AND s.run <= %s
            ORDER BY s.run DESC LIMIT 1
        ) AS newest
    ) AS h USING (tenant_id, wallet_id)
    ORDER BY tenant_id, wallet_id, t.entry
"""


@dataclass(slots=True)
class LedgerTotals:
    """Counts of a run; money in minor units, summed over all currencies."""

    wallets: int = 0
    rows: int = 0
    wallet_money: int = 0
    house_money: int = 0


@dataclass(slots=True)
class _Bet:
    """A bet while its wallet is read: its state so far, its amount (negative minor units) and its round."""

    state: str
    amount: int
    round_id: str | None


def verify(
    database: psycopg.Connection[Any], totals: LedgerTotals, heads: SignedHeads | None = None
) -> Iterator[WalletFinding | str]:
    """Check every wallet and yield the faults. docs/wallet.md lists the checks.

    Args:
        database: of a role that reads every tenant (causeway_auditor).
        totals: counted while the verifier runs.
        heads: signed by earlier audits; None: do not check them.
    """
    yield from references.findings(database)
    wallet: _Wallet | None = None
    for row in snapshots.rows(database, _ROWS, [heads.series, heads.last_run] if heads else [b"", 0]):
        if wallet is None or (wallet.tenant_id, wallet.wallet_id) != (row.tenant_id, row.wallet_id):
            if wallet is not None:
                yield from wallet.closed(heads)
            wallet = _Wallet(row)
            totals.wallets += 1
            totals.wallet_money += row.balance or 0
            if row.balance is None:
                rows = "are there" if row.entry is not None else "too"
                yield wallet.finding(f"the wallet is gone, its rows {rows}")
        if row.entry is not None:
            totals.rows += 1
            if row.missing:
                yield wallet.finding(f"entry {row.entry} lacks values that every row has")
                continue
            totals.house_money -= row.balance_after - row.balance_before
            yield from wallet.findings(row)
    if wallet is not None:
        yield from wallet.closed(heads)
    if heads is not None:
        yield from heads.faults(database)


def _array(kind: int, elements: list[bytes]) -> bytes:
    """Return an array as Postgres sends it: dimensions, NULLs, element type; length, lower bound; the elements."""
    head = pack(">5i", 1, 0, kind, len(elements), 1)
    return head + b"".join(pack(">i", len(element)) + element for element in elements)


class _Wallet:
    """A wallet's chain while its rows are read, from the first to the head."""

    def __init__(self, row: Any) -> None:
        self.tenant_id, self.wallet_id = row.tenant_id, row.wallet_id
        self._player_id, self._currency = row.player_id, row.currency
        self._final = (row.balance, row.entries, bytes(row.head or b""))
        self._balance, self._entry, self._head = 0, 0, b""
        # The rollback whose tombstone is the last row.
        self._unseen_by: str | None = None
        # By game provider and id.
        self._bets: dict[tuple[int, str], _Bet] = {}
        self._signed: Head | None = None
        if row.signed_run is not None:
            self._signed = Head(row.tenant_id, row.wallet_id, row.signed_run, row.signed_entry, bytes(row.signed_hash))
            self._signature = bytes(row.head_signature)
        self._sound = True

    def finding(self, fault: str) -> WalletFinding:
        """Return a finding about this wallet; from now on its head is not signed."""
        self._sound = False
        return WalletFinding(self.tenant_id, self.wallet_id, fault)

    def findings(self, row: Any) -> Iterator[WalletFinding]:
        """Check the next row against the rows before it."""
        moved = row.balance_after - row.balance_before
        where = f"entry {row.entry}"
        if row.entry != self._entry + 1:
            yield self.finding(f"{where} follows entry {self._entry}")
        if row.balance_before != self._balance or row.balance_after < 0:
            yield self.finding(f"{where} starts from {row.balance_before}, the row before ended at {self._balance}")
        sign = -1 if row.type == "bet" else 1
        if row.amount * sign < 0 or moved != (row.amount if row.outcome == "OK" else 0):
            yield self.finding(f"{where}, a {row.type} of {row.amount} that ended {row.outcome}, moved {moved}")
        if row.counter_account != _COUNTER_ACCOUNTS.get(row.type):
            yield self.finding(f"{where}, a {row.type}, is posted against {row.counter_account}")
        if row.id_scope not in (0, self._player_id):
            yield self.finding(f"{where}: its id is unique for {row.id_scope}, which is not the wallet's player")
        if bytes(row.request_hash) != self._request_hash(row):
            yield self.finding(f"{where}: type, ids or amount are not those of the request")
        if bytes(row.hash) != self._entry_hash(row):
            yield self.finding(f"{where}: the hash chain is broken")
        if self._signed is not None and row.entry == self._signed.entry and bytes(row.hash) != self._signed.hash:
            yield self.finding(
                f"{where} is not the one that audit run {self._signed.run} signed: the past was rewritten"
            )
        if not self._answers(row):
            yield self.finding(f"{where}: the stored answer does not fit the row")
        yield from self._state_findings(row, where)
        self._balance, self._entry, self._head = row.balance_after, row.entry, bytes(row.hash)
        self._unseen_by = row.reference_id if row.type == "tombstone" else None

    def closed(self, heads: SignedHeads | None) -> Iterator[WalletFinding]:
        """Check the wallet against its last row and its signed head, and add its new head to be signed."""
        balance, entries, head = self._final
        if balance != self._balance:
            yield self.finding(f"the balance is {balance}, the rows sum up to {self._balance}")
        if (entries, head) != (self._entry, self._head):
            yield self.finding(f"the chain's head is entry {entries}, its last row is {self._entry}")
        if heads is None:
            return
        if self._signed is not None:
            if not heads.is_genuine(self._signed, self._signature):
                yield self.finding(f"its head of audit run {self._signed.run} is not signed with this key")
            if self._entry < self._signed.entry:
                yield self.finding(
                    f"its rows end at entry {self._entry}, audit run {self._signed.run} signed entry "
                    f"{self._signed.entry}: the tail was cut off"
                )
        heads.add(self._signed, self._entry if self._sound else 0, self._head, self.tenant_id, self.wallet_id)

    def _request_hash(self, row: Any) -> bytes:
        amount = 0 if row.type == "rollback" else abs(row.amount)
        return request_hash(
            self.tenant_id,
            row.type,
            self._player_id,
            row.external_transaction_id,
            row.round_id,
            amount,
            row.reference_id,
        )

    def _entry_hash(self, row: Any) -> bytes:
        numbers = (
            row.wallet_id, row.entry, row.game_provider_id, row.id_scope, row.session_id or 0, row.balance_before,
            row.balance_after,
        )  # fmt: skip
        # The currency is None if the wallet is gone.
        texts = (row.outcome, self._currency or "", row.request_id)
        return sha256(
            self._head
            + bytes(row.request_hash)
            + _array(_BIGINT, [pack(">q", number) for number in numbers])
            + bytes(row.created_at)
            + _array(_TEXT, [text.encode() for text in texts])
        ).digest()

    def _answers(self, row: Any) -> bool:
        tombstone = row.type == "rollback" and self._unseen_by == row.external_transaction_id
        if row.response is None:
            return row.outcome == "OK" and not tombstone
        try:
            answer = json.loads(row.response)
        except (ValueError, RecursionError):
            return False
        expected: dict[str, Any] = {"balance": str(row.balance_after)}
        if row.outcome == "OK":
            expected |= {"transactionId": row.external_transaction_id, "currency": self._currency, "status": "ok"}
            if tombstone:
                expected["tombstone"] = True
        elif isinstance(answer, dict):
            # An older release may have written another sentence.
            expected |= {"code": row.outcome, "error": answer.get("error"), "requestId": row.request_id}
        return bool(answer == expected)

    def _state_findings(self, row: Any, where: str) -> Iterator[WalletFinding]:
        own = (row.game_provider_id, row.external_transaction_id)
        if row.type == "bet":
            self._bets[own] = _Bet("open" if row.outcome == "OK" else "declined", row.amount, row.round_id)
        elif row.type == "tombstone":
            self._bets[own] = _Bet("unknown", 0, row.round_id)
        elif row.outcome == "OK" and row.reference_id is not None:
            bet = self._bets.setdefault((row.game_provider_id, row.reference_id), _Bet("not there", 0, row.round_id))
            if row.type == "rollback":
                yield from self._rollback_findings(row, where, bet)
            else:
                yield from self._payout_findings(row, where, bet)

    def _payout_findings(self, row: Any, where: str, bet: _Bet) -> Iterator[WalletFinding]:
        if bet.state not in ("open", "settled"):
            yield self.finding(f"{where} pays for a bet that is {bet.state}")
        if row.round_id != bet.round_id:
            yield self.finding(f"{where} pays in round {row.round_id!r} for a bet of round {bet.round_id!r}")
        if row.type != "promo":
            bet.state = "settled"

    def _rollback_findings(self, row: Any, where: str, bet: _Bet) -> Iterator[WalletFinding]:
        if bet.state not in ("open", "declined", "unknown"):
            yield self.finding(f"{where} rolls back a bet that is {bet.state}")
        refund = -bet.amount if bet.state == "open" else 0
        if row.amount != refund:
            yield self.finding(f"{where} gives back {row.amount}, its bet took {refund}")
        bet.state = "rolled back"
