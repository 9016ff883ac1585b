"""HUB 57: a connection is authorized at its platform, and authorized again."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local.sandbox import registry
from local.services.demo_data import RETURN_ORIGIN
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, Hub
from tests.hub.oauth import SETTINGS, Flow, app_of, connected, get, waiting

Rows = Callable[..., list[Any]]


@pytest.mark.parametrize("key", SETTINGS)
def test_connection_is_authorized(hub: Hub, key: str) -> None:
    """The sandbox checks each call as the vendor does."""
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


@pytest.mark.parametrize("key", SETTINGS)
def test_form_of_the_template_asks_for_what_must_be_given(hub: Hub, key: str) -> None:
    template = hub.call("GET", f"/integrations/templates/{key}").json
    asked = set(template["configSchema"]["required"]) - set(template["filledByAuthorization"])
    assert asked == set(SETTINGS[key])
    made = hub.call("POST", "/integrations", ADMIN, {"templateId": key, "name": token_hex(8), "config": SETTINGS[key]})
    assert (made.status, made.json["status"]) == (201, "pending")

    called = hub.call("GET", f"/proxy/{made.json['id']}/x")
    assert (called.status, called.code) == (409, "INTEGRATION_NOT_ACTIVE")
    assert "authorize" in called.json["nextAction"]
    assert "nable" not in called.json["nextAction"]


@pytest.mark.parametrize("key", SETTINGS)
def test_connection_is_authorized_again_and_keeps_its_id_settings_and_logs(hub: Hub, key: str) -> None:
    path = connected(hub, key)
    before = hub.call("GET", path).json
    logs = len(hub.call("GET", f"{path}/logs?limit=100").json["logs"])
    flow = Flow(hub, path).begun()
    assert flow.consent().status == 200
    reply = flow.complete()

    after = reply.json["connection"]
    kept = ("id", "name", "config", "createdAt", "status")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert len(hub.call("GET", f"{path}/logs?limit=100").json["logs"]) > logs


def test_settings_that_the_platform_tells_are_filled(hub: Hub) -> None:
    assert hub.call("GET", connected(hub, "gohighlevel")).json["config"]["locationId"] == "ve9EPM428h8vShlRW1KT"
    assert hub.call("GET", connected(hub, "mailchimp")).json["config"]["data_center"] == "us21"
    assert hub.call("GET", connected(hub, "facebook")).json["config"]["page_id"] == "1067280970047460"
    instagram = hub.call("GET", connected(hub, "instagram")).json["config"]
    assert (instagram["ig_user_id"], instagram["graph_host"]) == ("17841405822304914", "graph.instagram.com")


@pytest.mark.parametrize("key", SETTINGS)
def test_consent_page_is_asked_as_the_platform_documents(hub: Hub, key: str) -> None:
    """PKCE where it is taken, the app's id under the platform's name, the state in the path if it is not returned."""
    flow = Flow(hub, waiting(hub, key)).begun()
    asked, template = flow.asked, hub.call("GET", f"/integrations/templates/{key}").json["oauth"]

    assert ("code_challenge" in asked) == (key in ("google_analytics", "tiktok"))
    assert asked["client_key" if key == "tiktok" else "client_id"] == registry.oauth_app(key)["client_id"]
    path = urlsplit(asked["redirect_uri"]).path
    assert path == ("/oauth/callback" if key != "gohighlevel" else f"/oauth/callback/{asked['state']}")
    assert len(asked["state"]) == 43
    separator = template.get("scopeSeparator", " ")
    assert asked.get("scope", "").split(separator) == (template["scopes"] or [""])
    assert "+" not in urlsplit(flow.url).query


def test_only_the_hash_of_the_state_is_stored(hub: Hub, rows: Rows) -> None:
    flow = Flow(hub, waiting(hub, "google_analytics")).begun()
    state = flow.asked["state"]
    [row] = rows(
        "SELECT f::text AS whole, state_hash, verifier FROM oauth_flows AS f WHERE connection_id = %s", [flow.id]
    )

    assert bytes(row.state_hash) == sha256(state.encode()).digest()
    assert state not in row.whole
    challenge = flow.asked["code_challenge"]
    assert challenge != urlsafe_b64encode(sha256(bytes(row.verifier)).digest()).decode().rstrip("=")


def test_missing_scopes_are_told_and_the_connection_works(hub: Hub) -> None:
    flow = Flow(hub, waiting(hub, "tiktok")).begun()
    flow.consent("part")
    reply = flow.complete()

    assert (reply.status, reply.json["scopesGranted"]) == (200, ["user.info.basic"])
    assert reply.json["scopesMissing"] == ["video.list"]
    assert reply.json["connection"]["status"] == "active"


def test_grant_is_in_the_audit_log_as_fingerprints(hub: Hub) -> None:
    path = connected(hub, "linkedin")
    entries = {entry["action"]: entry for entry in hub.audited(path)}

    assert "connection.authorization_begun" in entries
    after = entries["connection.authorized"]["after"]
    assert set(after["secrets"]) == {"access_token", "client_secret", "refresh_token"}
    assert after["scopesGranted"] == ["openid", "profile", "w_member_social"]
    assert "sandbox-linkedin" not in str(after).replace("sandbox-linkedin-client", "")


def test_deployments_app_is_used_where_the_connection_has_none(hub: Hub, rows: Rows) -> None:
    """Also when the token ends: its refresh needs the app."""
    path = "/integrations/templates/google_analytics/oauth-app"
    app = registry.oauth_app("google_analytics")
    body = {"clientId": app["client_id"], "clientSecret": app["client_secret"]}
    put = hub.call("PUT", path, DEPLOYMENT_ADMIN, body)
    assert (put.status, put.json["clientId"]) == (200, app["client_id"])
    assert app["client_secret"] not in put.body.decode()
    stored = {"templateId": "google_analytics", "name": token_hex(8), "config": SETTINGS["google_analytics"]}
    made = hub.call("POST", "/integrations", ADMIN, stored)
    flow = Flow(hub, made.headers["location"]).begun()
    flow.consent()

    reply = flow.complete()

    assert reply.json["connection"]["status"] == "active"
    assert "client_id" not in reply.json["connection"]["config"]
    assert hub.call("POST", f"{flow.path}/test").json["success"]
    rows("UPDATE oauth_tokens SET expires_at = now() WHERE connection_id = %s", [flow.id])
    assert hub.call("POST", f"{flow.path}/test").json["success"]
    stale = hub.call("PUT", path, DEPLOYMENT_ADMIN, body, if_match='"0"')
    assert (stale.status, stale.code) == (412, "VERSION_MISMATCH")
    assert hub.call("PUT", path, DEPLOYMENT_ADMIN, body, if_match=put.etag).json["version"] == put.json["version"] + 1


def test_person_returns_to_a_listed_site(hub: Hub) -> None:
    flow = Flow(hub, waiting(hub, "linkedin"))
    back = f"{RETURN_ORIGIN}/connections?id=1"
    assert flow.begin({"returnUrl": back}).status == 200
    reply = flow.consent()

    assert (reply.status, reply.headers["location"], reply.body) == (303, back, b"")
    assert flow.complete().status == 200


def test_callbacks_page_has_no_script_and_repeats_nothing(hub: Hub) -> None:
    flow = Flow(hub, waiting(hub, "linkedin")).begun()
    address = flow.redirect()
    page = get(address)

    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    text = page.body.decode()
    assert "<script" not in text
    assert not [value for values in parse_qs(urlsplit(address).query).values() for value in values if value in text]


def test_replay_of_the_beginning_has_no_url(hub: Hub) -> None:
    """Its state is good for one use, and is not stored."""
    flow, key = Flow(hub, waiting(hub, "linkedin")), token_hex(8)
    first, again = flow.begin(idempotency_key=key), flow.begin(idempotency_key=key)

    assert first.json["url"].startswith("http")
    assert (again.json["url"], again.json["expiresAt"]) == (None, first.json["expiresAt"])


def test_grant_of_a_platform_without_a_new_refresh_token_keeps_the_old(hub: Hub, rows: Rows) -> None:
    """A grant is a new version of the credential: the one before can be put back."""
    path = connected(hub, "google_analytics")
    flow = Flow(hub, path).begun()
    flow.consent()
    flow.complete()
    statuses = rows("SELECT status FROM api_credential_versions WHERE connection_id = %s ORDER BY version", [flow.id])

    assert [row.status for row in statuses] == ["retired", "retiring", "active"]
    assert hub.call("POST", f"{path}/credentials/rollback").status == 200


def test_connection_without_its_app_may_be_changed_before_it_is_authorized(hub: Hub) -> None:
    path = waiting(hub, "google_analytics")
    etag = hub.call("GET", path).etag
    reply = hub.call("PATCH", path, ADMIN, {"config": {"property_id": "99"}}, if_match=etag)
    assert (reply.status, reply.json["status"]) == (200, "pending")
    assert hub.call("POST", f"{path}/test").json["code"] == "AUTHORIZATION_REQUIRED"
    assert hub.call("GET", path).json["status"] == "pending"
    body = {"templateId": "google_analytics", "name": token_hex(8), "config": app_of("google_analytics")}
    missing = hub.call("POST", "/integrations", ADMIN, body)
    assert (missing.status, missing.json["problems"][0]["path"]) == (400, "config.property_id")


def test_refresh_token_given_by_hand_is_tested_with_the_deployments_app(hub: Hub) -> None:
    """Without the app nothing could be refreshed, and the connection would wait for an authorization."""
    app = registry.oauth_app("google_analytics")
    body = {"clientId": app["client_id"], "clientSecret": app["client_secret"]}
    hub.call("PUT", "/integrations/templates/google_analytics/oauth-app", DEPLOYMENT_ADMIN, body)
    stored = {"templateId": "google_analytics", "name": token_hex(8), "config": SETTINGS["google_analytics"]}
    made = hub.call("POST", "/integrations", ADMIN, stored)
    path = made.headers["location"]
    assert made.json["status"] == "pending"

    token = registry.demo_credentials("google_analytics")["refresh_token"]
    change = {"config": {"refresh_token": token}}
    given = hub.call("PATCH", path, ADMIN, change, if_match=made.etag)
    assert (given.status, given.json["status"]) == (200, "active"), given
    assert hub.call("POST", f"{path}/test").json["success"]
    wrong = hub.call("PATCH", path, ADMIN, {"config": {"refresh_token": "n0t-a-t0ken"}}, if_match=given.etag)
    assert wrong.code == "INVALID_CREDENTIALS", wrong
