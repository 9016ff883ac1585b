"""The table of access tokens: the last grant of a connection's credential, its lease, its failures.

Each function runs in the caller's transaction, which has set the tenant. Nothing here calls KMS or a platform.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from causeway import ages
from causeway.ages import Moment
from causeway.database.postgres import Transaction

# The field name in the associated data of an access token's ciphertext. No field of a configuration has a dot.
FIELD = "oauth.access_token"
# Why a token endpoint refuses for good, as platforms.tokens.Refusal.
Refusal = Literal["ended", "client"]
# How a caller got the lease. free: nobody had it. ended: its last holder has not given it back in time, and may still
# store a grant.
Leased = Literal["free", "ended"]

# A new access token is got so many seconds before the old one ends, or in the last fifth of a shorter life.
_MARGIN = 60.0
# A wait after a passing failure doubles up to this.
_LONGEST_WAIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class StoredToken:
    """The row of a credential's access token as it was read; nothing is decrypted.

    Attributes:
        ciphertext: of the access token; None: there is none, or it is a secret field of the credential.
        terms: that the access token was got with.
        grants: how many grants were stored; 0: none yet.
        by_shared_app: whether the deployment's own OAuth app got the last one.
        failed_status: of the last failure since the last grant.
        refusal: why the token endpoint refuses for good, as TokenRefused says; then only a test asks it again.
        leased: whether somebody is getting a new token.
        waits: seconds until the token endpoint may be called again.
        ends: seconds until the access token ends; None: no known end.
        life: seconds from the grant to the end; None: no known end.
        read_at: when the row was read.
    """

    ciphertext: bytes | None = None
    terms: bytes | None = None
    grants: int = 0
    by_shared_app: bool = False
    failed_status: int | None = None
    refusal: Refusal | None = None
    leased: bool = False
    waits: float = 0.0
    ends: float | None = None
    life: float | None = None
    read_at: Moment = field(default_factory=ages.now)

    @classmethod
    def of(cls, row: Any) -> "StoredToken":
        """Return the token of a row of credentials.find; without a grant if there is none."""
        if row.grants is None:
            return cls()
        return cls(
            row.token,
            row.token_terms,
            row.grants,
            row.by_shared_app,
            row.failed_status,
            row.refusal,
            bool(row.token_leased),
            max(row.token_waits or 0.0, 0.0),
            row.token_ends,
            row.token_life,
        )

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the access token ends, now; None: no known end."""
        return None if self.ends is None else self.ends - ages.age(self.read_at, ages.now())

    @property
    def valid(self) -> bool:
        """Whether the access token has not ended."""
        left = self.seconds_left
        return left is None or left > 0

    @property
    def fresh(self) -> bool:
        """Whether the access token is not so near its end that a new one is got."""
        left = self.seconds_left
        return left is None or left > min(_MARGIN, (self.life or 0.0) / 5)


@dataclass(frozen=True, slots=True)
class EncryptedGrant:
    """A grant as it is stored.

    Attributes:
        ciphertext: of the access token, if it is no field of the credential.
        fields: ciphertexts of the credential's secret fields that the grant replaces.
        terms: that the grant was got with.
        renewal: how the next access token is got: client, refresh, self or none.
        expires_in: the access token's life in seconds; None: no known end.
        refresh_expires_in: the refresh token's; None: no known end, or the platform did not say.
        scopes: granted; None: the platform did not say.
        by_shared_app: whether the deployment's own OAuth app got it; None: the app that got the grant before.
    """

    ciphertext: bytes | None
    fields: Mapping[str, bytes]
    terms: bytes
    renewal: str
    expires_in: int | None = None
    refresh_expires_in: int | None = None
    scopes: Sequence[str] | None = None
    by_shared_app: bool | None = False


def store(
    transaction: Transaction, connection_id: UUID, version: int, grant: EncryptedGrant, seen: int | None = None
) -> bool:
    """Store a grant for a version of a connection's credential, and end its lease.

    Args:
        transaction: of a login that may write credentials.
        connection_id: the connection.
        version: of its credential.
        grant: encrypted.
        seen: store only if no other grant was stored since this number was read; None: store in any case.

    Returns:
        Whether it was stored.
    """
    stored = transaction.execute(
        """
        INSERT INTO oauth_tokens AS t (
            tenant_id, connection_id, credential_version, ciphertext, terms, renewal, grants, obtained_at,
            expires_at, refresh_expires_at, scopes, by_shared_app
        )
        VALUES (
            current_tenant(), %(connection)s, %(version)s, %(ciphertext)s, %(terms)s, %(renewal)s, 1, now(),
            now() + %(expires_in)s * interval '1 second', now() + %(refresh_expires_in)s * interval '1 second',
            %(scopes)s, coalesce(%(by_shared_app)s, false)
        )
        ON CONFLICT (tenant_id, connection_id, credential_version) DO UPDATE SET
            ciphertext = excluded.ciphertext, terms = excluded.terms, renewal = excluded.renewal,
            grants = t.grants + 1, obtained_at = excluded.obtained_at, expires_at = excluded.expires_at,
            -- A platform that does not name the end again has not moved it.
            refresh_expires_at = coalesce(excluded.refresh_expires_at, t.refresh_expires_at),
            scopes = coalesce(excluded.scopes, t.scopes),
            by_shared_app = coalesce(%(by_shared_app)s, t.by_shared_app),
            lease_id = NULL, leased_until = NULL, failed_status = NULL, refusal = NULL, failures = 0,
            waits_until = NULL,
            warned_at = CASE
                WHEN excluded.renewal = 'refresh'
                AND coalesce(excluded.refresh_expires_at <= t.refresh_expires_at + interval '1 day', true)
                THEN t.warned_at
            END
        WHERE %(seen)s::bigint IS NULL OR t.grants = %(seen)s
        """,
        {
            "connection": connection_id,
            "version": version,
            "ciphertext": grant.ciphertext,
            "terms": grant.terms,
            "renewal": grant.renewal,
            "expires_in": grant.expires_in,
            "refresh_expires_in": grant.refresh_expires_in,
            "scopes": None if grant.scopes is None else list(grant.scopes),
            "by_shared_app": grant.by_shared_app,
            "seen": seen,
        },
    )
    if not stored.rowcount:
        return False
    replace_fields(transaction, connection_id, version, grant.fields)
    return True


def replace_fields(transaction: Transaction, connection_id: UUID, version: int, fields: Mapping[str, bytes]) -> None:
    """Replace secret fields of a credential's version by those that the platform has put in their place."""
    if fields:
        transaction.execute(
            """
            UPDATE api_credentials AS c SET ciphertext = s.ciphertext
            FROM unnest(%(fields)s::text[], %(ciphertexts)s::bytea[]) AS s (field, ciphertext)
            WHERE c.tenant_id = current_tenant() AND c.connection_id = %(connection)s AND c.version = %(version)s
                AND c.field = s.field
            """,
            {
                "connection": connection_id,
                "version": version,
                "fields": list(fields),
                "ciphertexts": list(fields.values()),
            },
        )


def lease(
    transaction: Transaction,
    connection_id: UUID,
    version: int,
    *,
    lease_id: UUID,
    seen: int,
    seconds: float,
    again: bool,
) -> Leased | None:
    """Lease the row to a caller that will get a new token.

    Args:
        transaction: of a login that may write credentials.
        connection_id: the connection.
        version: of its credential.
        lease_id: the caller's.
        seen: the number of grants that the caller saw: it does not get the lease if there are more.
        seconds: how long the lease lasts.
        again: also if the token endpoint has refused the grant for good.

    Returns:
        How the caller got the lease; None: it has not got it.
    """
    transaction.execute(
        """
        INSERT INTO oauth_tokens (tenant_id, connection_id, credential_version)
        SELECT current_tenant(), %(connection)s, %(version)s
        WHERE NOT EXISTS (
            SELECT FROM oauth_tokens
            WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND credential_version = %(version)s
        )
        ON CONFLICT DO NOTHING
        """,
        {"connection": connection_id, "version": version},
    )
    row = transaction.execute(
        """
        WITH before AS (
            SELECT tenant_id, connection_id, credential_version, lease_id FROM oauth_tokens
            WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND credential_version = %(version)s
                AND grants = %(seen)s AND coalesce(leased_until < now(), true)
                AND coalesce(waits_until <= now(), true) AND (refusal IS NULL OR %(again)s)
            FOR UPDATE
        )
        UPDATE oauth_tokens AS t
        SET lease_id = %(lease)s, leased_until = now() + %(seconds)s * interval '1 second'
        FROM before AS b
        WHERE (t.tenant_id, t.connection_id, t.credential_version)
            = (b.tenant_id, b.connection_id, b.credential_version)
        RETURNING b.lease_id IS NOT NULL AS ended
        """,
        {
            "connection": connection_id,
            "version": version,
            "lease": lease_id,
            "seconds": seconds,
            "seen": seen,
            "again": again,
        },
    ).fetchone()
    if row is None:
        return None
    return "ended" if row.ended else "free"


def fail(
    transaction: Transaction,
    connection_id: UUID,
    version: int,
    *,
    lease_id: UUID,
    status: int,
    refusal: Refusal | None,
    wait: float | None,
) -> None:
    """Write a failure of the token endpoint, and end the lease.

    Args:
        transaction: of a login that may write credentials.
        connection_id: the connection.
        version: of its credential.
        lease_id: the caller's; nothing is written if the lease is another's by now.
        status: of the endpoint's answer.
        refusal: why the endpoint refuses for good; None: the failure passes, and nobody calls it for a while.
        wait: seconds that the endpoint asks to wait; None: it does not say, so the wait doubles with each failure.
    """
    transaction.execute(
        """
        UPDATE oauth_tokens SET
            lease_id = NULL, leased_until = NULL, failed_status = %(status)s, refusal = %(refusal)s,
            failures = least(failures, 30) + 1,
            waits_until = CASE WHEN %(refusal)s::text IS NULL THEN now() + coalesce(
                %(wait)s * interval '1 second',
                least(interval '1 second' * power(2, least(failures, 30)), %(longest)s)
            ) END
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND credential_version = %(version)s
            AND lease_id = %(lease)s
        """,
        {
            "connection": connection_id,
            "version": version,
            "lease": lease_id,
            "status": status,
            "refusal": refusal,
            "wait": wait,
            "longest": _LONGEST_WAIT,
        },
    )


def release(transaction: Transaction, connection_id: UUID, version: int, lease_id: UUID) -> None:
    """Give a lease back."""
    transaction.execute(
        """
        UPDATE oauth_tokens SET lease_id = NULL, leased_until = NULL
        WHERE tenant_id = current_tenant() AND connection_id = %s AND credential_version = %s AND lease_id = %s
        """,
        [connection_id, version, lease_id],
    )


def carry_over(transaction: Transaction, connection_id: UUID, before: int, version: int) -> None:
    """Give a new version of a credential what is known of the access token that it has from the version before."""
    transaction.execute(
        """
        INSERT INTO oauth_tokens (
            tenant_id, connection_id, credential_version, renewal, grants, obtained_at, expires_at, refresh_expires_at,
            scopes, warned_at, by_shared_app
        )
        SELECT tenant_id, connection_id, %(version)s, renewal, 1, obtained_at, expires_at, refresh_expires_at, scopes,
            warned_at, by_shared_app
        FROM oauth_tokens
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND credential_version = %(before)s
            AND grants > 0
        """,
        {"connection": connection_id, "before": before, "version": version},
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """A connection whose access ends soon, and its version."""

    ends_at: datetime
    version: int
    name: str
    provider_key: str


def warn(transaction: Transaction, connection_id: UUID, warning: timedelta) -> Ending | None:
    """Note that the tenant is told that a connection's access ends, and return what to tell.

    Returns:
        None if it does not end within this time, or the tenant was told already.
    """
    row = transaction.execute(
        """
        UPDATE oauth_tokens AS t SET warned_at = now()
        FROM api_credential_versions AS v, integration_connections AS c
        WHERE t.tenant_id = current_tenant() AND t.connection_id = %(connection)s AND t.warned_at IS NULL
            AND CASE t.renewal WHEN 'refresh' THEN t.refresh_expires_at ELSE t.expires_at END <= now() + %(warning)s
            AND t.renewal <> 'client'
            AND (v.tenant_id, v.connection_id, v.version) = (t.tenant_id, t.connection_id, t.credential_version)
            AND v.status = 'active'
            AND (c.tenant_id, c.connection_id) = (t.tenant_id, t.connection_id) AND c.deleted_at IS NULL
        RETURNING CASE t.renewal WHEN 'refresh' THEN t.refresh_expires_at ELSE t.expires_at END AS ends_at,
            c.version, c.name, c.provider_key
        """,
        {"connection": connection_id, "warning": warning},
    ).fetchone()
    return row and Ending(**row._asdict())


def drop_old(transaction: Transaction, key_version: int) -> None:
    """Drop the tenant's access tokens that another data key has encrypted: each is got anew on its next use."""
    transaction.execute(
        """
        UPDATE oauth_tokens SET ciphertext = NULL
        WHERE tenant_id = current_tenant() AND key_version <> %s
        """,
        [key_version],
    )
