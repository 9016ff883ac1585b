"""Secrets in the audit log: fingerprints show whether a secret changed, and reveal no part of it."""

from hashlib import sha256
from uuid import uuid4

import pytest

from causeway.audit_log import fingerprints
from causeway.audit_log.entries import DEPLOYMENT
from causeway.errors.service import Misconfigured

KEY = fingerprints.fingerprint_key(bytes(range(32)), DEPLOYMENT)


def test_fingerprint_shows_equality_and_nothing_else() -> None:
    """HUB 44: secrets as fingerprints."""
    one = fingerprints.fingerprint("1234", KEY)

    assert one == fingerprints.fingerprint("1234", KEY)
    assert one != fingerprints.fingerprint("1235", KEY)
    assert len(one) == len(fingerprints.fingerprint("x" * 4000, KEY)) == len("hmac:") + 16
    assert fingerprints.fingerprint({"a": 1, "b": 2}, KEY) == fingerprints.fingerprint({"b": 2, "a": 1}, KEY)


def test_short_secret_cannot_be_guessed_without_the_key() -> None:
    """A four-digit PIN: the fingerprint is no plain hash, which anybody could compute for all PINs."""
    print_of_pin = fingerprints.fingerprint("4711", KEY).removeprefix("hmac:")
    assert not any(print_of_pin in sha256(f"{pin:04}".encode()).hexdigest() for pin in range(10_000))


def test_fingerprint_differs_by_tenant_and_deployment() -> None:
    keys = [
        fingerprints.fingerprint_key(pepper, tenant)
        for pepper in (bytes(32), bytes(31) + b"\1")
        for tenant in (uuid4(), uuid4())
    ]
    assert len({fingerprints.fingerprint("secret", key) for key in keys}) == 4


def test_short_pepper_is_refused() -> None:
    with pytest.raises(Misconfigured, match="32 bytes"):
        fingerprints.fingerprint_key(b"x" * 31, DEPLOYMENT)
