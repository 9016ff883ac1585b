"""Meta's Graph API: nodes, errors and the demo app's credentials, for all of Meta's platforms."""

import json
from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from types import MappingProxyType
from typing import Any

from local.sandbox.authentication import bearer
from local.sandbox.exchange import Request, Response
from local.sandbox.routes import Route

APP: Mapping[str, str] = MappingProxyType({"access_token": "EAAsandboxAccessToken", "app_secret": "sandbox-app-secret"})


def node(identity: str, content: Mapping[str, Any]) -> list[Route]:
    """Return the route of one node: it answers the fields asked for, and always the id.

    https://developers.facebook.com/docs/graph-api/overview

    Args:
        identity: the node's name in the path, which may be an alias such as me.
        content: the node's fields, its id among them.
    """

    def fields(request: Request, path: Mapping[str, str]) -> Response | int:
        if path["identity"] != identity:
            return 404
        wanted = request.query.get("fields", "name").split(",")
        return Response(200, {"id": content["id"], **{name: content[name] for name in wanted if name in content}})

    return [Route("GET", r"/v\d+\.\d+/(?P<identity>\w+)", bearer(APP["access_token"]), fields)]


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
