"""Google Analytics: https://developers.google.com/analytics/devguides/reporting/data/v1."""

from collections.abc import Callable
from typing import Any

from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import FORM, TOKEN, Sent, bearer

FACTS = Facts(
    kind="analytics",
    secrets=frozenset({"client_secret", "refresh_token"}),
    example={
        "property_id": "213025502",
        "client_id": "1.apps.googleusercontent.com",
        "client_secret": "your_client_secret",
        "refresh_token": "1//your_refresh_token",
    },
    # https://cloud.google.com/apis/design/errors
    verdicts=(
        (401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}}, "INVALID_CREDENTIALS"),
        (403, {"error": {"code": 403, "status": "PERMISSION_DENIED"}}, "PROVIDER_FORBIDDEN"),
        (429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, "RATE_LIMITED"),
    ),
    requests=2,
    # https://developers.google.com/analytics/devguides/reporting/data/v1/quotas
    limits=(
        (429, {}, {"error": {"status": "RESOURCE_EXHAUSTED"}}, Signal(wait=60, throttled=True, remaining=0)),
        (403, {}, {"error": {"status": "RESOURCE_EXHAUSTED"}}, Signal(wait=60, throttled=True, remaining=0)),
        (403, {}, {"error": {"status": "PERMISSION_DENIED", "errors": [{"reason": "forbidden"}]}}, SILENT),
        (500, {}, {"error": {"status": "INTERNAL"}}, Signal(retry=False)),
        (503, {}, None, Signal(retry=False)),
        (200, {}, {"propertyQuota": {"tokensPerHour": {"consumed": 5, "remaining": 39995}}}, SILENT),
        (200, {}, {"propertyQuota": {"tokensPerHour": {"consumed": 40000}}}, Signal(wait=3600, remaining=0)),
        (200, {}, {"propertyQuota": {"concurrentRequests": {"consumed": 10}}}, Signal(wait=2, remaining=0)),
        (200, {}, {"propertyQuota": {"tokensPerDay": {}}}, SILENT),
    ),
    throttled={"throttled": 3600, "throttled_day": "Pacific", "throttled_concurrent": 2, "throttled_admin": 60},
)
MINE = demo_credentials("google_analytics")


def test_connection_test_reads_the_propertys_metadata_with_a_token(sent: Callable[[str], list[Sent]]) -> None:
    client = {"client_id": MINE["client_id"], "client_secret": MINE["client_secret"]}
    grant = {"grant_type": "refresh_token", "refresh_token": MINE["refresh_token"]}
    metadata = f"/v1beta/properties/{MINE['property_id']}/metadata"

    assert sent("google_analytics") == [
        Sent("POST", "/token", FORM, grant | client),
        Sent("GET", metadata, bearer(TOKEN)),
    ]


def test_sandbox_words_a_refusal_as_google_does(call: Callable[..., tuple[int, Any]]) -> None:
    refused = call("GET", "/google_analytics/v1beta/accountSummaries")[1]

    assert refused["error"]["status"] == "UNAUTHENTICATED"
