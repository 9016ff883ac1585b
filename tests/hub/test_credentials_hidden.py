"""HUB 1: plant secrets everywhere, call everything, then search everything for the secrets."""

import base64
import json
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from secrets import token_hex
from shutil import which
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit
from uuid import uuid4

import psycopg
import pytest

from causeway.connections import changes, testing
from causeway.connections.requests import ConnectionChange, ConnectionDraft, NewSecrets
from causeway.errors.tree import CausewayError
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import ANY
from local import ROOT
from local.stack import Stack
from tests.hub import oauth
from tests.hub.client import (
    ADMIN,
    DEPLOYMENT_ADMIN,
    NOBODY,
    REGULATOR,
    STAFF,
    SUPER_ADMIN,
    THEIR_ADMIN,
    UNREACHABLE,
    Hub,
    Reply,
    config,
    draft,
    exactly,
    machine,
)
from tests.hub.conftest import Platform

Inside = Callable[..., RequestContext]
# Values that match the patterns of settings that are not secret.
PLAIN = {
    "account_sid": "AC" + "0" * 32,
    "ad_account_id": "1",
    "base_url": UNREACHABLE,
    "casino_id": "casino-1",
    "data_center": "us1",
    "environment": "sandbox",
    "ig_user_id": "1",
    "phone_number_id": "1",
    "property_id": "1",
    "region": "eu",
    "store_id": "1",
}


@dataclass
class Planted:
    """The planted secrets by place, and every received answer."""

    secrets: dict[str, str] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    # A description, which is not secret.
    visible: str = field(default_factory=lambda: f"visible {token_hex(8)}")

    def secret(self, where: str, start: str = "", mark: str = "+/~") -> str:
        """A new secret; its marks look different in a URL, in JSON, in HTML and in base64."""
        value = self.secrets[where] = f"{start}canary{token_hex(8)}{mark}{token_hex(6)}"
        return value


def spellings(secret: str) -> dict[str, bytes]:
    """The secret in every form in which it could appear."""
    raw = secret.encode()
    forms = {
        "plain": secret,
        "JSON": json.dumps(secret)[1:-1],
        "JSON in JSON": json.dumps(json.dumps(secret))[3:-3],
        "JSON with escaped slashes": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "URL": quote(secret, safe=""),
        "form": quote_plus(secret),
        "URL in a URL": quote(quote(secret, safe=""), safe=""),
        "HTML": escape(secret),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "reversed": secret[::-1],
        # However it was cut: the middle part belongs to this secret only.
        "a part": secret[6:20] if secret.startswith("canary") else secret[-12:],
    }
    for shift in range(3):
        # Inside a longer text, at each of the three offsets of a base64 group.
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            forms[f"{name} at {shift}"] = encode(bytes(shift) + raw).decode()[4 if shift else 0 :].rstrip("=")[:-2]
    return {name: form.encode() for name, form in forms.items()}


def hits(planted: Planted, searched: dict[str, bytes]) -> list[str]:
    """The places and forms of planted secrets in the searched content; never the secret itself."""
    return [
        f"{where} in {place} ({form})"
        for where, secret in planted.secrets.items()
        for form, text in spellings(secret).items()
        for place, content in searched.items()
        if text in content
    ]


def schemas() -> dict[str, dict[str, Any]]:
    """The configuration schema of every provider of the catalogue."""
    files = sorted((ROOT / "schema" / "catalogue").glob("[!_]*.json"))
    return {file.stem: json.loads(file.read_text())["config_schema"] for file in files}


def filled(planted: Planted, provider: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A configuration with a secret in every secret field."""
    found = {}
    for name, about in schema["properties"].items():
        if about.get("x-secret"):
            pattern = about.get("pattern", "")
            start = next((start for start in ("SG.", "sk_", "whsec_") if start.rstrip("_.") in pattern), "")
            mark = "" if "A-Za-z" in pattern else "+/~\"'&%" if provider == "twilio" else "+/~"
            found[name] = planted.secret(f"{provider}.{name}", start, mark)
        elif name in schema["required"] or name == "base_url":
            found[name] = PLAIN.get(name, "plain1")
    return found


def call_everything(hub: Hub, planted: Planted) -> None:
    """Every route, with secrets in the right and in wrong places."""
    path = ""
    for provider, schema in schemas().items():
        body = draft(templateId=provider, config=filled(planted, provider, schema), description=planted.visible)
        key = token_hex(8)
        made = hub.call("POST", "/integrations", ADMIN, body, idempotency_key=key)
        assert made.status == 201, (provider, made)
        path = made.headers["location"]
        hub.call("POST", "/integrations", ADMIN, body, idempotency_key=key)
        hub.call("POST", "/integrations", ADMIN, body | {"name": "other"}, idempotency_key=key)
        hub.call("POST", f"{path}/test")
        secret = next(name for name, about in schema["properties"].items() if about.get("x-secret"))
        wrong = {
            secret: planted.secret(f"{provider}.{secret} rotated", body["config"][secret].partition("canary")[0], "")
        }
        hub.call("POST", f"{path}/credentials/rotate", ADMIN, {"config": wrong})
        hub.call("PATCH", path, ADMIN, {"config": wrong}, if_match=hub.call("GET", path).etag)
    misplaced(hub, planted, path)
    for caller in (ADMIN, REGULATOR, STAFF, SUPER_ADMIN, THEIR_ADMIN, NOBODY):
        for end in ("", "/logs", "/health", "/calendars"):
            hub.call("GET", path + end, caller)
        for listed in ("/integrations?limit=100", "/integrations/templates?limit=100", "/api-keys"):
            hub.call("GET", listed, caller)
        for listed in ("/audit?limit=1000", "/audit?limit=1000&format=csv"):
            hub.call("GET", listed, caller)
    for end in ("disable", "enable", "sync", "test"):
        hub.call("POST", f"{path}/{end}")
    hub.call("DELETE", path)
    hub.call("GET", "/audit?format=csv")


def authorize_everything(hub: Hub, planted: Planted) -> None:
    """Authorizations at every platform, with the app's real secret and with a wrong one; and the deployment's app."""
    app = {"clientId": "an-app", "clientSecret": planted.secret("the deployment's app")}
    hub.call("PUT", "/integrations/templates/linkedin/oauth-app", DEPLOYMENT_ADMIN, app)
    hub.call("PUT", "/integrations/templates/linkedin/oauth-app", DEPLOYMENT_ADMIN, app, idempotency_key=token_hex(8))
    for body in ({"clientSecret": [planted.secret("an app: list")]}, {planted.secret("an app: name"): "x"}):
        hub.call("PUT", "/integrations/templates/linkedin/oauth-app", DEPLOYMENT_ADMIN, body)
    for key in oauth.SETTINGS:
        wrong = {oauth.app_secret_field(key): planted.secret(f"{key}: a wrong app")}
        for number, own in enumerate(({}, wrong)):
            flow = oauth.Flow(hub, oauth.waiting(hub, key, ADMIN, **own))
            # The answer with the URL is the only one that shows the state.
            hub.seen.remove(flow.begin(idempotency_key=token_hex(8)))
            planted.secrets[f"{key}: state {number}"] = flow.asked["state"]
            location = urlsplit(flow.redirect())
            planted.secrets[f"{key}: code {number}"] = parse_qs(location.query)["code"][0]
            hub.call("GET", f"{location.path}?{location.query}", NOBODY)
            assert flow.complete(idempotency_key=token_hex(8)).status == (422 if own else 200)
            hub.call("GET", f"{flow.path}/logs?limit=100")
        vendor = "google" if key == "google_analytics" else key
        for kind in ("access", "refresh"):
            planted.secrets[f"{key}: {kind} tokens"] = f"sandbox-{vendor}-{kind}-"


def misplaced(hub: Hub, planted: Planted, path: str) -> None:
    """Secrets in wrong places: a refusal must not repeat them."""

    def secret(where: str) -> str:
        return planted.secret(f"misplaced: {where}")

    good = config()
    for bad in (
        good | {"api_keey": secret("value of an unknown field")},
        good | {secret("name of an unknown field"): "x"},
        good | {"environment": secret("a choice")},
        good | {"base_url": secret("a URL")},
        good | {"base_url": [secret("a list")]},
        good | {"casino_id": {"api_key": secret("an object")}},
        good | {"api_key": [secret("a list in a secret field")]},
        good | {"api_key": secret("a secret with a line break") + "\n"},
        good | {"api_key": secret("a secret that is too long") + "x" * 5000},
    ):
        reply = hub.call("POST", "/integrations", ADMIN, draft(config=bad))
        assert reply.status == 400, reply
        hub.call("POST", f"{path}/credentials/rotate", ADMIN, {"config": bad})
        hub.call("PATCH", path, ADMIN, {"config": bad}, if_match='"1"')
    hub.call("POST", f"{path}/credentials/rotate", ADMIN, {"config": {secret("name of a field to rotate"): "x"}})
    seen = hub.call("GET", path).etag
    hub.call("PATCH", path, ADMIN, {"config": {secret("name of a field to change"): "x"}}, if_match=seen)
    hub.call("POST", "/integrations", ADMIN, draft(api_key=secret("beside the config")))
    hub.call("POST", "/integrations", ADMIN, draft(**{secret("name beside the config"): 1}))
    hub.call("POST", "/integrations", ADMIN, draft(environment=secret("the environment")))
    hub.call("POST", "/integrations", ADMIN, draft(config=secret("the config as a text")))
    hub.call("POST", "/integrations", ADMIN, raw=f'{{"config": {{"api_key": "{secret("broken JSON")}"'.encode())
    hub.call("POST", "/integrations", ADMIN, raw=secret("no JSON").encode() * 500)
    hub.call("POST", "/api-keys", ADMIN, {"name": "x", "apiKey": secret("a key of the caller's own")})
    hub.call("POST", "/integrations/templates", DEPLOYMENT_ADMIN, {"id": "x", "secret": secret("a template")})
    hub.call("POST", "/integrations", ADMIN, draft(), authorization=f"Bearer {secret('a token')}")
    hub.call("GET", "/integrations", NOBODY, authorization=f"Bearer {secret('a token where keys are taken')}")
    hub.call("GET", "/integrations", NOBODY, authorization=secret("a token without a scheme"))
    hub.call("GET", "/integrations", machine(secret("a key")))
    hub.call("GET", "/integrations", ADMIN, x_api_key=secret("X-API-Key"), cookie=f"s={secret('a cookie')}")
    hub.call("GET", "/integrations", DEPLOYMENT_ADMIN, x_tenant_id=quote(secret("X-Tenant-Id")))
    hub.call("PATCH", path, ADMIN, {"name": "x"}, if_match=secret("If-Match"))
    hub.call("GET", f"/integrations?api_key={quote(secret('a query'), safe='')}")
    hub.call("GET", f"/integrations?{quote(secret('name of a query'), safe='')}=1")
    hub.call("GET", f"/integrations?cursor={quote(secret('a cursor'), safe='')}")
    hub.call("GET", f"/integrations/{quote(secret('a path'), safe='')}")
    hub.call("GET", f"/integrations/templates/{quote(secret('a template id'), safe='')}")


def call_a_platform_that_repeats_it(context: RequestContext, platform: Platform, planted: Planted) -> None:
    """Valid, wrong and rotated credentials at a platform that echoes what it receives."""
    good = planted.secret("platform: good")
    platform.keys = {good}
    body = draft(config=config(base_url=platform.url, api_key=good, api_secret=planted.secret("platform: signs")))
    one = changes.create(context, ConnectionDraft.parse(body))
    identity = one.connection_id
    assert one.status == "active"
    for where in ("wrong", "wrong again"):
        with suppress(CausewayError):
            changes.rotate(context, identity, NewSecrets(config={"api_key": planted.secret(f"platform: {where}")}), ANY)
    with suppress(CausewayError):
        changes.change(
            context,
            identity,
            exactly(one.version),
            ConnectionChange(config={"api_key": planted.secret("platform: changed")}),
        )
    fresh = planted.secret("platform: rotated")
    platform.keys = {fresh}
    assert changes.rotate(context, identity, NewSecrets(config={"api_key": fresh}), ANY).status == "active"
    assert testing.test_and_save(context, identity, ANY)[0].verdict.success


@pytest.fixture
def planted(hub: Hub, inside: Inside, platform: Platform) -> Planted:
    """Everything planted and called."""
    planted, before = Planted(), len(hub.seen)
    call_everything(hub, planted)
    authorize_everything(hub, planted)
    context = inside()
    call_a_platform_that_repeats_it(context, platform, planted)
    hub.call("GET", "/audit?limit=1000")
    hub.call("GET", "/audit?limit=1000&format=csv")
    for one in hub.call("GET", "/integrations?limit=100").json["integrations"]:
        logs = hub.call("GET", f"/integrations/{one['id']}/logs?limit=100")
        assert logs.status == 200
    made = hub.call("POST", "/api-keys", ADMIN, {"name": f"machine {uuid4()}"})
    # The only answer that shows a secret.
    hub.seen.remove(made)
    planted.secrets["API key"] = made.json["apiKey"]
    planted.secrets["API key's secret bytes"] = made.json["apiKey"][-40:]
    hub.call("GET", "/api-keys")
    used = machine(made.json["apiKey"])
    assert hub.call("GET", "/integrations", used).status == 200
    hub.call("DELETE", f"/api-keys/{made.json['id']}")
    assert hub.call("GET", "/integrations", used).status == 401
    planted.replies = hub.seen[before:]
    return planted


def tables(stack: Stack) -> dict[str, bytes]:
    """Every table's rows as text; bytes also unchanged."""
    found = {}
    with psycopg.connect(stack.database_urls["superuser"]) as database:
        names = database.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        ).fetchall()
        for (name,) in names:
            rows = database.execute(f'SELECT t::text FROM "{name}" AS t'.encode()).fetchall()  # noqa: S608
            found[f"table {name}"] = "\n".join(row[0] for row in rows).encode()
        columns = database.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type = 'bytea'"
        ).fetchall()
        for table, column in columns:
            rows = database.execute(f'SELECT "{column}" FROM "{table}"'.encode()).fetchall()  # noqa: S608
            found[f"bytes of {table}.{column}"] = b"\n".join(bytes(row[0]) for row in rows if row[0] is not None)
    return found


def dump(stack: Stack) -> dict[str, bytes]:
    """The output of pg_dump, if one is installed that supports the server's version."""
    program = which("pg_dump")
    if program is None:
        return {}
    result = subprocess.run([program, stack.database_urls["superuser"]], capture_output=True, check=False)
    return {"dump": result.stdout} if result.returncode == 0 else {}


def test_no_secret_is_anywhere(stack: Stack, planted: Planted, caplog: pytest.LogCaptureFixture) -> None:
    """HUB 1: answers with headers, logs, tables, dump; plain, encoded, escaped and in part."""
    answers = {
        f"answer {number} ({reply.status})": str(dict(reply.headers)).encode() + reply.body
        for number, reply in enumerate(planted.replies)
    }
    files = [file for file in stack.state_folder.rglob("*") if file.is_file() and file.suffix == ".log"]
    logs = {f"log {file.name}": file.read_bytes() for file in files if file.stat().st_size}
    searched = answers | logs | tables(stack) | dump(stack) | {"our own log": caplog.text.encode()}

    assert len(planted.secrets) > 80
    assert len(answers) > 200
    functions = (
        *("integration-connections", "integration-templates", "api-keys", "caller-authorizer"),
        *("oauth-authorize", "oauth-callback"),
    )
    assert {f"log {name}.log" for name in functions} <= set(logs)
    # A value that is not secret is found where it belongs, so the search covers these places.
    places = {place for place, content in searched.items() if planted.visible.encode() in content}
    assert {"table integration_connections", "table audit_log"} <= places
    assert [place for place in places if b"text/csv" in searched[place]]
    # The platform's echo was stored and redacted.
    assert b"players" in searched["table integration_api_logs"]
    assert b"[redacted]" in searched["table integration_api_log_bodies"]
    assert hits(planted, searched) == []


def test_search_finds_a_secret_in_every_form() -> None:
    """Otherwise the test above could pass because the search finds nothing."""
    planted = Planted()
    secret = planted.secret("here")
    forms = {
        "plain": secret.encode(),
        "JSON": json.dumps({"a": secret}).encode(),
        "URL": f"https://x/?a={quote(secret, safe='')}".encode(),
        "hex": secret.encode().hex().encode(),
        "Basic": base64.b64encode(f"user:{secret}".encode()),
        "Basic, longer": base64.b64encode(f"users:{secret}:x".encode()),
        "base64url": base64.urlsafe_b64encode(f"user12:{secret}".encode()),
        "cut": secret[4:22].encode(),
    }
    for name, content in forms.items():
        assert hits(planted, {name: content}), name
    assert hits(planted, {"nothing": b"nothing of it"}) == []
