"""Idempotency-Key: a call that is sent again with its key gets the first answer, and its work is not done twice.

A transaction of its own claims the key before the work begins. The transaction that does the work also stores the
answer: no work is committed without its answer. A second call with the key finds the claim and waits. When the process
of a call dies, its lease of the key runs out, and the next call takes the key over.
"""

import hmac
import json
import re
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

from causeway.database.postgres import Database, Transaction
from causeway.errors.platforms import ProviderOutcomeUnknown
from causeway.errors.requests import IdempotencyKeyReused, InProgress, InvalidRequest
from causeway.errors.service import Unavailable
from causeway.errors.tree import CausewayError
from causeway.wire.strict_json import NotAnInteger

logger = Logger(child=True)

# A key: any characters but NUL.
KEY = re.compile(r"[^\x00]{1,255}")
# Seconds that a call waits for another call with its key, and seconds between two looks.
_WAIT, _LOOK = 2.0, 0.2
# A lease outlives its call: functions behind HTTP end after 29 seconds.
LEASE_TIME = timedelta(seconds=60)

Answer = TypeVar("Answer")
Outcome = Literal["first", "failed", "expired", "running", "answered", "reused"]
Transactions = Callable[[], AbstractContextManager[Transaction]]


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it is stored under a key.

    Attributes:
        body: None if the outcome of the call is unknown.
    """

    status: int
    headers: dict[str, str]
    body: str | None


# The platform may have done what the call asked for.
_UNKNOWN = StoredAnswer(ProviderOutcomeUnknown.status, {}, None)


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with an Idempotency-Key.

    Attributes:
        key: as sent.
        digest: of the request.
        lease_id: of this call's lease of the key.
    """

    key: str
    digest: bytes
    lease_id: UUID

    @classmethod
    def of(cls, key: str, request: Any, secret: bytes) -> "KeyedRequest":
        """Return a request by its digest.

        Args:
            key: as sent.
            request: everything that distinguishes it from other requests, as JSON can hold it.
            secret: the digest's key. A request may hold secrets, and trying all short secrets would find them in a
                digest without a key.

        Raises:
            InvalidRequest: the key is empty or too long.
        """
        if not KEY.fullmatch(key):
            raise InvalidRequest("Idempotency-Key must have 1 to 255 characters")
        text = json.dumps(_typed(request), sort_keys=True).encode()
        return cls(key, hmac.digest(secret, b"request\0" + text, "sha256"), uuid4())


def _typed(request: Any) -> Any:
    """Mark types, so that the text "1.5" and the number 1.5 (parsed as NotAnInteger) have different digests."""
    match request:
        case NotAnInteger():
            return f"number {request.text}"
        case str():
            return f"text {request}"
        case list():
            return [_typed(value) for value in request]
        case dict():
            return {name: _typed(value) for name, value in request.items()}
    return request


@dataclass(frozen=True, slots=True)
class Claim:
    """The result of claiming a key.

    Attributes:
        outcome: first: the key is new. failed: the call before has failed. expired: the lease of the call before has
            run out. running: a call with the key is running. answered: `answer` is the first answer. reused: another
            request had the key.
        object_id: of the object that the call creates.
        resumed: a call before has committed a part of the work.
        answer: None: no answer is stored.
    """

    outcome: Outcome
    object_id: UUID
    resumed: bool
    answer: StoredAnswer | None


@dataclass(slots=True)
class Lease:
    """A call's lease of its key: the call may do the work, and marks its progress in the transactions of the work.

    Attributes:
        request: the call's.
        object_id: of the object that the call creates; the same in every call with the key.
        resumed: a call before has committed a part of the work.
        answered: this call has stored its answer.
    """

    request: KeyedRequest
    object_id: UUID
    resumed: bool
    answered: bool = False

    def checkpoint(self, transaction: Transaction) -> None:
        """Mark that the transaction commits a part of the work: the next call with the key continues after it.

        Raises:
            InProgress: another call has taken the key over; this transaction must be rolled back.
        """
        self._update(
            transaction.execute(
                """
                UPDATE idempotency_keys SET begun = true
                WHERE tenant_id = current_tenant() AND subject = current_subject()
                    AND idempotency_key = %s AND lease_id = %s
                """,
                [self.request.key, self.request.lease_id],
            )
        )

    def store(self, transaction: Transaction, answer: StoredAnswer) -> None:
        """Store the answer in the transaction that completes the work; raises as checkpoint does."""
        self._update(
            transaction.execute(
                """
                UPDATE idempotency_keys SET status = %s, headers = %s, body = %s, leased_until = NULL
                WHERE tenant_id = current_tenant() AND subject = current_subject()
                    AND idempotency_key = %s AND lease_id = %s
                """,
                [answer.status, Jsonb(answer.headers), answer.body, self.request.key, self.request.lease_id],
            )
        )
        self.answered = True

    def _update(self, updated: psycopg.Cursor[Any]) -> None:
        if updated.rowcount != 1:
            raise InProgress


def once(
    transaction: Transactions,
    request: KeyedRequest,
    work: Callable[[Lease], tuple[Answer, StoredAnswer]],
    *,
    acts_on_platform: bool,
) -> Answer | StoredAnswer:
    """Do a call's work, or return the stored answer of an earlier call with the same key and request.

    The answer to a call that was done (2xx, a platform's 3xx) is stored. A refusal (4xx) releases the key where nothing
    was committed. After a 5xx error the next call continues where this one failed. Where a platform may have acted, the
    work is not done again.

    Args:
        transaction: opens a transaction of the caller.
        request: with its key.
        work: is given the lease. It returns its answer, and the answer to store, for work that has not stored it: a
            call of a platform is in no transaction, and its answer is stored after it.
        acts_on_platform: whether the work asks a platform for something that must not be done twice.

    Raises:
        IdempotencyKeyReused: another request had the key.
        InProgress: another call with the key is still running after two seconds.
        ProviderOutcomeUnknown: an earlier call ended without a known outcome.
        Exception: from work.
    """
    claim = _claim_or_wait(transaction, request)
    if claim.answer is not None:
        if claim.answer.body is None:
            raise ProviderOutcomeUnknown
        return claim.answer
    lease = Lease(request, claim.object_id, claim.resumed)
    if claim.outcome == "expired" and acts_on_platform:
        _commit(transaction, lambda opened: lease.store(opened, _UNKNOWN))
        raise ProviderOutcomeUnknown
    answer, to_store = _work(transaction, lease, work)
    if not lease.answered:
        _commit(transaction, lambda opened: lease.store(opened, to_store))
    return answer


def _work(
    transaction: Transactions, lease: Lease, work: Callable[[Lease], tuple[Answer, StoredAnswer]]
) -> tuple[Answer, StoredAnswer]:
    """Do the work; if it fails, release the key, or store that the outcome at a platform is unknown."""
    try:
        return work(lease)
    except ProviderOutcomeUnknown:
        _commit(transaction, lambda opened: lease.store(opened, _UNKNOWN))
        raise
    except Exception as error:
        refused = isinstance(error, CausewayError) and error.status < 500
        _commit(transaction, lambda opened: _release(opened, lease.request, refused=refused))
        raise


def _claim_or_wait(transaction: Transactions, request: KeyedRequest) -> Claim:
    """Claim a key; wait while another call with the key is running."""
    until = monotonic() + _WAIT
    while True:
        try:
            with transaction() as opened:
                claim = _claim(opened, request)
        except Unavailable:
            # The claim may be committed although this call failed: undo it.
            _commit(transaction, lambda opened: _undo_claim(opened, request))
            raise
        if claim.outcome == "reused":
            raise IdempotencyKeyReused
        if claim.outcome != "running":
            return claim
        if monotonic() > until:
            raise InProgress
        sleep(_LOOK)


def _commit(transaction: Transactions, change: Callable[[Transaction], None]) -> None:
    """Commit how the call ended, in at most two tries. If both fail, the lease runs out."""
    for last in (False, True):
        try:
            with transaction() as opened:
                change(opened)
        except CausewayError as error:
            if isinstance(error, Unavailable) and not last:
                continue
            # Anything but a database that does not answer, or a key that was taken over, is a fault of this code.
            report = logger.warning if isinstance(error, (Unavailable, InProgress)) else logger.error
            report("A key was left as it was", extra={"reason": error.cause or error.sentence})
        return


def _claim(transaction: Transaction, request: KeyedRequest) -> Claim:
    """Claim a key of the transaction's caller. Commit the transaction before any work."""
    [row] = transaction.execute(
        """
        SELECT outcome, object_id, begun, status, headers, body FROM idempotency_claim_v1(
            p_key => %(key)s, p_hash => %(hash)s, p_lease_id => %(lease_id)s, p_lease => %(lease)s
        )
        """,
        {"key": request.key, "hash": request.digest, "lease_id": request.lease_id, "lease": LEASE_TIME},
    ).fetchall()
    answer = None if row.status is None else StoredAnswer(row.status, row.headers, row.body)
    return Claim(row.outcome, row.object_id, row.begun, answer)


def _undo_claim(transaction: Transaction, request: KeyedRequest) -> None:
    """Release a key whose claim got no answer, only for the key's first call: its lease began when it was created.

    Under a later call's key an earlier call may have worked.
    """
    transaction.execute(
        """
        UPDATE idempotency_keys SET leased_until = NULL, created_at = '-infinity'
        WHERE tenant_id = current_tenant() AND subject = current_subject()
            AND idempotency_key = %s AND lease_id = %s AND leased_until = created_at + %s
        """,
        [request.key, request.lease_id, LEASE_TIME],
    )


def _release(transaction: Transaction, request: KeyedRequest, *, refused: bool) -> None:
    """End the lease of a failed call, so that the next call with the key can start at once.

    Args:
        transaction: of the caller.
        request: the call's.
        refused: the call was refused: if nothing of it is committed, its key is new again.
    """
    transaction.execute(
        """
        UPDATE idempotency_keys SET
            leased_until = NULL,
            created_at = CASE WHEN %s AND status IS NULL AND NOT begun THEN '-infinity' ELSE created_at END
        WHERE tenant_id = current_tenant() AND subject = current_subject()
            AND idempotency_key = %s AND lease_id = %s
        """,
        [refused, request.key, request.lease_id],
    )


def sweep_batch(database: Database) -> int:
    """Delete up to 1000 old keys of all tenants and return how many. database: of the hub's login."""
    return int(database.one("SELECT idempotency_sweep_v1() AS swept", []).swept)
