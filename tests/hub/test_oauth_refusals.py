"""HUB 57: what must not connect anything: forged, used, foreign, expired and declined authorizations."""

from collections.abc import Callable
from secrets import token_hex, token_urlsafe
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, STAFF, THEIR_ADMIN, Caller, Hub, Reply
from tests.hub.oauth import SETTINGS, Flow, connected, get, waiting

Rows = Callable[..., list[Any]]
_FLOWS = "SELECT f::text AS whole FROM oauth_flows AS f ORDER BY 1"
_CONNECTIONS = "SELECT c::text AS whole FROM integration_connections AS c ORDER BY 1"


def refused(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, reply.code) == (status, code), reply
    assert reply.json["nextAction"]


def strange(page: Reply) -> None:
    assert (page.status, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "not valid" in page.body.decode()


def everything(rows: Rows) -> list[Any]:
    return [*rows(_FLOWS), *rows(_CONNECTIONS)]


def test_forged_callback_changes_nothing(hub: Hub, rows: Rows) -> None:
    flow = Flow(hub, waiting(hub, "linkedin")).begun()
    address, state = flow.redirect(), flow.asked["state"]
    base = address.partition("?")[0]
    before = everything(rows)
    for query in (
        "",
        "?code=x",
        f"?state={token_urlsafe(32)}&code=x",
        f"?state={state}",
        f"?state={state}&code=",
        f"?state={state}&code=a%0d%0ab",
        f"?state={state}&code={'x' * 3001}",
        f"?state={state[:-1]}&code=x",
        f"?state={state}%00&code=x",
        f"?state={state}&state={state}&code=x",
        "?state=%27%20OR%20true--&code=x",
    ):
        strange(get(base + query))
    for path in (f"/{token_urlsafe(32)}?code=x&state={state}", f"/{token_urlsafe(32)}?code=x", "/x?code=x"):
        strange(get(base + path))
    assert everything(rows) == before
    refused(flow.complete(), 409, "AUTHORIZATION_PENDING")
    assert get(address).status == 200
    assert flow.complete().status == 200


def test_used_callback_changes_nothing(hub: Hub, rows: Rows) -> None:
    flow = Flow(hub, waiting(hub, "linkedin")).begun()
    address = flow.redirect()
    assert get(address).status == 200
    before = everything(rows)
    strange(get(address))
    strange(get(address.replace("code=", "code=another")))
    strange(get(f"{address.partition('?')[0]}?error=access_denied&state={flow.asked['state']}"))
    assert everything(rows) == before
    assert flow.complete().status == 200
    strange(get(address))


def test_expired_authorization_is_refused(hub: Hub, rows: Rows) -> None:
    expire = "UPDATE oauth_flows SET expires_at = now() WHERE connection_id = %s"
    flow = Flow(hub, waiting(hub, "linkedin")).begun()
    [row] = rows("SELECT expires_at - begun_at AS life FROM oauth_flows WHERE connection_id = %s", [flow.id])
    assert row.life.total_seconds() == 600
    address = flow.redirect()
    rows(expire, [flow.id])
    strange(get(address))
    refused(flow.complete(), 409, "AUTHORIZATION_EXPIRED")
    flow.begun()
    flow.consent()
    rows(expire, [flow.id])
    refused(flow.complete(), 409, "AUTHORIZATION_EXPIRED")
    assert hub.call("GET", flow.path).json["status"] == "pending"


def test_new_beginning_ends_the_one_before(hub: Hub) -> None:
    flow = Flow(hub, waiting(hub, "linkedin")).begun()
    address = flow.redirect()
    flow.begun()
    strange(get(address))
    refused(flow.complete(), 409, "AUTHORIZATION_PENDING")


def test_nobody_else_completes_an_authorization(hub: Hub, someone: Callable[..., str]) -> None:
    """A stranger who is lured to the callback connects nothing; another admin begins for himself."""
    flow = Flow(hub, waiting(hub, "linkedin")).begun()
    flow.consent()
    other = Caller(None, headers={"authorization": f"Bearer {someone('tenant_admin')}"})
    reply = hub.call("POST", f"{flow.path}/authorize/complete", other)
    refused(reply, 409, "AUTHORIZATION_NOT_BEGUN")
    assert "Somebody else" in reply.json["error"]
    refused(hub.call("POST", f"{flow.path}/authorize/complete", THEIR_ADMIN), 404, "CONNECTION_NOT_FOUND")
    refused(hub.call("POST", f"{flow.path}/authorize/complete", STAFF), 403, "FORBIDDEN")
    assert flow.complete().status == 200


def test_authorization_is_completed_once(hub: Hub) -> None:
    flow = Flow(hub, waiting(hub, "linkedin"))
    refused(flow.complete(), 409, "AUTHORIZATION_NOT_BEGUN")
    flow.begun()
    refused(flow.complete(), 409, "AUTHORIZATION_PENDING")
    flow.consent()
    assert flow.complete().status == 200
    refused(flow.complete(), 409, "AUTHORIZATION_USED")


def test_failed_test_of_a_grant_is_tried_again_by_a_new_authorization(hub: Hub) -> None:
    """The code is used up: the same call again would find it used."""
    path = connected(hub, "linkedin")
    flow = Flow(hub, path).begun()
    flow.consent()
    assert hub.call("PUT", f"{path}/limits", ADMIN, {"day": 1}).status == 200
    hub.call("POST", "/functions/v1/rate-limiter", ADMIN, {"connection_id": flow.id, "action": "take"})
    reply = flow.complete()
    refused(reply, 429, "RATE_LIMITED")
    assert "then send POST to the connection's authorize again, and open the new URL" in reply.json["nextAction"]
    assert "send the change again" not in reply.json["nextAction"]
    again = flow.complete()
    refused(again, 409, "AUTHORIZATION_USED")
    assert "send POST to the connection's authorize again" in again.json["nextAction"]


def test_another_connections_authorization_is_not_taken(hub: Hub) -> None:
    first, second = (Flow(hub, waiting(hub, "linkedin")) for _ in range(2))
    first.begun().consent()
    refused(second.complete(), 409, "AUTHORIZATION_NOT_BEGUN")
    assert hub.call("GET", second.path).json["status"] == "pending"


@pytest.mark.parametrize("key", [key for key in SETTINGS if key != "gohighlevel"])
def test_person_who_declines_is_told_so(hub: Hub, key: str) -> None:
    """In each platform's own words; the connection stays as it is."""
    path = connected(hub, key)
    before = hub.call("GET", path).json
    flow = Flow(hub, path).begun()
    page = flow.consent("decline")
    assert (page.status, "declined" in page.body.decode()) == (200, True)
    refused(flow.complete(), 409, "AUTHORIZATION_DECLINED")
    assert hub.call("GET", path).json == before
    assert hub.call("POST", f"{path}/test").json["success"]


def test_platform_that_never_answers_leaves_the_authorization_pending(hub: Hub) -> None:
    flow = Flow(hub, waiting(hub, "gohighlevel")).begun()
    assert get(f"{flow.url}&sandbox_consent=decline").status == 200
    refused(flow.complete(), 409, "AUTHORIZATION_PENDING")


def test_other_error_of_a_redirect_is_a_refusal(hub: Hub) -> None:
    flow = Flow(hub, waiting(hub, "linkedin")).begun()
    base = flow.redirect("decline").partition("?")[0]
    page = get(f"{base}?error=unauthorized_scope_error&state={flow.asked['state']}&code=x")
    assert "did not give its consent" in page.body.decode()
    reply = flow.complete()
    refused(reply, 422, "AUTHORIZATION_REFUSED")
    assert "unauthorized_scope_error" in reply.json["error"]
    flow.begun()
    secret = f"canary-{token_hex(8)}"
    get(f"{base}?error={secret}&state={flow.asked['state']}")
    assert secret not in flow.complete().body.decode()


@pytest.mark.parametrize("key", SETTINGS)
def test_code_that_the_platform_does_not_know_is_refused(hub: Hub, key: str) -> None:
    flow = Flow(hub, waiting(hub, key)).begun()
    parts = urlsplit(flow.redirect())
    state = "" if key == "gohighlevel" else f"&state={flow.asked['state']}"
    assert get(f"{parts.scheme}://{parts.netloc}{parts.path}?code=made-up{state}").status == 200
    refused(flow.complete(), 422, "AUTHORIZATION_REFUSED")
    assert hub.call("GET", flow.path).json["status"] == "pending"
    refused(flow.complete(), 409, "AUTHORIZATION_USED")


@pytest.mark.parametrize("key", ["linkedin", "tiktok", "google_analytics", "gohighlevel", "mailchimp"])
def test_wrong_secret_of_the_app_is_told(hub: Hub, key: str) -> None:
    flow = Flow(hub, waiting(hub, key, client_secret="wrong-secret")).begun()
    flow.consent()
    refused(flow.complete(), 422, "OAUTH_APP_REFUSED")


def test_verifier_of_another_authorization_is_refused(hub: Hub, rows: Rows) -> None:
    """The code of one authorization does not pass for another's: PKCE binds it."""
    for key in ("google_analytics", "tiktok"):
        first, second = (Flow(hub, waiting(hub, key)).begun() for _ in range(2))
        code = urlsplit(first.redirect()).query.partition("code=")[2].partition("&")[0]
        parts = urlsplit(second.redirect())
        get(f"{parts.scheme}://{parts.netloc}{parts.path}?code={code}&state={second.asked['state']}")
        refused(second.complete(), 422, "AUTHORIZATION_REFUSED")


def test_grant_for_another_account_than_the_connections_is_refused(hub: Hub) -> None:
    for key, config in (("gohighlevel", {"locationId": "another"}), ("facebook", {"page_id": "1"})):
        flow = Flow(hub, waiting(hub, key, ADMIN, **config)).begun()
        flow.consent()
        reply = flow.complete()
        refused(reply, 422, "AUTHORIZATION_REFUSED")
        assert next(iter(config)) in reply.json["error"]


def test_platform_without_oauth_is_refused(hub: Hub) -> None:
    path = hub.connection()
    refused(hub.call("POST", f"{path}/authorize", ADMIN, {}), 409, "NOT_SUPPORTED")
    refused(hub.call("POST", f"{path}/authorize/complete"), 409, "NOT_SUPPORTED")
    body = {"clientId": "x", "clientSecret": "x"}
    reply = hub.call("PUT", "/integrations/templates/twilio/oauth-app", DEPLOYMENT_ADMIN, body)
    refused(reply, 409, "NOT_SUPPORTED")


def test_connection_without_an_app_is_refused(hub: Hub) -> None:
    def begun(config: dict[str, str]) -> Reply:
        body = {"templateId": "tiktok", "name": token_hex(8), "config": config}
        made = hub.call("POST", "/integrations", ADMIN, body)
        return hub.call("POST", f"{made.headers['location']}/authorize", ADMIN, {})

    refused(begun({}), 409, "OAUTH_APP_MISSING")
    half = begun({"client_key": "x"})
    refused(half, 409, "OAUTH_APP_MISSING")
    assert "config.client_secret" in half.json["error"]


def test_disabled_connection_is_refused(hub: Hub) -> None:
    flow = Flow(hub, waiting(hub, "linkedin")).begun()
    flow.consent()
    assert hub.call("POST", f"{flow.path}/disable").status == 200
    refused(flow.complete(), 409, "INTEGRATION_NOT_ACTIVE")
    refused(flow.begin(), 409, "INTEGRATION_NOT_ACTIVE")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://app.example.evil.example/",
        "https://app.example@evil.example/",
        "https://app.example:444/",
        "http://app.example/",
        "//app.example/",
        "javascript:alert(1)",
        "https://app.example\\@evil.example/",
        "https://app.example/\r\nx: y",
        "",
    ],
)
def test_person_is_not_sent_to_another_site(hub: Hub, url: str) -> None:
    flow = Flow(hub, waiting(hub, "linkedin"))
    reply = flow.begin({"returnUrl": url})
    refused(reply, 400, "INVALID_REQUEST")
    assert reply.json["problems"][0]["path"] == "returnUrl"
