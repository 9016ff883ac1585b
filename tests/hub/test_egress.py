"""No spelling of a forbidden address is dialled, from a stored connection down to the socket (HUB 14)."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from causeway.connections import changes, use
from causeway.connections.requests import ConnectionDraft
from causeway.errors.tree import CausewayError
from causeway.tenancy.context import RequestContext
from tests.hub.client import ADMIN, Hub, config, draft
from tests.hub.conftest import Platform
from tests.hub.objects import working
from tests.unit import spellings
from tests.unit.socket_spy import dialled, resolve_names

Rows = Callable[..., list[Any]]
Inside = Callable[..., RequestContext]

# Every third, which are all ways of spelling; tests/unit/test_egress_spellings.py has all.
HOSTS = spellings.hosts()[::3]
# The port of each address, at which nothing of the stack listens.
PORT = 4443
REFUSED = {"BLOCKED_ADDRESS", "CONFIG_INVALID", "CONFIG_SCHEMA_INVALID", "DNS_FAILED"}


@pytest.fixture
def context(inside: Inside, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> RequestContext:
    """An admin's context in an environment that may call the test's platform and nothing else on loopback."""
    resolve_names(monkeypatch, {})
    return inside(ADMIN, EGRESS_ALLOWED_HOSTS=platform.url.removeprefix("http://"))


def outcomes(call: Callable[[str], str | None]) -> dict[str, Any]:
    """The outcomes of calls to these hosts that were dialled, or did not end with one of REFUSED, by the host.

    call: returns the code of an error that it does not raise.
    """
    wrong = {}
    for host in HOSTS:
        with dialled(PORT) as seen:
            try:
                code = call(f"https://{host}:{PORT}")
            except CausewayError as error:
                code = error.code
        if seen or code not in REFUSED:
            wrong[host] = code, seen
    return wrong


def test_no_connection_to_a_forbidden_address_is_made(context: RequestContext) -> None:
    """HUB 14: a host that does not resolve makes a connection with an error."""

    def make(base_url: str) -> str | None:
        return changes.create(context, ConnectionDraft.parse(draft(config=config(base_url=base_url)))).error_code

    assert outcomes(make) == {}


def test_no_call_of_a_connection_reaches_a_forbidden_address(
    hub: Hub, context: RequestContext, platform: Platform, rows: Rows
) -> None:
    """HUB 14: whatever its row says, and after a call that was allowed."""
    made = changes.create(context, ConnectionDraft.parse(working(platform)))

    def call(base_url: str) -> None:
        moved = Jsonb({"base_url": base_url})
        rows(
            "UPDATE integration_connections SET config = config || %s, status = 'active', error_code = NULL, "
            "error_message = NULL WHERE connection_id = %s",
            [moved, made.connection_id],
        )
        rows("DELETE FROM rate_limits WHERE subject_id = %s", [str(made.connection_id)])
        with use.open_connection(context, made.connection_id) as account:
            account.call("GET", "/players", headers={"x-api-key": "first"})

    call(platform.url)
    assert outcomes(call) == {}
    assert len(HOSTS) > 150
    logs = hub.call("GET", f"/integrations/{made.connection_id}/logs?limit=100").json["logs"]
    assert ({log["status"] for log in logs}, len(logs)) == ({None}, 100)
