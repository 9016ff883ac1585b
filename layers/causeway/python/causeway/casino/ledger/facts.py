"""What is settled for ever and no chain holds, signed by the first audit that sees it: game providers' ids, currencies.

A ledger row names its game provider by number, and its money in minor units. What that means is said by the provider's
code, how far its ids are unique, and the currency's decimals.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

# What was signed beside what is true now, at one moment.
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
    """What was true of a subject at the run that saw it first."""

    subject: str
    value: str
    run: int

    def text(self) -> bytes:
        """Return what is signed."""
        return f"fact {self.run} {self.subject} is {self.value}\n".encode()


@dataclass(frozen=True, slots=True)
class _Signed:
    fact: _Fact
    signature: bytes
    # What is true now, None where the subject is gone.
    current: str | None


class SettledFacts:
    """The facts that earlier runs signed, and those that this run sees first.

    Attributes:
        found: SHA-256 over those that earlier runs signed.
        kept: the same once this run's are written.
    """

    def __init__(
        self, database: psycopg.Connection[Any], series: bytes, last_run: int, sign: Callable[[bytes], bytes]
    ) -> None:
        """Read what was signed, and what is true now.

        Args:
            database: of a role that reads every tenant.
            series: of runs.
            last_run: its newest run.
            sign: returns a text's signature.
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
        self.found, self.kept = _digest(before), _digest([*before, *self._new])

    def faults(self) -> Iterator[str]:
        """Yield the facts that are true no more, and those that no run signed."""
        for signed in self._signed:
            fact = signed.fact
            if not compare_digest(self._sign(fact.text()), signed.signature):
                yield f"{fact.subject}: the fact of audit run {fact.run} is not signed with this key"
            if signed.current is None:
                yield f"{fact.subject}: it was {fact.value} at audit run {fact.run}, and is gone"
            elif signed.current != fact.value:
                yield f"{fact.subject}: it was {fact.value} at audit run {fact.run}, and is {signed.current}"

    def write(self, database: psycopg.Connection[Any]) -> None:
        """Keep the new facts; raises UniqueViolation: another audit has."""
        database.cursor().executemany(
            "INSERT INTO ledger_audit_facts (series, subject, value, run, signature) VALUES (%s, %s, %s, %s, %s)",
            [(self._series, fact.subject, fact.value, fact.run, self._sign(fact.text())) for fact in self._new],
        )


def _digest(facts: Iterable[_Fact]) -> bytes:
    return sha256(b"".join(sorted(fact.text() for fact in facts))).digest()
