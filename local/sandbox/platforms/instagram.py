"""Instagram: https://developers.facebook.com/docs/instagram-platform."""

from collections.abc import Mapping
from typing import Any

from local.sandbox import meta_graph
from local.sandbox.exchange import Request, Response
from local.sandbox.oauth import AuthorizationServer, Grant, Vendor
from local.sandbox.routes import Route

CREDENTIALS = {**meta_graph.APP, "ig_user_id": "17841405822304914"}
OAUTH_APP = meta_graph.OAUTH_APP
problem = meta_graph.problem
exhausted = meta_graph.exhausted


def routes() -> list[Route]:
    """Return the routes of Instagram's own login, and of the professional account."""
    identity = CREDENTIALS["ig_user_id"]
    login = AuthorizationServer("instagram", _VENDOR, access=(CREDENTIALS["access_token"],))

    def longer(request: Request, _: Mapping[str, str]) -> Response:
        """GET /access_token?grant_type=ig_exchange_token."""
        query = request.query
        good = login.is_token(query.get("access_token", "")) and query.get("grant_type") == "ig_exchange_token"
        if not good or query.get("client_secret") != OAUTH_APP["client_secret"]:
            return meta_graph.refusal(400, "", "Invalid token")
        long = login.issue(login.scopes_of(query["access_token"]))
        return Response(200, {"access_token": long, "token_type": "bearer", "expires_in": 5_184_000})

    def renewed(request: Request, _: Mapping[str, str]) -> Response:
        """GET /refresh_access_token: https://developers.facebook.com/docs/instagram-platform/reference."""
        token = request.query.get("access_token", "")
        if not login.is_token(token) or request.query.get("grant_type") != "ig_refresh_token":
            return meta_graph.refusal(400, "", "Invalid token")
        long = login.issue(login.scopes_of(token))
        return Response(200, {"access_token": long, "token_type": "bearer", "expires_in": 5_184_000})

    return [
        Route("GET", "/refresh_access_token", lambda _: True, renewed),
        *login.routes("/oauth/authorize", "/oauth/access_token"),
        Route("GET", "/access_token", lambda _: True, longer),
        *meta_graph.node(identity, {"id": identity, "username": "causeway"}, login.authenticate),
    ]


def _token(grant: Grant, _: bool) -> dict[str, Any]:
    """https://developers.facebook.com/docs/instagram-platform/reference/access_token."""
    user = int(CREDENTIALS["ig_user_id"])
    return {"access_token": grant.access_token, "user_id": user, "permissions": list(grant.scopes)}


def _refusal(status: int, _: str, description: str) -> Response:
    """Return an error of the token endpoint, which differs from that of the Graph API."""
    return Response(status, {"error_type": "OAuthException", "code": status, "error_message": description})


_VENDOR = Vendor(
    client_id=OAUTH_APP["client_id"],
    client_secret=OAUTH_APP["client_secret"],
    answer=_token,
    refusal=_refusal,
    separator=",",
    declined={"error": "access_denied", "error_reason": "user_denied"},
    code_ending="#_",
)


def _throttled_business(seconds: float) -> Response:
    """Return the answer of the account's limit, which tells the minutes to wait."""
    usage = meta_graph.business_usage(CREDENTIALS["ig_user_id"], "instagram", 100, seconds)
    message = "(#80002) There have been too many calls to this account. Wait a bit and try again."
    return meta_graph.throttled(80002, message, X_Business_Use_Case_Usage=usage)


FAULTS = {"throttled": meta_graph.app_throttled, "throttled_business": _throttled_business}
