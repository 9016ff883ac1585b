"""New connections, templates and tenants."""

from secrets import token_hex
from typing import Any

from causeway.catalogue.document import TemplateDraft
from causeway.wire.models import known
from local.sandbox.registry import demo_credentials
from tests.hub.client import DEPLOYMENT_ADMIN, Hub, Reply, config, draft
from tests.hub.conftest import Platform


def calendars() -> dict[str, Any]:
    """A connection to GoHighLevel, whose platform is the sandbox."""
    return {"templateId": "gohighlevel", "name": f"Counted {token_hex(6)}", "config": demo_credentials("gohighlevel")}


def working(platform: Platform, key: str = "first") -> dict[str, Any]:
    """The body of POST /integrations, with a key that the platform accepts."""
    platform.keys.add(key)
    return draft(config=config(base_url=platform.url, api_key=key))


PATH = "/integrations/templates"


def new_template(hub: Hub, **changes: Any) -> dict[str, Any]:
    """The body of a new template."""
    return template_like(hub.call("GET", f"{PATH}/softswiss").json) | changes


def template_like(shown: dict[str, Any]) -> dict[str, Any]:
    """The body of a new template with the fields of another, as it is answered."""
    return {name: shown[name] for name in known(TemplateDraft)} | {"id": f"casino_{token_hex(6)}"}


def added(hub: Hub, **changes: Any) -> Reply:
    reply = hub.call("POST", PATH, DEPLOYMENT_ADMIN, new_template(hub, **changes))
    assert reply.status == 201, reply
    return reply


def new_tenant(hub: Hub, **changes: Any) -> dict[str, Any]:
    """A new tenant, as its creation answers it."""
    body = {"code": f"T{token_hex(8).upper()}", "displayName": "A new casino"} | changes
    reply = hub.call("POST", "/tenants", DEPLOYMENT_ADMIN, body)
    assert reply.status == 201, reply
    return reply.json
