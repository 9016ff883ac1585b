"""Meta's Graph API: nodes, errors and the demo app's credentials, for all of Meta's platforms."""

from collections.abc import Mapping
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
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AsandboxTrace"}
    return Response(real, {"error": error})
