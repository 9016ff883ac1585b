"""Secrets in the audit log: a fingerprint tells whether a secret changed, and nothing else about it."""

import hmac
import json
from uuid import UUID

from causeway.errors.service import Misconfigured


def fingerprint_key(pepper: bytes, tenant_id: UUID) -> bytes:
    """Return the key of a tenant's fingerprints: the same secret has another fingerprint at another tenant.

    Args:
        pepper: the deployment's, 32 random bytes or more, kept in Secrets Manager and never in the database.
        tenant_id: the tenant's id.

    Raises:
        Misconfigured: the pepper is too short to keep anything.
    """
    if len(pepper) < 32:
        raise Misconfigured(cause="The pepper of the audit log's fingerprints has fewer than 32 bytes: make a new one")
    return hmac.digest(pepper, b"causeway audit fingerprint\0" + str(tenant_id).encode(), "sha256")


def fingerprint(secret: object, key: bytes) -> str:
    """Return what tells whether two secrets are the same, and nothing else about them.

    Keyed, as a plain hash of a short secret is found by trying all of them: who holds the database alone cannot try
    any. 64 bits are enough to tell a tenant's secrets apart. No length, no last digits: those are parts of a secret.

    Args:
        secret: a text, or anything that JSON can hold.
        key: from fingerprint_key.
    """
    text = secret if isinstance(secret, str) else json.dumps(secret, sort_keys=True)
    return "hmac:" + hmac.digest(key, text.encode(errors="surrogatepass"), "sha256").hex()[:16]
