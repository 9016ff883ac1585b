"""Refused targets of an outgoing request (HUB 13): another host, another length, a path that leads elsewhere."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from causeway.catalogue.document import TemplateDraft
from causeway.errors.requests import InvalidRequest
from causeway.outbound import failures
from causeway.outbound.request_rules import header_fault, path_fault, url_fault
from causeway.platforms import calls, retrying
from causeway.platforms.account import Account
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.retrying import PlatformRequest
from tests.unit.platforms import platform
from tests.unit.wire_server import WireServer, ok

FOLDER = Path(__file__).parents[2] / "schema" / "catalogue"

OWN_HEADERS = (
    *("Host", "HOST", "Content-Length", "content-length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE"),
    *("Trailer", "Upgrade", "Proxy-Connection", "Proxy-Authorization", "Expect", "Accept-Encoding", "HTTP2-Settings"),
)
LEAVING = (
    *("/../../x", "/a/../x", "/..", "/.", "/./x", "//evil.example", "/a//b", "/..;/x", "/..;a=b/x"),
    *("/%2e%2e/x", "/%2E./x", "/.%2e/x", "/%252e%252e/x", "/%25252e%25252e/x", "/a%2fb", "/a%2Fb", "/a%252fb"),
    *("/a\\b", "/a%5cb", "/a%255Cb", "/..\\x", "/@evil.example", "/a@b", "@evil.example/x", ".evil.example/x", ":9/x"),
    *("evil", "", "https://evil.example/", "/a?b=c", "/a#b", "/a b", "/a\r\nHost: evil", "/a\tb", "/a\0b"),
    *("/a%0d%0aHost:%20evil", "/a%00b", "/\u2025/x", "/%E2%80%A5/x", "/%EF%BC%8E%EF%BC%8E/x", "/a%EF%BC%8Fb"),
    *("/\uff0e\uff0e/x", "/%25252525252e/x", "/a<b", "/{a b}"),
    # Bytes that are no UTF-8, and segments that are dots after the characters that show nothing.
    *("/%c0%ae%c0%ae/x", "/%ff../x", "/%C3/x", "/%25c0%25ae", "/..%20/x", "/%20../x", "/.%20./x", "/..%20;a/x"),
    *("/.%E2%80%8B./x", "/..%E2%80%8E/x", "/%EF%BB%BF../x", "/..%C2%AD/x", "/..%EF%B8%8F/x", "/..%CC%81/x"),
    *("/%25ff/%252e%252e/x", "/..%25ff/x", "/a%25ff%252fb", "/%25e0%2580%25ae", "/100%2525added/%25252e."),
    *("/.%E1%85%A0./x", "/..%E3%85%A4/x", "/..%C2%A0/x", "/..%2520/x"),
)


@pytest.mark.parametrize("name", OWN_HEADERS)
def test_header_of_the_connection_cannot_be_set(name: str) -> None:
    assert header_fault(name)
    assert header_fault(name.replace("-", "_"))


@pytest.mark.parametrize("name", ["X Bad", "X-Bad:", "X\r\nHost", "", "X\u00e4", "x" * 65, " Host", "Host "])
def test_invalid_header_name_cannot_be_set(name: str) -> None:
    assert header_fault(name) == "is not a header's name"


@pytest.mark.parametrize("name", ["X-API-Key", "Authorization", "Version", "apikey", "x_proof", "Content-Type"])
def test_other_headers_can_be_set(name: str) -> None:
    assert header_fault(name) is None


@pytest.mark.parametrize("path", ["/a%2", "/a%", "/%", "/%zz/b", "/%2/", "/%%41", "/a%4g"])
def test_percent_sign_without_its_digits_is_refused(path: str) -> None:
    """RFC 3986, 2.1: servers read it in different ways."""
    assert path_fault(path) == "has a % that is not followed by two hexadecimal digits"
    assert url_fault(f"https://h{path}") == "has a path that has a % that is not followed by two hexadecimal digits"


@pytest.mark.parametrize("path", LEAVING)
def test_path_that_changes_the_host_is_refused(path: str) -> None:
    assert path_fault(path)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/v2/user/info/",
            "/2010-04-01/Accounts/AC1/Balance.json",
            "/v1beta/properties/1:runReport",
            "/...",
            "/a..",
        ),
        *("/v2/people/(id:1)", "/a%20b", "/a%40b", "/%C3%A9", "/a;v=1", "/~a", "/a%25b", "/%7Ea", "/e%CC%81"),
        *("/items/100%25added", "/100%25c0ffee", "/50%25ffset", "/100%2525added"),
        *("/%20", "/...%20", "/%D9%85%D8%B1%E2%80%8C", "/%F0%9F%98%80"),
    ],
)
def test_path_below_the_base_url_is_appended(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://h/", "//h/", "h", "https://", "https://[::1", "https://h:x/", "https://h:0", "https://u:p@h/"),
        *("https://h\\@evil/", "https://h/../x", "https://h//x", "https://h/a b", "https://h/?a b", "https://h/?a=%zz"),
        *("https://h?a=%", "https://h/?\u00e4"),
    ],
)
def test_invalid_or_ambiguous_address_is_not_called(url: str) -> None:
    assert url_fault(url)


def document(authentication: dict[str, Any] | None = None, **call: Any) -> dict[str, Any]:
    """Twilio's file with another test call or authentication."""
    read = json.loads((FOLDER / "twilio.json").read_bytes())
    changed = {"health_call": read["health_call"] | call, "authentication": authentication or read["authentication"]}
    return copy.deepcopy(read | changed)


def refusal(written: dict[str, Any]) -> str:
    with pytest.raises(InvalidRequest) as caught:
        TemplateDraft.of_file(written)
    return caught.value.sentence


@pytest.mark.parametrize("name", OWN_HEADERS)
def test_template_cannot_set_a_header_of_the_connection(name: str) -> None:
    """HUB 13: neither as a header of the call, nor as the header that authenticates."""
    assert refusal(document(headers={name: "x"})).startswith(f"health_call.headers.{name} must not be set")
    by_header = {"type": "header", "name": name, "value": "x"}
    assert refusal(document(by_header)).startswith("authentication.name must not be set")
    signed = {"type": "hmac", "algorithm": "sha256", "secret": "x", "header": name, "encoding": "hex"}
    assert refusal(document(signed)).startswith("authentication.header must not be set")


@pytest.mark.parametrize("path", LEAVING)
def test_template_path_that_leads_elsewhere_is_refused(path: str) -> None:
    """HUB 13"""
    assert "health_call.path" in refusal(document(path=path))
    oauth = {"type": "oauth2_client_credentials", "client_id": "x", "client_secret": "x", "client_auth": "body"}
    assert "authentication" in refusal(document(oauth | {"token_path": path}))


@pytest.mark.parametrize("url", ["https://h.example/../x", "https://h.example//x", "https://{account_sid}/%2e%2e"])
def test_template_address_that_leads_elsewhere_is_refused(url: str) -> None:
    """HUB 13"""
    read = document()
    assert "base_urls.sandbox" in refusal(read | {"base_urls": read["base_urls"] | {"sandbox": url}})


@pytest.mark.parametrize("url", ["https://u@h.example/", "https://h.example/../x", "https://h.example\\@evil/"])
def test_template_token_address_that_leads_elsewhere_is_refused(url: str) -> None:
    """HUB 13"""
    oauth = {"type": "oauth2_refresh_token", "client_id": "x", "client_secret": "x", "refresh_token": "x"}
    assert "token_url" in refusal(document(oauth | {"token_url": url}))


@pytest.mark.parametrize("value", ["x\r\nHost: evil", "x\ny", "\u043a"])
@pytest.mark.parametrize(
    "authentication", [{"type": "bearer", "token": ""}, {"type": "header", "name": "X-Key", "value": ""}]
)
def test_template_authenticates_with_a_single_line(authentication: dict[str, str], value: str) -> None:
    """HUB 13"""
    assert "authentication" in refusal(document({name: text or value for name, text in authentication.items()}))


@pytest.fixture
def server(set_environment: Callable[..., None]) -> Any:
    set_environment(EGRESS_ALLOWED_HOSTS="127.0.0.1")
    with WireServer(ok(b"{}")) as server:
        yield server


@pytest.mark.parametrize("name", OWN_HEADERS)
def test_call_cannot_set_a_header_of_the_connection(server: WireServer, name: str) -> None:
    """HUB 13: checked at the call too, because a template may be older than the rule; nothing is sent."""
    by_header = Account(platform(server.url, {"type": "header", "name": name, "value": "x"}), "production", {}, {})
    for account, headers in (
        (by_header, {}),
        (Account(platform(server.url, {"type": "none"}), "production", {}, {}), {name: "x"}),
    ):
        with pytest.raises(failures.RequestInvalid, match="must not be set") as caught:
            retrying.call(account, PlatformRequest("GET", "/me", headers=headers), CallTerms(print))
        assert not caught.value.sent
    assert server.requests == []


@pytest.mark.parametrize("path", LEAVING)
def test_call_cannot_leave_the_base_url(server: WireServer, path: str) -> None:
    """HUB 13"""
    account = Account(platform(server.url, {"type": "none"}), "production", {}, {})
    with pytest.raises(failures.RequestInvalid):
        retrying.call(account, PlatformRequest("GET", path), CallTerms(print))
    assert server.requests == []


@pytest.mark.parametrize("value", ["..", ".", "../x", "a/../../x", "/evil", "\u2025", "..;"])
def test_field_in_a_path_cannot_leave_the_base_url(server: WireServer, value: str) -> None:
    """HUB 13: the rule for templates holds for a connection's settings too."""
    provider = platform(server.url, {"type": "none"})
    provider.health_call["path"] = "/accounts/{id}/me"
    verdict = calls.call_for_test(Account(provider, "production", {"id": value}, {}), CallTerms(print)).verdict

    assert verdict.code == "CONFIG_INVALID"
    assert server.requests == []
