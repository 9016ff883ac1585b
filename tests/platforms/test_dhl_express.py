"""DHL Express: https://developer.dhl.com/api-reference/dhl-express-mydhl-api."""

from collections.abc import Callable
from typing import Any

from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, basic

FACTS = Facts(
    kind="shipping",
    secrets=frozenset({"api_key", "api_secret", "tracking_api_key"}),
    example={"api_key": "your_api_key", "api_secret": "your_api_secret"},
    verdicts=(
        (401, {"title": "Unauthorized", "status": "401", "detail": "Invalid Credentials"}, "INVALID_CREDENTIALS"),
    ),
    limits=((429, {}, {"status": "429"}, Signal(wait=5)), (503, {}, None, SILENT)),
    throttled={"throttled": 5},
)
MINE = demo_credentials("dhl_express")


def test_connection_test_validates_an_address(sent: Callable[[str], list[Sent]]) -> None:
    headers = {"x-version": "3.1.1"} | basic(MINE["api_key"], MINE["api_secret"])

    assert sent("dhl_express") == [
        Sent("GET", "/address-validate?type=delivery&countryCode=AE&cityName=Dubai", headers)
    ]


def test_sandbox_requires_the_version_and_the_country(call: Callable[..., tuple[int, Any]]) -> None:
    user, version = basic(MINE["api_key"], MINE["api_secret"]), {"x-version": "3.1.1"}
    path = "/dhl_express/address-validate"

    assert call("GET", f"{path}?countryCode=AE", user | version)[0] == 200
    assert call("GET", f"{path}?countryCode=AE", user)[0] == 400
    assert call("GET", path, user | version)[0] == 400
