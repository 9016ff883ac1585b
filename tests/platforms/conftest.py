"""What a platform's tests use: the sandbox, and a recorder of what the platform's test call sends."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from causeway.outbound import client
from tests.platforms.accounts import demo_account, verdict_code
from tests.platforms.recorder import Sent, answer, parsed
from tests.unit.wire_server import Act, WireServer


@pytest.fixture
def sent(serve: Callable[[Act], WireServer]) -> Callable[[str], list[Sent]]:
    """Makes a platform's test call with the demo credentials: sent("twilio") is what it sends, in order."""

    def test_call(key: str) -> list[Sent]:
        server = serve(answer)
        assert verdict_code(demo_account(key, server.url)) == "CONNECTED"
        return [parsed(request, key) for request in server.requests]

    return test_call


@pytest.fixture
def call(sandbox_url: str) -> Callable[..., tuple[int, Any]]:
    """Calls the sandbox: call("GET", "/twilio/...", headers, content) is the status and the JSON of its response."""

    def make(method: str, path: str, headers: dict[str, str] | None = None, content: Any = None) -> tuple[int, Any]:
        body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        url = f"{sandbox_url}{path}"
        reply = client.send(method, url, headers=headers or {}, body=body, log=lambda _: None)
        return reply.status, json.loads(reply.body)

    return make
