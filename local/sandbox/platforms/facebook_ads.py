"""Meta's Marketing API: https://developers.facebook.com/docs/marketing-api."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from local.sandbox import meta_graph
from local.sandbox.exchange import Response
from local.sandbox.routes import Route

CREDENTIALS = {**meta_graph.APP, "ad_account_id": "1234567890"}
OAUTH_APP = meta_graph.OAUTH_APP
problem = meta_graph.problem


def routes() -> list[Route]:
    """Return the routes of the login, and of the ad account."""
    login = meta_graph.Login("facebook_ads")
    identity = f"act_{CREDENTIALS['ad_account_id']}"
    account = {"name": "Causeway sandbox", "account_status": 1, "currency": "AED", "timezone_name": "Asia/Dubai"}
    return [*login.routes(), *meta_graph.node(identity, {"id": identity, **account}, login.authenticate)]


def exhausted(seconds: float) -> Mapping[str, str]:
    """Return the usage header of an ad account whose limit is used up; the reset is in seconds."""
    return meta_graph.usage(X_Ad_Account_Usage=_account_usage(seconds))


def _throttled(seconds: float) -> Response:
    """Return the answer of the ad account's limit, which tells the minutes to wait.

    https://developers.facebook.com/docs/marketing-api/overview/rate-limiting
    """
    usage = meta_graph.business_usage(CREDENTIALS["ad_account_id"], "ads_management", 100, seconds)
    message = "(#80004) There have been too many calls to this ad-account. Wait a bit and try again."
    return meta_graph.throttled(80004, message, X_Business_Use_Case_Usage=usage)


def _throttled_account(seconds: float) -> Response:
    """Return the answer of the ad account's older limit, which tells the seconds to wait."""
    return meta_graph.throttled(17, "(#17) User request limit reached", X_Ad_Account_Usage=_account_usage(seconds))


def _throttled_insights(_seconds: float) -> Response:
    usage = {"app_id_util_pct": 100, "acc_id_util_pct": 10, "ads_api_access_tier": "standard_access"}
    message = "(#4) Application request limit reached"
    # This header's name is in lower case in Meta's documents.
    return meta_graph.throttled(4, message, x_fb_ads_insights_throttle=usage)


def _account_usage(seconds: float) -> dict[str, Any]:
    wait = ceil(seconds)
    return {"acc_id_util_pct": 100, "reset_time_duration": wait, "ads_api_access_tier": "standard_access"}


FAULTS = {
    "throttled": _throttled,
    "throttled_account": _throttled_account,
    "throttled_insights": _throttled_insights,
}
