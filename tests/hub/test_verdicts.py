"""How a platform's answer to a candidate is reported to the caller: HUB 54 and 56."""

from collections.abc import Callable
from typing import Any

import pytest

from local.sandbox.registry import demo_credentials
from local.stack import Stack
from tests.hub.client import Hub, config, draft

Rows = Callable[..., list[Any]]
SECRETS = ("api_key", "api_secret")


@pytest.fixture
def softswiss(hub: Hub, stack: Stack) -> dict[str, Any]:
    """A working connection to SOFTSWISS, whose address each tenant enters: its path, and its secrets."""
    given = demo_credentials("softswiss") | {"base_url": f"{stack.info['sandbox_url']}/softswiss"}
    made = hub.call("POST", "/integrations", body=draft(config=config() | given))
    assert made.json["status"] == "active", made
    return {"path": made.headers["location"], "secrets": {name: given[name] for name in SECRETS}, "etag": made.etag}


@pytest.mark.parametrize(
    ("base_url", "code", "sentence"),
    [
        ("https://10.0.0.1", "BLOCKED_ADDRESS", "The host in config.base_url has a private or reserved address"),
        ("https://0x7f.1", "BLOCKED_ADDRESS", "The host in config.base_url has a private or reserved address"),
        ("https://192.0.2.1", "BLOCKED_ADDRESS", "The host in config.base_url has a private or reserved address"),
        ("https://platform.test:99999", "CONFIG_INVALID", "config.base_url has a port that is not a number from 1"),
        ("https://platform.test:0", "CONFIG_INVALID", "config.base_url has a port"),
        ("http://8.8.8.8", "CONFIG_INVALID", "config.base_url must begin with https://"),
        ("http://platform.test", "CONFIG_INVALID", "config.base_url must begin with https://"),
        (
            "https://platform.test/../y",
            "CONFIG_INVALID",
            "config.base_url has a path that must not have the segments . or",
        ),
    ],
)
def test_wrong_address_is_the_callers_mistake_and_named(
    hub: Hub, softswiss: dict[str, Any], base_url: str, code: str, sentence: str
) -> None:
    """HUB 54, 56: no 5xx, and so no alarm; the attempt is in the log, even without a URL."""
    path, body = softswiss["path"], {"config": softswiss["secrets"] | {"base_url": base_url}}
    reply = hub.call("PATCH", path, body=body, if_match=softswiss["etag"])

    made = hub.call("POST", "/integrations", body=draft(config=config(base_url=base_url)))
    assert [(answer.status, answer.code) for answer in (reply, made)] == [(422, code)] * 2
    for answer in (reply, made):
        assert answer.json["error"].startswith(sentence)
        assert "http" in answer.json["nextAction"] or "public base URL" in answer.json["nextAction"]
        assert "Copy the values" not in answer.json["nextAction"]
    newest = hub.call("GET", f"{path}/logs?limit=1").json["logs"][0]
    assert (newest["requestId"], newest["status"], newest["error"] is None) == (reply.json["requestId"], None, False)
    assert hub.call("POST", f"{path}/test").json["code"] == "CONNECTED"


def test_blocked_address_is_reported_before_secrets_are_requested(hub: Hub, softswiss: dict[str, Any]) -> None:
    """HUB 56: nothing would be sent to that address."""
    wrong = {"config": {"base_url": "https://platform.test:99999"}}
    reply = hub.call("PATCH", softswiss["path"], body=wrong, if_match=softswiss["etag"])
    assert (reply.status, "config.base_url" in reply.json["error"]) == (422, True)


def test_new_address_requires_the_secrets_by_name(hub: Hub, softswiss: dict[str, Any]) -> None:
    """HUB 56"""
    elsewhere = {"config": {"base_url": "https://platform.test", "api_key": "given"}}
    reply = hub.call("PATCH", softswiss["path"], body=elsewhere, if_match=softswiss["etag"])

    assert (reply.status, reply.code) == (409, "SECRETS_REQUIRED")
    rule = "must be given again: a stored secret is not sent to a new address"
    assert reply.json["error"] == f"config.api_secret {rule}"
    assert reply.json["problems"] == [{"path": "config.api_secret", "rule": rule}]


@pytest.mark.parametrize(
    ("fault", "status", "code", "wait"),
    [
        ("401", 422, "INVALID_CREDENTIALS", None),
        ("403", 422, "PROVIDER_FORBIDDEN", None),
        ("429", 429, "RATE_LIMITED", "2"),
        ("500", 502, "PROVIDER_ERROR", None),
        ("garbage", 502, "UNEXPECTED_ANSWER", None),
        ("silent", 504, "TIMED_OUT", None),
    ],
)
def test_candidate_secret_is_answered_with_the_verdicts_own_code(
    hub: Hub, fault: str, status: int, code: str, wait: str | None
) -> None:
    """HUB 54: with Retry-After if the platform names a time."""
    made = hub.call("POST", "/integrations", body=draft(templateId="twilio", config=demo_credentials("twilio")))
    path, body = made.headers["location"], {"config": {"auth_token": f"sandbox-fault-{fault}"}}
    replies = [hub.call("POST", f"{path}/credentials/rotate", body=body)]
    if fault != "silent":
        replies.append(hub.call("PATCH", path, body=body, if_match=made.etag))

    for reply in replies:
        assert (reply.status, reply.code, reply.headers.get("retry-after")) == (status, code, wait)
        assert reply.json["nextAction"].endswith("Nothing was changed: what was in use stays in use.")
        # A test would use the old secret.
        assert "test again" not in reply.json["nextAction"].lower()
        assert ("send the change again" in reply.json["nextAction"]) == (fault in ("429", "500", "silent"))
    assert hub.call("GET", path).json["status"] == "active"


def test_wrong_id_in_a_setting_is_the_callers_mistake(hub: Hub) -> None:
    """HUB 54: the platform does not know the number and answers a 4xx, which is no failure of the platform."""
    given = demo_credentials("whatsapp_business")
    made = hub.call("POST", "/integrations", body=draft(templateId="whatsapp_business", config=given))
    body = {"config": {"phone_number_id": "1"}}
    reply = hub.call("PATCH", made.headers["location"], body=body, if_match=made.etag)
    unchanged = hub.call("GET", made.headers["location"])

    assert made.json["status"] == "active"
    assert (reply.status, reply.code, "ids in the configuration" in reply.json["nextAction"]) == (
        422,
        "PROVIDER_REJECTED",
        True,
    )
    assert (unchanged.json["status"], unchanged.etag) == ("active", made.etag)


def test_success_names_tested_and_untested_secrets(hub: Hub) -> None:
    """HUB 56"""
    given = (
        demo_credentials("sendgrid"),
        demo_credentials("stripe") | {"webhook_secret": "whsec_" + "a" * 32},
    )
    replies = []
    for template_id, values in zip(("sendgrid", "stripe"), given, strict=True):
        made = hub.call("POST", "/integrations", body=draft(templateId=template_id, config=values))
        replies.append(hub.call("POST", f"{made.headers['location']}/test").json)

    assert (replies[0]["code"], replies[0]["tested"], replies[0]["untested"]) == ("CONNECTED", ["api_key"], [])
    assert (replies[1]["code"], replies[1]["tested"], replies[1]["untested"]) == (
        "CONNECTED",
        ["api_key"],
        ["webhook_secret"],
    )
    assert replies[1]["message"].endswith("Not tested, as the test call does not use it: webhook_secret.")


def test_connection_without_an_address_is_not_created(hub: Hub, rows: Rows) -> None:
    """HUB 56: otherwise its secrets would go to an address that somebody adds later."""
    before = rows("SELECT count(*) AS n FROM integration_connections")
    reply = hub.call("POST", "/integrations", body=draft(config=config(base_url="https://platform.test:99999")))

    assert (reply.status, reply.code, "config.base_url" in reply.json["error"]) == (422, "CONFIG_INVALID", True)
    assert rows("SELECT count(*) AS n FROM integration_connections") == before


def test_change_of_environment_requires_every_secret(hub: Hub) -> None:
    """HUB 56, 1: the same rule as for an address; the new environment is tested first."""
    given = demo_credentials("twilio")
    made = hub.call("POST", "/integrations", body=draft(templateId="twilio", config=given))
    path, token = made.headers["location"], {"auth_token": given["auth_token"]}
    kept = hub.call("PATCH", path, body={"environment": "sandbox"}, if_match=made.etag)
    wrong = {"environment": "sandbox", "config": {"auth_token": "sandbox-fault-401"}}
    refused = hub.call("PATCH", path, body=wrong, if_match=made.etag)
    unchanged = hub.call("GET", path)
    changed = hub.call("PATCH", path, body={"environment": "sandbox", "config": token}, if_match=made.etag)

    assert (kept.status, kept.code, "config.auth_token" in kept.json["error"]) == (409, "SECRETS_REQUIRED", True)
    assert (refused.status, refused.code) == (422, "INVALID_CREDENTIALS")
    assert (unchanged.json["environment"], unchanged.etag) == ("production", made.etag)
    assert (changed.status, changed.json["environment"], changed.json["status"]) == (200, "sandbox", "active")
    assert hub.call("POST", f"{path}/credentials/rollback").code == "NOTHING_TO_ROLL_BACK"
    assert hub.call("POST", f"{path}/test").json["code"] == "CONNECTED"


@pytest.mark.parametrize("environment", ["moon", None, "", ["sandbox"]])
def test_unknown_environment_is_refused(hub: Hub, environment: Any) -> None:
    """HUB 56"""
    made = hub.created()
    reply = hub.call("PATCH", made.headers["location"], body={"environment": environment}, if_match=made.etag)
    assert (reply.status, reply.code, "environment" in reply.json["error"]) == (400, "INVALID_REQUEST", True)


def test_environment_without_an_address_is_refused(hub: Hub, rows: Rows) -> None:
    """HUB 56"""
    given = demo_credentials("sendgrid")
    made = hub.call("POST", "/integrations", body=draft(templateId="sendgrid", config=given))
    [before] = rows("SELECT base_urls::text AS urls FROM integration_providers WHERE provider_key = 'sendgrid'")
    without = "UPDATE integration_providers SET base_urls = jsonb_set(base_urls, '{sandbox}', 'null') "
    rows(without + "WHERE provider_key = 'sendgrid'")
    try:
        body = {"environment": "sandbox", "config": {"api_key": given["api_key"]}}
        reply = hub.call("PATCH", made.headers["location"], body=body, if_match=made.etag)
    finally:
        rows("UPDATE integration_providers SET base_urls = %s::jsonb WHERE provider_key = 'sendgrid'", [before.urls])

    assert (reply.status, "has no sandbox environment" in reply.json["error"]) == (422, True)
    assert reply.json["nextAction"].startswith("Send environment production, and a config that gives every secret.")


def test_connection_with_a_removed_environment_names_the_valid_ones(hub: Hub, rows: Rows) -> None:
    """HUB 56: doing what its status says repairs it."""
    given = demo_credentials("sendgrid")
    body = draft(templateId="sendgrid", config=given, environment="sandbox")
    made = hub.call("POST", "/integrations", body=body)
    path = made.headers["location"]
    [before] = rows("SELECT base_urls::text AS urls FROM integration_providers WHERE provider_key = 'sendgrid'")
    without = "UPDATE integration_providers SET base_urls = jsonb_set(base_urls, '{sandbox}', 'null') "
    rows(without + "WHERE provider_key = 'sendgrid'")
    try:
        shown, tested = hub.call("GET", path).json["errorMessage"], hub.call("POST", f"{path}/test")
        refused = hub.call("PATCH", path, body={"config": given}, if_match=hub.call("GET", path).etag)
        agreed = {"environment": "production", "config": given}
        mended = hub.call("PATCH", path, body=agreed, if_match=hub.call("GET", path).etag)
    finally:
        rows("UPDATE integration_providers SET base_urls = %s::jsonb WHERE provider_key = 'sendgrid'", [before.urls])

    assert made.json["status"] == "active"
    assert (tested.status, tested.code) == (409, "TEMPLATE_MOVED")
    assert shown == f"{tested.json['error']}. {tested.json['nextAction']}"
    assert shown.startswith("The template no longer has the environment sandbox")
    assert "send PATCH with an environment that has one, and with a config that gives every secret again" in shown
    assert (refused.status, refused.code) == (422, "CONFIG_INCOMPLETE")
    assert refused.json["nextAction"].startswith("Send environment production, and a config that gives every secret.")
    assert (mended.status, mended.json["status"]) == (200, "active")
