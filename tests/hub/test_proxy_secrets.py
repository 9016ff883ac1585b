"""No caller of the proxy reads a stored secret back, whatever the platform answers: HUB 1."""

import base64
import gzip
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.hub.proxied import Proxied
from tests.unit.wire_server import ok, say

PLACES: dict[str, Callable[[str], bytes]] = {
    "JSON": lambda secret: json.dumps({"headers": {"X-API-Key": secret}}).encode(),
    "text": lambda secret: f"a{secret}b".encode(),
    "URL": lambda secret: f"https://h.example/?key={quote(secret, safe='')}".encode(),
    "base64": lambda secret: base64.b64encode(f"user:{secret}".encode()),
    "hexadecimal": lambda secret: secret.encode().hex().encode(),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_answer_with_a_secret_is_not_passed_on(proxied: Proxied, place: str, coding: str) -> None:
    body = PLACES[place](proxied.key)
    proxied.act = ok(gzip.compress(body), "Content-Encoding: gzip") if coding else ok(body)
    reply = proxied.rest("GET", "/echo", accept_encoding="gzip")

    assert (reply.status, reply.code) == (502, "SECRET_IN_ANSWER")
    assert reply.headers["x-causeway-attempts"] == "1"
    assert proxied.key not in reply.body.decode()


def test_secret_in_a_header_is_redacted(proxied: Proxied) -> None:
    link = f"https://h.example/?page=2&token=next&key={proxied.key}"
    proxied.act = say(f"HTTP/1.1 302 X\r\nLocation: {link}\r\nLink: <{link}>\r\nX-Echo: {proxied.key}\r\n\r\n".encode())
    reply = proxied.rest("GET", "/x")

    assert reply.status == 302
    assert reply.headers["location"] == "https://h.example/?page=2&token=next&key=[redacted]"
    assert proxied.key not in str(reply.headers)


def test_headers_that_are_too_large_before_they_are_redacted_are_refused(proxied: Proxied) -> None:
    """They are not searched: megabytes of headers would cost seconds."""
    proxied.act = ok(b"", f"X-Echo: {proxied.key * 300}")
    assert proxied.rest("GET", "/x").code == "ANSWER_TOO_LARGE"


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [
        ("POST", 201, "PROVIDER_OUTCOME_UNKNOWN"),
        ("POST", 500, "PROVIDER_OUTCOME_UNKNOWN"),
        ("POST", 422, "SECRET_IN_ANSWER"),
        ("PUT", 200, "SECRET_IN_ANSWER"),
    ],
)
def test_answer_with_a_secret_tells_whether_the_call_may_be_sent_again(
    proxied: Proxied, method: str, status: int, code: str
) -> None:
    body = proxied.key.encode()
    proxied.act = say(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
    assert proxied.form(method).code == code


def test_token_that_the_platform_newly_makes_passes(proxied: Proxied) -> None:
    """Such as the token of a page: the caller asked for it."""
    proxied.act = ok(b'{"data":[{"access_token":"EAAnew"}]}')
    assert proxied.form("GET", "/me/accounts").body == b'{"data":[{"access_token":"EAAnew"}]}'
