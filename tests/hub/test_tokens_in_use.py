"""Access tokens of connections through the API and the schedule: status, secrecy, renewal (HUB 1, 49, 58)."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from secrets import token_hex
from typing import Any

import pytest

from causeway.aws import clients
from causeway.vault import data_keys
from local.sandbox import registry
from local.stack import Stack
from tests.database.token_endpoint import REFRESH, Answer, TokenEndpoint, granted
from tests.hub.client import DEPLOYMENT_ADMIN, Hub
from tests.hub.in_process import InProcessHub
from tests.hub.oauth import Flow, connected
from tests.hub.objects import PATH as TEMPLATES
from tests.hub.objects import added

Rows = Callable[..., list[Any]]
FIELD = {"type": "string", "pattern": "^[!-~]+$", "maxLength": 4096}
SCHEMA = {
    "type": "object",
    "properties": {
        "client_id": FIELD,
        "client_secret": FIELD | {"x-secret": True},
        "refresh_token": FIELD | {"x-secret": True},
        "access_token": FIELD | {"x-secret": True},
        "region": {"type": "string", "pattern": "^[a-z]+$", "default": "eu"},
    },
    "required": ["client_id"],
    "additionalProperties": False,
}
SECRETS = {"client_id": "cl1ent", "client_secret": "s3cret-canary", "refresh_token": "r3fresh-canary-0"}


@pytest.fixture(scope="module")
def inside(hub: Hub, stack: Stack) -> Iterator[InProcessHub]:
    """The hub in this process, which may call loopback."""
    with InProcessHub(stack, hub.tokens, EGRESS_ALLOWED_HOSTS="127.0.0.1") as inside:
        yield inside


def rotating() -> Callable[[Mapping[str, str], int], Answer]:
    """A rule whose refresh tokens are good once, as r3fresh-canary-0 is, and that knows one client secret."""
    good = {"r3fresh-canary-0"}

    def rule(fields: Mapping[str, str], number: int) -> Answer:
        if fields["client_secret"] not in ("s3cret-canary", "n3w-canary"):
            return Answer(401, {"error": "invalid_client"})
        if fields["refresh_token"] not in good:
            return Answer(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        good.clear()
        good.add(f"r3fresh-canary-{number}")
        return granted(number, refresh_token=f"r3fresh-canary-{number}")

    return rule


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    """The platform: its token endpoint with refresh tokens that are good once, and its API."""
    with TokenEndpoint(rotating()) as server:
        yield server


@pytest.fixture
def template(hub: Hub, endpoint: TokenEndpoint, rows: Rows) -> Callable[..., str]:
    """Adds a template of the platform: template({"type": "bearer", ...}) is its id."""

    def add(authentication: dict[str, Any], **call: Any) -> str:
        key = added(hub).json["id"]
        rows(
            "UPDATE integration_providers SET base_urls = %s::jsonb, authentication = %s::jsonb, "
            "health_call = %s::jsonb, config_schema = %s::jsonb WHERE provider_key = %s",
            [
                json.dumps({"production": endpoint.url, "sandbox": None}),
                json.dumps(authentication),
                json.dumps({"method": "GET", "path": "/me", "expect": [200]} | call),
                json.dumps(SCHEMA),
                key,
            ],
        )
        return key

    return add


@pytest.fixture
def connect(inside: InProcessHub, template: Callable[..., str]) -> Callable[..., str]:
    """Connects to the platform: connect(authentication, {fields}) is the connection's path."""

    def make(authentication: dict[str, Any], config: dict[str, str]) -> str:
        body = {"templateId": template(authentication), "name": f"Tokens {token_hex(6)}", "config": config}
        made = inside.call("POST", "/integrations", body=body)
        assert made.json["status"] == "active", made
        return f"/integrations/{made.json['id']}"

    return make


@pytest.fixture
def path(connect: Callable[..., str], endpoint: TokenEndpoint) -> str:
    """A connection with a refresh token."""
    return connect(REFRESH | {"token_url": f"{endpoint.url}/token"}, SECRETS)


def refresh(inside: InProcessHub) -> dict[str, int]:
    """Call the schedule's function."""
    return json.loads(asyncio.run(inside._functions.invoke("token-refresh", b"{}")))


def age(rows: Rows, path: str, **moved: str) -> None:
    """Move columns of the connection's row by intervals."""
    for column, interval in moved.items():
        rows(
            f"UPDATE oauth_tokens SET {column} = {column} + %s::interval WHERE connection_id = %s",  # noqa: S608
            [interval, path.rpartition("/")[2]],
        )


def test_each_test_gets_a_token_and_keeps_the_refresh_token_that_came_with_it(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint
) -> None:
    tests = [inside.call("POST", f"{path}/test") for _ in range(2)]

    assert [test.json["success"] for test in tests] == [True, True]
    assert [call["refresh_token"] for call in endpoint.calls] == [f"r3fresh-canary-{number}" for number in range(3)]


def test_revoked_access_makes_the_connection_error_with_connect_again(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint
) -> None:
    endpoint.rule = lambda *_: Answer(400, {"error": "invalid_grant"})
    tested = inside.call("POST", f"{path}/test").json
    shown = inside.call("GET", path).json

    assert (tested["success"], tested["code"]) == (False, "INVALID_CREDENTIALS")
    assert shown["status"] == "error"
    assert "Connect again" in shown["errorMessage"]


@pytest.mark.parametrize(
    ("answer", "code"), [(Answer(429, {}, {"Retry-After": "60"}), "RATE_LIMITED"), (Answer(503, {}), "PROVIDER_ERROR")]
)
def test_endpoint_that_fails_leaves_the_status_as_it_is(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint, answer: Answer, code: str
) -> None:
    """HUB 49."""
    endpoint.rule = lambda *_: answer
    tested = inside.call("POST", f"{path}/test").json

    assert (tested["success"], tested["code"]) == (False, code)
    assert inside.call("GET", path).json["status"] == "active"


def test_failed_change_keeps_the_connection_alive(inside: InProcessHub, path: str, endpoint: TokenEndpoint) -> None:
    """The change's test used up the refresh token that is in use; what replaced it is stored all the same."""
    endpoint.api = lambda _: False
    changed = inside.call("PATCH", path, body={"config": {"region": "us"}}, if_match=inside.call("GET", path).etag)
    refused = inside.call("POST", f"{path}/credentials/rotate", body={"config": {"client_secret": "wr0ng-canary"}})
    endpoint.api = bool

    assert (changed.status, changed.code) == (422, "INVALID_CREDENTIALS")
    assert (refused.status, refused.code) == (422, "INVALID_CREDENTIALS")
    assert inside.call("POST", f"{path}/test").json["success"]


def test_change_is_stored_although_kms_is_down_after_its_test(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint
) -> None:
    """The test has used a refresh token up: all that needs a key was got before."""
    rule = endpoint.rule

    def broken(fields: Mapping[str, str], number: int) -> Answer:
        # The call's end brings the function's settings back.
        os.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
        clients.client.cache_clear()
        data_keys.current.cache_clear()
        return rule(fields, number)

    endpoint.rule = broken
    rotated = inside.call("POST", f"{path}/credentials/rotate", body={"config": {"client_secret": "n3w-canary"}})
    clients.client.cache_clear()
    endpoint.rule = rule

    assert rotated.status == 200, rotated
    assert inside.call("POST", f"{path}/test").json["success"]


def test_change_of_the_client_secret_keeps_the_refresh_token_that_is_alive(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint
) -> None:
    rotated = inside.call("POST", f"{path}/credentials/rotate", body={"config": {"client_secret": "n3w-canary"}})
    tested = inside.call("POST", f"{path}/test").json

    assert rotated.status == 200, rotated
    assert tested["success"], tested
    assert [call["client_secret"] for call in endpoint.calls] == ["s3cret-canary", "n3w-canary", "n3w-canary"]


def test_no_token_is_in_any_row_answer_or_log(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint, rows: Rows, capsys: pytest.CaptureFixture[str]
) -> None:
    """HUB 1."""
    replies = [inside.call("POST", f"{path}/test")]
    endpoint.rule = lambda fields, _: Answer(400, {"error": "invalid_grant", "error_description": repr(fields)})
    replies += [inside.call("POST", f"{path}/test"), inside.call("GET", path), inside.call("GET", f"{path}/logs")]
    found = [
        rows(f"SELECT t::text AS row FROM {table} AS t WHERE t::text LIKE '%canary%'")  # noqa: S608
        for table in ("oauth_tokens", "api_credentials", "integration_api_logs", "integration_connections")
    ]
    found += [rows("SELECT 1 FROM audit_log WHERE after::text LIKE '%canary%' OR before::text LIKE '%canary%'")]
    found += [rows("SELECT 1 FROM events_out WHERE payload::text LIKE '%canary%'")]

    assert found == [[]] * 6
    assert not any(b"canary" in reply.body for reply in replies)
    assert "canary" not in "".join(capsys.readouterr())


def test_schedule_renews_daily_what_nobody_uses(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint, rows: Rows
) -> None:
    """HUB 58: a refresh token that lapses is used before."""
    refresh(inside)
    before = len(endpoint.calls)
    age(rows, path, obtained_at="-22 hours", expires_at="-22 hours")
    refresh(inside)
    assert len(endpoint.calls) == before
    age(rows, path, obtained_at="-2 hours", expires_at="-2 hours")

    assert refresh(inside)["renewed"] >= 1
    assert len(endpoint.calls) == before + 1
    assert inside.call("POST", f"{path}/test").json["success"]


def test_schedule_that_is_refused_makes_the_connection_error(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint, rows: Rows
) -> None:
    endpoint.rule = lambda *_: Answer(400, {"error": "invalid_grant"})
    age(rows, path, obtained_at="-25 hours", expires_at="-25 hours")
    refresh(inside)
    shown = inside.call("GET", path).json
    calls = len(endpoint.calls)
    refresh(inside)

    assert shown["status"] == "error"
    assert "Connect again" in shown["errorMessage"]
    assert len(endpoint.calls) == calls


def test_schedule_that_meets_a_throttled_endpoint_waits(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint, rows: Rows
) -> None:
    endpoint.rule = lambda *_: Answer(429, {}, {"Retry-After": "600"})
    age(rows, path, obtained_at="-25 hours", expires_at="-25 hours")
    calls = len(endpoint.calls)
    assert refresh(inside)["failed"] == 0
    refresh(inside)

    assert len(endpoint.calls) == calls + 1
    assert inside.call("GET", path).json["status"] == "active"


def warnings(rows: Rows, path: str) -> list[dict[str, Any]]:
    """The payloads of the warnings about a connection."""
    statement = (
        "SELECT payload::text AS payload FROM events_out WHERE type = 'connection.token_expiring' AND object_id = %s"
    )
    return [json.loads(row.payload) for row in rows(statement, [path.rpartition("/")[2]])]


def ends(rows: Rows, path: str, renewal: str, **columns: str) -> None:
    """Store a grant of the access token that the connection has: ends(rows, path, "none", expires_at="60 days")."""
    end = {"expires_at": None, "refresh_expires_at": None} | columns
    rows(
        """
        INSERT INTO oauth_tokens (
            tenant_id, connection_id, credential_version, renewal, grants, obtained_at, expires_at, refresh_expires_at
        )
        SELECT tenant_id, connection_id, 1, %s, 1, now(), now() + %s::interval, now() + %s::interval
        FROM integration_connections WHERE connection_id = %s
        """,
        [renewal, end["expires_at"], end["refresh_expires_at"], path.rpartition("/")[2]],
    )


def test_access_that_ends_for_good_is_warned_of_once_two_weeks_before(
    inside: InProcessHub, connect: Callable[..., str], rows: Rows
) -> None:
    """A token without a refresh: a person must connect again."""
    path = connect({"type": "bearer", "token": "{access_token}"}, {"client_id": "x", "access_token": "acc3ss-canary"})
    ends(rows, path, "none", expires_at="15 days")
    refresh(inside)
    assert warnings(rows, path) == []

    age(rows, path, expires_at="-2 days")
    refresh(inside)
    refresh(inside)
    [warning] = warnings(rows, path)
    assert warning["connectionId"] == path.rpartition("/")[2]
    assert "Connect again" in warning["nextAction"]
    assert inside.call("GET", path).json["status"] == "active"


def test_refresh_token_whose_end_does_not_move_is_warned_of(
    inside: InProcessHub, path: str, endpoint: TokenEndpoint, rows: Rows
) -> None:
    """Its year counts from the first consent: a renewal does not end the warning."""
    rows(
        "UPDATE oauth_tokens SET refresh_expires_at = now() + interval '13 days' WHERE connection_id = %s",
        [path.rpartition("/")[2]],
    )
    refresh(inside)
    age(rows, path, obtained_at="-25 hours", expires_at="-25 hours")
    refresh(inside)

    assert len(warnings(rows, path)) == 1


def test_token_that_renews_itself_is_renewed_weekly(
    inside: InProcessHub, connect: Callable[..., str], endpoint: TokenEndpoint, rows: Rows
) -> None:
    """The new token takes the place of the old one in the credential, also for a later change of the other secrets."""
    renewal = {"url": f"{endpoint.url}/refresh_access_token", "grant": "ig_refresh_token"}
    config = {"client_id": "x", "access_token": "acc3ss-canary-0", "client_secret": "s3cret-canary"}
    path = connect({"type": "bearer", "token": "{access_token}", "self_renewal": renewal}, config)
    ends(rows, path, "self", expires_at="60 days")
    endpoint.rule = lambda _, number: granted(number, expires_in=5_184_000)
    age(rows, path, obtained_at="-6 days")
    refresh(inside)
    assert endpoint.calls == []

    age(rows, path, obtained_at="-1 day")
    refresh(inside)
    assert endpoint.calls == [{"grant_type": "ig_refresh_token", "access_token": "acc3ss-canary-0"}]
    endpoint.api = lambda token: token == "acc3ss-canary-1"
    assert inside.call("POST", f"{path}/test").json["success"]

    inside.call("POST", f"{path}/credentials/rotate", body={"config": {"client_secret": "n3w-canary"}})
    age(rows, path, obtained_at="-7 days")
    refresh(inside)
    assert endpoint.calls[1]["access_token"] == "acc3ss-canary-1"


def test_token_that_cannot_renew_itself_is_good_until_it_ends(
    inside: InProcessHub, connect: Callable[..., str], endpoint: TokenEndpoint, rows: Rows
) -> None:
    renewal = {"url": f"{endpoint.url}/refresh_access_token", "grant": "ig_refresh_token"}
    config = {"client_id": "x", "access_token": "acc3ss-canary-0"}
    path = connect({"type": "bearer", "token": "{access_token}", "self_renewal": renewal}, config)
    ends(rows, path, "self", expires_at="60 days")
    endpoint.rule = lambda *_: Answer(400, {"error": {"code": 190, "type": "OAuthException"}})
    age(rows, path, obtained_at="-8 days", expires_at="-50 days")
    refresh(inside)

    assert inside.call("GET", path).json["status"] == "active"
    assert len(warnings(rows, path)) == 1


def test_token_is_got_anew_with_the_deployments_app(hub: Hub, rows: Rows) -> None:
    """The connection has no client of its own: its settings and secrets are not enough for a renewal."""
    app = registry.oauth_app("google_analytics")
    body = {"clientId": app["client_id"], "clientSecret": app["client_secret"]}
    put = hub.call("PUT", f"{TEMPLATES}/google_analytics/oauth-app", DEPLOYMENT_ADMIN, body)
    assert put.status == 200, put
    try:
        draft = {"templateId": "google_analytics", "name": f"Tokens {token_hex(6)}"}
        made = hub.call("POST", "/integrations", body=draft | {"config": {"property_id": "213025502"}})
        flow = Flow(hub, made.headers["location"]).begun()
        assert flow.consent().status == 200
        assert flow.complete().json["connection"]["status"] == "active"
        statement = "SELECT renewal, grants FROM oauth_tokens WHERE connection_id = %s"
        [first] = rows(statement, [made.json["id"]])
        tested = hub.call("POST", f"{flow.path}/test").json
        etag = hub.call("GET", flow.path).etag
        changed = hub.call("PATCH", flow.path, body={"config": {"property_id": "213025502"}}, if_match=etag)
        age(rows, flow.path, obtained_at="-25 hours", expires_at="-25 hours")
        again = hub.call("POST", f"{flow.path}/test").json

        assert (first.renewal, first.grants) == ("refresh", 1)
        assert tested["success"], tested
        assert (changed.status, changed.json["status"]) == (200, "active")
        assert again["success"]
        assert rows(statement, [made.json["id"]])[0].grants >= 4
    finally:
        rows("DELETE FROM oauth_apps WHERE provider_key = 'google_analytics'")


@pytest.mark.parametrize("key", ["gohighlevel", "linkedin", "tiktok"])
def test_authorized_connection_gets_its_tokens_anew(hub: Hub, rows: Rows, key: str) -> None:
    """Each test uses the refresh token, which two of them replace."""
    path = connected(hub, key)
    tests = [hub.call("POST", f"{path}/test").json for _ in range(3)]
    [row] = rows("SELECT renewal, grants FROM oauth_tokens WHERE connection_id = %s", [path.rpartition("/")[2]])

    assert [test["success"] for test in tests] == [True] * 3
    assert (row.renewal, row.grants) == ("refresh", 4)


def test_authorized_connection_whose_token_renews_itself(hub: Hub, rows: Rows, stack: Stack) -> None:
    path = connected(hub, "instagram")
    age(rows, path, obtained_at="-8 days", expires_at="-8 days")
    stack.invoke("token-refresh", {})
    [row] = rows("SELECT renewal, grants FROM oauth_tokens WHERE connection_id = %s", [path.rpartition("/")[2]])

    assert (row.renewal, row.grants) == ("self", 2)
    assert hub.call("POST", f"{path}/test").json["success"]


def test_given_token_is_used_where_no_app_can_renew_it(hub: Hub, rows: Rows) -> None:
    """A refresh token without a client, neither the connection's nor the deployment's."""
    # Another test may have set the deployment's.
    rows("DELETE FROM oauth_apps WHERE provider_key = 'linkedin' RETURNING provider_key")
    config = registry.demo_credentials("linkedin") | {"refresh_token": "r3fresh-canary"}
    body = {"templateId": "linkedin", "name": f"Tokens {token_hex(6)}", "config": config}
    made = hub.call("POST", "/integrations", body=body)

    assert made.json["status"] == "active", made
