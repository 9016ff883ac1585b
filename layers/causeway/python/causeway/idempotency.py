"""Idempotency-Key: what a caller made with a key is found again by it, and nothing is made twice."""

import hmac
import json
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import psycopg

from causeway.errors import IdempotencyKeyReused, InvalidRequest


@dataclass(frozen=True, slots=True)
class Claim:
    """An Idempotency-Key, and the digest of the request it came with."""

    key: str
    digest: bytes

    @classmethod
    def of(cls, key: str, request: Any, secret: bytes) -> Self:
        """Make the claim of a request.

        Args:
            key: as sent.
            request: all of it that tells it from others, as JSON can hold it.
            secret: keys the digest, as the request may hold secrets, and a short one is found by trying all of them.

        Raises:
            InvalidRequest: the key is empty or too long.
        """
        if not 1 <= len(key) <= 255:
            raise InvalidRequest("Idempotency-Key must have 1 to 255 characters")
        return cls(key, hmac.digest(secret, b"request\0" + json.dumps(request, sort_keys=True).encode(), "sha256"))


def claim(transaction: psycopg.Connection[Any], subject: str, wanted: Claim, object_id: UUID) -> UUID:
    """Return the object that a key stands for: this one, if the key is new; it is made in the same transaction then.

    Of two at once with one key the second waits, and finds what the first made.

    Args:
        transaction: of the caller's tenant.
        subject: the caller; a key is his own.
        wanted: the key, and the request.
        object_id: what is to be made.

    Raises:
        IdempotencyKeyReused: the key came before with another request.
    """
    made = transaction.execute(
        """
        INSERT INTO idempotency_keys (tenant_id, subject, idempotency_key, request_hash, object_id)
        VALUES (current_tenant(), %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        [subject, wanted.key, wanted.digest, object_id],
    ).rowcount
    if made:
        return object_id
    known = transaction.execute(
        """
        SELECT request_hash, object_id FROM idempotency_keys
        WHERE tenant_id = current_tenant() AND subject = %s AND idempotency_key = %s
        """,
        [subject, wanted.key],
    ).fetchone()
    if known is None or bytes(known.request_hash) != wanted.digest:
        raise IdempotencyKeyReused
    return known.object_id
