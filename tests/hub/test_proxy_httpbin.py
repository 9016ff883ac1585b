"""httpbin, called through the proxy and directly: the answers agree but for what must differ. HUB 12."""

import base64
import json
import logging
import re
import warnings
from collections.abc import Iterator
from http.client import HTTPConnection
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from causeway.outbound import decompression
from tests.hub.client import ADMIN, Hub, Reply, config, draft
from tests.hub.in_process import InProcessHub

HEADERS = {"accept": "*/*", "accept-encoding": "gzip, deflate, br", "user-agent": "a-client/1", "x-own": "1"}
# Of the connection that carries the answer, and those that the proxy adds or takes away by its rules.
DIFFERS = {"connection", "content-length", "date", "server", "set-cookie", "access-control-allow-origin"} | {
    *("access-control-allow-credentials", "content-security-policy", "x-content-type-options", "transfer-encoding"),
    *("x-causeway-attempts", "x-causeway-log-id", "access-control-allow-methods", "access-control-max-age"),
}
# Headers of a request: the credentials that the proxy adds, and those of the connection to httpbin.
ADDED = {"X-Api-Key", "X-Request-Sign", "Content-Length", "Host", "Connection"}
READS = [
    *("/get", "/get?a=1&a=2&b=%20%2F%3F&c", "/headers", "/user-agent", "/ip", "/anything/a%20b/c;d=e,f"),
    *("/gzip", "/deflate", "/brotli", "/html", "/xml", "/json", "/robots.txt", "/deny", "/encoding/utf8"),
    *("/image/png", "/image/jpeg", "/image/webp", "/image/svg", "/bytes/1?seed=1", "/bytes/65536?seed=7"),
    *("/stream/5", "/stream-bytes/2048?seed=1&chunk_size=100", "/range/1024", "/links/3/0"),
    *("/redirect/2", "/absolute-redirect/1", "/relative-redirect/1", "/redirect-to?url=%2Fget&status_code=307"),
    *("/status/204", "/status/304", "/status/400", "/status/404", "/status/418", "/status/422", "/status/451"),
    *("/etag/abc", "/cache", "/cache/60", "/response-headers?X-One=1&X-One=2&X-Two=%2B", "/cookies"),
    *("/cookies/set?a=b", "/base64/aGVsbG8=", "/drip?numbytes=5&duration=0&delay=0", "/delay/0"),
]
MULTIPART = "multipart/form-data; boundary=x"
WRITES = [
    ("POST", "/post", b'{"a":[1,2.50,null]}', "application/json"),
    ("POST", "/post", b"a=1&b=%20", "application/x-www-form-urlencoded"),
    ("POST", "/post", "\u00e4\u06a9".encode(), "text/plain; charset=utf-8"),
    ("POST", "/post", bytes(range(256)), "application/octet-stream"),
    (
        "POST",
        "/post",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
        "multipart/form-data; boundary=x",
    ),
    ("PUT", "/put", b"x" * 100_000, "text/plain"),
    ("PATCH", "/patch", b"{}", "application/merge-patch+json"),
    ("DELETE", "/delete", b"", ""),
    ("DELETE", "/delete", b'{"ids":[1]}', "application/json"),
    ("POST", "/status/201", b"", ""),
    ("PUT", "/anything/x", b"\0", "application/octet-stream"),
]


@pytest.fixture(scope="module")
def httpbin_port() -> Iterator[int]:
    with warnings.catch_warnings():
        # It says that it lacks a package for its page.
        warnings.simplefilter("ignore")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        from httpbin import app

    def without_credentials(environ: dict[str, Any], start_response: Any) -> Any:
        """Run httpbin, which echoes every header: the hub passes no answer on that has the connection's credentials."""
        for name in ("HTTP_X_API_KEY", "HTTP_X_REQUEST_SIGN"):
            environ.pop(name, None)
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, without_credentials, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def connection_id(inside_hub: InProcessHub, httpbin_port: int) -> str:
    """A connection whose base URL is httpbin's; its test asks for a page that httpbin does not have."""
    base_url = f"http://127.0.0.1:{httpbin_port}"
    made = inside_hub.call("POST", "/integrations", body=draft(config=config(base_url=base_url)))
    return str(made.json["id"])


@pytest.fixture(scope="module")
def active(connection_id: str, rows: Any) -> str:
    rows(
        "UPDATE integration_connections SET status = 'active', rate_limits = %s WHERE connection_id = %s",
        [json.dumps({"minute": 100_000}), connection_id],
    )
    return connection_id


def directly(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    found: dict[str, str] = {}
    for name, value in answer.getheaders():
        found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
    reply = Reply(answer.status, found, answer.read())
    connection.close()
    return reply


def essence(reply: Reply) -> tuple[int, dict[str, str], Any]:
    """What must agree: the status, the headers, and the body but for what httpbin makes anew or echoes."""
    # API Gateway gives every answer a type.
    headers = {"content-type": "application/octet-stream", **reply.headers}
    for name in ("etag", "last-modified"):
        if re.fullmatch(r"[0-9a-f]{32}|.* GMT", headers.get(name, "")):
            del headers[name]
    # The proxy makes every answer private.
    headers["cache-control"] = re.sub(r"^(public|private)(, )?", "", headers.get("cache-control", ""))
    kept = {name: value for name, value in headers.items() if name not in DIFFERS}
    plain = decompression.beginning(reply.body, headers.get("content-encoding", "identity"), len(reply.body) * 100)
    if plain is None or not plain.startswith(b"{"):
        return reply.status, kept, reply.body
    return reply.status, kept, [_echo(json.loads(line)) for line in _documents(plain)]


def _documents(plain: bytes) -> list[bytes]:
    """The body's JSON documents: one, or one on each line."""
    lines = plain.splitlines()
    return lines if all(line.startswith(b"{") for line in lines) else [plain]


def _echo(body: dict[str, Any]) -> dict[str, Any]:
    """What httpbin says of the request, without what the proxy adds to it or the connection to httpbin has."""
    if isinstance(body.get("headers"), dict):
        body["headers"] = {name: value for name, value in body["headers"].items() if name not in ADDED}
    return {name: value for name, value in body.items() if name not in ("id", "url")}


def through(hub: Hub, connection_id: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    # Not by the client's call, which takes every refusal for the hub's own.
    sent = headers | {"authorization": f"Bearer {hub.token(ADMIN)}"}
    return hub.send(method, f"/proxy/{connection_id}{path}", body or None, sent)


def through_form(hub: Hub, connection_id: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    where, _, _ = path.partition("?")
    sent: dict[str, Any] = {"connection_id": connection_id, "method": method, "path": where, "headers": headers}
    if body:
        sent["body_base64"] = base64.b64encode(body).decode()
    return hub.call("POST", "/functions/v1/api-proxy", body=sent)


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_read_is_answered_as_directly(
    inside_hub: InProcessHub, active: str, httpbin_port: int, method: str, path: str
) -> None:
    direct = directly(httpbin_port, method, path, b"", HEADERS)
    proxied = through(inside_hub, active, method, path, b"", HEADERS)

    assert "x-causeway-error" not in proxied.headers, proxied
    assert essence(proxied) == essence(direct)


@pytest.mark.parametrize(("method", "path", "body", "kind"), WRITES)
def test_write_is_answered_as_directly(
    inside_hub: InProcessHub, active: str, httpbin_port: int, method: str, path: str, body: bytes, kind: str
) -> None:
    headers = HEADERS | ({"content-type": kind} if kind else {})
    direct = directly(httpbin_port, method, path, body, headers)

    for call in (through, through_form):
        proxied = call(inside_hub, active, method, path, body, headers)
        assert "x-causeway-error" not in proxied.headers, proxied
        assert essence(proxied) == essence(direct), call
