"""HUB 57: a connection is authorized, authorized again, and every wrong callback changes nothing."""

import pytest

from tests.hub.client import Hub
from tests.hub.oauth import SETTINGS, Flow, waiting


@pytest.mark.parametrize("key", SETTINGS)
def test_connection_is_authorized(hub: Hub, key: str) -> None:
    path = waiting(hub, key)
    before = hub.call("GET", path).json
    assert (before["status"], before["isActive"]) == ("pending", False)
    assert "authorize" in before["errorMessage"]
    flow = Flow(hub, path).begun()

    page = flow.consent()
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert hub.call("GET", path).json["status"] == "pending"
    reply = flow.complete()

    assert reply.status == 200, reply
    assert reply.json["test"]["code"] == "CONNECTED"
    assert reply.json["scopesMissing"] == []
    assert hub.call("GET", path).json["status"] == "active"
    assert hub.call("POST", f"{path}/test").json["success"]
