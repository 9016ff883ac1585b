"""The heads of the wallets' chains, signed at each audit with a key that the database does not hold.

A chain proves that its rows belong together, not that they are the ones that were there yesterday: somebody with every
power over the database can compute it anew, or cut it short and move the wallet's head back. A signed head shows both.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from causeway.errors import Misconfigured

# Characters of a key, at least.
_SHORTEST_KEY = 32
# Heads written at a time.
_PAGE = 5000

_NEWEST_RUNS = "SELECT run, heads, signature FROM ledger_audit_runs ORDER BY run DESC LIMIT 2"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a wallet's chain ended at an audit: its newest entry and that row's hash."""

    tenant_id: str
    wallet_id: int
    run: int
    entry: int
    hash: bytes

    def text(self) -> bytes:
        """Return what is signed."""
        return f"head {self.tenant_id} {self.wallet_id} {self.run} {self.entry} {self.hash.hex()}".encode()


class SignedHeads:
    """The heads that the runs before signed, and those that this run signs.

    Pass every wallet through walked(), in one order. Then faults() tells whether a head was taken away, and write()
    keeps the new ones.
    """

    def __init__(self, connection: psycopg.Connection[Any], key: str) -> None:
        """Read what the last run signed.

        Args:
            connection: of a role that reads every tenant.
            key: a secret that the database does not hold.

        Raises:
            Misconfigured: the key has less than 32 characters.
        """
        if len(key) < _SHORTEST_KEY:
            raise Misconfigured(cause=f"The audit's key must have at least {_SHORTEST_KEY} characters")
        self._key = key.encode()
        with connection.cursor(row_factory=namedtuple_row) as cursor:
            runs: list[Any] = cursor.execute(_NEWEST_RUNS).fetchall()
        self._last, self._last_but_one = [*runs, None, None][:2]
        # The run before this one, 0 where this is the first.
        self.last_run: int = self._last.run if self._last else 0
        self._found, self._signed = sha256(), sha256()
        self._new: list[Head] = []
        # Whether the heads are whole; where they are not, this run signs nothing, or it would cover what was found.
        self.whole = True

    def is_genuine(self, head: Head, signature: bytes) -> bool:
        """Tell whether a run of ours signed a head."""
        return hmac.compare_digest(self._sign(head.text()), signature)

    def walked(self, stored: Head | None, entry: int, newest: bytes, tenant_id: str, wallet_id: int) -> None:
        """Take note of a wallet that was audited; a head that moved on is signed.

        Args:
            stored: the wallet's newest signed head.
            entry: its newest entry now; 0 where there is none, or where the wallet was found faulty.
            newest: that row's hash.
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

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the signed heads as a whole, once every wallet was walked."""
        if self._last is None:
            return
        before = bytes(self._last_but_one.signature) if self._last_but_one else b""
        if not hmac.compare_digest(
            self._sign_run(self.last_run, bytes(self._last.heads), before), bytes(self._last.signature)
        ):
            self.whole = False
            yield f"audit run {self.last_run} is not signed with this key"
        elif bytes(self._last.heads) != self._found.digest():
            self.whole = False
            yield f"the signed heads are not those of audit run {self.last_run}: some were taken away or changed"

    def write(self, connection: psycopg.Connection[Any]) -> None:
        """Keep the new heads and this run; the caller's transaction holds both.

        Raises:
            psycopg.errors.UniqueViolation: another audit has ended meanwhile.
        """
        for start in range(0, len(self._new), _PAGE):
            connection.cursor().executemany(
                """
                INSERT INTO ledger_audit_heads (tenant_id, wallet_id, run, entry, hash, signature)
                VALUES (%s, %s, %s, %s, %s, %s)
                """,
                [
                    (head.tenant_id, head.wallet_id, head.run, head.entry, head.hash, self._sign(head.text()))
                    for head in self._new[start : start + _PAGE]
                ],
            )
        run, heads = self.last_run + 1, self._signed.digest()
        before = bytes(self._last.signature) if self._last else b""
        connection.execute(
            "INSERT INTO ledger_audit_runs (run, heads, signature) VALUES (%s, %s, %s)",
            [run, heads, self._sign_run(run, heads, before)],
        )

    def _sign_run(self, run: int, heads: bytes, before: bytes) -> bytes:
        return self._sign(f"run {run} {heads.hex()} {before.hex()}".encode())

    def _sign(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256")
