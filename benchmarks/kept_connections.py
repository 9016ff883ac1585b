"""A call over a kept TLS connection against a call over a new one, to a server on loopback."""

import os
import ssl
from pathlib import Path
from time import perf_counter

from benchmarks.table import Row, in_turn
from causeway import settings
from causeway.outbound import client, pinned_adapter
from causeway.outbound.kept_connections import KEPT
from local.temporary_folders import temporary_folder
from tests.unit.certificates import issued
from tests.unit.wire_server import WireServer, ok

_CALLS = 50
_ROUNDS = 9
_HOST = "localhost"


def milliseconds(url: str, *, again: bool) -> float:
    """Return the average time of a call; again: it goes over the connection of the call before."""
    spent = 0.0
    for _ in range(_CALLS):
        if not again:
            KEPT.close()
        start = perf_counter()
        client.send("GET", url, log=lambda _: None, keep_for="an owner", may_break=True)
        spent += perf_counter() - start
    return spent / _CALLS * 1e3


def run() -> list[Row]:
    """Measure both in turn, with a certificate of our own."""
    with temporary_folder("causeway-bench") as folder:
        authority, certificate = issued(Path(folder), _HOST)
        os.environ |= {"SSL_CERT_FILE": str(authority), "EGRESS_ALLOWED_HOSTS": _HOST}
        settings.egress_allowed_hosts.cache_clear()
        pinned_adapter._trusted.cache_clear()  # noqa: SLF001 - it was made without the authority
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with WireServer(ok(b"{}"), context, keeps_open=True) as server:
            url = f"https://{_HOST}:{server.port}/"
            later, first, ratio = in_turn(
                lambda: milliseconds(url, again=True), lambda: milliseconds(url, again=False), _ROUNDS
            )
            KEPT.close()
    measured = f"{later:.2f} ms, new {first:.2f} ms"
    return [Row("call over a kept TLS connection / over a new one", measured, ratio, at_most=0.6)]
