"""Opening a connection for calls: by whom, of which provider, in which status."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from causeway.connections import changes, testing, use
from causeway.connections.requests import ConnectionDraft
from causeway.database import postgres
from causeway.errors.connections import IntegrationNotActive, NotSupported
from causeway.platforms.kinds.calendars import Calendars
from causeway.platforms.open_account import OpenAccount
from causeway.tenancy.context import JobContext, RequestContext
from causeway.wire.preconditions import ANY
from local.services.demo_data import TENANTS
from tests.hub.client import OURS, Hub, config, draft
from tests.hub.conftest import Platform

Inside = Callable[..., RequestContext]


@pytest.fixture
def connection_id(inside: Inside, platform: Platform) -> UUID:
    """A working connection to SOFTSWISS."""
    platform.keys = {"the-key"}
    wanted = ConnectionDraft.parse(draft(config=config(base_url=platform.url, api_key="the-key")))
    return changes.create(inside(), wanted).connection_id


def players(account: OpenAccount) -> int:
    return account.call("GET", "/players", headers={"x-api-key": account.account.secrets["api_key"]}).status


def entries(hub: Hub, connection_id: UUID) -> list[dict[str, Any]]:
    return hub.audited(f"/integrations/{connection_id}")


def test_job_opens_a_connection_as_a_caller_does(inside: Inside, hub: Hub, connection_id: UUID) -> None:
    """HUB 44: a job has no caller; its name is in the API log."""
    inside()
    job = JobContext("sync-run", UUID(TENANTS[OURS]), "an-invocation", postgres.current())
    with use.open_connection(job, connection_id) as account:
        assert players(account) == 200

    [newest, *_] = hub.call("GET", f"/integrations/{connection_id}/logs").json["logs"]
    assert (newest["status"], newest["requestId"]) == (200, "an-invocation")
    assert (newest["actorKind"], newest["actor"], newest["sourceIp"]) == ("system", "sync-run", None)
    assert newest["credentialVersion"] == 1


def test_connection_is_opened_whatever_its_platform_can_do(inside: Inside, connection_id: UUID) -> None:
    with use.open_connection(inside(), connection_id) as account:
        assert players(account) == 200


def test_connection_whose_platform_cannot_do_the_work_is_not_opened(
    inside: Inside, hub: Hub, connection_id: UUID
) -> None:
    """HUB 15: no use is recorded either."""
    context = inside()
    before = entries(hub, connection_id)
    with pytest.raises(NotSupported), use.open_platform(context, connection_id, Calendars):
        pytest.fail("opened")

    assert entries(hub, connection_id) == before


def test_connection_whose_last_test_failed_is_not_opened(
    inside: Inside, hub: Hub, platform: Platform, connection_id: UUID
) -> None:
    """HUB 15: testing it again is still allowed."""
    context = inside()
    platform.keys.clear()
    assert not testing.test_and_save(context, connection_id, ANY)[0].verdict.success
    before = entries(hub, connection_id)
    with pytest.raises(IntegrationNotActive), use.open_connection(context, connection_id):
        pytest.fail("opened")

    assert entries(hub, connection_id) == before
    platform.keys.add("the-key")
    assert testing.test_and_save(context, connection_id, ANY)[0].verdict.success
