"""What a platform's tests use: the sandbox, and a recorder of what the platform's test call sends."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from causeway import settings
from causeway.outbound import client
from causeway.platforms import calls, registry
from causeway.platforms.kinds.errors import ErrorReader
from tests.platforms.accounts import demo_account
from tests.platforms.recorder import Sent, answer, parsed
from tests.unit.wire_server import WireServer


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], list[Sent]]]:
    """Makes a platform's test call with the demo credentials: sent("twilio") is what it sends, in order."""
    with WireServer(answer) as server:
        monkeypatch.setenv("EGRESS_ALLOWED_HOSTS", f"127.0.0.1:{server.port}")
        settings.egress_allowed_hosts.cache_clear()

        def test_call(key: str) -> list[Sent]:
            verdict, _ = calls.call_for_test(
                demo_account(key, server.url), lambda _: None, registry.find(key, ErrorReader)
            )
            assert verdict.code == "CONNECTED"
            return [parsed(request, key) for request in server.requests]

        yield test_call
    settings.egress_allowed_hosts.cache_clear()


@pytest.fixture
def call(sandbox_url: str) -> Callable[..., tuple[int, Any]]:
    """Calls the sandbox: call("GET", "/twilio/...", headers, content) is the status and the JSON of its response."""

    def make(method: str, path: str, headers: dict[str, str] | None = None, content: Any = None) -> tuple[int, Any]:
        body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        url = f"{sandbox_url}{path}"
        reply = client.send(method, url, headers=headers or {}, body=body, log=lambda _: None)
        return reply.status, json.loads(reply.body)

    return make
