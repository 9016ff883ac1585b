"""Tokens, with the issuer's keys from a real server: what is accepted and refused, and when the issuer is asked."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from causeway.ages import Moment
from causeway.errors.service import Unavailable
from causeway.errors.tenancy import Unauthorized
from causeway.tenancy import tokens
from causeway.tenancy.claims import person_of
from local.errors import Refused
from local.gateway.jwt_authorizer import Declaration, JwtAuthorizer, SigningKeys
from tests.end_to_end.tokens import KINDS, POOL_KEY, by_hand, encoded, refused_token, signed
from tests.unit.silent import Silent
from tests.unit.wire_server import Act, WireServer

ISSUER = "https://issuer.example"
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "other", "alg": "RS256"})
LONG_KEYS = [RSAKey.generate_key(2048, {"kid": name, "alg": name}) for name in ("RS384", "RS512")]
NOW = int(time.time())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "client",
    "iat": NOW,
    "exp": NOW + 3600,
    "sub": "6c1f",
    "token_use": "id",
    "cognito:groups": ["staff", "another"],
    "custom:tenant_id": "00000000-0000-4000-8000-000000000001",
    "email": "somebody@example.com",
}


class Issuer:
    """The issuer's current keys, and the status and body of its answer."""

    def __init__(self) -> None:
        self.keys = [key.as_dict(private=False) for key in (POOL_KEY, *LONG_KEYS)]
        self.status = "200 OK"
        self.body: bytes | None = None
        self.clock = self.frozen = 0.0

    def now(self) -> Moment:
        """Both clocks as the test has set them. frozen: seconds by which the monotonic clock lags behind."""
        return Moment(self.clock - self.frozen, self.clock)

    def answer(self, connection: socket.socket, _: WireServer) -> None:
        """Send the keys."""
        body = json.dumps({"keys": self.keys}).encode() if self.body is None else self.body
        connection.sendall(f"HTTP/1.1 {self.status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def server(issuer: Issuer, set_environment: Callable[..., None]) -> Iterator[WireServer]:
    """The issuer's server, which the settings name."""
    with WireServer(issuer.answer) as server:
        set_environment(TOKEN_ISSUER=ISSUER, TOKEN_AUDIENCE="client", TOKEN_KEYS_URL=f"{server.url}/keys")
        tokens.current.cache_clear()
        yield server
    tokens.current.cache_clear()


def changed(**changes: Any) -> dict[str, Any]:
    """The claims with changes; None removes a claim."""
    return {name: value for name, value in (CLAIMS | changes).items() if value is not None}


def test_token_gives_the_claims_in_the_gateways_form(server: WireServer) -> None:
    assert tokens.check(signed(CLAIMS)) == {
        "sub": "6c1f",
        "token_use": "id",
        "cognito:groups": "[staff another]",
        "custom:tenant_id": "00000000-0000-4000-8000-000000000001",
        "email": "somebody@example.com",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_token_with_one_thing_wrong_is_refused(server: WireServer, kind: str) -> None:
    """HUB 43"""
    with pytest.raises(Unauthorized):
        tokens.check(refused_token(kind, signed(CLAIMS)))


def passed_natively(token: str, issuer: Issuer) -> dict[str, str]:
    """The claims that the local gateway's JWT authorizer passes on; raises Refused."""
    keys = SigningKeys(lambda: {"keys": issuer.keys})
    return asyncio.run(JwtAuthorizer(Declaration(ISSUER, ("client",), "authorization"), keys).check(token)).claims


def native(token: str, issuer: Issuer) -> bool:
    """Whether the local gateway's JWT authorizer accepts a token."""
    with suppress(Refused):
        passed_natively(token, issuer)
        return True
    return False


def ours(token: str) -> bool:
    """Whether the Lambda authorizer accepts it."""
    with suppress(Unauthorized):
        tokens.check(tokens.bearer(token))
        return True
    return False


def signed_long(key: Any) -> str:
    """A token signed with a longer digest."""
    return jws.serialize_compact({"alg": key.alg, "kid": key.kid}, json.dumps(CLAIMS), key, algorithms=[key.alg])


ALIKE = {
    "good": signed(CLAIMS),
    "after Bearer": f"Bearer {signed(CLAIMS)}",
    "after bearer": f"bearer  {signed(CLAIMS)}",
    "after Basic": f"Basic {signed(CLAIMS)}",
    "two": f"{signed(CLAIMS)},{signed(CLAIMS)}",
    "RS384": signed_long(LONG_KEYS[0]),
    "RS512": signed_long(LONG_KEYS[1]),
    "RS512 by the key for RS256": by_hand(CLAIMS, "RS512", b"x"),
    "several audiences": signed(changed(aud=["stranger", "client"])),
    "other audiences": signed(changed(aud=["stranger"])),
    "no audience": signed(changed(aud=None)),
    "no issuer": signed(changed(iss=None)),
    "issuer with a slash": signed(changed(iss=f"{ISSUER}/")),
    "without iat": signed(changed(iat=None)),
    "nbf now": signed(changed(nbf=NOW)),
    "exp true": signed(changed(exp=True)),
    "exp a list": signed(changed(exp=[NOW + 60])),
    "exp no number": signed(changed(exp="soon")),
    "an access token": signed(changed(aud=None, token_use="access")),
    "no claims": signed([]),  # ty: ignore[invalid-argument-type]
    "empty": "",
    "two parts": "a.b",
    "deep": encoded(b"[" * 7000) + ".e30.x",
    "header null": encoded(b"null") + ".e30.x",
    "algorithm a list": encoded(b'{"alg":["RS256"],"kid":"dummy"}') + ".e30.x",
    "kid a number": encoded(b'{"alg":"RS256","kid":1}') + ".e30.x",
    "critical extension": encoded(b'{"alg":"RS256","kid":"dummy","crit":["x"],"x":1}') + ".e30.x",
    "no ASCII": "\u00e4.\u00f6.\u00fc",
    "an API key": "cwk_" + "A" * 86,
}


@pytest.mark.parametrize("name", ALIKE)
def test_both_authorizers_accept_the_same_tokens(server: WireServer, issuer: Issuer, name: str) -> None:
    """The routes of people and the routes of machines accept the same tokens."""
    assert ours(ALIKE[name]) == native(ALIKE[name], issuer)


def test_both_authorizers_accept_some_tokens(server: WireServer) -> None:
    """Otherwise the test above would pass if both refused everything."""
    assert {name for name, token in ALIKE.items() if ours(token)} == {
        *("good", "after Bearer", "after bearer", "RS384", "RS512", "several audiences", "without iat", "nbf now")
    }


def person(claims: dict[str, str]) -> str | None:
    """The role in the claims; None if they give no role."""
    with suppress(Unauthorized):
        return person_of(claims, None).role
    return None


# A cognito:groups claim, and the role it gives.
GROUPS: list[tuple[Any, str | None]] = [
    (["super_admin"], "super_admin"),
    (["tenant_admin"], "tenant_admin"),
    ("staff", "staff"),
    (["casino super_admin"], None),
    (["super_admin "], None),
    (["super_admin\n"], None),
    (["super_admin", ""], None),
    (["", "super_admin"], None),
    (["super_admin", None], None),
    (["super_admin", "super_admin"], None),
    (["tenant_admin", "other-group"], None),
    (["x,super_admin"], None),
    (["x, super_admin"], None),
    (["[super_admin]"], None),
    (["] [super_admin"], None),
    (['"super_admin"'], None),
    (["'super_admin'"], None),
    ([["super_admin"]], None),
    ([["casino", "super_admin"]], None),
    ([{"super_admin": 1}], None),
    ({"super_admin": "super_admin"}, None),
    ("casino super_admin", None),
    ("casino,super_admin", None),
    ([1], None),
    (1, None),
    (True, None),
    ([True], None),
    ([], None),
    ([""], None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("groups", "role"), GROUPS, ids=[json.dumps(groups) for groups, _ in GROUPS])
def test_both_authorizers_find_the_same_role(server: WireServer, issuer: Issuer, groups: Any, role: str | None) -> None:
    """HUB 43: the text of the groups claim is never split."""
    token = signed(CLAIMS | {"cognito:groups": groups})
    natively = passed_natively(token, issuer)

    assert tokens.check(token) == {name: natively[name] for name in tokens._CLAIMS if name in natively}
    assert person(tokens.check(token)) == person(natively) == role


@pytest.mark.parametrize("groups", ["[super_admin]", "[", "[staff] "])
def test_text_that_looks_like_a_list_of_groups_is_no_role(server: WireServer, groups: str) -> None:
    """HUB 43: API Gateway writes a text and a list in the same form; the Lambda authorizer sees the difference."""
    assert not ours(signed(CLAIMS | {"cognito:groups": groups}))


@pytest.mark.parametrize("subject", [["6c1f"], [["6c1f"]], ["a", "b"], {"id": 1}, None, "", "x" * 256, "x\0y"])
def test_both_authorizers_refuse_a_token_without_one_subject(server: WireServer, issuer: Issuer, subject: Any) -> None:
    """HUB 52: every accepted subject can be addressed."""
    token = signed(changed(**{"cognito:groups": ["staff"], "sub": subject}))
    assert person(passed_natively(token, issuer)) is None
    if ours(token):
        assert person(tokens.check(token)) is None


def test_keys_are_fetched_once_from_the_configured_address(server: WireServer) -> None:
    for _ in range(3):
        tokens.check(signed(CLAIMS))

    assert [request.split(b"\r\n")[0] for request in server.requests] == [b"GET /keys HTTP/1.1"]


def test_keys_are_cognitos_by_default(set_environment: Callable[..., None]) -> None:
    set_environment(TOKEN_ISSUER=ISSUER, TOKEN_KEYS_URL="")

    assert tokens.settings.token_keys_url() == f"{ISSUER}/.well-known/jwks.json"


def test_unknown_key_is_looked_up_once_a_minute_and_a_new_one_at_once(server: WireServer, issuer: Issuer) -> None:
    keys = tokens.SigningKeys(issuer.now)
    asked = []
    assert keys.find("dummy") is not None
    for issuer.clock in (0.0, 1.0, 60.0, 60.1, 61.0):
        assert keys.find("stranger") is None
        asked.append(len(server.requests))
    assert asked == [2, 2, 2, 3, 3]

    issuer.clock = 200.0
    issuer.keys = [OTHER_KEY.as_dict(private=False)]
    assert keys.find("other") is not None
    # A key that was rotated out is no longer accepted.
    assert keys.find("dummy") is None


def test_keys_are_fetched_again_after_two_hours(server: WireServer, issuer: Issuer) -> None:
    """API Gateway caches them for the same time."""
    keys = tokens.SigningKeys(issuer.now)
    keys.find("dummy")
    issuer.keys = [OTHER_KEY.as_dict(private=False)]
    issuer.clock = 7200.0
    assert keys.find("dummy") is not None
    issuer.clock = 7200.1
    assert keys.find("dummy") is None


def test_keys_are_fetched_again_after_two_hours_in_a_frozen_environment(server: WireServer, issuer: Issuer) -> None:
    """A key that was rotated out must not stay in use because one clock stood still."""
    keys = tokens.SigningKeys(issuer.now)
    keys.find("dummy")
    issuer.keys = [OTHER_KEY.as_dict(private=False)]
    issuer.clock = issuer.frozen = 7200.1

    assert keys.find("dummy") is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("500 Internal Server Error", None),
        ("302 Found", None),
        ("200 OK", b"<html>"),
        ("200 OK", b"[]"),
        ("200 OK", b'{"keys": 1}'),
        ("200 OK", b'{"keys": [1]}'),
        ("200 OK", b'{"keys": []}'),
        ("200 OK", b'{"keys": [{"kty": "oct", "kid": "dummy", "k": "c2VjcmV0"}]}'),
        ("200 OK", b'{"keys": ' + b"[" * 100_000),
        ("200 OK", b'{"keys": [{"kty": "RSA", "kid": "dummy", "n": "", "e": "AQAB"}]}'),
        ("200 OK", b" " * 200_000),
    ],
)
def test_unexpected_answer_of_the_issuer_is_503(
    server: WireServer, issuer: Issuer, status: str, body: bytes | None
) -> None:
    """The token may be valid, so it must not be called invalid."""
    issuer.status, issuer.body = status, body
    with pytest.raises(Unavailable, match="issuer's keys cannot be read"):
        tokens.check(signed(CLAIMS))


def test_failed_issuer_is_asked_again_after_a_pause(server: WireServer, issuer: Issuer) -> None:
    """Otherwise every forged token would cause a request to the issuer, and a wait."""
    issuer.status = "500 Internal Server Error"
    keys = tokens.SigningKeys(issuer.now)
    asked = []
    for issuer.clock in (0.0, 0.1, 4.9, 5.0):
        with pytest.raises(Unavailable):
            keys.find("dummy")
        asked.append(len(server.requests))
    assert asked == [1, 1, 1, 2]

    issuer.status = "200 OK"
    with pytest.raises(Unavailable):
        keys.find("dummy")
    issuer.clock = 10.0
    assert keys.find("dummy") is not None


def test_failing_issuer_does_not_remove_known_keys(server: WireServer, issuer: Issuer) -> None:
    keys = tokens.SigningKeys(issuer.now)
    keys.find("dummy")
    issuer.status = "500 Internal Server Error"
    for issuer.clock in (7200.1, 7200.2, 7300.0):
        assert keys.find("dummy") is not None
        with pytest.raises(Unavailable):
            keys.find("stranger")
    assert len(server.requests) == 3


def silence(_: socket.socket, server: WireServer) -> None:
    """Send nothing."""
    server.over.wait()


def drip(connection: socket.socket, server: WireServer) -> None:
    """Send a header byte by byte, each within the time limit."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not server.over.wait(0.05):
        connection.sendall(b"x")


@pytest.mark.parametrize("act", [silence, drip])
def test_slow_issuer_is_given_up(
    act: Act, set_environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "FETCH_SECONDS", 0.5)
    with WireServer(act) as slow:
        set_environment(TOKEN_ISSUER=ISSUER, TOKEN_AUDIENCE="client", TOKEN_KEYS_URL=f"{slow.url}/keys")
        tokens.current.cache_clear()
        with pytest.raises(Unavailable, match="did not answer"):
            tokens.check(signed(CLAIMS))


def test_issuers_second_address_is_reached_if_the_first_is_silent(
    server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = socket.getaddrinfo

    def both(host: str, *more: Any, **rest: Any) -> list[Any]:
        return [*ask("127.0.0.2", *more, **rest), *ask(host, *more, **rest)]

    silent = Silent(["127.0.0.2"], accepts=False, port=server.port)
    monkeypatch.setattr(socket, "getaddrinfo", both)
    try:
        assert tokens.check(signed(CLAIMS))["sub"] == "6c1f"
    finally:
        silent.close()


def test_unreachable_issuer_is_503(set_environment: Callable[..., None]) -> None:
    set_environment(TOKEN_ISSUER=ISSUER, TOKEN_AUDIENCE="client", TOKEN_KEYS_URL="http://127.0.0.1:9/keys")
    tokens.current.cache_clear()
    with pytest.raises(Unavailable, match="did not answer"):
        tokens.check(signed(CLAIMS))


def test_keys_of_other_types_are_ignored(server: WireServer, issuer: Issuer) -> None:
    """A shared secret among the issuer's keys would be a key to sign with."""
    issuer.keys = [{"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}, *issuer.keys]
    assert tokens.check(signed(CLAIMS))["sub"] == "6c1f"
    assert tokens.current().find("secret") is None
