"""The rows of authorizations: a state is stored as a hash, the code and the verifier encrypted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from causeway.database.postgres import Transaction
from causeway.errors.oauth import (
    AuthorizationDeclined,
    AuthorizationExpired,
    AuthorizationNotBegun,
    AuthorizationPending,
    AuthorizationUsed,
    refused,
)
from causeway.vault.crypto import SecretField

# How long an authorization may take, from its beginning to its completion.
LIFETIME = timedelta(minutes=10)
# Rows of authorizations that ended so long ago are deleted when the tenant begins another.
_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, repr=False)
class NewFlow:
    """An authorization to begin.

    Attributes:
        callback: the URL of the callback, without the state.
        verifier: of PKCE, encrypted; None: the platform takes none.
    """

    connection_id: UUID
    actor: str
    state: str
    callback: str
    return_url: str | None
    declined: list[str]
    verifier: bytes | None


@dataclass(frozen=True, slots=True, repr=False)
class ReturnedFlow:
    """An authorization whose code was taken: nobody takes it again. code and verifier are encrypted."""

    flow_id: UUID
    callback: str
    code: bytes
    verifier: bytes | None


def verifier_field(tenant_id: UUID, connection_id: UUID) -> SecretField:
    """Return the associated data of a verifier's ciphertext. No field of a configuration has a dot."""
    return SecretField(tenant_id, connection_id, "oauth.verifier")


def redirect_url(callback: str, state: str) -> str:
    """Return where a platform redirects to. The state stands in its path if the callback's URL ends with a slash."""
    return callback + state if callback.endswith("/") else callback


def hash_of(state: str) -> bytes:
    """Return the hash of a state, as it is stored."""
    return sha256(state.encode()).digest()


def begin(transaction: Transaction, flow: NewFlow) -> datetime:
    """Store an authorization in place of the one that its actor began before, and return when it expires."""
    row = transaction.execute(
        """
        WITH swept AS (
            DELETE FROM oauth_flows
            WHERE tenant_id = current_tenant() AND expires_at < now() - %(kept)s
                AND (connection_id, actor) <> (%(connection)s, %(actor)s)
        )
        INSERT INTO oauth_flows (
            tenant_id, connection_id, actor, state_hash, callback, return_url, declined, verifier, expires_at
        )
        VALUES (
            current_tenant(), %(connection)s, %(actor)s, %(state_hash)s, %(callback)s, %(return_url)s,
            %(declined)s, %(verifier)s, now() + %(lifetime)s
        )
        ON CONFLICT (tenant_id, connection_id, actor) DO UPDATE
        SET flow_id = excluded.flow_id, state_hash = excluded.state_hash, callback = excluded.callback,
            return_url = excluded.return_url, declined = excluded.declined, verifier = excluded.verifier,
            begun_at = excluded.begun_at, expires_at = excluded.expires_at, returned_at = NULL, code = NULL,
            error = NULL, taken_at = NULL, completed_at = NULL
        RETURNING expires_at
        """,
        {
            "connection": flow.connection_id,
            "actor": flow.actor,
            "state_hash": hash_of(flow.state),
            "callback": flow.callback,
            "return_url": flow.return_url,
            "declined": flow.declined,
            "verifier": flow.verifier,
            "kept": _KEPT,
            "lifetime": LIFETIME,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - INSERT ... RETURNING has a row
    return row.expires_at


def take(transaction: Transaction, connection_id: UUID, actor: str, *, again: bool) -> ReturnedFlow:
    """Take the code of the authorization that an actor began; a second call finds it used.

    Args:
        transaction: of the connection's tenant.
        connection_id: the connection.
        actor: a person's subject.
        again: the call took it before, and did not get to its end.

    Raises:
        AuthorizationNotBegun: the actor has begun none; the sentence says if another one has.
        AuthorizationPending: the platform's redirect has not come yet.
        AuthorizationExpired, AuthorizationUsed.
        AuthorizationDeclined, AuthorizationRefused: the redirect brought an error in place of a code.
    """
    row: Any = transaction.execute(
        """
        SELECT f.*, f.expires_at <= now() AS expired FROM oauth_flows AS f
        WHERE f.tenant_id = current_tenant() AND f.connection_id = %s AND f.actor = %s FOR UPDATE
        """,
        [connection_id, actor],
    ).fetchone()
    _check(transaction, connection_id, row, again=again)
    transaction.execute(
        """
        UPDATE oauth_flows SET taken_at = now()
        WHERE tenant_id = current_tenant() AND connection_id = %s AND actor = %s
        """,
        [connection_id, actor],
    )
    return ReturnedFlow(row.flow_id, row.callback, row.code, row.verifier)


def complete(transaction: Transaction, flow_id: UUID) -> None:
    """Mark an authorization as completed, and forget its code and its verifier."""
    transaction.execute(
        """
        UPDATE oauth_flows SET completed_at = now(), code = NULL, verifier = NULL
        WHERE tenant_id = current_tenant() AND flow_id = %s
        """,
        [flow_id],
    )


def _check(transaction: Transaction, connection_id: UUID, row: Any, *, again: bool) -> None:
    if row is None:
        raise _not_begun(transaction, connection_id)
    if row.completed_at is not None or (row.taken_at is not None and not again):
        raise AuthorizationUsed
    if row.expired and not again:
        raise AuthorizationExpired
    if row.returned_at is None:
        raise AuthorizationPending
    if row.error in row.declined:
        raise AuthorizationDeclined
    if row.error is not None:
        raise refused(row.error)


def _not_begun(transaction: Transaction, connection_id: UUID) -> AuthorizationNotBegun:
    other = transaction.execute(
        "SELECT FROM oauth_flows WHERE tenant_id = current_tenant() AND connection_id = %s AND expires_at > now()",
        [connection_id],
    ).fetchone()
    if other is None:
        return AuthorizationNotBegun()
    return AuthorizationNotBegun(
        "Somebody else has begun this authorization",
        action="Let the person who began it complete it, or begin an authorization of your own.",
    )
