"""The proxy passes calls through byte by byte: HUB 12."""

import gzip
import json
import zlib
from secrets import token_bytes, token_hex
from socket import socket
from typing import Any

import brotli
import psycopg
import pytest

from causeway.errors.proxy import MOST_BYTES
from causeway.wire import base64url
from local.stack import Stack
from tests.hub.client import ADMIN, THEIR_ADMIN, config, draft
from tests.hub.proxied import FORM, Proxied
from tests.unit.wire_server import WireServer, ok, say

PLAIN = b'{"players":[{"name":"Alice"}],"api_key":"sk_live_abcdefghijklmnop"}'
CODINGS = {
    "gzip": gzip.compress(PLAIN),
    "x-gzip": gzip.compress(PLAIN),
    "deflate": zlib.compress(PLAIN),
    "br": brotli.compress(PLAIN),
}
BODIES = {
    "empty": b"",
    "one byte": b"\0",
    "every byte": bytes(range(256)),
    "UTF-8": "\u0645\u0631\u062d\u0628\u0627 \U0001f600".encode(),
    "not UTF-8": b"\xff\xfe\xc3\x28",
    "control characters": bytes(range(32)) * 64,
    "a megabyte": token_bytes(1 << 20),
    "the limit": token_bytes(MOST_BYTES),
}


def test_call_of_the_form_reaches_the_platform_and_its_answer_comes_back(proxied: Proxied) -> None:
    proxied.act = ok(b'{"id":7}', "Content-Type: application/vnd.x+json", "X-Page: 1", "Set-Cookie: a=b")
    answer = proxied.form("GET", "/players", query={"limit": "10", "of": ["a", "b"]}, headers={"X-Own": "1"})

    assert (answer.status, answer.body) == (200, b'{"id":7}')
    assert answer.headers["content-type"] == "application/vnd.x+json"
    assert answer.headers["x-page"] == "1"
    assert "set-cookie" not in answer.headers
    assert "x-causeway-error" not in answer.headers
    [head] = proxied.heads
    assert head[0] == "GET /players?limit=10&of=a&of=b HTTP/1.1"
    assert "x-own: 1" in head
    assert f"x-api-key: {proxied.key}" in head
    [logged, *_] = proxied.logs()
    assert answer.headers["x-causeway-attempts"] == "1"
    assert answer.headers["x-causeway-log-id"] == str(logged["id"])
    assert logged["responseBody"] == '{"id":7}'


def test_call_that_could_not_be_logged_is_answered_and_rings_the_alarm(
    proxied: Proxied, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(stack.database_urls["superuser"]) as holder:

        def lock_and_answer(connection: socket, server: WireServer) -> None:
            holder.execute("LOCK TABLE integration_api_logs IN SHARE MODE")
            ok(b'{"id":7}')(connection, server)

        proxied.act = lock_and_answer
        answer = proxied.form()

    assert (answer.status, answer.body, answer.headers["x-causeway-attempts"]) == (200, b'{"id":7}', "1")
    assert "x-causeway-log-id" not in answer.headers
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [(line["service"], line["CallsUnlogged"]) for line in counted] == [("api-proxy", [1.0])]


def test_call_of_the_rest_form_reaches_the_platform(proxied: Proxied) -> None:
    raw = token_bytes(100)
    proxied.act = ok(raw, "Content-Type: image/png")
    answer = proxied.rest("PUT", "/files/a%20b?x=%2F&y", raw, content_type="application/octet-stream", x_own="1")

    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, raw, "image/png")
    [head] = proxied.heads
    assert head[0] == "PUT /files/a%20b?x=%2F&y HTTP/1.1"
    assert {"x-own: 1", "content-type: application/octet-stream", "content-length: 100"} <= set(head)
    assert proxied.bodies == [raw]


def test_path_and_query_reach_the_platform_as_they_were_given(proxied: Proxied) -> None:
    for path in ("/%7Ea", "/%41b", "/a%c3%a9"):
        assert proxied.form("GET", path).status == 200
    assert proxied.rest("GET", "/x?a[]=1&b=%2f%7E").status == 200
    targets = [head[0].split(" ")[1] for head in proxied.heads]
    assert targets == ["/%7Ea", "/%41b", "/a%c3%a9", "/x?a[]=1&b=%2f%7E"]


@pytest.mark.parametrize("name", BODIES)
def test_bytes_come_through_unchanged(proxied: Proxied, name: str) -> None:
    proxied.act = ok(BODIES[name], "Content-Type: application/octet-stream")
    answer = proxied.rest("PUT", "/file", BODIES[name], content_type="application/octet-stream")

    assert (answer.status, answer.body == BODIES[name]) == (200, True)
    assert proxied.bodies == [BODIES[name]]


@pytest.mark.parametrize("coding", CODINGS)
def test_compressed_answer_passes_compressed_and_is_readable_in_the_log(proxied: Proxied, coding: str) -> None:
    """HUB 12, 16: the log is redacted as if the answer was not compressed."""
    compressed = CODINGS[coding]
    proxied.act = ok(compressed, "Content-Type: application/json", f"Content-Encoding: {coding}")
    answer = proxied.rest("GET", "/players", accept_encoding="gzip, deflate;q=0.5, br, zstd")

    assert (answer.body, answer.headers["content-encoding"]) == (compressed, coding)
    assert "accept-encoding: gzip, deflate;q=0.5, br" in proxied.heads[0]
    logged = proxied.logs()[0]["responseBody"]
    assert '"name":"Alice"' in logged
    assert "sk_live" not in logged


def test_answer_in_an_unknown_coding_passes_and_only_its_size_is_logged(proxied: Proxied) -> None:
    proxied.act = ok(b"\x28\xb5\x2f\xfd", "Content-Type: application/json", "Content-Encoding: zstd")
    answer = proxied.rest("GET", "/players")

    assert (answer.body, answer.headers["content-encoding"]) == (b"\x28\xb5\x2f\xfd", "zstd")
    assert "accept-encoding: identity" in proxied.heads[0]
    assert proxied.logs()[0]["responseBody"] == "[zstd, 4 bytes]"


def test_bomb_is_passed_and_read_in_part(proxied: Proxied) -> None:
    """HUB 16: a few bytes that would be gigabytes are decompressed for the log within a limit."""
    bomb = gzip.compress(bytes(64 << 20))
    proxied.act = ok(bomb, "Content-Type: text/plain", "Content-Encoding: gzip")

    assert proxied.rest("GET", "/bomb", accept_encoding="gzip").body == bomb
    assert "bytes]" in proxied.logs()[0]["responseBody"]


def test_chunks_and_trailers_become_one_body(proxied: Proxied) -> None:
    proxied.act = say(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nContent-Type: text/plain\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
    )
    answer = proxied.rest("GET", "/chunks")

    assert (answer.status, answer.body) == (200, b"abcde")
    assert not {"transfer-encoding", "trailer", "x-sum"} & answer.headers.keys()


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("DELETE", 204)])
def test_answer_without_a_body_has_none(proxied: Proxied, method: str, status: int) -> None:
    length = b"Content-Length: 1000\r\n" if method == "HEAD" or status == 304 else b""
    proxied.act = say(b'HTTP/1.1 %d X\r\nETag: "7"\r\n%s\r\n' % (status, length))
    answer = proxied.rest(method, "/thing")

    assert (answer.status, answer.body, answer.headers["etag"]) == (status, b"", '"7"')


def test_headers_of_the_connection_are_stripped_both_ways(proxied: Proxied) -> None:
    proxied.act = ok(
        *(b"x", "Connection: close, X-Hop, ETag", "X-Hop: 1", "ETag: 2", "Keep-Alive: timeout=5", "Upgrade: h2c"),
        *("Proxy-Authenticate: Basic", "X-Kept: 1", "X-Kept: 2", "Set-Cookie: a=b", "X-Causeway-Error: INTERNAL"),
        *("Strict-Transport-Security: max-age=1", "Access-Control-Allow-Origin: *", "Alt-Svc: clear"),
    )
    answer = proxied.rest(
        *("GET", "/x"),
        **{"connection": "close, X-Mine", "x-mine": "1", "te": "trailers", "expect": "100-continue", "x-seen": "1"},
        **{"cookie": "session=1", "idempotency-key": "k", "x-forwarded-for": "203.0.113.9", "via": "1.1 x"},
    )

    assert answer.headers["x-kept"].replace(" ", "") == "1,2"
    ended = {"connection", "x-hop", "etag", "keep-alive", "upgrade", "proxy-authenticate", "set-cookie", "alt-svc"}
    ended |= {"x-causeway-error", "strict-transport-security", "access-control-allow-origin"}
    assert not ended & answer.headers.keys()
    names = [line.partition(":")[0] for line in proxied.heads[0][1:]]
    assert "x-seen" in names
    assert not {"te", "expect", "cookie", "idempotency-key", "x-forwarded-for", "via", "authorization"} & set(names)
    assert len(names) == len(set(names))


def test_no_browser_runs_what_a_platform_answers(proxied: Proxied) -> None:
    proxied.act = ok(b"<script>1</script>", "Content-Type: text/html", "Content-Security-Policy: default-src *")
    answer = proxied.rest("GET", "/page")

    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    [
        *("x_causeway_error", "Set_Cookie", "Set-Login", "X-Accel-Redirect", "x_accel_expires", "Speculation-Rules"),
        *("WWW-Authenticate", "Surrogate-Control", "Cloudflare-CDN-Cache-Control", "X-Sendfile", "Referrer-Policy"),
        *("Cross-Origin-Opener-Policy", "Timing-Allow-Origin", "idempotent_replay", "access_control_allow_origin"),
    ],
)
def test_header_that_a_browser_or_a_server_would_act_on_is_not_passed(proxied: Proxied, name: str) -> None:
    proxied.act = ok(b"{}", f"{name}: 1", "X-Kept: 1")
    headers = proxied.rest("GET", "/x").headers
    assert headers["x-kept"] == "1"
    assert name.lower() not in headers


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ("public, max-age=60", "private, max-age=60"),
        ("Public,S-MaxAge=9 , no-transform", "private, no-transform"),
        ('private="x", must-revalidate', "private, must-revalidate"),
        ("no-store", "private, no-store"),
        (None, "private"),
    ],
)
def test_no_shared_cache_keeps_an_answer(proxied: Proxied, given: str | None, passed: str) -> None:
    """One caller may see it, and another one at the same address may not."""
    proxied.act = ok(b"{}", *([f"Cache-Control: {given}"] if given else []))
    assert proxied.rest("GET", "/x").headers["cache-control"] == passed


@pytest.mark.parametrize(
    ("given", "passed"),
    [("7", "7"), ("Wed, 21 Oct 2015 07:28:00 GMT", "same"), ("soon", None), ("-1", None), ("", None)],
)
def test_retry_after_is_passed_if_it_is_a_number_or_a_date(proxied: Proxied, given: str, passed: str | None) -> None:
    proxied.act = ok(b"{}", f"Retry-After: {given}")
    assert proxied.rest("GET", "/x").headers.get("retry-after") == (given if passed == "same" else passed)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_passed_and_not_followed(proxied: Proxied, status: int) -> None:
    proxied.act = say(b"HTTP/1.1 %d X\r\nLocation: http://169.254.169.254/x\r\nContent-Length: 0\r\n\r\n" % status)
    answer = proxied.rest("GET", "/old")

    assert (answer.status, answer.headers["location"]) == (status, "http://169.254.169.254/x")
    assert len(proxied.server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 451])
def test_platforms_refusal_is_passed_as_it_is(proxied: Proxied, status: int) -> None:
    body = b'{"error":{"code":"their_own"}}'
    proxied.act = say(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
    answer = proxied.form("POST", "/x", body={"a": 1})

    assert (answer.status, answer.body) == (status, body)
    assert "x-causeway-error" not in answer.headers
    assert answer.headers["x-causeway-attempts"] == "1"


@pytest.mark.parametrize(
    ("sent", "arrives", "kind"),
    [
        ({"body": {"amount": 10, "big": 2**53 + 1}}, b'{"amount":10,"big":9007199254740993}', "application/json"),
        ({"body": [1, None, "\u00e4"]}, '[1,null,"\u00e4"]'.encode(), "application/json"),
        ({"body": "a=1&b=2", "headers": {"Content-Type": "text/plain"}}, b"a=1&b=2", "text/plain"),
        ({"body_base64": "AP8B"}, b"\x00\xff\x01", None),
        ({"body": ""}, b"", None),
        ({}, b"", None),
    ],
)
def test_body_of_the_form_is_sent_as_it_was_meant(
    proxied: Proxied, sent: dict[str, Any], arrives: bytes, kind: str | None
) -> None:
    assert proxied.form("POST", "/x", **sent).status == 200
    assert proxied.bodies == [arrives]
    assert (f"content-type: {kind}" in proxied.heads[0]) is (kind is not None)


def test_number_is_sent_as_it_was_written(proxied: Proxied) -> None:
    raw = b'{"connection_id":"%s","method":"PUT","path":"/x","body":{"a":1.10,"b":1e400}}' % proxied.id.encode()
    assert proxied.hub.call("POST", "/functions/v1/api-proxy", raw=raw).status == 200
    assert proxied.bodies == [b'{"a":1.10,"b":1e400}']


def test_read_is_tried_again_and_the_attempts_are_told(proxied: Proxied) -> None:
    """HUB 10, 11, 16."""
    answers = [b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
    proxied.act = lambda connection, _: connection.sendall(answers.pop(0))
    answer = proxied.rest("GET", "/x")

    assert (answer.status, answer.body, answer.headers["x-causeway-attempts"]) == (200, b"ok", "2")
    newest, before, *_ = proxied.logs()
    assert (before["status"], newest["status"]) == (503, 200)
    assert answer.headers["x-causeway-log-id"] == str(newest["id"])


def test_tenants_share_no_connection_to_a_platform(proxied: Proxied) -> None:
    """HUB 8: a host that answers one tenant twice would answer the next tenant's call with the second answer."""
    wanted = draft(config=config(base_url=proxied.server.url, api_key=f"key-{token_hex(16)}"))
    theirs = proxied.hub.call("POST", "/integrations", THEIR_ADMIN, wanted).json["id"]
    used: list[socket] = []

    def answer(connection: socket, server: WireServer) -> None:
        used.append(connection)
        ok(b"{}", "Content-Type: application/json")(connection, server)

    proxied.server.keeps_open, proxied.act = True, answer
    for _ in range(2):
        proxied.form()
        proxied.hub.call("POST", FORM, THEIR_ADMIN, {"connection_id": theirs, "method": "GET", "path": "/x"})

    ours_first, theirs_first, ours_then, theirs_then = used
    assert ours_first is ours_then
    assert theirs_first is theirs_then
    assert ours_first is not theirs_first


def test_refused_credentials_on_a_path_that_the_caller_chose_do_not_stop_the_connection(proxied: Proxied) -> None:
    """A 401 there changes the health; a test tells whether the credentials work."""
    proxied.act = say(b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n")
    for _ in range(2):
        assert proxied.rest("GET", "/somebody-elses").status == 401
    seen = proxied.hub.call("GET", f"{proxied.path}/health").json["checks"]["connection"]
    assert proxied.hub.call("GET", proxied.path).json["status"] == "active"
    assert (seen["code"], seen["nextAction"].startswith("Test the connection")) == ("PROVIDER_REJECTED", True), seen
    proxied.act = ok(b"{}", "Content-Type: application/json")

    assert proxied.rest("GET", "/own").status == 200
    proxied.act = say(b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n")
    assert proxied.hub.call("POST", f"{proxied.path}/test", ADMIN).json["code"] == "INVALID_CREDENTIALS"
    assert proxied.hub.call("GET", proxied.path).json["status"] == "error"


def test_form_names_the_connection_as_a_path_does(proxied: Proxied) -> None:
    """HUB 52."""
    encoded = f"b64:{base64url.encode(proxied.id.encode())}"
    assert proxied.form("GET", connection_id=encoded).status == 200
    assert proxied.form("GET", connection_id="b64:!").json["problems"][0]["path"] == "connection_id"
