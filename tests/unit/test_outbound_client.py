"""One call to the outside: its time limit, size limit, failures and log record (HUB 8, 15, 16)."""

import gzip
import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from causeway.outbound import client, failures, partners, pinned_adapter
from causeway.outbound.attempts import Attempt
from causeway.outbound.replies import Reply
from local import ROOT
from tests.unit.wire_server import Act, WireServer, ok, say

SECRET = 'C4nary/"secret"+=value'


@pytest.fixture
def loopback(set_environment: Callable[..., None]) -> None:
    set_environment(EGRESS_ALLOWED_HOSTS="127.0.0.1,localhost,platform.test,other.test")


def _call(act: Act, **more: Any) -> tuple[Reply, bytes]:
    more = {"log": lambda _: None, "method": "GET", "path": "/", **more}
    with WireServer(act) as server:
        method, path = more.pop("method"), more.pop("path")
        return client.send(method, server.url + path, **more), server.requests[0]


def _drip(connection: socket.socket, server: WireServer) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not server.over.wait(0.02):
        connection.sendall(b"x")


def _drip_head(connection: socket.socket, server: WireServer) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not server.over.wait(0.02):
        connection.sendall(b"x")


def _drip_without_length(connection: socket.socket, server: WireServer) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")
    while not server.over.wait(0.02):
        connection.sendall(b" ")


def _silent(_: socket.socket, server: WireServer) -> None:
    server.over.wait(10)


def test_request_arrives_as_given(loopback: None) -> None:
    reply, request = _call(
        ok(b'{"a":1}', "X-Answer: yes"), method="POST", path="/v1/a?b=c", body=b"x=1", headers={"X-Given": "1"}
    )

    assert (reply.status, reply.body, reply.headers["x-answer"]) == (200, b'{"a":1}', "yes")
    assert request.startswith(b"POST /v1/a?b=c HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\nx=1")
    assert b"\r\nX-Given: 1\r\n" in request


@pytest.mark.parametrize("status", [204, 301, 401, 404, 429, 500])
def test_any_status_is_an_answer(loopback: None, status: int) -> None:
    reply, _ = _call(say(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nLocation: /b\r\n\r\n".encode()))

    assert reply.status == status


@pytest.mark.parametrize("act", [_silent, _drip, _drip_head, _drip_without_length])
def test_budget_ends_a_silent_or_slow_call(loopback: None, act: Act) -> None:
    """HUB 8: the limit is for the whole attempt, however often a byte arrives."""
    attempts: list[Attempt] = []
    started = monotonic()
    with pytest.raises(failures.TimedOut):
        _call(act, budget=0.4, log=attempts.append)

    # The budget, and room for a slow machine; a limit per byte would never be reached.
    assert monotonic() - started < 5
    assert [attempt.error for attempt in attempts] == ["TimedOut"]
    assert attempts[0].milliseconds >= 390


def test_budget_ends_an_unanswered_tls_handshake(loopback: None) -> None:
    """HUB 8."""
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(failures.TimedOut):
        client.send("GET", f"https://127.0.0.1:{listener.getsockname()[1]}/", budget=0.3, log=print)


def test_budget_ends_an_unanswered_dns_query(loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """HUB 8."""
    with WireServer(_silent) as server:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: server.over.wait(10) and [])
        with pytest.raises(failures.DnsUnavailable, match="within"):
            client.send("GET", "https://platform.test/", budget=0.2, log=print)


def test_unknown_name_has_its_own_failure(loopback: None) -> None:
    """HUB 8."""
    with pytest.raises(failures.DnsFailed):
        client.send("GET", "https://nothing.invalid/", log=print)


def test_refused_connection_has_its_own_failure(loopback: None) -> None:
    """HUB 8."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(failures.ConnectFailed, match="refused"):
            client.send("GET", f"http://127.0.0.1:{bound.getsockname()[1]}/", log=print)


def test_connection_closed_without_an_answer_has_its_own_failure(loopback: None) -> None:
    """HUB 8."""
    with pytest.raises(failures.ConnectFailed, match="broke"):
        _call(say(b""))


@pytest.mark.parametrize("interim", [(100,), (102,), (103,), (199,), (103, 100, 103), (103,) * 20])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_interim_answers_are_not_the_answer(loopback: None, interim: tuple[int, ...], method: str) -> None:
    """HUB 11: with 103 as the answer, the outcome of a payment would be unknown."""
    before = b"".join(b"HTTP/1.1 %d X\r\nLink: </a.css>; rel=preload\r\n\r\n" % status for status in interim)
    final = b"HTTP/1.1 201 Created\r\nX-Id: 7\r\nContent-Length: 2\r\n\r\n" + (b"" if method == "HEAD" else b"{}")
    reply, _ = _call(say(before + final), method=method)

    assert (reply.status, reply.headers["X-Id"], "Link" in reply.headers) == (201, "7", False)
    assert reply.body == (b"" if method == "HEAD" else b"{}")


@pytest.mark.parametrize("status", [100, 103])
def test_interim_answers_without_end_are_no_answer(loopback: None, status: int) -> None:
    def more(connection: socket.socket, server: WireServer) -> None:
        for _ in range(21):
            connection.sendall(b"HTTP/1.1 %d X\r\n\r\n" % status)
        server.over.wait(60)

    with pytest.raises(failures.Garbled) as caught:
        _call(more, method="POST")

    assert caught.value.sent


def test_change_of_the_protocol_is_a_final_answer(loopback: None) -> None:
    reply, _ = _call(say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"))

    assert reply.status == 101


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",
    ],
)
def test_garbage_has_its_own_failure(loopback: None, answer: bytes) -> None:
    """HUB 8."""
    with pytest.raises(failures.Garbled):
        _call(say(answer))


def _reset(connection: socket.socket, _: WireServer) -> None:
    """Reset the connection, as a machine does that restarts."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _reset_within(connection: socket.socket, server: WireServer) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    # Wait until the client has read what was sent, before the reset discards it.
    server.over.wait(0.1)
    _reset(connection, server)


_HEAD = b"HTTP/1.1 200 OK\r\n"
BREAKING: dict[str, Act] = {
    "two lengths": say(_HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "chunk of -5 bytes": say(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n"),
    "chunk of ZZ bytes": say(_HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n"),
    "header of 70000 bytes": say(_HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n{}"),
    "200 headers": say(_HEAD + b"X: a\r\n" * 200 + b"\r\n{}"),
    "status of four digits": say(b"HTTP/1.1 9999 OK\r\n\r\n{}"),
    "negative status": say(b"HTTP/1.1 -1 OK\r\n\r\n{}"),
    "status of letters": say(b"HTTP/1.1 two OK\r\n\r\n{}"),
    "another protocol": say(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "HTTP/9": say(b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "nothing": say(b""),
    "half an answer": say(_HEAD + b"Content-Length: 10\r\n\r\nshort"),
    "no gzip": say(_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain"),
    "gzip seven times": say(_HEAD + b"Content-Encoding: " + b"gzip," * 7 + b"gzip\r\nContent-Length: 5\r\n\r\nplain"),
    "reset": _reset,
    "reset within the body": _reset_within,
    "too much": ok(b"x" * (client.MOST_BYTES + 1)),
    "silence": _silent,
}


@pytest.mark.parametrize("act", BREAKING.values(), ids=list(BREAKING))
def test_any_failure_after_a_byte_was_sent_is_an_unknown_outcome(loopback: None, act: Act) -> None:
    """HUB 11: whether bytes were sent decides, not the exception's class; the configuration is not blamed."""
    with pytest.raises(failures.CallFailed) as caught:
        _call(act, method="POST", body=b"{}", budget=0.5)

    assert caught.value.sent
    assert not isinstance(caught.value, failures.RequestInvalid)


@pytest.mark.parametrize("act", BREAKING.values(), ids=list(BREAKING))
def test_partner_that_disconnects_is_a_failed_call_and_not_internal(act: Act) -> None:
    """HUB 54: a chunk size of -5 raised a ValueError, which was answered as INTERNAL."""
    with WireServer(act) as server, pytest.raises(failures.CallFailed):
        partners.post_json(f"{server.url}/x", b"{}", {}, 0.5, 1000)


@pytest.mark.parametrize("headers", [{"X-Bad": "a\r\nb"}, {"X-Bad": "\u043a"}])
def test_request_that_could_not_be_written_counts_as_unsent(loopback: None, headers: dict[str, str]) -> None:
    """HUB 11"""
    with WireServer(ok(b"{}")) as server, pytest.raises(failures.RequestInvalid) as caught:
        client.send("POST", server.url, headers=headers, body=b"{}", log=print)

    assert not caught.value.sent
    assert server.requests == []


def test_bad_header_is_not_logged_with_the_url(loopback: None, caplog: pytest.LogCaptureFixture) -> None:
    """HUB 16: urllib3 warns of one, with the URL, whose query may have a secret, and with the header's text."""
    act = say(_HEAD + b"no colon s3cret\r\nContent-Length: 2\r\n\r\n{}")
    with caplog.at_level("DEBUG"):
        _call(act, path="/me?key=s3cret")

    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    "program",
    [
        "from causeway.outbound import client; client.send('POST', sys.argv[1], log=lambda _: None)",
        "from causeway.outbound import partners; partners.post_json(sys.argv[1], b'{}', {}, 5, 100)",
    ],
    ids=["client", "partners"],
)
def test_no_sender_needs_another_one_to_silence_the_log(program: str) -> None:
    """HUB 16: the process loads one sender only, as a function does."""
    act = say(_HEAD + b"no colon s3cret\r\nContent-Length: 2\r\n\r\n{}")
    start = "import logging, sys; logging.basicConfig(level=logging.DEBUG); "
    with WireServer(act) as server:
        done = subprocess.run(
            [sys.executable, "-c", start + program, f"{server.url}/launch?key=s3cret"],
            env={"PYTHONPATH": str(ROOT / "layers" / "causeway" / "python"), "EGRESS_ALLOWED_HOSTS": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert len(server.requests) == 1
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (SECRET.encode("utf-16"), "application/json"),
        (json.dumps({"auth_token": "C4nary"}).encode("utf-16-le"), "application/json; charset=utf-8"),
        (b"{}", "x" * 60_000 + "C4nary"),
        (b"\0", "application/C4nary"),
    ],
)
def test_charset_or_content_type_hides_no_secret_in_the_log(loopback: None, body: bytes, content_type: str) -> None:
    """HUB 16: the platform's Content-Type is cut and redacted like its body."""
    attempts: list[Attempt] = []
    _call(ok(body, f"Content-Type: {content_type}"), secrets=[SECRET, "C4nary"], log=attempts.append)

    assert "C4nary" not in repr(attempts).replace("\\x00", "")
    assert len(attempts[0].response_body) < 200


def test_text_of_a_failure_is_one_short_line() -> None:
    """HUB 16: it may contain text of a resolver or a certificate."""
    text = str(failures.TlsFailed("certificate of x\r\n\x1b[2J\u202e" + "y" * 1000))

    assert len(text) == 300
    assert text.startswith("certificate of x???[2J?y")


@pytest.mark.parametrize(
    "act",
    [
        ok(b"x" * (client.MOST_BYTES + 1)),
        say(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (client.MOST_BYTES + 1)),
        ok(gzip.compress(b"x" * (client.MOST_BYTES + 1)), "Content-Encoding: gzip"),
        # A redirect is not followed, and its body is limited too.
        say(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n" + b"x" * (client.MOST_BYTES + 1)),
    ],
    ids=["with its length", "without a length", "compressed", "redirect"],
)
def test_answer_over_the_cap_is_refused(loopback: None, act: Act) -> None:
    """HUB 15: also an answer that only exceeds the limit once it is decompressed."""
    with pytest.raises(failures.TooLarge, match=f"more than {client.MOST_BYTES} bytes"):
        _call(act)


def test_answer_at_the_cap_is_read(loopback: None) -> None:
    """HUB 15."""
    compressed = gzip.compress(b"x" * client.MOST_BYTES)
    assert len(_call(ok(compressed, "Content-Encoding: gzip"))[0].body) == client.MOST_BYTES


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//127.0.0.1/",
        "127.0.0.1",
        "http://",
        "http://[::1",
        "http://a:b/",
        "http://user:word@127.0.0.1/",
        "http://safe.test@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
    ],
)
def test_url_without_a_web_host_is_refused(loopback: None, url: str) -> None:
    with pytest.raises(failures.RequestInvalid):
        client.send("GET", url, log=print)


@pytest.mark.parametrize("value", ["s3cret\r\nX-Evil: 1", "s3cret\nb", "s3cret-ключ"])
def test_header_that_cannot_be_sent_is_refused_and_not_quoted(loopback: None, value: str) -> None:
    """HUB 1: neither the message nor a traceback shows it."""
    with pytest.raises(failures.RequestInvalid) as caught:
        _call(ok(b"{}"), headers={"Authorization": value})

    shown = traceback.format_exception(caught.value)
    assert "s3cret" not in "".join(line for line in shown if not line.lstrip().startswith("File"))


def test_netrc_password_of_the_environment_is_not_sent(
    loopback: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    assert b"authorization" not in _call(ok(b"{}"))[1].lower()


@pytest.mark.parametrize(
    "target",
    [
        "/%7Ea",
        "/%41b",
        "/a%c3%a9",
        "/~a%2Bb",
        "/x?y=%2F%2f",
        "/x?a[]=1&b=%5B%5d",
        '/x?a="<|>"',
        "/x?a=b?c/d",
        "/x?~=%7E",
    ],
)
def test_path_and_query_are_sent_as_they_were_judged(loopback: None, target: str) -> None:
    """HUB 13: no library between the rules and the wire changes an escape."""
    assert _call(ok(b"{}"), path=target)[1].startswith(f"GET {target} HTTP/1.1\r\n".encode())


def test_method_that_cannot_be_sent_is_refused(loopback: None) -> None:
    with pytest.raises(failures.RequestInvalid):
        _call(ok(b"{}"), method="GET / HTTP/1.1\r\nX: ")


def test_attempt_records_the_call_without_secrets(loopback: None) -> None:
    """HUB 16: by name and by value; also what the platform echoes."""
    attempts: list[Attempt] = []
    body = json.dumps({"note": f"my {SECRET}", "pin": 1234, "amount": 5}).encode()
    _call(
        ok(json.dumps({"sid": "AC1", "auth_token": "t0k3n", "echo": SECRET}).encode()),
        method="POST",
        path="/a?api_key=k3y&page=2",
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"},
        body=body,
        secrets=[SECRET],
        log=attempts.append,
    )

    (attempt,) = attempts
    assert (attempt.method, attempt.status, attempt.error) == ("POST", 200, None)
    assert attempt.url.endswith("/a?api_key=[redacted]&page=2")
    assert json.loads(attempt.request_body) == {"note": "my [redacted]", "pin": "[redacted]", "amount": 5}
    assert json.loads(attempt.response_body) == {"sid": "AC1", "auth_token": "[redacted]", "echo": "[redacted]"}
    assert "C4nary" not in repr(attempt)
    assert attempt.milliseconds >= 0


@pytest.mark.parametrize("act", [ok(b"{}"), say(b"garbage\r\n\r\n")])
def test_failing_log_does_not_change_the_outcome(loopback: None, act: Act, caplog: pytest.LogCaptureFixture) -> None:
    """HUB 16."""

    def fail(_: Attempt) -> None:
        raise RuntimeError("the log's disk is full")

    try:
        outcome: int | str = _call(act, log=fail)[0].status
    except failures.Garbled:
        outcome = "garbled"

    assert outcome in (200, "garbled")
    assert "could not be logged" in caplog.text


def test_calls_leave_no_thread_and_no_connection(loopback: None) -> None:
    before = set(threading.enumerate())
    for _ in range(3):
        _call(ok(b"{}"), budget=60)

    for thread in set(threading.enumerate()) - before:
        # A cancelled timer ends at once; a forgotten one would run for a minute.
        thread.join(10)
    assert set(threading.enumerate()) <= before


def test_post_json_reaches_a_partner_on_a_private_address(set_environment: Callable[..., None]) -> None:
    """The deployment configures its URLs, not a tenant."""
    with WireServer(ok(b'{"a":1}', "Connection: close")) as server:
        reply = partners.post_json(f"{server.url}/provider", b'{"b":2}', {"x-signature": "s"}, 10, 100)

    assert (reply.status, reply.body) == (200, b'{"a":1}')
    assert b"\r\nContent-Type: application/json\r\n" in server.requests[0]
    assert server.requests[0].endswith(b'\r\n\r\n{"b":2}')


@pytest.mark.parametrize("act", [_drip, _drip_head, _silent])
def test_post_json_gives_up_a_slow_or_missing_answer(act: Act) -> None:
    """A socket's own time limit starts again with every byte."""
    with WireServer(act) as server, pytest.raises(failures.TimedOut):
        partners.post_json(server.url, b"{}", {}, 0.3, 1000)


def test_post_json_limits_the_size_of_an_answer() -> None:
    with WireServer(ok(b"x" * 101, "Connection: close")) as server, pytest.raises(failures.TooLarge):
        partners.post_json(server.url, b"{}", {}, 10, 100)


# TLS.


@pytest.fixture
def secure(
    authority: tuple[Path, Path], loopback: None, loopback_names: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[WireServer, list[str | None], Callable[[], None]]]:
    """A TLS server, the names requested by SNI, and a function that makes its authority trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority[1])
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)

    def trust() -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
        pinned_adapter._trusted.cache_clear()

    pinned_adapter._trusted.cache_clear()
    with WireServer(ok(b"{}"), context) as server:
        yield server, asked, trust
    pinned_adapter._trusted.cache_clear()


def test_tls_is_verified_by_name_while_the_address_is_dialled(
    secure: tuple[WireServer, list[str | None], Callable[[], None]],
) -> None:
    """HUB 14: SNI, certificate and Host use the name."""
    server, asked, trust = secure
    trust()

    assert client.send("GET", f"https://platform.test:{server.port}/", log=print).status == 200
    assert asked == ["platform.test"]
    assert f"\r\nHost: platform.test:{server.port}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize(("host", "trusted"), [("platform.test", False), ("other.test", True), ("127.0.0.1", True)])
def test_untrusted_certificate_or_one_of_another_host_is_refused(
    secure: tuple[WireServer, list[str | None], Callable[[], None]], host: str, trusted: bool
) -> None:
    """HUB 8: a TLS failure has its own code; nothing of the request is sent."""
    server, _, trust = secure
    if trusted:
        trust()
    with pytest.raises(failures.TlsFailed, match="certificate"):
        client.send("GET", f"https://{host}:{server.port}/", log=print)

    assert server.requests == []


def test_tls_alert_after_the_request_is_an_unknown_outcome(authority: tuple[Path, Path], secure: Any) -> None:
    """HUB 11: with TLS 1.3 a server reports a refusal only after the handshake, and so after the request."""
    _, _, trust = secure
    trust()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority[1])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority[0])
    with WireServer(ok(b"{}"), context) as server, pytest.raises(failures.CallFailed) as caught:
        client.send("POST", f"https://platform.test:{server.port}/", body=b"{}", log=print)

    assert caught.value.sent
    assert server.requests == []


def test_plain_http_where_tls_is_expected_is_a_tls_failure(loopback: None) -> None:
    """HUB 8."""

    def greet(connection: socket.socket) -> None:
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: greet(listener.accept()[0]))
        thread.start()
        with pytest.raises(failures.TlsFailed):
            client.send("GET", f"https://127.0.0.1:{listener.getsockname()[1]}/", log=print)
        thread.join()


@pytest.mark.parametrize("encodings", [None, "identity", "gzip"])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n01234",
    ],
)
def test_answer_that_was_cut_off_is_no_answer(loopback: None, answer: bytes, encodings: str | None) -> None:
    """HUB 12: also where the body is passed through as it arrives."""
    with pytest.raises(failures.Garbled):
        _call(say(answer), encodings=encodings)


def test_body_that_arrives_in_parts_is_whole(loopback: None) -> None:
    def send_slowly(connection: socket.socket, server: WireServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for place in range(10):
            connection.sendall(b"0123456789"[place : place + 1])
            server.over.wait(0.02)

    for encodings in (None, "identity"):
        assert _call(send_slowly, encodings=encodings)[0].body == b"0123456789"
