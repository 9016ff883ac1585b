"""A platform's answers are parsed strictly: no malformed part of them reaches our answers."""

import json
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import pytest

from local.stack import Stack
from tests.hub.client import ADMIN, Hub
from tests.hub.conftest import Platform
from tests.hub.creations import SLOT
from tests.hub.in_process import InProcessHub
from tests.hub.objects import calendars as calendars_draft
from tests.platforms.gohighlevel_answers import MALFORMED_CALENDARS, UNREADABLE_BLOCKS

Rows = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def inside(hub: Hub, stack: Stack) -> Iterator[InProcessHub]:
    """The hub in this process, which may call loopback."""
    with InProcessHub(stack, hub.tokens, EGRESS_ALLOWED_HOSTS="127.0.0.1") as inside:
        yield inside


@pytest.fixture
def path(inside: InProcessHub, platform: Platform, rows: Rows) -> Iterator[str]:
    """The path of a connection to GoHighLevel, whose platform is the test's server."""
    platform.status = 200
    [before] = rows("SELECT base_urls FROM integration_providers WHERE provider_key = 'gohighlevel'")
    set_urls = "UPDATE integration_providers SET base_urls = %s::jsonb WHERE provider_key = 'gohighlevel'"
    rows(set_urls, [json.dumps(dict.fromkeys(before.base_urls, platform.url))])
    made = inside.call("POST", "/integrations", body=calendars_draft())
    yield f"/integrations/{made.json['id']}/calendars"
    rows(set_urls, [json.dumps(before.base_urls)])


@pytest.mark.parametrize("answer", UNREADABLE_BLOCKS.values(), ids=UNREADABLE_BLOCKS)
def test_slot_with_an_unreadable_answer_may_be_blocked_and_is_not_blocked_again(
    inside: InProcessHub, platform: Platform, path: str, answer: bytes
) -> None:
    platform.answer = answer
    key = token_hex(8)
    replies = [inside.call("POST", f"{path}/a/block-slots", ADMIN, SLOT, idempotency_key=key) for _ in range(2)]
    plain = inside.call("POST", f"{path}/a/block-slots", ADMIN, SLOT)

    assert {(reply.status, reply.code) for reply in (*replies, plain)} == {(502, "PROVIDER_OUTCOME_UNKNOWN")}
    # Once with the key, once without.
    assert platform.posted == 2


@pytest.mark.parametrize("calendar", MALFORMED_CALENDARS, ids=repr)
def test_malformed_calendar_is_not_passed_on(
    inside: InProcessHub, platform: Platform, path: str, calendar: Any
) -> None:
    platform.said = {"calendars": [calendar]}
    found = inside.call("GET", path)

    assert (found.status, found.code) == (502, "UNEXPECTED_ANSWER")
