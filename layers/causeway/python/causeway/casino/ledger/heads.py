"""The heads of the chains and the settled facts, signed by each audit with a key that is not in the database.

A chain proves that its rows belong together. It does not prove that they are the rows of yesterday: a person with all
rights in the database can compute the chain again, or cut its tail and move the wallet's head back. A signed head shows
both.

The runs that one key signed are a series, numbered from 1. A run is compared with its own series only.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from causeway.casino.ledger.facts import SettledFacts
from causeway.database import snapshots
from causeway.errors.service import Misconfigured

# Characters that a key must have.
_SHORTEST_KEY = 32
# Heads written at a time.
_PAGE = 5000

_NEWEST_RUNS = """
    SELECT run, heads, facts, signature FROM ledger_audit_runs WHERE series = %s ORDER BY run DESC LIMIT 2
"""
_LAST_OF_ANOTHER_SERIES = """
    SELECT run FROM ledger_audit_runs WHERE series <> %s ORDER BY ended_at DESC, run DESC LIMIT 1
"""
# Heads and facts of runs that do not exist, in one statement: runs, heads and facts are read from one snapshot.
_OF_NO_RUN = """
    WITH newest AS (SELECT coalesce(max(run), 0) AS run FROM ledger_audit_runs WHERE series = %(series)s)
    SELECT format('wallet %%s of tenant %%s', h.wallet_id, h.tenant_id) AS subject, h.run
    FROM ledger_audit_heads AS h, newest WHERE h.series = %(series)s AND h.run > newest.run
    UNION ALL
    SELECT f.subject, f.run FROM ledger_audit_facts AS f, newest WHERE f.series = %(series)s AND f.run > newest.run
    ORDER BY run, subject
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a wallet's chain at an audit: its newest entry and the hash of this row."""

    tenant_id: UUID
    wallet_id: int
    run: int
    entry: int
    hash: bytes

    def text(self) -> bytes:
        """Return the text that is signed."""
        return f"head {self.tenant_id} {self.wallet_id} {self.run} {self.entry} {self.hash.hex()}".encode()


class SignedHeads:
    """The heads and facts that earlier runs signed, and those that this run signs.

    Call add() for every wallet, in the same order in every run. Then faults() yields the heads and facts that were
    removed or changed, and write() stores the new ones.
    """

    def __init__(self, database: psycopg.Connection[Any], key: str, *, new_series: bool = False) -> None:
        """Read the heads and facts of the last run.

        Args:
            database: of a role that reads every tenant.
            key: a secret that the database does not hold.
            new_series: the key may be new: then the runs of another key are not compared.

        Raises:
            Misconfigured: the key has less than 32 characters, or has signed runs and must not begin a new series.
        """
        if len(key) < _SHORTEST_KEY:
            raise Misconfigured(cause=f"The audit's key must have at least {_SHORTEST_KEY} characters")
        self._key = key.encode()
        # Identifies the key and reveals nothing of it.
        self.series = self._sign(b"series")[:8]
        with database.cursor(row_factory=namedtuple_row) as cursor:
            runs: list[Any] = cursor.execute(_NEWEST_RUNS, [self.series]).fetchall()
            another: Any = cursor.execute(_LAST_OF_ANOTHER_SERIES, [self.series]).fetchone()
        if new_series and runs:
            raise Misconfigured(cause="This key has signed audit runs: make a new key for a new series")
        self._new_series = new_series
        # The last run of another key. None: this key has signed a run, or no other key has.
        self._before = another.run if another and not runs else None
        self._last, self._last_but_one = [*runs, None, None][:2]
        # The run before this one; 0: there is none.
        self.last_run: int = self._last.run if self._last else 0
        self._facts = SettledFacts(database, self.series, self.last_run, self._sign)
        self._found, self._signed = sha256(), sha256()
        self._new: list[Head] = []
        # Whether all earlier signatures match. If not, sign nothing: a new signature would hide what was found.
        self._whole = True

    def is_genuine(self, head: Head, signature: bytes) -> bool:
        """Return whether this key signed a head."""
        return hmac.compare_digest(self._sign(head.text()), signature)

    def add(self, stored: Head | None, entry: int, newest: bytes, tenant_id: UUID, wallet_id: int) -> None:
        """Add an audited wallet; its head is signed if it has new rows.

        Args:
            stored: the wallet's newest signed head.
            entry: its newest entry now; 0: it has none, or has a fault.
            newest: the hash of this row.
            tenant_id: the wallet's tenant.
            wallet_id: the wallet.
        """
        if stored is not None:
            self._found.update(stored.text())
        if entry > (stored.entry if stored else 0):
            stored = Head(tenant_id, wallet_id, self.last_run + 1, entry, newest)
            self._new.append(stored)
        if stored is not None:
            self._signed.update(stored.text())

    def faults(self, database: psycopg.Connection[Any]) -> Iterator[str]:
        """Yield the faults of the signatures as a whole, after every wallet was added.

        Args:
            database: of a role that reads every tenant.
        """
        if self._before is not None and self._new_series:
            yield f"a new series of audit runs begins: what runs up to {self._before} signed is not compared any more"
        elif self._before is not None:
            self._whole = False
            yield f"no audit run is signed with this key; run {self._before} is signed with another"
        for row in snapshots.rows(database, _OF_NO_RUN, {"series": self.series}):
            self._whole = False
            yield f"{row.subject}: signed by audit run {row.run}, which has not been"
        if self._last is not None:
            for fault in self._run_faults(self._last):
                self._whole = False
                yield fault
        yield from self._facts.faults()

    def _run_faults(self, last: Any) -> Iterator[str]:
        before = bytes(self._last_but_one.signature or b"") if self._last_but_one else b""
        heads, facts = bytes(last.heads or b""), bytes(last.facts or b"")
        if not hmac.compare_digest(self._sign_run(self.last_run, heads, facts, before), bytes(last.signature or b"")):
            yield f"audit run {self.last_run} is not signed with this key"
            return
        for name, said, found in (("heads", heads, self._found.digest()), ("facts", facts, self._facts.earlier_digest)):
            if said != found:
                yield f"the signed {name} are not those of audit run {self.last_run}: some were taken away or changed"

    def write(self, database: psycopg.Connection[Any]) -> int | None:
        """Store the signatures of this run in a transaction; return the run's number.

        None: nothing was signed, because an earlier signature does not match, or because another audit has ended.
        """
        if not self._whole:
            return None
        try:
            with database.transaction():
                return self._write(database)
        except psycopg.errors.UniqueViolation:
            return None

    def _write(self, database: psycopg.Connection[Any]) -> int:
        for start in range(0, len(self._new), _PAGE):
            database.cursor().executemany(
                """
                INSERT INTO ledger_audit_heads (tenant_id, wallet_id, series, run, entry, hash, signature)
                VALUES (%s, %s, %s, %s, %s, %s, %s)
                """,
                [
                    (
                        *(head.tenant_id, head.wallet_id, self.series, head.run, head.entry, head.hash),
                        self._sign(head.text()),
                    )
                    for head in self._new[start : start + _PAGE]
                ],
            )
        self._facts.write(database)
        run, heads, facts = self.last_run + 1, self._signed.digest(), self._facts.digest
        before = bytes(self._last.signature) if self._last else b""
        database.execute(
            "INSERT INTO ledger_audit_runs (series, run, heads, facts, signature) VALUES (%s, %s, %s, %s, %s)",
            [self.series, run, heads, facts, self._sign_run(run, heads, facts, before)],
        )
        return run

    def _sign_run(self, run: int, heads: bytes, facts: bytes, before: bytes) -> bytes:
        return self._sign(f"run {run} {heads.hex()} {facts.hex()} {before.hex()}".encode())

    def _sign(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256")
