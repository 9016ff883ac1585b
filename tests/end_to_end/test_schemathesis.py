"""Calls that schemathesis generates from the OpenAPI document, sent to the local stack with each role's token.

CAUSEWAY_EXAMPLES: the number of calls per operation, role and kind of input (as declared, or not).
pytest's -s shows the summary at the end.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests.auth import AuthBase
from schemathesis import Case, GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from causeway.audit_log import entries
from causeway.edge import games
from causeway.errors import table
from causeway.platforms.verdicts import VERDICTS
from causeway.tenancy import tenants
from local.sandbox.registry import demo_credentials
from local.services.demo_data import CASINO_CODE, CASINO_SECRET, PROVIDER_SECRET, TENANT_ID
from local.stack import Stack
from tests.conformance.client import Casino, Player, sign_timed

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("CAUSEWAY_EXAMPLES", "3"))
CHECKS: list[Any] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# A 502 or 504 means that a platform failed, not the hub.
PLATFORM_FAILED = {"GAME_PROVIDER_FAILED", *(code for code in VERDICTS if table.every()[code].status >= 500)}
ROLES = ("super_admin", "tenant_admin", "regulator", "staff")

_DOCUMENT: dict[str, Any] = json.loads((ROOT / "functions/console/openapi.json").read_text(encoding="utf-8"))
_SCHEMA = schemathesis.openapi.from_dict(_DOCUMENT)
# With a made-up key beside a role's token every call is refused; test_tokens and test_api_keys test bad keys.
_SCHEMA.config.generation.with_security_parameters = False
OPERATIONS = {
    declaration["operationId"]: _SCHEMA[path][method.upper()]
    for path, methods in _DOCUMENT["paths"].items()
    for method, declaration in methods.items()
}


def declared(operation_id: str, field: str) -> Any:
    """Return a field of an operation in the document; None if it is absent."""
    return OPERATIONS[operation_id].definition.raw.get(field)


# Roles matter only to operations that require a permission.
CALLS = [(one, role) for one in OPERATIONS for role in (ROLES if declared(one, "x-permission") else ("nobody",))]
CALLS += [(one, "service") for one in OPERATIONS if {"apiKey": []} in declared(one, "security")]
# The local stage accepts these without a token.
LAUNCHES = {one for one in OPERATIONS if declared(one, "x-permission") == "games.launch"}
# Only operations that have an input.
MISTAKES = [
    (one, role)
    for one, role in CALLS
    if role in ("nobody", "tenant_admin") and (declared(one, "parameters") or declared(one, "requestBody"))
]
# The calls between game provider and casino; other signed calls have a scheme, and tests, of their own.
_GAMES = [{name: []} for one in games.AUTHENTICATION.values() for name in one.security]
SIGNED = [one for one in OPERATIONS if any(need in _GAMES for need in declared(one, "security"))]

same_each_time = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


# The number of responses by status.
answers: Counter[int] = Counter()


@dataclass(frozen=True)
class World:
    """The stack, and objects in it that a call can name, so that not every id is unknown."""

    stack: Stack

    def headers(self, role: str) -> dict[str, str]:
        if role == "nobody":
            return {}
        if role == "service":
            return {"x-api-key": self.stack.info["api_keys"][CASINO_CODE]}
        tokens = self.stack.info["tokens"]
        if role == "super_admin":
            return {"authorization": f"Bearer {tokens['super_admin']}", "x-tenant-id": TENANT_ID}
        return {"authorization": f"Bearer {tokens[CASINO_CODE][role]}"}

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, role: str = "super_admin"
    ) -> requests.Response:
        url, headers = self.stack.base_url + path, self.headers(role)
        return requests.request(method, url, json=body, headers=headers, timeout=30)

    def connection(self, provider: str) -> str:
        """Return the id of the module's connection to a provider; create it if it is not there."""
        name = f"schemathesis {provider}"
        draft = {"templateId": provider, "name": name, "config": demo_credentials(provider)}
        made = self.call("POST", "/integrations", draft, "tenant_admin")
        if made.status_code == 201:
            return made.json()["id"]
        assert made.json()["code"] == "NAME_TAKEN", made.text
        every = self.call("GET", f"/integrations?limit=100&provider={provider}").json()["integrations"]
        return next(one["id"] for one in every if one["name"] == name)

    def template(self) -> str:
        """Return the id of the module's template."""
        made = self.call("POST", "/integrations/templates", self.template_draft("schemathesis"))
        assert made.status_code in (201, 409), made.text
        return "schemathesis"

    def tenant(self) -> str:
        """Return the id of the module's tenant."""
        self.call("POST", "/tenants", {"code": "SCHEMATHESIS", "displayName": "Schemathesis"})
        cursor = tenants.PAGES.listing.cursor(entries.DEPLOYMENT, ("SCHEMATHESI",))
        after = self.call("GET", f"/tenants?limit=100&cursor={cursor}").json()["tenants"]
        return next(one["id"] for one in after if one["code"] == "SCHEMATHESIS")

    def template_draft(self, key: str) -> dict[str, Any]:
        """Return Twilio's template under another id."""
        twilio = self.call("GET", "/integrations/templates/twilio").json()
        fields = _DOCUMENT["components"]["schemas"]["TemplateDraft"]["properties"]
        return {name: value for name, value in twilio.items() if name in fields} | {"id": key}

    def aim(self, case: Case[Any], operation_id: str) -> None:
        """Replace the ids in a call by ids that exist."""
        known = case.path_parameters or {}
        # A tenant other than the caller's own is refused before anything else.
        case.headers.pop("X-Tenant-Id", None)
        if "connection_id" in known:
            provider = "gohighlevel" if "calendars" in case.path else "twilio"
            known["connection_id"] = self.connection(provider)
        if "calendar_id" in known:
            known["calendar_id"] = demo_credentials("gohighlevel")["calendarId"]
        if "template_id" in known:
            known["template_id"] = self.template()
        if "tenant_id" in known:
            known["tenant_id"] = self.tenant()
        if "If-Match" in case.headers:
            now = self.call("GET", case.formatted_path)
            case.headers["If-Match"] = now.headers.get("etag", "*")
        if isinstance(case.body, dict):
            case.body |= self.fields(operation_id)

    def fields(self, operation_id: str) -> dict[str, Any]:
        """Return the fields that a body needs to be accepted and that random data does not hit."""
        config = demo_credentials("twilio")
        match operation_id:
            case "integrations_connections_create":
                return {"templateId": "twilio", "config": config}
            case "integrations_connections_rotate":
                return {"config": {"auth_token": config["auth_token"]}}
            case "integrations_connections_change":
                return {"config": {"auth_token": "another"}}
            case "integrations_templates_create":
                return self.template_draft("schemathesis_too")
            case "integrations_templates_change":
                return self.template_draft("schemathesis")
            case _:
                return {}


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    """The stack's world; deletes the connections that the module's calls created, and prints a summary."""
    made = World(stack)
    before = {one["id"] for one in made.call("GET", "/integrations?limit=100").json()["integrations"]}
    yield made
    for one in made.call("GET", "/integrations?limit=100").json()["integrations"]:
        if one["id"] not in before:
            made.call("DELETE", f"/integrations/{one['id']}", role="tenant_admin")
    by_status = ", ".join(f"{count} x {status}" for status, count in sorted(answers.items()))
    sys.stdout.write(f"\n{answers.total()} calls of {len(OPERATIONS)} operations: {by_status}\n")


def judge(case: Case[Any], response: Any) -> None:
    """Refuse every 5xx that is not a platform's failure, undeclared statuses, and bodies outside their schema."""
    answers[response.status_code] += 1
    if response.status_code == 404 and response.json() == {"message": "Not Found"}:
        # The gateway's own response: a path with an encoded slash or question mark matches no route (HUB 52).
        assert {"%2F", "%3F"} & set(re.findall("%..", response.request.url.upper())), case.as_curl_command()
        return
    if response.status_code == 431:
        # The gateway's own response to a request line or headers over its limit.
        assert len(response.request.url) > 8 * 1024, case.as_curl_command()
        return
    if response.status_code >= 500:
        assert response.json().get("code") in PLATFORM_FAILED, f"{case.as_curl_command()}\n{response.text}"
    case.validate_response(response, checks=CHECKS)


@pytest.mark.parametrize(("operation_id", "role"), CALLS)
def test_valid_call_is_answered_as_declared(operation_id: str, role: str, world: World) -> None:
    """HUB 43: a role that does not have the declared permission is refused."""

    @same_each_time
    @given(case=OPERATIONS[operation_id].as_strategy(), aimed=st.booleans())
    def calls(case: Case[Any], aimed: bool) -> None:
        if aimed:
            world.aim(case, operation_id)
        response = case.call(base_url=world.stack.base_url, headers=world.headers(role))
        judge(case, response)
        if role not in (declared(operation_id, "x-roles") or [role]):
            assert response.status_code == 403

    calls()


@pytest.mark.parametrize(("operation_id", "role"), MISTAKES)
def test_invalid_call_is_answered_as_declared(operation_id: str, role: str, world: World) -> None:
    @same_each_time
    @given(case=OPERATIONS[operation_id].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def calls(case: Case[Any]) -> None:
        response = case.call(base_url=world.stack.base_url, headers=world.headers(role))
        judge(case, response)
        body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
        if body is not None and body.mode.is_negative:
            assert response.status_code >= 400, case.as_curl_command()

    calls()


class Signer(AuthBase):
    """Signs a request as the game provider or the casino does."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        path = r.path_url
        party, secret = ("casino", CASINO_SECRET) if path.startswith("/casino/") else ("provider", PROVIDER_SECRET)
        body = r.body if isinstance(r.body, bytes) else str(r.body or "").encode()
        r.headers["x-provider-code"] = "DEMO"
        r.headers[f"x-{party}-signature"] = sign_timed(secret, body, path=path)
        return r


@pytest.fixture(scope="module")
def player(stack: Stack) -> Iterator[Player]:
    """A player of this module, in a game session."""
    with Casino(stack.base_url, stack.info["casino_secret"]) as casino:
        yield casino.player()


@pytest.mark.parametrize("operation_id", SIGNED)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
def test_signed_call_is_answered_as_declared(
    mode: GenerationMode, operation_id: str, world: World, player: Player
) -> None:
    @same_each_time
    @given(case=OPERATIONS[operation_id].as_strategy(generation_mode=mode), aimed=st.booleans())
    def calls(case: Case[Any], aimed: bool) -> None:
        if aimed and isinstance(case.body, dict):
            case.body = case.body | player.fields
        response = case.call(base_url=world.stack.base_url, auth=Signer())
        assert response.status_code != 401, response.text
        judge(case, response)

    calls()


@pytest.mark.parametrize("operation_id", SIGNED)
def test_unsigned_call_is_refused(operation_id: str, world: World) -> None:
    @same_each_time
    @given(case=OPERATIONS[operation_id].as_strategy())
    def calls(case: Case[Any]) -> None:
        for header in ("x-casino-signature", "x-provider-signature"):
            case.headers.pop(header, None)
        response = case.call(base_url=world.stack.base_url)
        assert (response.status_code, response.json()["code"]) == (401, "SIGNATURE_INVALID")
        judge(case, response)

    calls()


@pytest.mark.parametrize("operation_id", [one for one in OPERATIONS if declared(one, "x-permission")])
def test_call_without_token_is_refused_except_local_launches(operation_id: str, world: World) -> None:
    @same_each_time
    @given(case=OPERATIONS[operation_id].as_strategy())
    def calls(case: Case[Any]) -> None:
        response = case.call(base_url=world.stack.base_url)
        assert (response.status_code == 401) == (operation_id not in LAUNCHES)
        judge(case, response)

    calls()


def test_document_and_page_are_served(world: World) -> None:
    document = requests.get(f"{world.stack.base_url}/openapi.json", timeout=30)
    assert document.headers["content-type"] == "application/json"
    assert document.json() == json.loads((ROOT / "functions/console/openapi.json").read_text())
    page = requests.get(f"{world.stack.base_url}/docs", timeout=30)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text == (ROOT / "functions/console/docs.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
