"""Idempotency-Key: a call sent again with its key is answered as the first was, and is not done twice.

A key is claimed before the call's work, by a row that is committed at once. The answer is written into the row in the
transaction that does the work, so that there is no work without its answer. Two calls at once: the second finds the
claim. An attempt that died leaves a claim whose lease runs out.
"""

import hmac
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic, sleep
from typing import Any, Literal, TypeVar
from uuid import UUID, uuid4

import psycopg
from aws_lambda_powertools import Logger
from psycopg.types.json import Jsonb

from causeway.database.postgres import Database
from causeway.errors.platforms import ProviderOutcomeUnknown
from causeway.errors.requests import IdempotencyKeyReused, InProgress, InvalidRequest
from causeway.errors.service import Unavailable
from causeway.errors.tree import CausewayError
from causeway.wire.strict_json import NotAnInteger

logger = Logger(child=True)

# Seconds for which a call waits for the first one with its key, and between two looks.
_WAIT, _LOOK = 2.0, 0.2

# For so long an attempt can be alive: functions behind HTTP end after 29 seconds.
LEASE = timedelta(seconds=60)
Answer = TypeVar("Answer")
Outcome = Literal["first", "again", "died", "running", "answered", "reused"]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept. body: None: it is not known what the call did."""

    status: int
    headers: dict[str, str]
    body: str | None


def _told_apart(request: Any) -> Any:
    """Return a request in which a text differs from the number that is written alike and kept as a text, too."""
    match request:
        case NotAnInteger():
            return f"number {request}"
        case str():
            return f"text {request}"
        case list():
            return [_told_apart(value) for value in request]
        case dict():
            return {name: _told_apart(value) for name, value in request.items()}
    return request


# A platform may have done what was asked of it.
_UNKNOWN = Kept(ProviderOutcomeUnknown.status, {}, None)


@dataclass(frozen=True, slots=True)
class Claim:
    """A caller's key, the digest of its request, and the attempt that asks for it."""

    key: str
    digest: bytes
    attempt: UUID

    @classmethod
    def of(cls, key: str, request: Any, secret: bytes) -> "Claim":
        """Make the claim of a request.

        Args:
            key: as sent.
            request: all of it that tells it from others, as JSON can hold it.
            secret: keys the digest, as the request may hold secrets, and a short one is found by trying all of them.

        Raises:
            InvalidRequest: the key is empty or too long.
        """
        if not 1 <= len(key) <= 255 or "\0" in key:
            raise InvalidRequest("Idempotency-Key must have 1 to 255 characters")
        text = json.dumps(_told_apart(request), sort_keys=True).encode()
        return cls(key, hmac.digest(secret, b"request\0" + text, "sha256"), uuid4())


@dataclass(frozen=True, slots=True)
class Claimed:
    """What became of a claim.

    outcome: first: the key is new. again: an attempt failed. died: one never ended. running: one is at work. answered:
    kept is the first answer. reused: the key was another request's.
    begun: earlier attempts have committed a part of the work.
    """

    outcome: Outcome
    object_id: UUID
    begun: bool
    kept: Kept | None


@dataclass(slots=True)
class Attempt:
    """An attempt at the work of a call with a key: its marks are made in the transactions that do the work.

    object_id: of what the call makes, the same at each attempt.
    resumed: an earlier attempt has committed a part of the work.
    answered: the answer was kept by this attempt.
    """

    claim: Claim
    object_id: UUID
    resumed: bool
    answered: bool = False

    def begin(self, transaction: psycopg.Connection[Any]) -> None:
        """Mark that the transaction commits a part of the work, from which a later attempt must go on.

        Raises:
            InProgress: another attempt has taken over; this one is not to be committed.
        """
        self._set(
            transaction.execute(
                """
                UPDATE idempotency_keys SET begun = true
                WHERE tenant_id = current_tenant() AND subject = current_subject()
                    AND idempotency_key = %s AND attempt = %s
                """,
                [self.claim.key, self.claim.attempt],
            )
        )

    def keep(self, transaction: psycopg.Connection[Any], answer: Kept) -> None:
        """Keep the answer with the work of the transaction, which is all of it; raises as begin does."""
        self._set(
            transaction.execute(
                """
                UPDATE idempotency_keys SET status = %s, headers = %s, body = %s, leased_until = NULL
                WHERE tenant_id = current_tenant() AND subject = current_subject()
                    AND idempotency_key = %s AND attempt = %s
                """,
                [answer.status, Jsonb(answer.headers), answer.body, self.claim.key, self.claim.attempt],
            )
        )
        self.answered = True

    def _set(self, done: psycopg.Cursor[Any]) -> None:
        if done.rowcount != 1:
            raise InProgress


Transactions = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]


def once(
    transaction: Transactions, wanted: Claim, work: Callable[[Attempt], tuple[Answer, Kept]], *, acts: bool
) -> Answer | Kept:
    """Do a call's work, unless the call was answered before: then return the answer that was kept.

    An answer of 2xx is kept. A refusal (4xx) gives the key up where nothing was committed. After a failure of ours
    (5xx) the same call goes on where it failed. Where a platform may have done what it was asked, the call is not done
    again.

    Args:
        transaction: opens one of the caller.
        wanted: the key, and the request.
        work: given the attempt; returns its answer, and what is kept of it where the attempt has kept none. What a
            platform did is in no transaction of ours, and its answer is kept afterwards.
        acts: whether the work asks a platform for something that would be done twice.

    Raises:
        IdempotencyKeyReused: the key came before with another request.
        InProgress: the first call is still running after two seconds.
        ProviderOutcomeUnknown: an earlier attempt ended without a known outcome.
        Exception: what work raises.
    """
    found = _claimed(transaction, wanted)
    if found.kept is not None:
        if found.kept.body is None:
            raise ProviderOutcomeUnknown
        return found.kept
    attempt = Attempt(wanted, found.object_id, resumed=found.begun)
    if found.outcome == "died" and acts:
        _end(transaction, lambda opened: attempt.keep(opened, _UNKNOWN))
        raise ProviderOutcomeUnknown
    try:
        answer, kept = work(attempt)
    except ProviderOutcomeUnknown:
        _end(transaction, lambda opened: attempt.keep(opened, _UNKNOWN))
        raise
    except Exception as error:
        refused = isinstance(error, CausewayError) and error.status < 500
        _end(transaction, lambda opened: _let_go(opened, wanted, refused=refused))
        raise
    if not attempt.answered:
        _end(transaction, lambda opened: attempt.keep(opened, kept))
    return answer


def _claimed(transaction: Transactions, wanted: Claim) -> Claimed:
    """Claim a key; wait for an attempt that is at work."""
    until = monotonic() + _WAIT
    while True:
        try:
            with transaction() as opened:
                found = _claim(opened, wanted)
        except Unavailable:
            # The claim may be committed all the same, and nobody would work under it.
            _end(transaction, lambda opened: _give_back(opened, wanted))
            raise
        if found.outcome == "reused":
            raise IdempotencyKeyReused
        if found.outcome != "running":
            return found
        if monotonic() > until:
            raise InProgress
        sleep(_LOOK)


def _end(transaction: Transactions, change: Callable[[psycopg.Connection[Any]], None]) -> None:
    """Write down how an attempt ended, with a second try. Where both fail its lease runs out."""
    for last in (False, True):
        try:
            with transaction() as opened:
                change(opened)
        except CausewayError as error:
            if isinstance(error, Unavailable) and not last:
                continue
            logger.warning("A key was left as it was", extra={"reason": error.cause or error.sentence})
        return


def _claim(transaction: psycopg.Connection[Any], wanted: Claim) -> Claimed:
    """Claim a key of the transaction's caller, for this attempt; the transaction is to be committed before any work."""
    [row] = transaction.execute(
        "SELECT outcome, object_id, begun, status, headers, body FROM idempotency_claim_v1(%s, %s, %s, %s)",
        [wanted.key, wanted.digest, wanted.attempt, LEASE],
    ).fetchall()
    kept = None if row.status is None else Kept(row.status, row.headers, row.body)
    return Claimed(row.outcome, row.object_id, row.begun, kept)


def _give_back(transaction: psycopg.Connection[Any], claimed: Claim) -> None:
    """Make a key new again whose claim was not heard of; not one that an attempt before may have worked under.

    Only the lease of a key's first attempt began when the key was made.
    """
    transaction.execute(
        """
        UPDATE idempotency_keys SET leased_until = NULL, created_at = '-infinity'
        WHERE tenant_id = current_tenant() AND subject = current_subject()
            AND idempotency_key = %s AND attempt = %s AND leased_until = created_at + %s
        """,
        [claimed.key, claimed.attempt, LEASE],
    )


def _let_go(transaction: psycopg.Connection[Any], claimed: Claim, *, refused: bool) -> None:
    """End an attempt, so that the next one goes on at once.

    Args:
        transaction: of the caller.
        claimed: its claim.
        refused: the call was: where nothing of it is committed, its key is new again.
    """
    transaction.execute(
        """
        UPDATE idempotency_keys SET
            leased_until = NULL,
            created_at = CASE WHEN %s AND status IS NULL AND NOT begun THEN '-infinity' ELSE created_at END
        WHERE tenant_id = current_tenant() AND subject = current_subject()
            AND idempotency_key = %s AND attempt = %s
        """,
        [refused, claimed.key, claimed.attempt],
    )


def sweep_batch(database: Database) -> int:
    """Delete up to a thousand keys of all tenants that are over, and return how many. database: of the hub's login."""
    return int(database.one("SELECT idempotency_sweep_v1() AS swept", []).swept)
