"""The scheduled rotation of data keys, run by its function while a connection is in use."""

from collections.abc import Iterator
from secrets import token_hex

import psycopg
import pytest

from local.errors import FunctionError
from local.sandbox.registry import demo_credentials
from local.services.demo_data import TENANT_ID
from local.stack import Stack
from tests.end_to_end.conftest import kill_environments
from tests.hub.client import Hub


def test_scheduled_run_rotates_an_old_key_and_connections_keep_working(
    stack: Stack, superuser: psycopg.Connection
) -> None:
    """HUB 4: in environments that have the old key in memory, and in new environments."""
    hub = Hub(stack.base_url, stack.info["tokens"])
    draft = {"templateId": "sendgrid", "name": token_hex(8), "config": demo_credentials("sendgrid")}
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


@pytest.fixture
def retention_fails(superuser: psycopg.Connection) -> Iterator[None]:
    """The query for replaced credentials that are due fails."""
    superuser.execute("REVOKE EXECUTE ON FUNCTION credentials_due_v1 FROM causeway_credentials")
    yield
    superuser.execute("GRANT EXECUTE ON FUNCTION credentials_due_v1 TO causeway_credentials")


def test_data_keys_are_rotated_although_retention_of_credentials_fails(
    stack: Stack, superuser: psycopg.Connection, retention_fails: None
) -> None:
    """HUB 4: the run still ends with the error."""
    Hub(stack.base_url, stack.info["tokens"]).connection()
    active = "SELECT version FROM tenant_data_keys WHERE tenant_id = %s AND status = 'active'"
    superuser.execute(
        "UPDATE tenant_data_keys SET created_at = now() - interval '91 days' WHERE tenant_id = %s", [TENANT_ID]
    )
    [(before,)] = superuser.execute(active, [TENANT_ID]).fetchall()

    with pytest.raises(FunctionError, match="InsufficientPrivilege"):
        stack.invoke("key-rotation", {})
    [(after,)] = superuser.execute(active, [TENANT_ID]).fetchall()
    assert after == before + 1
