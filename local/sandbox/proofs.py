"""How a request proves who sends it: one check for each kind of authentication."""

import hashlib
import hmac
from collections.abc import Callable

from local.sandbox.exchange import Request

# Whether a request is authenticated.
Proof = Callable[[Request], bool]


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def basic(user: str, password: str) -> Proof:
    """Require HTTP Basic with this user and password; an empty user accepts every user."""

    def proves(request: Request) -> bool:
        given = request.basic
        return _same(given[0], user or given[0]) and _same(given[1], password)

    return proves


def bearer(token: str) -> Proof:
    """Require this bearer token."""
    return lambda request: _same(request.bearer, token)


def header(name: str, value: str) -> Proof:
    """Require a header with this value."""
    return lambda request: _same(request.headers.get(name.lower(), ""), value)


def query(name: str, value: str) -> Proof:
    """Require a query parameter with this value."""
    return lambda request: _same(request.query.get(name, ""), value)


def form(**fields: str) -> Proof:
    """Require a form that has these fields."""
    return lambda request: all(_same(request.form.get(name, ""), value) for name, value in fields.items())


def signed(name: str, secret: str) -> Proof:
    """Require a header with the hex HMAC-SHA256 of the raw body."""

    def proves(request: Request) -> bool:
        expected = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        return _same(request.headers.get(name.lower(), ""), expected)

    return proves


def all_of(*proofs: Proof) -> Proof:
    """Require all of these proofs."""
    return lambda request: all(proof(request) for proof in proofs)
