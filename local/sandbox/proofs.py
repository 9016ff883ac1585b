"""How a request proves who makes it: one check for each family of authentication."""

import hashlib
import hmac
from collections.abc import Callable

from local.sandbox.exchange import Asked

Proof = Callable[[Asked], bool]


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def basic(user: str, password: str) -> Proof:
    """HTTP Basic with this user and password; any user where it is empty."""

    def proves(asked: Asked) -> bool:
        given = asked.basic
        return _same(given[0], user or given[0]) and _same(given[1], password)

    return proves


def bearer(token: str) -> Proof:
    """A bearer token."""
    return lambda asked: _same(asked.bearer, token)


def header(name: str, value: str) -> Proof:
    """A header of this value."""
    return lambda asked: _same(asked.headers.get(name.lower(), ""), value)


def query(name: str, value: str) -> Proof:
    """A query parameter of this value."""
    return lambda asked: _same(asked.query.get(name, ""), value)


def form(**fields: str) -> Proof:
    """A form with these fields."""
    return lambda asked: all(_same(asked.form.get(name, ""), value) for name, value in fields.items())


def signed(name: str, secret: str) -> Proof:
    """A header with the hex HMAC-SHA256 of the raw body."""

    def proves(asked: Asked) -> bool:
        expected = hmac.new(secret.encode(), asked.body, hashlib.sha256).hexdigest()
        return _same(asked.headers.get(name.lower(), ""), expected)

    return proves


def all_of(*proofs: Proof) -> Proof:
    """Every one of these."""
    return lambda asked: all(proof(asked) for proof in proofs)
