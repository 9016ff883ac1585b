"""Fingerprints of secrets in the audit log: they show whether a secret has changed, and nothing else about it."""

import hmac
import json
from uuid import UUID

from causeway.errors.service import Misconfigured


def fingerprint_key(pepper: bytes, tenant_id: UUID) -> bytes:
    """Return the key of a tenant's fingerprints: equal secrets of two tenants have different fingerprints.

    Args:
        pepper: of the deployment, at least 32 random bytes, in Secrets Manager and never in the database.
        tenant_id: the tenant.

    Raises:
        Misconfigured: the pepper is too short.
    """
    if len(pepper) < 32:
        raise Misconfigured(cause="The pepper of the audit log's fingerprints has fewer than 32 bytes: make a new one")
    return hmac.digest(pepper, b"causeway audit fingerprint\0" + str(tenant_id).encode(), "sha256")


def fingerprint(secret: object, key: bytes) -> str:
    """Return a text that is equal for equal secrets and reveals nothing else about them.

    It is keyed: trying all short secrets would find one in a plain hash, and the database does not have the key.
    64 bits are enough to distinguish a tenant's secrets. Length and last digits are left out: they are parts of the
    secret.

    Args:
        secret: a text, or anything that JSON can hold.
        key: from fingerprint_key.
    """
    text = secret if isinstance(secret, str) else json.dumps(secret, sort_keys=True)
    return "hmac:" + hmac.digest(key, text.encode(errors="surrogatepass"), "sha256").hex()[:16]
