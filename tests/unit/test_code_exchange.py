"""The authorization code flow: what is read of a grant, and which addresses are taken from a platform."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from causeway.errors.oauth import AuthorizationRefused
from causeway.platforms.code_exchange import challenge, of_answer, scopes_of
from causeway.platforms.kinds.oauth import Granted
from causeway.platforms.mailchimp import oauth as mailchimp


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
        ("", set()),
        (None, None),
        (7, None),
    ],
)
def test_scopes_are_a_set(told: Any, scopes: set[str] | None) -> None:
    assert scopes_of(told) == (None if scopes is None else frozenset(scopes))


@pytest.mark.parametrize(
    ("told", "seconds"), [(3599, 3599), ("3599", 3599), (0, None), (None, None), (True, None), (-1, None)]
)
def test_life_of_zero_or_none_is_no_known_end(told: Any, seconds: int | None) -> None:
    granted = of_answer({"access_token": "t", "expires_in": told, "refresh_token_expires_in": told})
    assert (granted.expires_in, granted.refresh_expires_in) == (seconds, seconds)


@pytest.mark.parametrize("token", [None, "", 5, "a b", "a\r\nb", "é", "x" * 4097])
def test_answer_without_a_usable_token_is_refused(token: Any) -> None:
    with pytest.raises(AuthorizationRefused):
        of_answer({"access_token": token})


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
    return mailchimp.complete(exchange, Granted("t"))


def test_mailchimps_token_ends_with_the_data_centre() -> None:
    granted = completed("https://us21.api.mailchimp.com")
    assert (granted.access_token, granted.settings) == ("t-us21", {"data_center": "us21"})


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
