"""Idempotency-Key of proxied calls: HUB 11, 50."""

from hashlib import sha256
from secrets import token_hex
from typing import Any

import pytest

from causeway.database.idempotency import KeyedRequest
from local.sandbox.registry import demo_credentials
from local.stack import Stack
from tests.hub.client import ADMIN, Hub, Reply
from tests.hub.proxied import FORM, Proxied
from tests.platforms.played import Played
from tests.unit.wire_server import ok, say

CREATED = b'HTTP/1.1 201 X\r\nContent-Length: 8\r\n\r\n{"id":7}'


@pytest.fixture
def key() -> str:
    return token_hex(8)


def post(proxied: Proxied, key: str, raw: bytes = b"{}") -> Reply:
    return proxied.rest("POST", "/orders", raw, idempotency_key=key)


def test_second_call_with_the_key_gets_the_status_and_the_log_row(proxied: Proxied, key: str, rows: Any) -> None:
    """HUB 50: bodies of proxied answers are not stored."""
    proxied.act = say(CREATED)
    first, second = post(proxied, key), post(proxied, key)

    assert (first.status, first.body) == (201, b'{"id":7}')
    assert "idempotent-replay" not in first.headers
    assert (second.status, second.headers["idempotent-replay"]) == (201, "true")
    assert second.json == {"replayed": True, "status": 201, "logId": first.headers["x-causeway-log-id"]}
    assert second.headers["x-causeway-log-id"] == first.headers["x-causeway-log-id"]
    assert len(proxied.server.requests) == 1
    [stored] = rows("SELECT body FROM idempotency_keys WHERE idempotency_key = %s", [key])
    assert '{"id":7}' not in stored.body


def test_replay_of_an_answer_without_a_body_has_none(proxied: Proxied, key: str) -> None:
    proxied.act = say(b"HTTP/1.1 204 X\r\n\r\n")
    first, second = post(proxied, key), post(proxied, key)

    assert [(one.status, one.body) for one in (first, second)] == [(204, b""), (204, b"")]
    assert len(proxied.server.requests) == 1


def test_key_with_another_request_is_refused(proxied: Proxied, key: str) -> None:
    proxied.act = say(CREATED)
    assert post(proxied, key).status == 201
    assert post(proxied, key, b"[]").code == "IDEMPOTENCY_KEY_REUSED"
    assert len(proxied.server.requests) == 1


@pytest.mark.parametrize("status", [400, 402, 422])
def test_refused_call_is_made_again_with_its_key(proxied: Proxied, key: str, status: int) -> None:
    """The platform did nothing: the caller corrects what it refuses, and sends the call again."""
    proxied.act = say(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
    refused = post(proxied, key)
    proxied.act = say(CREATED)
    again = post(proxied, key)

    assert (refused.status, again.status, again.body) == (status, 201, b'{"id":7}')


@pytest.mark.parametrize("status", [408, 500, 503])
def test_call_that_may_have_acted_is_not_made_again(proxied: Proxied, key: str, status: int) -> None:
    """HUB 11."""
    proxied.act = say(b'HTTP/1.1 %d X\r\nContent-Length: 7\r\n\r\n{"a":1}' % status)
    first, second = post(proxied, key), post(proxied, key)

    assert (first.status, first.body) == (status, b'{"a":1}')
    assert second.code == "PROVIDER_OUTCOME_UNKNOWN"
    assert len(proxied.server.requests) == 1


@pytest.mark.parametrize(("method", "status"), [("PUT", 500), ("PUT", 408), ("DELETE", 503)])
def test_repeatable_call_that_may_have_acted_is_made_again(
    proxied: Proxied, key: str, method: str, status: int
) -> None:
    """HUB 11: it changes nothing more, so its key must not hang until somebody looks at the platform."""
    proxied.act = say(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
    first = proxied.rest(method, "/orders/7", b"{}", idempotency_key=key)
    proxied.act = say(CREATED)
    again = proxied.rest(method, "/orders/7", b"{}", idempotency_key=key)

    assert (first.status, again.status, again.body) == (status, 201, b'{"id":7}')


@pytest.mark.parametrize(("method", "status"), [("POST", 302), ("POST", 303), ("PUT", 304), ("PUT", 399)])
def test_redirect_of_a_call_that_was_done_is_replayed(proxied: Proxied, key: str, method: str, status: int) -> None:
    proxied.act = say(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
    first, second = (proxied.rest(method, "/orders", b"{}", idempotency_key=key) for _ in range(2))

    assert [one.status for one in (first, second)] == [status] * 2
    assert [one.headers.get("idempotent-replay") for one in (first, second)] == [None, "true"]
    assert len(proxied.server.requests) == 1


def test_call_without_an_answer_is_not_made_again(proxied: Proxied, key: str) -> None:
    proxied.act = lambda _connection, _server: None
    first, second = post(proxied, key), post(proxied, key)

    assert [one.code for one in (first, second)] == ["PROVIDER_OUTCOME_UNKNOWN"] * 2
    assert len(proxied.server.requests) == 1


def test_key_means_nothing_to_a_read(proxied: Proxied, key: str) -> None:
    proxied.act = ok(b"{}")
    for _ in range(2):
        assert "idempotent-replay" not in proxied.rest("GET", "/x", idempotency_key=key).headers
    assert len(proxied.server.requests) == 2


def test_call_of_the_form_takes_the_key(proxied: Proxied, key: str) -> None:
    proxied.act = say(CREATED)
    for _ in range(2):
        reply = proxied.form("POST", body={"a": 1}, sent={"idempotency_key": key})
    assert (reply.status, reply.headers["idempotent-replay"]) == (201, "true")
    assert len(proxied.server.requests) == 1


def test_refusal_after_an_attempt_that_may_have_acted_leaves_the_key_in_doubt(hub: Hub, stack: Stack, key: str) -> None:
    """HUB 11: the platform refuses the second attempt; the first one may have acted."""
    draft = {"templateId": "stripe", "name": f"Doubt {token_hex(6)}", "config": demo_credentials("stripe")}
    headers = {"Idempotency-Key": token_hex(8)}
    body = {"connection_id": hub.call("POST", "/integrations", body=draft).json["id"], "method": "POST", "path": "/x"}
    played = Played(stack.info["sandbox_url"], "stripe")
    played.fail("500", path="/x")
    first, again = (hub.call("POST", FORM, body=body | {"headers": headers}, idempotency_key=key) for _ in range(2))

    assert (first.status, first.headers["x-causeway-attempts"]) == (404, "2")
    assert again.code == "PROVIDER_OUTCOME_UNKNOWN"


@pytest.mark.parametrize(("key_of", "header"), [("stripe", "Idempotency-Key"), ("paypal", "paypal-request-id")])
def test_call_with_the_platforms_own_key_is_tried_again(hub: Hub, stack: Stack, key_of: str, header: str) -> None:
    """HUB 11: the platform knows the repetition by the key. It has no such call, which its second answer says."""
    draft = {"templateId": key_of, "name": f"Keyed {token_hex(6)}", "config": demo_credentials(key_of)}
    body = {"connection_id": hub.call("POST", "/integrations", body=draft).json["id"], "method": "POST", "path": "/x"}
    played = Played(stack.info["sandbox_url"], key_of)
    answers = {}
    for headers in ({header: token_hex(8)}, {header: ""}, {}):
        played.fail("500", path="/x")
        answers[str(headers)] = hub.call("POST", FORM, body=body | {"headers": headers})

    attempts = [(one.status, one.headers["x-causeway-attempts"]) for one in answers.values()]
    assert attempts == [(404, "2"), (500, "1"), (500, "1")]


def test_call_with_another_header_for_the_platform_is_another_call(proxied: Proxied, key: str) -> None:
    """Stripe-Account names whose account is charged."""
    proxied.act = say(CREATED)

    def charge(account: str, attempt: str) -> Reply:
        return proxied.rest(
            *("POST", "/charge", b"{}"),
            idempotency_key=key,
            stripe_account=account,
            traceparent=f"00-{attempt}",
            user_agent=f"a/{attempt}",
        )

    first, again, other = charge("acct_1", "1"), charge("acct_1", "2"), charge("acct_2", "3")

    assert (first.status, again.headers["idempotent-replay"]) == (201, "true")
    assert other.code == "IDEMPOTENCY_KEY_REUSED"
    assert len(proxied.server.requests) == 1


NEW_IN_A_RETRY = (
    *("postman-token", "elastic-apm-traceparent", "x-dynatrace", "grpc-trace-bin", "cf-ray", "x-request-start"),
    *("x-vercel-id", "fly-request-id", "x-akamai-edgescape", "x-ms-client-request-id", "x-instana-t", "x-newrelic-id"),
)


def test_retry_with_other_headers_of_tracing_is_the_same_call(proxied: Proxied, key: str) -> None:
    proxied.act = say(CREATED)
    statuses = []
    for attempt in ("1", "2"):
        headers = dict.fromkeys((name.replace("-", "_") for name in NEW_IN_A_RETRY), attempt)
        statuses.append(proxied.rest("POST", "/charge", b"{}", ADMIN, idempotency_key=key, **headers).status)
    assert statuses == [201, 201]
    assert len(proxied.server.requests) == 1


def test_stored_digest_cannot_be_tried_out(proxied: Proxied, key: str, rows: Any) -> None:
    """A body may have a card's number: without a secret key, all numbers could be tried against the digest."""
    raw = b'{"card":"4242424242424242"}'
    assert post(proxied, key, raw).status == 200
    headers = {"content-type": "application/json"}
    fields = ["POST", f"/proxy/{proxied.id}/orders", "", headers, sha256(raw).hexdigest()]
    guessed = KeyedRequest.of(key, fields, b"requests without secrets")

    [stored] = rows("SELECT request_hash FROM idempotency_keys WHERE idempotency_key = %s", [key])
    assert bytes(stored.request_hash) != guessed.digest
