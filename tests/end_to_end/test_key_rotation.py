"""The scheduled rotation of data keys, in the function that does it, while a connection is in use."""

from secrets import token_hex

import psycopg

from local.demo_data import TENANT_ID
from local.sandbox import DEMO_CREDENTIALS
from local.stack import Stack
from tests.end_to_end.conftest import kill_environments
from tests.hub.client import Hub


def test_scheduled_run_rotates_an_old_key_and_its_connections_work_on(
    stack: Stack, superuser: psycopg.Connection
) -> None:
    """HUB 4: in environments that hold the old key, and in those that hold none."""
    hub = Hub(stack.base_url, stack.info["tokens"])
    draft = {"templateId": "sendgrid", "name": token_hex(8), "config": dict(DEMO_CREDENTIALS["sendgrid"])}
    made = hub.call("POST", "/integrations", body=draft)
    assert (made.status, made.json["status"]) == (201, "active"), made
    old = "UPDATE tenant_data_keys SET created_at = now() - interval '91 days' WHERE tenant_id = %s"
    superuser.execute(old, [TENANT_ID])

    done = stack.invoke("key-rotation", {})

    assert done["rotated"] == 1
    assert done["rewrapped"] >= 1
    assert stack.invoke("key-rotation", {}) == done | {"rotated": 0, "rewrapped": 0}
    test = f"/integrations/{made.json['id']}/test"
    assert hub.call("POST", test, body={}).json["code"] == "CONNECTED"
    kill_environments(stack, "integration-connections")
    assert hub.call("POST", test, body={}).json["code"] == "CONNECTED"
