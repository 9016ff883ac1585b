"""Meta's Graph API: nodes, errors and the demo app's credentials, for all of Meta's platforms."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from types import MappingProxyType
from typing import Any

from local.sandbox.authentication import Authentication, bearer
from local.sandbox.exchange import Request, Response
from local.sandbox.oauth import AuthorizationServer, Grant, Vendor
from local.sandbox.routes import Handler, Route

APP: Mapping[str, str] = MappingProxyType({"access_token": "EAAsandboxAccessToken", "app_secret": "sandbox-app-secret"})


OAUTH_APP: Mapping[str, str] = MappingProxyType(
    {"client_id": "1098765432100001", "client_secret": "sandbox-app-secret"}
)


def refusal(status: int, _: str, description: str) -> Response:
    """Return an error of the login in Meta's format."""
    error = {"message": description, "type": "OAuthException", "code": 100 if status == 400 else 1}
    return Response(400, {"error": {**error, "fbtrace_id": "AsandboxTrace"}})


class Login:
    """Facebook's login: https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow."""

    def __init__(self, key: str) -> None:
        """Begin with the demo app's token only. key: the platform's."""
        declined = {"error": "access_denied", "error_reason": "user_denied", "error_description": "Permissions error"}
        vendor = Vendor(
            client_id=OAUTH_APP["client_id"],
            client_secret=OAUTH_APP["client_secret"],
            answer=_short,
            refusal=refusal,
            separator=",",
            declined=declined,
        )
        self._server = AuthorizationServer(key, vendor, access=(APP["access_token"],))
        self.authenticate = self._server.authenticate

    def routes(self, pages: Sequence[str] = ()) -> list[Route]:
        """Return the routes of the login. pages: ids of the pages that the person manages."""
        return [
            *self._server.routes(r"/v\d+\.\d+/dialog/oauth", r"/v\d+\.\d+/oauth/access_token"),
            Route("GET", r"/v\d+\.\d+/oauth/access_token", lambda _: True, self._longer),
            Route("GET", r"/v\d+\.\d+/me/permissions", self.authenticate, self._permissions),
            Route("GET", r"/v\d+\.\d+/me/accounts", self.authenticate, self._accounts(pages)),
        ]

    def _longer(self, request: Request, _: Mapping[str, str]) -> Response:
        """GET /oauth/access_token?grant_type=fb_exchange_token."""
        token = request.query.get("fb_exchange_token", "")
        if request.query.get("grant_type") != "fb_exchange_token" or not self._server.is_token(token):
            return refusal(400, "", "Invalid token")
        if not self._server.is_app(request.query):
            return refusal(401, "", "Error validating client secret.")
        long = self._server.issue(self._server.scopes_of(token))
        return Response(200, {"access_token": long, "token_type": "bearer", "expires_in": 5_184_000})

    def _permissions(self, request: Request, _: Mapping[str, str]) -> Response:
        granted = self._server.scopes_of(request.bearer)
        return Response(200, {"data": [{"permission": scope, "status": "granted"} for scope in granted]})

    def _accounts(self, pages: Sequence[str]) -> Handler:
        def handle(request: Request, _: Mapping[str, str]) -> Response:
            scopes = self._server.scopes_of(request.bearer)
            names = {"name": "Causeway sandbox", "tasks": ["CREATE_CONTENT", "MANAGE"]}
            data = [{"access_token": self._server.issue(scopes), "id": page, **names} for page in pages]
            return Response(200, {"data": data})

        return handle


def _short(grant: Grant, _: bool) -> dict[str, Any]:
    return {"access_token": grant.access_token, "token_type": "bearer", "expires_in": 5000}


def node(identity: str, content: Mapping[str, Any], authentication: Authentication | None = None) -> list[Route]:
    """Return the route of one node: it answers the fields asked for, and always the id.

    https://developers.facebook.com/docs/graph-api/overview

    Args:
        identity: the node's name in the path, which may be an alias such as me.
        content: the node's fields, its id among them.
        authentication: by default the demo app's token.
    """

    def fields(request: Request, path: Mapping[str, str]) -> Response | int:
        if path["identity"] != identity:
            return 404
        wanted = request.query.get("fields", "name").split(",")
        return Response(200, {"id": content["id"], **{name: content[name] for name in wanted if name in content}})

    check = authentication or bearer(APP["access_token"])
    return [Route("GET", r"/v\d+\.\d+/(?P<identity>\w+)", check, fields)]


def problem(status: int) -> Response:
    """Return Meta's error; its HTTP status is 400 for most causes, the code tells them apart.

    https://developers.facebook.com/docs/graph-api/guides/error-handling
    """
    real, code, message = {
        401: (400, 190, "Invalid OAuth access token - Cannot parse access token"),
        403: (403, 200, "Permissions error"),
        404: (400, 100, "Unsupported get request."),
        429: (400, 4, "Application request limit reached"),
    }.get(status, (status, 1, "An unknown error occurred"))
    return _error(real, code, message)


def throttled(code: int, message: str, **headers: Any) -> Response:
    """Return the answer to too many calls; Meta sends no Retry-After.

    https://developers.facebook.com/docs/graph-api/overview/rate-limiting

    Args:
        code: of the error, such as 4 for the app's limit.
        message: of the error.
        headers: usage headers: X_App_Usage stands for X-App-Usage, a value is sent as JSON.
    """
    return replace(_error(400, code, message), headers=usage(**headers))


def app_throttled(_seconds: float) -> Response:
    """Return the answer of the app's limit."""
    return throttled(4, "(#4) Application request limit reached", X_App_Usage=_app_usage(100))


def exhausted(_seconds: float) -> Mapping[str, str]:
    """Return the usage header of an app whose hour is used up."""
    return usage(X_App_Usage=_app_usage(100))


def usage(**headers: Any) -> dict[str, str]:
    """Return usage headers, such as X_App_Usage={"call_count": 28}: a value is sent as JSON."""
    return {name.replace("_", "-"): json.dumps(value) for name, value in headers.items()}


def business_usage(identity: str, kind: str, percent: int, seconds: float) -> dict[str, Any]:
    """Return the value of X-Business-Use-Case-Usage, which tells the time to wait in minutes.

    Args:
        identity: of the business or the account.
        kind: of its use, such as pages.
        percent: of the limit.
        seconds: to wait.
    """
    wait = ceil(seconds / 60)
    entry = {"type": kind, "call_count": percent, "total_cputime": 20, "total_time": 20}
    return {identity: [{**entry, "estimated_time_to_regain_access": wait}]}


def _app_usage(percent: int) -> dict[str, int]:
    """Return the value of X-App-Usage: percent of the rolling hour. It tells no time of the reset."""
    return {"call_count": percent, "total_time": 25, "total_cputime": 25}


def _error(status: int, code: int, message: str) -> Response:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AsandboxTrace"}
    return Response(status, {"error": error})
