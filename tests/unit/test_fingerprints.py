"""Secrets in the audit log: fingerprints show whether a secret changed, and reveal no part of it."""

import json
from hashlib import sha256
from secrets import token_hex
from uuid import uuid4

import pytest

from causeway import audit_log
from causeway.audit_log import PLATFORM
from causeway.errors.service import Misconfigured

KEY = audit_log.fingerprint_key(bytes(range(32)), PLATFORM)


def test_fingerprint_shows_equality_and_nothing_else() -> None:
    """HUB 44: secrets as fingerprints."""
    one = audit_log.fingerprint("1234", KEY)

    assert one == audit_log.fingerprint("1234", KEY)
    assert one != audit_log.fingerprint("1235", KEY)
    assert len(one) == len(audit_log.fingerprint("x" * 4000, KEY)) == len("hmac:") + 16
    assert audit_log.fingerprint({"a": 1, "b": 2}, KEY) == audit_log.fingerprint({"b": 2, "a": 1}, KEY)


def test_short_secret_cannot_be_guessed_without_the_key() -> None:
    """A four-digit PIN: the fingerprint is no plain hash, which anybody could compute for all PINs."""
    print_of_pin = audit_log.fingerprint("4711", KEY).removeprefix("hmac:")
    assert not any(print_of_pin in sha256(f"{pin:04}".encode()).hexdigest() for pin in range(10_000))


def test_fingerprint_differs_by_tenant_and_deployment() -> None:
    keys = [
        audit_log.fingerprint_key(pepper, tenant)
        for pepper in (bytes(32), bytes(31) + b"\1")
        for tenant in (uuid4(), uuid4())
    ]
    assert len({audit_log.fingerprint("secret", key) for key in keys}) == 4


def test_short_pepper_is_refused() -> None:
    with pytest.raises(Misconfigured, match="32 bytes"):
        audit_log.fingerprint_key(b"x" * 31, PLATFORM)


def test_redacted_leaves_no_secret_at_any_depth() -> None:
    canary = "canary-" + token_hex(8)
    fields = {
        "account_sid": "AC1",
        "auth_token": canary,
        "empty": None,
        "nested": {"auth_token": canary, "deeper": [{"api_key": {"value": canary}}, [{"api_key": [canary]}]]},
        "api_key": None,
    }

    shown = audit_log.redacted(fields, {"auth_token", "api_key"}, KEY)

    assert canary not in json.dumps(shown)
    assert shown["auth_token"] == shown["nested"]["auth_token"] == audit_log.fingerprint(canary, KEY)
    assert (shown["account_sid"], shown["empty"], shown["api_key"]) == ("AC1", None, None)
    assert fields["auth_token"] == canary
