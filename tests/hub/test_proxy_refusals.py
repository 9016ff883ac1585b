"""Calls that the proxy does not pass on, and answers that it cannot: HUB 13, 15, 54."""

from secrets import token_hex
from typing import Any
from uuid import uuid4

import pytest

from causeway.errors.proxy import MOST_BYTES
from local.sandbox.registry import demo_credentials
from local.services.demo_data import TENANTS
from tests.hub.client import ADMIN, OURS, SUPER_ADMIN, THEIR_ADMIN, THEIRS, Hub, Reply
from tests.hub.proxied import FORM, Proxied
from tests.unit.wire_server import ok, say

PATHS = [
    *(
        "",
        "x",
        "//evil.example",
        "/a//b",
        "/../x",
        "/a/../x",
        "/a/..",
        "/.",
        "/a/./b",
        "/..;/x",
        "https://evil.example/",
    ),
    *("/@evil.example", "/a@b", "/a\\b", "/a%5Cb", "/a%2Fb", "/a%2fb", "/a%252Fb", "/%2e%2e/x", "/%252e%252e/x"),
    *(
        "/a\r\nX: y",
        "/a%0d%0aX:y",
        "/a%00",
        "/a\0",
        "/a b",
        "/a?b",
        "/a#b",
        "/a%",
        "/a%zz",
        "/\u2025/x",
        "/\uff0e\uff0e/x",
    ),
    *("/%c0%ae%c0%ae/x", "/%ff../x", "/..%20/x", "/.%E2%80%8B./x", "/..%E2%80%8E/x"),
    *("/%EF%BC%8E%EF%BC%8E/x", "/%E2%80%A5/x", "/%EF%BC%8Fx", "/\u00e4"),
]
HEADERS = [
    *("Host", "Authorization", "authorization", "Cookie", "Cookie2", "Content-Length", "Content_Length", "Connection"),
    *("Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Via"),
    *("Expect", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "X-HTTP-Method-Override", "Proxy-X"),
    *("X-Forwarded", "X-Forwarded-Path", "X-Original-URI", "x_original_url", "X-Client-IP", "True-Client-IP"),
    *("CF-Connecting-IP", "X-Host", "X-Envoy-Original-Path", "x_forwarded_for", "X-HTTP-Host-Override"),
    # In which the platform's credentials stand.
    *("X-API-Key", "x_api_key", "X-REQUEST-SIGN", "x-request-sign"),
    *("", "A B", "A:", "A\r\nB", "\u00e4", "a" * 65),
]
VALUES = ["a\r\nX: y", "a\nb", "a\0", "\u00e4", " a", "a ", "a" * 8193]


def refused(proxied: Proxied, reply: Reply, status: int, code: str) -> None:
    """Nothing was sent, nothing was logged, and the answer is the hub's own."""
    assert (reply.status, reply.code) == (status, code), reply
    assert reply.headers["x-causeway-error"] == code
    assert reply.headers["x-causeway-attempts"] == "0"
    assert "x-causeway-log-id" not in reply.headers
    assert reply.json["nextAction"]
    assert proxied.server.requests == []


@pytest.mark.parametrize("path", PATHS)
def test_path_that_leaves_the_base_url_is_refused(proxied: Proxied, path: str) -> None:
    refused(proxied, proxied.form("GET", path), 400, "PATH_NOT_ALLOWED")


@pytest.mark.parametrize(
    "path", ["/..%2Fx", "/%2e%2e/x", "/a%2F..%2Fb", "/a%00", "/a%252Fb", "/a%0d%0ab", "/a%5Cb", "//x"]
)
def test_path_of_the_rest_form_that_leaves_the_base_url_is_refused(proxied: Proxied, path: str) -> None:
    refused(proxied, proxied.rest("GET", path), 400, "PATH_NOT_ALLOWED")


@pytest.mark.parametrize("query", ["x=%zz", "x=%", "%4"])
def test_query_with_a_broken_escape_is_refused(proxied: Proxied, query: str) -> None:
    refused(proxied, proxied.rest("GET", f"/x?{query}"), 400, "PATH_NOT_ALLOWED")


@pytest.mark.parametrize("name", HEADERS)
def test_header_that_a_caller_must_not_set_is_refused(proxied: Proxied, name: str) -> None:
    refused(proxied, proxied.form("GET", headers={name: "1"}), 400, "HEADER_NOT_ALLOWED")


@pytest.mark.parametrize(
    "name",
    [
        *("access_token", "ACCESS_TOKEN", "access.token", "access_token[]", "oauth_token"),
        *("access_token%00", "%00access_token", "access%7F_token", "%0a%20access_token"),
    ],
)
@pytest.mark.parametrize("before", ["", "a=1;", "a=1&"])
def test_token_in_the_query_of_a_platform_with_bearer_tokens_is_refused(hub: Hub, name: str, before: str) -> None:
    """HUB 13: a platform may prefer it to the connection's."""
    draft = {"templateId": "sendgrid", "name": f"Bearer {token_hex(6)}", "config": demo_credentials("sendgrid")}
    made = hub.call("POST", "/integrations", body=draft).json
    reply = hub.call("GET", f"/proxy/{made['id']}/v3/scopes?{before}{name}=t")
    assert (reply.status, reply.code, reply.headers["x-causeway-attempts"]) == (400, "HEADER_NOT_ALLOWED", "0")


def test_token_in_the_query_of_another_platform_is_its_own(proxied: Proxied) -> None:
    assert proxied.rest("GET", "/x?access_token=t").status == 200


@pytest.mark.parametrize("value", VALUES)
def test_value_that_is_no_headers_value_is_refused(proxied: Proxied, value: str) -> None:
    reply = proxied.form("GET", headers={"X-Own": value})
    refused(proxied, reply, 400, "HEADER_NOT_ALLOWED")
    assert "X: y" not in reply.json["error"]


def test_header_that_is_there_twice_is_refused(proxied: Proxied) -> None:
    refused(proxied, proxied.form("GET", headers={"X-Own": "1", "x_own": "2"}), 400, "HEADER_NOT_ALLOWED")


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "TRACE"},
        {"method": "CONNECT"},
        {"method": "get"},
        {"body": {}, "body_base64": "AA=="},
        {"method": "POST", "body_base64": "A"},
        {"method": "POST", "body_base64": "A\nA=="},
        {"query": "a=b"},
        {"query": {"a": 1}},
        {"query": {"a": "\ud800"}},
        {"query": {"\udfff": "a"}},
        {"method": "POST", "body": "\ud800"},
        {"method": "POST", "body": {"a": ["\ud800"]}},
        {"method": "POST", "body": {"\ud800": 1}},
        {"method": "POST", "body_base64": "\ud800"},
        {"method": "POST", "headers": {"idempotency-key": "1"}, "query": {"a": "\ud800"}},
        {"headers": {"a": ["b"]}},
        {"path": None},
        {"url": "https://evil.example"},
        {"casino_id": "casino-1"},
    ],
)
def test_malformed_call_of_the_form_is_refused(proxied: Proxied, fields: dict[str, Any]) -> None:
    body = {"connection_id": proxied.id, "method": "GET", "path": "/x"} | fields
    reply = proxied.hub.call("POST", FORM, ADMIN, body)
    refused(proxied, reply, 400, "INVALID_REQUEST")
    assert reply.json["problems"]


def test_query_of_the_forms_own_address_and_if_match_are_refused(proxied: Proxied) -> None:
    body = {"connection_id": proxied.id, "method": "GET", "path": "/x"}
    refused(proxied, proxied.hub.call("POST", f"{FORM}?a=b", ADMIN, body), 400, "INVALID_REQUEST")
    refused(proxied, proxied.hub.call("POST", FORM, ADMIN, body, if_match='"1"'), 400, "INVALID_REQUEST")


def test_another_casino_is_refused_and_the_own_one_taken(proxied: Proxied) -> None:
    refused(proxied, proxied.form("GET", casino_id=TENANTS[THEIRS]), 404, "TENANT_NOT_FOUND")
    assert proxied.form("GET", casino_id=TENANTS[OURS]).status == 200
    assert proxied.form("GET", caller=SUPER_ADMIN, casino_id=TENANTS[OURS]).status == 200


def test_unknown_and_foreign_connection_are_answered_alike(proxied: Proxied) -> None:
    """HUB 43."""
    foreign = proxied.form("GET", caller=THEIR_ADMIN)
    refused(proxied, foreign, 404, "CONNECTION_NOT_FOUND")
    proxied.id = str(uuid4())
    unknown = proxied.rest("GET", "/x")
    refused(proxied, unknown, 404, "CONNECTION_NOT_FOUND")
    assert foreign.essence == unknown.essence
    proxied.id = "no id"
    refused(proxied, proxied.form("GET"), 404, "CONNECTION_NOT_FOUND")


def test_disabled_connection_is_refused(proxied: Proxied) -> None:
    """HUB 15."""
    assert proxied.hub.call("POST", f"{proxied.path}/disable").status == 200
    refused(proxied, proxied.rest("GET", "/x"), 409, "INTEGRATION_NOT_ACTIVE")


def test_bad_call_is_refused_before_anything_is_decrypted(proxied: Proxied, rows: Any) -> None:
    """HUB 15: the credential cannot be decrypted, which the refusals do not notice."""
    statement = (
        "UPDATE api_credentials SET ciphertext = substring(ciphertext for 20) || ciphertext WHERE connection_id = %s"
    )
    rows(statement, [proxied.id])
    refused(proxied, proxied.form("GET", "/../x"), 400, "PATH_NOT_ALLOWED")
    refused(proxied, proxied.form("GET", headers={"X-REQUEST-SIGN": "1"}), 400, "HEADER_NOT_ALLOWED")
    refused(proxied, proxied.rest("GET", "/x"), 409, "CREDENTIAL_UNREADABLE")


def test_body_above_the_limit_is_refused(proxied: Proxied) -> None:
    raw = bytes(MOST_BYTES + 1)
    reply = proxied.rest("PUT", "/x", raw, content_type="application/octet-stream")
    refused(proxied, reply, 413, "PAYLOAD_TOO_LARGE")
    assert "4 MiB" in reply.json["nextAction"]


def test_answer_above_the_limit_is_an_error_that_says_so(proxied: Proxied) -> None:
    """HUB 15."""
    proxied.act = ok(bytes(MOST_BYTES + 1))
    reply = proxied.rest("GET", "/large")

    assert (reply.status, reply.code) == (502, "ANSWER_TOO_LARGE")
    assert "4 MiB" in reply.json["error"]
    assert reply.headers["x-causeway-error"] == "ANSWER_TOO_LARGE"
    assert reply.headers["x-causeway-attempts"] == "1"
    assert reply.headers["x-causeway-log-id"] == str(proxied.logs()[0]["id"])


def test_too_large_answer_to_a_call_that_acts_leaves_its_outcome_open(proxied: Proxied) -> None:
    proxied.act = ok(bytes(MOST_BYTES + 1))
    reply = proxied.form("POST", "/large")

    assert (reply.status, reply.code) == (502, "PROVIDER_OUTCOME_UNKNOWN")
    assert "4 MiB" in reply.json["error"]
    assert len(proxied.server.requests) == 1


@pytest.mark.parametrize(("method", "code"), [("GET", "ANSWER_TOO_LARGE"), ("POST", "PROVIDER_OUTCOME_UNKNOWN")])
def test_too_many_headers_are_an_error_that_says_so(proxied: Proxied, method: str, code: str) -> None:
    proxied.act = ok(b"", f"X-Long: {'a' * 9000}")
    assert proxied.form(method).code == code


@pytest.mark.parametrize(
    ("status", "method", "code"),
    [(999, "GET", "UNEXPECTED_ANSWER"), (101, "GET", "UNEXPECTED_ANSWER"), (600, "POST", "PROVIDER_OUTCOME_UNKNOWN")],
)
def test_status_that_no_answer_can_have_is_an_error(proxied: Proxied, status: int, method: str, code: str) -> None:
    proxied.act = say(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
    reply = proxied.form(method)
    assert (reply.code, reply.headers["x-causeway-error"]) == (code, code)


@pytest.mark.parametrize(("method", "code"), [("GET", "CONNECTION_FAILED"), ("POST", "PROVIDER_OUTCOME_UNKNOWN")])
def test_broken_answer_is_tried_again_only_where_that_is_safe(proxied: Proxied, method: str, code: str) -> None:
    """HUB 11."""
    proxied.act = lambda _connection, _server: None
    reply = proxied.form(method)

    assert reply.code == code
    assert reply.headers["x-causeway-attempts"] == str(len(proxied.server.requests))
    assert (len(proxied.server.requests) == 1) is (method == "POST")
    assert reply.json["nextAction"]
