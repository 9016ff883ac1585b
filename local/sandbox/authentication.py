"""How a request to a platform is authenticated: one check for each kind of authentication."""

import hashlib
import hmac
from collections.abc import Callable

from local.sandbox.exchange import Request

# Whether a request is authenticated.
Authentication = Callable[[Request], bool]


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def basic(user: str, password: str) -> Authentication:
    """Require HTTP Basic with this user and password; an empty user accepts every user."""

    def authenticated(request: Request) -> bool:
        given = request.basic
        return _same(given[0], user or given[0]) and _same(given[1], password)

    return authenticated


def bearer(*tokens: str) -> Authentication:
    """Require one of these bearer tokens."""
    return lambda request: any(_same(request.bearer, token) for token in tokens)


def header(name: str, value: str) -> Authentication:
    """Require a header with this value."""
    return lambda request: _same(request.headers.get(name.lower(), ""), value)


def query(name: str, value: str) -> Authentication:
    """Require a query parameter with this value."""
    return lambda request: _same(request.query.get(name, ""), value)


def form(**fields: str) -> Authentication:
    """Require a form that has these fields."""
    return lambda request: all(_same(request.form.get(name, ""), value) for name, value in fields.items())


def signed(name: str, secret: str) -> Authentication:
    """Require a header with the hex HMAC-SHA256 of the raw body."""

    def authenticated(request: Request) -> bool:
        expected = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        return _same(request.headers.get(name.lower(), ""), expected)

    return authenticated


def all_of(*checks: Authentication) -> Authentication:
    """Require all of these authentications."""
    return lambda request: all(check(request) for check in checks)
