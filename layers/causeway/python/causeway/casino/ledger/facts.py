"""Settled facts: they must never change, and no hash chain covers them. The first audit that finds a fact signs it.

A ledger row has the number of its game provider, and money in minor units. Their meaning is in other rows: the
provider's code, the scope in which its ids are unique, and the currency's decimals.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

# Signed facts beside current facts, read in one statement.
_FACTS = """
    SELECT subject, f.subject IS NOT NULL AS is_signed, f.value AS signed, f.run, f.signature, c.value AS current
    FROM (
        SELECT format('game provider %%s of tenant %%s', p.game_provider_id, p.tenant_id) AS subject,
            format('%%s with ids unique per %%s', p.code, p.id_scope) AS value
        FROM casino_game_providers AS p
        UNION ALL
        SELECT format('currency %%s', code), format('of %%s decimals', exponent) FROM currencies
    ) AS c
    FULL JOIN (SELECT * FROM ledger_audit_facts WHERE series = %s AND run <= %s) AS f USING (subject)
    ORDER BY subject
"""


@dataclass(frozen=True, slots=True)
class _Fact:
    """The value of a subject at the run that found it first."""

    subject: str
    value: str
    run: int

    def text(self) -> bytes:
        """Return the text that is signed."""
        return f"fact {self.run} {self.subject} is {self.value}\n".encode()


@dataclass(frozen=True, slots=True)
class _Signed:
    fact: _Fact
    signature: bytes
    # The value now; None: the subject is gone.
    current: str | None


class SettledFacts:
    """The facts that earlier runs signed, and the facts that this run finds first.

    Attributes:
        earlier_digest: SHA-256 over the facts that earlier runs signed.
        digest: the same with the facts of this run.
    """

    def __init__(
        self, database: psycopg.Connection[Any], series: bytes, last_run: int, sign: Callable[[bytes], bytes]
    ) -> None:
        """Read the signed and the current facts.

        Args:
            database: of a role that reads every tenant.
            series: of the runs to compare with.
            last_run: the newest run of the series.
            sign: returns the signature of a text.
        """
        with database.cursor(row_factory=namedtuple_row) as cursor:
            rows: list[Any] = cursor.execute(_FACTS, [series, last_run]).fetchall()
        self._series, self._sign = series, sign
        self._signed = [
            _Signed(_Fact(row.subject, row.signed, row.run), bytes(row.signature or b""), row.current)
            for row in rows
            if row.is_signed
        ]
        self._new = [_Fact(row.subject, row.current, last_run + 1) for row in rows if not row.is_signed]
        before = [signed.fact for signed in self._signed]
        self.earlier_digest, self.digest = _digest(before), _digest([*before, *self._new])

    def faults(self) -> Iterator[str]:
        """Yield the facts that have changed or are gone, and the facts with a false signature."""
        for signed in self._signed:
            fact = signed.fact
            if not compare_digest(self._sign(fact.text()), signed.signature):
                yield f"{fact.subject}: the fact of audit run {fact.run} is not signed with this key"
            if signed.current is None:
                yield f"{fact.subject}: it was {fact.value} at audit run {fact.run}, and is gone"
            elif signed.current != fact.value:
                yield f"{fact.subject}: it was {fact.value} at audit run {fact.run}, and is {signed.current}"

    def write(self, database: psycopg.Connection[Any]) -> None:
        """Store the new facts; raises UniqueViolation if another audit has stored them."""
        database.cursor().executemany(
            "INSERT INTO ledger_audit_facts (series, subject, value, run, signature) VALUES (%s, %s, %s, %s, %s)",
            [(self._series, fact.subject, fact.value, fact.run, self._sign(fact.text())) for fact in self._new],
        )


def _digest(facts: Iterable[_Fact]) -> bytes:
    return sha256(b"".join(sorted(fact.text() for fact in facts))).digest()
