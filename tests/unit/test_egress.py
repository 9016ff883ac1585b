"""The egress guard: which addresses are never dialled, and that the dialled address is the checked one (HUB 14)."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from causeway.outbound import client, egress, failures, partners
from tests.unit.silent import Silent
from tests.unit.wire_server import WireServer, ok

if TYPE_CHECKING:
    from causeway.outbound.attempts import Attempt

Resolver = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def nothing_allowed(set_environment: Callable[..., None]) -> None:
    set_environment(EGRESS_ALLOWED_HOSTS="")


def resolver(*addresses: str) -> tuple[Resolver, list[str]]:
    """A resolver that answers these addresses to every name, and the names it was asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    return resolve, asked


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::10.0.0.1",
        "64:ff9b:1:ffff::1",
        "100::1",
        "2001::1",
        "2001:0:a9fe:a9fe::",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:a9fe:a9fe::",
        "2002:7f00:1::1",
        "2607:f8b0::5efe:10.0.0.1",
        "2607:f8b0::200:5efe:10.0.0.1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_special_address_is_blocked(address: str) -> None:
    """HUB 14."""
    assert egress.blocked_kind(ip_address(address)) is not None


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "9.255.255.255",
        "100.63.255.255",
        "100.128.0.0",
        "172.32.0.0",
        "192.0.1.0",
        "192.31.196.1",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450::1",
    ],
)
def test_public_address_is_not_blocked(address: str) -> None:
    assert egress.blocked_kind(ip_address(address)) is None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "localhost",
        "127.0.0.1.",
        "0",
        "１２７.０.０.１",  # noqa: RUF001
        "①②⑦.0.0.1",
        "127。0。0。1",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
def test_no_spelling_of_loopback_is_dialled(set_environment: Callable[..., None], host: str) -> None:
    """HUB 14: whatever the resolver or IDNA makes of the text, no connection arrives."""
    attempts: list[Attempt] = []
    unreached = pytest.raises((failures.AddressBlocked, failures.DnsFailed, failures.RequestInvalid))
    with WireServer(ok(b"{}")) as server, unreached:
        client.send("GET", f"http://{host}:{server.port}/", log=attempts.append)

    assert server.requests == []
    assert [attempt.status for attempt in attempts] == [None]


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "017700000001", "[::1]", "[::ffff:127.0.0.1]"])
def test_loopback_in_another_spelling_is_named_a_blocked_address(
    set_environment: Callable[..., None], host: str
) -> None:
    """HUB 14."""
    with pytest.raises(failures.AddressBlocked, match="resolves to"):
        client.send("GET", f"https://{host}/", log=print)


def test_one_blocked_address_among_public_ones_blocks_the_host(
    set_environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HUB 14: the public address comes first, so a guard that checks the first only fails."""
    monkeypatch.setattr(socket, "getaddrinfo", resolver("8.8.8.8", "10.0.0.1")[0])

    with pytest.raises(failures.AddressBlocked, match=r"10\.0\.0\.1 \(private\)"):
        client.send("GET", "https://platform.test/", log=print)


def test_host_is_resolved_once_and_the_checked_address_is_dialled(
    set_environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HUB 14: a changed DNS answer after the check has no effect; the Host header keeps the name."""
    first, asked = resolver("127.0.0.1")
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *given, **more: first(*given, **more) if not asked else pytest.fail("asked twice")
    )
    with WireServer(ok(b"{}")) as server:
        set_environment(EGRESS_ALLOWED_HOSTS="platform.test")
        client.send("GET", f"http://platform.test:{server.port}/a", log=print)

    assert asked == ["platform.test"]
    assert f"\r\nHost: platform.test:{server.port}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize(
    ("allowed", "reached"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:{port}", True),
        (" other.test , 127.0.0.1:{port}", True),
        ("127.0.0.1:1", False),
        ("127.0.0", False),
        ("0.0.1:{port}", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_allow_list_opens_only_the_named_host(
    set_environment: Callable[..., None], allowed: str, reached: bool
) -> None:
    """HUB 14: EGRESS_ALLOWED_HOSTS."""
    with WireServer(ok(b"{}")) as server:
        set_environment(EGRESS_ALLOWED_HOSTS=allowed.format(port=server.port))
        if reached:
            assert client.send("GET", server.url, log=print).status == 200
        else:
            with pytest.raises(failures.AddressBlocked):
                client.send("GET", server.url, log=print)

    assert len(server.requests) == reached


def test_redirect_to_a_private_address_is_not_followed(set_environment: Callable[..., None]) -> None:
    """HUB 14."""
    with WireServer(ok(b"{}")) as inner:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {inner.url}/\r\nContent-Length: 0\r\n\r\n".encode()
        with WireServer(lambda connection, _: connection.sendall(moved)) as server:
            set_environment(EGRESS_ALLOWED_HOSTS=f"127.0.0.1:{server.port}")
            reply = client.send("GET", server.url, log=print)

    assert reply.status == 302
    assert inner.requests == []


def test_second_address_is_dialled_where_the_first_refuses(
    set_environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver("127.0.0.2", "127.0.0.1")[0])
    with WireServer(ok(b"{}")) as server:
        set_environment(EGRESS_ALLOWED_HOSTS="platform.test")
        assert client.send("GET", f"http://platform.test:{server.port}", log=print).status == 200


def test_silent_address_leaves_time_for_the_next(
    set_environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next address answers after more than half of the budget."""

    def late(connection: socket.socket, server: WireServer) -> None:
        server.over.wait(1.8)
        ok(b"{}")(connection, server)

    monkeypatch.setattr(socket, "getaddrinfo", resolver("127.0.0.2", "127.0.0.1")[0])
    with WireServer(late) as server:
        silent = Silent(["127.0.0.2"], accepts=False, port=server.port)
        set_environment(EGRESS_ALLOWED_HOSTS="platform.test")
        try:
            reply = client.send("GET", f"http://platform.test:{server.port}", log=print, budget=3)
        finally:
            silent.close()

    assert reply.status == 200


def test_partner_behind_a_silent_address_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver("127.0.0.2", "127.0.0.1")[0])
    with WireServer(ok(b"{}")) as server:
        silent = Silent(["127.0.0.2"], accepts=False, port=server.port)
        try:
            reply = partners.post_json(f"http://partner.test:{server.port}/x", b"{}", {}, 2.5, 100)
        finally:
            silent.close()

    assert reply.status == 200


def test_environment_proxy_is_not_used(set_environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """HUB 14: a proxy would dial an address that nobody checked."""
    with WireServer(ok(b"{}")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        with pytest.raises(failures.AddressBlocked):
            client.send("GET", "http://10.0.0.1/", log=print)

    assert proxy.requests == []


def test_public_host_is_called_over_tls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TLS anybody could read the secret. The refusal comes before anything is dialled."""
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: public)

    with pytest.raises(failures.RequestInvalid, match="https"):
        client.send("GET", "http://example.com/", log=print)
