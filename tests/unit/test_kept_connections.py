"""Connections are kept between calls: judged again, not too old, clean after their answer (HUB 8, 11, 14)."""

import os
import select
import socket
import ssl
import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack
from threading import Thread
from time import monotonic
from typing import Any

import pytest

from causeway.outbound import client, failures, kept_connections
from causeway.outbound.kept_connections import KEPT, KeptConnection, KeptConnections, Place
from causeway.outbound.watchdog import Watchdog
from tests.unit.clock import Clock
from tests.unit.wire_server import WireServer, ok, say

HEAD = b"HTTP/1.1 200 OK\r\n"
OWNER = ("tenant", "connection", 1)
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"


@pytest.fixture(autouse=True)
def none_kept(set_environment: Callable[..., None]) -> Iterator[None]:
    set_environment(EGRESS_ALLOWED_HOSTS="127.0.0.1,localhost,platform.test")
    KEPT.close()
    yield
    KEPT.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the kept connections of this process, and of those that are kept."""
    clock = Clock()
    monkeypatch.setattr(KEPT, "clock", clock)
    return clock


@pytest.fixture
def opened() -> Iterator[Callable[..., WireServer]]:
    """Starts a server that keeps its connections open: opened(ok(b"{}"))."""
    with ExitStack() as running:
        yield lambda act, **more: running.enter_context(WireServer(act, keeps_open=True, **more))


def send(server: WireServer, method: str = "GET", *, may_break: bool = True, **more: Any) -> int:
    more = {"budget": 5.0, "keep_for": OWNER, **more}
    return client.send(method, server.url + "/", log=lambda _: None, may_break=may_break, **more).status


def settled() -> None:
    """Wait until what the server did to the one kept connection has arrived."""
    [(_, kept)] = KEPT._kept
    assert select.select([kept.connection], [], [], 10)[0]


def test_calls_to_one_place_share_a_connection(opened: Callable[..., WireServer]) -> None:
    server, other = opened(ok(b"{}")), opened(ok(b"{}"))
    for method in ("GET", "PUT", "DELETE", "GET"):
        assert send(server, method) == 200
    send(other)

    assert (server.connections, len(server.requests), other.connections) == (1, 4, 1)


@pytest.mark.parametrize(
    "other", [("other", "connection", 1), ("tenant", "other", 1), ("tenant", "connection", 2), None]
)
def test_calls_of_different_owners_share_no_connection(opened: Callable[..., WireServer], other: Hashable) -> None:
    """HUB 8: the host answers one owner's call twice, and the next call would read the second answer."""
    server = opened(ok(b"{}"))
    for _ in range(2):
        send(server)
        send(server, keep_for=other)

    assert server.connections == (3 if other is None else 2)


def test_call_without_an_owner_leaves_no_connection(opened: Callable[..., WireServer]) -> None:
    server = opened(ok(b"{}"))
    for _ in range(3):
        send(server, keep_for=None)

    assert (server.connections, KEPT._kept) == (3, [])


def test_nothing_of_one_call_is_in_the_next(opened: Callable[..., WireServer]) -> None:
    server = opened(ok(b"{}"))
    send(server, "PUT", headers={"Authorization": "Bearer first", "X-Tenant": "first"}, body=b'"first"')
    send(server)

    assert server.connections == 1
    assert b"first" in server.requests[0]
    assert b"first" not in server.requests[1]


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("GET", HEAD + b"Content-Length: 2\r\n\r\n{}"),
        ("GET", CHUNKED),
        ("GET", HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        ("GET", b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\n{}"),
        ("GET", b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"),
        ("GET", b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n"),
        ("GET", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n"),
        ("HEAD", HEAD + b"Content-Length: 5000\r\n\r\n"),
        ("GET", HEAD + b"Keep-Alive: timeout=5, max=99\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_connection_is_kept_after_an_answer_whose_end_is_certain(
    opened: Callable[..., WireServer], method: str, answer: bytes
) -> None:
    server = opened(say(answer))
    first, second = send(server, method), send(server, method)

    assert first == second
    assert server.connections == 1


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("GET", HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"),
        ("GET", HEAD + b"Connection: keep-alive\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\n{}"),
        ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        ("GET", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}"),
        ("GET", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        ("GET", HEAD + b"Keep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\n{}"),
        # Two readers would see two ends.
        ("GET", HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        ("GET", HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
        ("GET", HEAD + b"Content-Length: +2\r\n\r\n{}"),
        ("GET", HEAD + b"Content-Length: 0_2\r\n\r\n{}"),
        ("GET", HEAD + b"Transfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
        # More than the answer, in one piece with it: a second answer that nobody asked for.
        ("GET", HEAD + b"Content-Length: 2\r\n\r\n{}x"),
        ("GET", HEAD + b"Content-Length: 2\r\n\r\n{}" + HEAD + b"Content-Length: 6\r\n\r\nforged"),
        ("GET", CHUNKED + HEAD + b"Content-Length: 6\r\n\r\nforged"),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}"),
        ("HEAD", HEAD + b"Content-Length: 2\r\n\r\n{}"),
        # The connection, not the request, is authenticated.
        ("GET", HEAD + b"WWW-Authenticate: Negotiate abc\r\nContent-Length: 2\r\n\r\n{}"),
        ("GET", HEAD + b"WWW-Authenticate: Basic\r\nWWW-Authenticate: NTLM\r\nContent-Length: 2\r\n\r\n{}"),
    ],
)
def test_connection_is_not_kept_after_an_answer_that_leaves_doubt(
    opened: Callable[..., WireServer], method: str, answer: bytes
) -> None:
    """Response splitting, too: bytes after an answer would be the answer to the next request."""
    server = opened(say(answer))
    first, second = send(server, method, encodings="identity"), send(server, method, encodings="identity")

    assert first == second
    assert server.connections == 2


def test_bytes_that_come_later_are_no_answer(opened: Callable[..., WireServer]) -> None:
    forged = HEAD + b"Content-Length: 6\r\n\r\nforged"

    def answers(connection: socket.socket, server: WireServer) -> None:
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
        if len(server.requests) == 1:
            server.over.wait(0.2)
            connection.sendall(forged)

    server = opened(answers)
    send(server)
    settled()
    reply = client.send("GET", server.url + "/", log=lambda _: None, keep_for=OWNER, may_break=True)

    assert (reply.body, server.connections) == (b"{}", 2)


def test_broken_answer_leaves_no_connection(opened: Callable[..., WireServer]) -> None:
    server = opened(say(HEAD + b"Content-Length: 10\r\n\r\nshort"))
    with pytest.raises(failures.TimedOut):
        send(server, budget=0.3)

    assert KEPT.take(Place(False, "127.0.0.1", server.port, OWNER), may_break=True) is None


def test_too_large_answer_leaves_no_connection(opened: Callable[..., WireServer]) -> None:
    server = opened(ok(b"x" * 100))
    for _ in range(2):
        with pytest.raises(failures.TooLarge):
            send(server, most_bytes=99)

    assert send(server, most_bytes=100) == 200
    assert server.connections == 3


def test_connection_that_the_server_closed_is_noticed_before_use(opened: Callable[..., WireServer]) -> None:
    server = opened(ok(b"{}"))
    send(server)
    server.hang_up()
    settled()

    assert send(server, "POST") == 200
    assert server.connections == 2


def test_break_of_a_kept_connection_is_an_unknown_outcome(opened: Callable[..., WireServer]) -> None:
    """HUB 11: the server got the request."""

    def once(connection: socket.socket, server: WireServer) -> None:
        if len(server.requests) == 1:
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
        else:
            connection.shutdown(socket.SHUT_RDWR)

    server = opened(once)
    send(server)
    with pytest.raises(failures.ConnectFailed) as caught:
        send(server)

    assert caught.value.sent
    assert server.connections == 1


@pytest.mark.parametrize("answers", [1, 2, 3])
def test_call_that_is_not_tried_again_takes_a_proven_connection(
    opened: Callable[..., WireServer], clock: Clock, answers: int
) -> None:
    """HUB 11: a server that closes silently after each answer would leave its outcome unknown."""
    server = opened(ok(b"{}"))
    for _ in range(answers):
        send(server)
    send(server, "POST", may_break=False)

    assert server.connections == (1 if answers > 1 else 2)


@pytest.mark.parametrize(("seconds", "connections"), [(1.0, 1), (1.1, 2)])
def test_call_that_is_not_tried_again_takes_no_idle_connection(
    opened: Callable[..., WireServer], clock: Clock, seconds: float, connections: int
) -> None:
    """HUB 11: its server may close it at this moment."""
    server = opened(ok(b"{}"))
    for _ in range(2):
        send(server)
    clock.go(seconds)
    send(server, "POST", may_break=False)

    assert server.connections == connections


@pytest.mark.parametrize("passes", [Clock.go, Clock.freeze])
@pytest.mark.parametrize(("seconds", "connections"), [(59, 1), (61, 2)])
def test_idle_connection_grows_too_old(
    opened: Callable[..., WireServer],
    clock: Clock,
    passes: Callable[[Clock, float], None],
    seconds: float,
    connections: int,
) -> None:
    """A frozen environment's monotonic clock stands still."""
    server = opened(ok(b"{}"))
    send(server)
    passes(clock, seconds)
    send(server)

    assert server.connections == connections


def test_connection_is_not_kept_longer_than_its_server_says(opened: Callable[..., WireServer], clock: Clock) -> None:
    server = opened(say(HEAD + b"Keep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n"))
    for seconds, connections in ((0, 1), (3.9, 1), (4, 2)):
        clock.go(seconds)
        send(server)
        assert server.connections == connections


def test_busy_connection_is_made_anew_after_a_while(opened: Callable[..., WireServer], clock: Clock) -> None:
    """A host that moved is found by its name."""
    server = opened(ok(b"{}"))
    for _ in range(7):
        send(server)
        clock.go(50)

    assert server.connections == 2


def test_clock_that_was_set_back_ends_the_keeping(opened: Callable[..., WireServer], clock: Clock) -> None:
    server = opened(ok(b"{}"))
    send(server)
    clock.set_wall(-5)
    send(server)

    assert server.connections == 2


def test_address_is_judged_again(opened: Callable[..., WireServer], set_environment: Callable[..., None]) -> None:
    """HUB 14: by the settings of now."""
    server = opened(ok(b"{}"))
    place = Place(False, "127.0.0.1", server.port, OWNER)
    send(server)
    set_environment(EGRESS_ALLOWED_HOSTS="platform.test")

    assert KEPT.take(place, may_break=True) is None
    set_environment(EGRESS_ALLOWED_HOSTS="127.0.0.1")
    send(server)
    assert server.connections == 2


def test_longest_idle_is_closed_where_there_are_too_many() -> None:
    kept = KeptConnections(clock := Clock())
    pairs = [socket.socketpair() for _ in range(kept_connections.MOST_CONNECTIONS + 1)]
    places = [Place(False, "127.0.0.1", number, OWNER) for number in range(len(pairs))]
    for place, (ours, _) in zip(places, pairs, strict=True):
        kept.keep(place, KeptConnection(ours, clock(), clock(), 1))

    assert [ours.fileno() < 0 for ours, _ in pairs] == [True] + [False] * kept_connections.MOST_CONNECTIONS
    kept.close()
    assert all(ours.fileno() < 0 for ours, _ in pairs)
    for _, theirs in pairs:
        theirs.close()


def test_deadline_of_one_call_does_not_shut_the_next(opened: Callable[..., WireServer]) -> None:
    server = opened(ok(b"{}"))
    assert send(server, budget=0.2) == 200
    server.over.wait(0.4)

    assert send(server) == 200
    assert server.connections == 1


def test_deadline_holds_on_a_kept_connection(opened: Callable[..., WireServer]) -> None:
    def then_drip(connection: socket.socket, server: WireServer) -> None:
        if len(server.requests) == 1:
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
            return
        connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
        while not server.over.wait(0.02):
            connection.sendall(b"x")

    server = opened(then_drip)
    send(server)
    started = monotonic()
    with pytest.raises(failures.TimedOut):
        send(server, budget=0.3)

    assert monotonic() - started < 5
    assert server.connections == 1


def test_connection_that_the_watchdog_shut_is_not_kept(opened: Callable[..., WireServer]) -> None:
    ours, theirs = socket.socketpair()
    watchdog = Watchdog(0.05)
    watchdog.watch(ours)
    assert theirs.recv(1) == b""
    KEPT.keep(Place(False, "127.0.0.1", 1, OWNER), KeptConnection(ours, Clock()(), Clock()(), 1))
    watchdog.close()
    theirs.close()

    assert ours.fileno() < 0


def test_threads_never_share_a_connection(opened: Callable[..., WireServer]) -> None:
    server = opened(ok(b"{}"))
    outcomes: list[int] = []

    def calls(number: int) -> None:
        outcomes.extend(send(server, "PUT", body=b"%d" % number * 3000) for _ in range(20))

    threads = [Thread(target=calls, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == [200] * 160
    bodies = [request.partition(b"\r\n\r\n")[2] for request in server.requests]
    assert sorted(bodies) == sorted(b"%d" % number * 3000 for number in range(8) for _ in range(20))
    assert server.connections <= 8


def test_process_that_is_forked_leaves_the_connections_to_its_parent(opened: Callable[..., WireServer]) -> None:
    server = opened(ok(b"{}"))
    send(server)
    with warnings.catch_warnings():
        # The server's threads; the child ends at once.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(0 if KEPT.take(Place(False, "127.0.0.1", server.port, OWNER), may_break=True) is None else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    send(server)
    assert server.connections == 1


def test_tls_connection_is_kept_with_its_certificate_checked_once(
    opened: Callable[..., WireServer], authority: tuple[Any, Any], trusted: None
) -> None:
    """HUB 14: for the name that was checked, and no other spelling."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority[1])
    context.sni_callback = lambda _, name, __: asked.append(name)
    server = opened(ok(b"{}"), context=context)
    for _ in range(3):
        url = f"https://platform.test:{server.port}/"
        assert client.send("GET", url, log=print, keep_for=OWNER, may_break=True).status == 200
    with pytest.raises(failures.TlsFailed):
        client.send("GET", f"https://localhost:{server.port}/", log=print, keep_for=OWNER, may_break=True)

    assert asked == ["platform.test", "localhost"]


def test_tls_connection_that_the_server_closed_is_noticed(
    opened: Callable[..., WireServer], authority: tuple[Any, Any], trusted: None
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority[1])
    server = opened(ok(b"{}"), context=context)
    url = f"https://platform.test:{server.port}/"
    client.send("GET", url, log=print, keep_for=OWNER, may_break=True)
    server.hang_up()
    settled()

    assert client.send("GET", url, log=print, keep_for=OWNER, may_break=True).status == 200
    assert server.connections == 2
