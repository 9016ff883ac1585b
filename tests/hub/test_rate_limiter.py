"""POST /functions/v1/rate-limiter: takes from the limits of a connection or a key, and tells what is left."""

import re
from collections import Counter
from collections.abc import Callable
from secrets import token_hex
from typing import Any

import pytest

from causeway.wire import base64url
from local.services.demo_data import TENANTS
from tests.database.parallel import at_once
from tests.hub.client import ADMIN, OURS, REGULATOR, THEIR_ADMIN, THEIRS, Caller, Hub, Reply, machine

Rows = Callable[..., list[Any]]
PATH = "/functions/v1/rate-limiter"
USED_UP = "of 6 a day is used up, but for the 1 that only payments and messages may use"


def new_key() -> str:
    return f"key:{token_hex(8)}"


def decide(hub: Hub, action: str = "take", caller: Caller = ADMIN, **fields: Any) -> Reply:
    return hub.call("POST", PATH, caller, {"action": action} | fields)


@pytest.fixture
def connection_id(hub: Hub, rows: Rows) -> str:
    """A connection with 90 requests a minute and 5 a day beside its reserve.

    The day is what refuses, and seldom ends during a test.
    """
    path = hub.connection()
    assert hub.call("PUT", f"{path}/limits", ADMIN, {"minute": 100, "day": 6}).status == 200
    connection_id = path.rpartition("/")[2]
    # Forget the test call that was made with the new connection.
    rows("DELETE FROM rate_limits WHERE subject_id = %s", [connection_id])
    return connection_id


def test_new_key_has_a_hundred_requests_a_minute(hub: Hub) -> None:
    """Seed 004; a key that is new is made on first use."""
    first = decide(hub, key=new_key())

    assert first.status == 200
    assert first.json["allowed"] is True
    assert (first.json["limit"], first.json["remaining"], first.json["retry_after"]) == (100, 99, None)
    [window] = first.json["windows"]
    assert window == {
        "window": "minute",
        "limit": 100,
        "used": 1,
        "remaining": 99,
        "reset_at": first.json["reset_at"],
    }


def test_callers_at_once_get_exactly_the_limit(hub: Hub, connection_id: str) -> None:
    """HUB 18, over HTTP."""
    replies = at_once([lambda: decide(hub, connection_id=connection_id) for _ in range(16)])

    assert Counter(reply.status for reply in replies) == {200: 5, 429: 11}


def test_reserve_of_a_connection_is_not_taken(hub: Hub, connection_id: str) -> None:
    """HUB 17: it is for payments and messages that are made with the connection; a key has none."""
    assert decide(hub, connection_id=connection_id, cost=5).status == 200
    assert decide(hub, connection_id=connection_id).status == 429
    above = decide(hub, connection_id=connection_id, cost=6)
    assert (above.status, above.code) == (400, "COST_ABOVE_LIMIT")
    assert decide(hub, key=new_key(), cost=100).status == 200


def test_connection_has_all_its_windows(hub: Hub, connection_id: str) -> None:
    body = decide(hub, connection_id=connection_id, cost=2).json

    assert [(one["window"], one["limit"], one["used"]) for one in body["windows"]] == [
        ("minute", 90, 2),
        ("day", 5, 2),
    ]
    assert (body["limit"], body["remaining"]) == (5, 3)


def test_refused_take_says_when_to_come_back(hub: Hub, connection_id: str) -> None:
    """HUB 19."""
    taken = decide(hub, connection_id=connection_id, cost=5)
    refused = decide(hub, connection_id=connection_id)

    assert (refused.status, refused.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert (refused.json["allowed"], refused.json["limit"], refused.json["remaining"]) == (False, 5, 0)
    assert 1 <= refused.json["retry_after"] <= 86_400
    assert refused.headers["retry-after"] == str(refused.json["retry_after"])
    assert refused.headers["ratelimit-policy"] == '"minute";q=90;w=60, "day";q=5;w=86400'
    assert re.fullmatch(r'"minute";r=\d+;t=\d+, "day";r=0;t=\d+', refused.headers["ratelimit"])
    assert refused.headers["ratelimit"].endswith(f'"day";r=0;t={refused.json["retry_after"]}')
    assert '"day";r=0;t=' in taken.headers["ratelimit"]
    assert refused.json["error"] == f"The connection's limit {USED_UP}"
    wait = f"Wait {refused.json['retry_after']} second"
    assert refused.json["nextAction"].startswith(wait)
    assert refused.json["nextAction"].endswith("send the same call again; an admin may raise the connection's limits.")


def test_refusal_of_a_key_says_so(hub: Hub) -> None:
    key = new_key()
    decide(hub, key=key, cost=99)
    refused = decide(hub, key=key, cost=2)
    assert refused.json["error"] == "The key's limit of 100 a minute has only 1 left"
    assert refused.json["nextAction"].endswith("then send the same call again.")


def test_test_of_a_connection_without_a_call_left_says_whose_limit_it_is(hub: Hub, connection_id: str) -> None:
    decide(hub, connection_id=connection_id, cost=5)
    tested = hub.call("POST", f"/integrations/{connection_id}/test", ADMIN).json
    assert (tested["success"], tested["code"]) == (False, "RATE_LIMITED")
    assert tested["message"] == f"The connection's limit {USED_UP}, so the platform was not called."
    assert tested["nextAction"].endswith("then test again; an admin may raise the connection's limits.")


def test_check_and_usage_take_nothing(hub: Hub, connection_id: str) -> None:
    decide(hub, connection_id=connection_id, cost=4)
    for action in ("check", "usage", "check"):
        found = decide(hub, action, connection_id=connection_id)
        assert (found.status, found.json["allowed"], found.json["remaining"]) == (200, True, 1)
    refused = decide(hub, "check", connection_id=connection_id, cost=2)
    assert (refused.status, refused.json["allowed"]) == (200, False)
    assert refused.json["retry_after"] >= 1
    decide(hub, connection_id=connection_id)
    for action in ("check", "usage"):
        full = decide(hub, action, connection_id=connection_id)
        assert (full.status, full.json["allowed"], full.json["remaining"]) == (200, False, 0)
        assert full.json["retry_after"] >= 1


def test_exceeded_window_is_announced_once(hub: Hub, rows: Rows, connection_id: str) -> None:
    decide(hub, connection_id=connection_id, cost=5)
    for _ in range(3):
        decide(hub, connection_id=connection_id)
    found = rows("SELECT type, payload FROM events_out WHERE payload ->> 'subjectId' = %s", [connection_id])
    assert [(one.type, one.payload["window"]) for one in found] == [("connection.rate_limit_exceeded", "day")]


def test_machine_may_take_and_a_regulator_may_not(hub: Hub, rows: Rows) -> None:
    key = machine(hub.new_key()["apiKey"])
    assert decide(hub, caller=key, key=new_key()).status == 200
    refused = decide(hub, caller=REGULATOR, key=new_key())
    assert (refused.status, refused.code) == (403, "FORBIDDEN")


def test_tenants_with_the_same_key_share_nothing(hub: Hub, rows: Rows) -> None:
    key = new_key()
    assert decide(hub, key=key, cost=100).status == 200
    assert decide(hub, caller=THEIR_ADMIN, key=key).json["remaining"] == 99
    found = rows("SELECT tenant_id::text, month_used FROM rate_limits WHERE subject_id = %s", [key])
    assert {one.tenant_id: one.month_used for one in found} == {TENANTS[OURS]: 100, TENANTS[THEIRS]: 1}


def test_connection_of_another_tenant_is_not_found(hub: Hub, connection_id: str) -> None:
    refused = decide(hub, caller=THEIR_ADMIN, connection_id=connection_id)
    assert (refused.status, refused.code) == (404, "CONNECTION_NOT_FOUND")


def test_connection_is_named_in_every_form_of_a_path(hub: Hub) -> None:
    """HUB 52."""
    external_id = f"desk/{token_hex(4)}"
    made = hub.created(externalId=external_id).json
    assert made["externalIdInPath"].startswith("b64:")
    encoded = f"b64:{base64url.encode(made['id'].encode())}"
    for form in (made["id"], encoded, f"ext:{external_id}", made["externalIdInPath"]):
        assert decide(hub, "usage", connection_id=form).status == 200
    refused = decide(hub, connection_id="b64:!")
    assert (refused.status, refused.json["problems"][0]["path"]) == (400, "connection_id")


def test_deleted_connection_is_not_found(hub: Hub, connection_id: str) -> None:
    hub.call("DELETE", f"/integrations/{connection_id}")
    assert decide(hub, connection_id=connection_id).code == "CONNECTION_NOT_FOUND"


@pytest.mark.parametrize("action", ["check", "take"])
def test_cost_above_the_smallest_limit_is_refused(hub: Hub, connection_id: str, action: str) -> None:
    refused = decide(hub, action, connection_id=connection_id, cost=6)
    assert (refused.status, refused.code) == (400, "COST_ABOVE_LIMIT")
    assert refused.json["error"] == "cost is 6, and the smallest window of the connection has room for 5 at most"
    assert refused.json["nextAction"] == "Send a smaller cost, or have an admin raise its limits."
    assert "retry-after" not in refused.headers


def test_cost_above_the_limit_of_a_key_has_an_action_that_works(hub: Hub) -> None:
    """Nobody can raise the limit of a key."""
    refused = decide(hub, key=new_key(), cost=101)
    assert (refused.status, refused.code) == (400, "COST_ABOVE_LIMIT")
    assert refused.json["error"] == "cost is 101, and the smallest window of the key has room for 100 at most"
    assert refused.json["nextAction"] == "Send a smaller cost."


@pytest.mark.parametrize(
    "body",
    [{}, {"key": "", "action": "take"}, {"key": "a", "action": "drop"}, {"key": "a", "action": "take", "cost": 0}],
)
def test_bad_input_is_refused(hub: Hub, body: dict[str, Any]) -> None:
    """tests/unit/test_rate_limiter_requests.py has every rule."""
    refused = hub.call("POST", PATH, ADMIN, body)
    assert (refused.status, refused.code) == (400, "INVALID_REQUEST")


def test_headers_whose_promise_it_cannot_keep_are_refused(hub: Hub) -> None:
    body = {"key": "a", "action": "take"}
    assert hub.call("POST", PATH, ADMIN, body, if_match='"1"').code == "INVALID_REQUEST"
    assert hub.call("POST", PATH, ADMIN, body, idempotency_key="key-1").code == "INVALID_REQUEST"
    assert hub.call("POST", f"{PATH}?key=a", ADMIN, body).code == "INVALID_REQUEST"


def test_changing_calls_of_a_full_key_are_refused_and_its_reads_answered(hub: Hub, rows: Rows) -> None:
    """HUB 19: a key's limit is counted by the authorizer, and costs reads nothing."""
    key = hub.new_key()
    # In a window of tomorrow, so that it does not end during the test.
    rows(
        """
        INSERT INTO rate_limits (tenant_id, kind, subject_id, taken_at, minute_used, hour_used, day_used, month_used)
        VALUES (%s, 'api_key', %s, now() + interval '1 day', 1200, 1200, 1200, 1200)
        """,
        [TENANTS[OURS], key["id"]],
    )
    refused = decide(hub, caller=machine(key["apiKey"]), key=new_key())

    assert (refused.status, refused.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json["error"] == "The API key's limit of 1200 a minute is used up"
    assert hub.call("GET", "/integrations", machine(key["apiKey"])).status == 200
