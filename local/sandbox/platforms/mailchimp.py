"""Mailchimp's Marketing API: https://mailchimp.com/developer/marketing."""

from collections.abc import Mapping
from typing import Any

from local.sandbox.authentication import basic, bearer
from local.sandbox.exchange import Request, Response
from local.sandbox.oauth import AuthorizationServer, Grant, Vendor
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"api_key": "0123456789abcdef0123456789abcdef-us21", "data_center": "us21"}
OAUTH_APP = {"client_id": "100000000001", "client_secret": "sandbox-mailchimp-secret"}


def routes() -> list[Route]:
    """Return the routes of the login, and of the ping: https://mailchimp.com/developer/marketing/api/ping."""
    login = AuthorizationServer("mailchimp", _VENDOR)

    def authenticated(request: Request) -> bool:
        """The key as the password of any user, or as a bearer token; a key is also a token with the data centre."""
        key = CREDENTIALS["api_key"]
        token = request.basic[1].removesuffix(f"-{CREDENTIALS['data_center']}")
        return basic("", key)(request) or bearer(key)(request) or login.is_token(token)

    def told(request: Request, __: Mapping[str, str]) -> Response | int:
        """https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "OAuth" or not login.is_token(token):
            return 401
        centre = CREDENTIALS["data_center"]
        addresses = {"login_url": "https://login.mailchimp.com", "api_endpoint": f"https://{centre}.api.mailchimp.com"}
        return Response(200, {"dc": centre, "accountname": "Causeway sandbox", **addresses})

    return [
        *login.routes("/oauth2/authorize", "/oauth2/token"),
        Route("GET", "/oauth2/metadata", lambda _: True, told),
        Route("GET", r"/3\.0/ping", authenticated, fixed({"health_status": "Everything's Chimpy!"})),
    ]


def _token(grant: Grant, _: bool) -> dict[str, Any]:
    """A token has no end, and no scopes."""
    return {"access_token": grant.access_token, "expires_in": 0, "scope": None}


_VENDOR = Vendor(
    client_id=OAUTH_APP["client_id"],
    client_secret=OAUTH_APP["client_secret"],
    answer=_token,
)


def problem(status: int) -> Response:
    """Return an error: https://mailchimp.com/developer/marketing/docs/errors."""
    title = {401: "API Key Invalid", 404: "Resource Not Found", 500: "Internal Server Error"}.get(
        status, phrase(status)
    )
    content = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": title,
        "status": status,
        "detail": f"{title}.",
        "instance": "00000000-0000-0000-0000-000000000000",
    }
    return Response(status, content, waits(status), "application/problem+json")


def _throttled_bare(_seconds: float) -> Response:
    """Return the answer at a high volume, which is no JSON: https://mailchimp.com/developer/marketing/docs/fundamentals."""
    return Response(403, "<html><head><title>403 Forbidden</title></head></html>", content_type="text/html")


FAULTS = {"throttled_bare": _throttled_bare}
