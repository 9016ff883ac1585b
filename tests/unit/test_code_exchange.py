"""The authorization code flow: what is read of a grant, and which addresses are taken from a platform."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from causeway.errors.oauth import AuthorizationRefused
from causeway.outbound.replies import Reply
from causeway.platforms.code_exchange import App, Exchange, Granted, challenge
from causeway.platforms.mailchimp import oauth as mailchimp
from causeway.platforms.token_calls import grant_of, read_grant, scopes_of
from causeway.platforms.tokens import Grant


def test_challenge_of_both_kinds() -> None:
    """RFC 7636, appendix B; and the same digest in hexadecimal."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge(verifier, "S256") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert challenge(verifier, "S256_hex") == "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3"


@pytest.mark.parametrize(
    ("told", "scopes"),
    [
        ("a b", {"a", "b"}),
        ("a,b", {"a", "b"}),
        ("a, b", {"a", "b"}),
        (["b", "a", 5, ""], {"a", "b"}),
        ("b a b", {"a", "b"}),
        (["a b", "a,b", "é", "a" * 257], set()),
        ("", set()),
        (None, None),
        (7, None),
    ],
)
def test_scopes_are_in_order_each_once(told: Any, scopes: set[str] | None) -> None:
    assert scopes_of(told) == (None if scopes is None else sorted(scopes))


def test_no_more_scopes_are_read_than_a_row_can_have() -> None:
    assert len(scopes_of(" ".join(f"scope-{number}" for number in range(123))) or ()) == 100


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        *((3599, 3599), ("3599", 3599), (0, None), (None, None), (True, None), (-1, None)),
        *((5184000.0, 5184000), (10**15, None), (1e308, None), ("1" * 15, None), (0.5, None)),
    ],
)
def test_life_of_zero_or_none_is_no_known_end(told: Any, seconds: int | None) -> None:
    granted = grant_of({"access_token": "t", "expires_in": told, "refresh_token_expires_in": told})
    assert (granted.expires_in, granted.refresh_expires_in) == (seconds, seconds)


@pytest.mark.parametrize("token", [None, "", 5, "a b", "a\r\nb", "é", "x" * 8193])
def test_answer_without_a_usable_token_is_refused(token: Any) -> None:
    exchange = Exchange(Told({}).account, App("id", "secret"), [].append)
    with pytest.raises(AuthorizationRefused):
        exchange.token({"access_token": token})
    assert exchange.secrets == []


@pytest.mark.parametrize(
    "told",
    [
        {"expires_in": 10**15, "refresh_expires_in": 5184000.0},
        {"scope": " ".join(f"scope-{number}" for number in range(123))},
        {"refresh_token": "a b", "scope": ["b", "a"], "refresh_token_expires_in": "60"},
    ],
    ids=["lives", "scopes", "refresh token"],
)
def test_grant_of_a_code_is_read_as_one_of_a_refresh(told: dict[str, Any]) -> None:
    content = {"access_token": "t"} | told
    exchange = Exchange(Told({}).account, App("id", "secret"), [].append)
    wanted = {"type": "oauth2_refresh_token"}
    assert exchange.token(content).grant == read_grant(Reply(200, {}, json.dumps(content).encode()), wanted)


@dataclass
class Told:
    """An exchange whose platform tells an account."""

    content: dict[str, Any]
    account: Any = field(default_factory=lambda: SimpleNamespace(settings={}))

    def url(self, name: str) -> str:
        return name

    def get(self, url: str, _: Any = None, *, authorization: str = "") -> dict[str, Any]:
        assert (url, authorization) == ("account_url", "OAuth t")
        return self.content


def completed(endpoint: Any) -> Granted:
    exchange: Any = Told({"api_endpoint": endpoint})
    return mailchimp.complete(exchange, Granted(Grant("t")))


def test_mailchimps_token_ends_with_the_data_centre() -> None:
    granted = completed("https://us21.api.mailchimp.com")
    assert (granted.grant.access_token, granted.settings) == ("t-us21", {"data_center": "us21"})


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://us21.api.mailchimp.com",
        "https://us21.api.mailchimp.com.evil.example",
        "https://evil.example/us21.api.mailchimp.com",
        "https://us21.api.mailchimp.com@evil.example",
        "https://us21.api.mailchimp.com:8443",
        "https://us21.api.mailchimp.com/",
        "https://us21.api.mailchimp.com\n",
        "https://evil.us21.api.mailchimp.com",
        "https://api.mailchimp.com",
        "",
        None,
        5,
    ],
)
def test_mailchimps_token_is_sent_to_its_own_hosts_only(endpoint: Any) -> None:
    with pytest.raises(AuthorizationRefused):
        completed(endpoint)
