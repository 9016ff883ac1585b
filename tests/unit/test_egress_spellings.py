"""No spelling of a forbidden address is dialled, from an account's call down to the socket (HUB 14)."""

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from causeway.errors.platforms import PlatformFailure
from causeway.outbound import client
from tests.platforms.accounts import demo_account, opened
from tests.platforms.played import Played
from tests.unit import spellings
from tests.unit.socket_spy import dialled, resolve_names
from tests.unit.wire_server import WireServer, ok

HOSTS = spellings.hosts()
# Of each address; nothing listens there.
PORT = 4443
# Of an address that must not be called, and of one that cannot be read as an address.
REFUSED = {"BLOCKED_ADDRESS", "CONFIG_INVALID", "DNS_FAILED", "CONNECTION_FAILED"}


@pytest.fixture(autouse=True)
def nothing_allowed(set_environment: Callable[..., None]) -> None:
    set_environment(EGRESS_ALLOWED_HOSTS="")


@pytest.fixture(autouse=True)
def numbers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_names(monkeypatch, {})


def called(base_url: str, token_url: str | None = None) -> str:
    """Call a platform at an address, or one whose token is asked for at an address; return the error's code."""
    if token_url is None:
        account = demo_account("softswiss", base_url=base_url)
    else:
        account = demo_account("paypal")
        authentication = account.provider.authentication | {"token_url": token_url}
        account = replace(account, provider=replace(account.provider, authentication=authentication))
    with pytest.raises(PlatformFailure) as caught:
        opened(account).call("GET", "/players")
    return caught.value.code


def test_there_are_many_different_spellings() -> None:
    assert len(HOSTS) == len(set(HOSTS)) >= 400


def test_spy_sees_a_call_to_an_allowed_address(set_environment: Callable[..., None]) -> None:
    """Without this, the other tests could pass because the spy sees nothing."""
    with WireServer(ok(b"{}")) as server, dialled(server.port) as seen:
        set_environment(EGRESS_ALLOWED_HOSTS=f"127.0.0.1:{server.port}")
        opened(demo_account("softswiss", base_url=server.url)).call("GET", "/players")

    assert seen == [("127.0.0.1", server.port)]


def outcomes(call: Callable[[str], str], hosts: list[str]) -> dict[str, Any]:
    """The outcomes of calls to these hosts that were dialled, or ended with another error than these, by the host."""
    wrong = {}
    for host in hosts:
        with dialled(PORT) as seen:
            code = call(host)
        if seen or code not in REFUSED:
            wrong[host] = code, seen
    return wrong


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_no_spelling_in_a_base_url_is_dialled(scheme: str) -> None:
    """HUB 14."""
    assert outcomes(lambda host: called(f"{scheme}://{host}:{PORT}/api"), HOSTS) == {}


def test_no_spelling_in_a_token_url_is_dialled() -> None:
    """HUB 14: the client's secret would be sent there."""
    assert outcomes(lambda host: called("", token_url=f"https://{host}:{PORT}/token"), HOSTS) == {}


def test_no_spelling_in_a_redirect_is_dialled(set_environment: Callable[..., None]) -> None:
    """HUB 14: the answer is passed on as it is."""
    targets = iter(HOSTS)

    def moved(connection: socket.socket, _: WireServer) -> None:
        location = f"https://{next(targets)}:{PORT}/".encode()
        connection.sendall(b"HTTP/1.1 307 Moved\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")

    with WireServer(moved) as server, dialled(server.port) as there, dialled(PORT) as elsewhere:
        set_environment(EGRESS_ALLOWED_HOSTS=f"127.0.0.1:{server.port}")
        statuses = {client.send("GET", server.url, log=lambda _: None).status for _ in HOSTS}

    assert (statuses, len(there), elsewhere) == ({307}, len(HOSTS), [])


@pytest.mark.parametrize("beside", [None, "8.8.8.8"])
def test_no_name_that_resolves_to_a_forbidden_address_is_dialled(
    monkeypatch: pytest.MonkeyPatch, beside: str | None
) -> None:
    """HUB 14: what the name resolves to is judged, not how it looks; a public address beside it does not help."""

    def resolving_to(address: str) -> str:
        found: list[Any] = [] if beside is None else [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (beside, PORT))]
        if ":" in address:
            found.append((socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, PORT, 0, 0)))
        else:
            found.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, PORT)))
        resolve_names(monkeypatch, {"platform.test": found})
        return called(f"https://platform.test:{PORT}")

    ipv6 = [host.strip("[]") for host in HOSTS if host.startswith("[") and "%" not in host]
    assert len(ipv6) > 100
    assert outcomes(resolving_to, [*spellings.FORBIDDEN, *ipv6]) == {}


def test_no_spelling_is_called_over_a_connection_that_an_allowed_host_left_open(
    sandbox_url: str, set_environment: Callable[..., None]
) -> None:
    """HUB 14: the allow-list names one spelling; the others, and that one when it is no longer named, are refused."""
    port = urlsplit(sandbox_url).port
    assert port is not None
    allowed = f"{sandbox_url}/softswiss"
    sandbox = Played(sandbox_url, "softswiss")
    # The allow-list takes a dot at the end for nothing.
    others = [host for host in spellings.spelled("127.0.0.1") if host.rstrip(".") != "127.0.0.1"]

    def answered() -> None:
        set_environment(EGRESS_ALLOWED_HOSTS=f"127.0.0.1:{port}")
        for _ in range(2):
            with pytest.raises(PlatformFailure):
                opened(demo_account("softswiss", base_url=allowed)).call("GET", "/players")

    answered()
    before = sandbox.calls
    with dialled(port) as seen:
        codes = {called(f"http://{host}:{port}/softswiss") for host in others}
    assert (codes <= REFUSED, [address for address in seen if address[0] != "127.0.0.1"]) == (True, [])
    assert sandbox.calls == before

    answered()
    before = sandbox.calls
    set_environment(EGRESS_ALLOWED_HOSTS="")
    assert called(allowed) == "BLOCKED_ADDRESS"
    assert sandbox.calls == before
