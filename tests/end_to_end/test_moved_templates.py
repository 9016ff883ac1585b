"""Stored secrets are sent only to the address that they were entered for: HUB 1."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from local.sandbox.registry import demo_credentials
from local.services.demo_data import CASINO_CODE, TENANT_ID
from local.stack import Stack

ELSEWHERE = "https://localhost:9/elsewhere"


class Hub:
    """Calls the hub as a tenant's admin or a super admin."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def call(self, method: str, path: str, body: Any = None, role: str = "tenant_admin", **headers: str) -> Any:
        """Return status, body and ETag of a response."""
        tokens = self._stack.info["tokens"]
        token = tokens["super_admin"] if role == "super_admin" else tokens[CASINO_CODE][role]
        sent = {"authorization": f"Bearer {token}", "content-type": "application/json", **headers}
        if role == "super_admin":
            sent["x-tenant-id"] = TENANT_ID
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._stack.base_url}{path}", content, sent, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return response.status, json.load(response), response.headers["etag"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error), None

    def calls_elsewhere(self) -> list[str]:
        """Return the URLs of calls to ELSEWHERE, from the logs of all connections."""
        with psycopg.connect(self._stack.database_urls["superuser"]) as database:
            rows = database.execute("SELECT url FROM integration_api_logs WHERE starts_with(url, %s)", [ELSEWHERE])
            return [url for (url,) in rows]


@pytest.fixture
def hub(stack: Stack) -> Hub:
    return Hub(stack)


@pytest.fixture
def template(stack: Stack) -> Iterator[str]:
    """A template's key; the template is restored after the test."""
    with psycopg.connect(stack.database_urls["superuser"], autocommit=True) as database:
        row = database.execute(
            """
            SELECT base_urls::text, health_call::text, config_schema::text FROM integration_providers
            WHERE provider_key = 'sendgrid'
            """
        ).fetchone()
        assert row is not None
        yield "sendgrid"
        database.execute(
            """
            UPDATE integration_providers SET base_urls = %s::jsonb, health_call = %s::jsonb, config_schema = %s::jsonb
            WHERE provider_key = 'sendgrid'
            """,
            row,
        )


def made(hub: Hub, key: str, name: str, **more: str) -> tuple[str, dict[str, str]]:
    config = demo_credentials(key) | more
    status, answer, _ = hub.call("POST", "/integrations", {"templateId": key, "name": name, "config": config})
    assert (status, answer["status"]) == (201, "active"), answer
    return f"/integrations/{answer['id']}", config


def etag(hub: Hub, path: str) -> str:
    return hub.call("GET", path)[2]


def test_secret_is_not_sent_to_a_templates_new_address(hub: Hub, template: str) -> None:
    path, config = made(hub, template, "moved template")
    seen = etag(hub, f"/integrations/templates/{template}")
    moved = {"baseUrls": {"production": "https://elsewhere.example", "sandbox": "https://elsewhere.example"}}
    changed = hub.call("PATCH", f"/integrations/templates/{template}", moved, "super_admin", **{"if-match": seen})
    assert changed[0] == 200

    tested = hub.call("POST", f"{path}/test", {})
    switched = hub.call("POST", f"{path}/enable", {})
    agreed = hub.call("PATCH", path, {"config": {}}, **{"if-match": etag(hub, path)})
    assert (agreed[0], agreed[1]["error"]) == (400, "config.api_key is missing")
    by_platform = hub.call("PATCH", path, {"config": {}}, "super_admin", **{"if-match": etag(hub, path)})
    assert (by_platform[0], by_platform[1]["code"]) == (403, "FORBIDDEN")
    given_again = hub.call("PATCH", path, {"config": config}, **{"if-match": etag(hub, path)})

    assert [(status, answer["code"]) for status, answer, _ in (tested, switched)] == [(409, "TEMPLATE_MOVED")] * 2
    # Only now the new address is called: its name does not exist, or cannot be looked up here.
    assert given_again[1]["code"] in ("DNS_FAILED", "DNS_UNAVAILABLE")


@pytest.mark.parametrize(
    ("role", "refused"), [("tenant_admin", (409, "SECRETS_REQUIRED")), ("super_admin", (403, "FORBIDDEN"))]
)
def test_secret_is_not_sent_to_a_base_url_that_is_changed_without_it(
    hub: Hub, stack: Stack, role: str, refused: tuple[int, str]
) -> None:
    sandbox = f"{stack.info['sandbox_url']}/softswiss"
    path, _ = made(hub, "softswiss", f"moved by {role}", base_url=sandbox)
    stolen = {"config": {"base_url": ELSEWHERE}}

    status, answer, _ = hub.call("PATCH", path, stolen, role, **{"if-match": etag(hub, path)})

    assert (status, answer["code"]) == refused
    assert hub.calls_elsewhere() == []
    assert hub.call("POST", f"{path}/test", {})[1]["code"] == "CONNECTED"


def test_secret_cannot_be_guessed_with_a_changed_schema(hub: Hub, template: str) -> None:
    """A changed pattern must not be applied to a stored secret: refusals would reveal how it begins."""
    path, config = made(hub, template, "judged")
    seen, before = hub.call("GET", f"/integrations/templates/{template}")[2], config["api_key"]
    schema = hub.call("GET", f"/integrations/templates/{template}")[1]["configSchema"]
    schema["properties"]["api_key"]["pattern"] = f"^{before[:4]}"
    headers = {"if-match": seen}
    assert (
        hub.call("PATCH", f"/integrations/templates/{template}", {"configSchema": schema}, "super_admin", **headers)[0]
        == 200
    )

    guessed = hub.call("PATCH", path, {"config": {}}, **{"if-match": etag(hub, path)})

    assert (guessed[0], guessed[1]["error"]) == (400, "config.api_key is missing")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("path", "{suffix}"),
        ("query", {"to": "elsewhere"}),
        ("headers", {"X-To": "elsewhere"}),
    ],
)
def test_secret_is_not_sent_with_a_changed_call(hub: Hub, template: str, part: str, value: Any) -> None:
    """Each part of the call that decides where the secret goes, or in which field."""
    path, _ = made(hub, template, f"changed {part}")
    _, shown, seen = hub.call("GET", f"/integrations/templates/{template}")
    schema, call = shown["configSchema"], shown["healthCall"] | {part: value}
    schema["properties"]["suffix"] = {"type": "string", "pattern": "^[a-z./]*$", "default": ".elsewhere.example/x"}
    change = {"healthCall": call, "configSchema": schema}
    changed = hub.call("PATCH", f"/integrations/templates/{template}", change, "super_admin", **{"if-match": seen})
    assert changed[0] == 200, changed

    assert hub.call("POST", f"{path}/test", {})[1]["code"] == "TEMPLATE_MOVED"
