"""The edge of the rate limiter's function, which reads its few fields by hand and loads no pydantic."""

from collections.abc import Callable
from typing import Any, Unpack

from causeway.edge.admission import admitted, bounded_database, context_of
from causeway.edge.answers import error_answer
from causeway.edge.http_events import HttpAnswer, headers_of, raw_body
from causeway.edge.routes import CALLER_REFUSES, App, Authentication, Declaration, Documentation
from causeway.errors.rate_limits import LimiterUnavailable
from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import CausewayError
from causeway.tenancy.context import RequestContext
from causeway.tenancy.permissions import Permission
from causeway.wire import strict_json

# A decision is made anew at each call, and no object has a version: these headers would promise what is not kept.
_REFUSED_HEADERS = ("Idempotency-Key", "If-Match")

LIMITER = Authentication(
    "Called with a token or an API key",
    (*CALLER_REFUSES, "PAYLOAD_TOO_LARGE"),
    ("token", "apiKey"),
    ("X-Tenant-Id",),
    unavailable=LimiterUnavailable,
)

_Function = Callable[[RequestContext, dict[str, Any]], HttpAnswer]


def route(
    app: App,
    method: str,
    path: str,
    *,
    permission: Permission,
    request: str,
    **documentation: Unpack[Documentation],
) -> Callable[[_Function], _Function]:
    """Make a route of a function that gets the call's context and the JSON object of its body.

    template.yaml has it behind CallerAuthorizer. A refusal is written to the tenant's audit log. The query takes no
    parameters.

    Args:
        app: the function's routes.
        method: POST.
        path: as template.yaml has it.
        permission: what the caller's role must have.
        request: the name of the body's model, for the API's document only.
        documentation: of the answers.
    """

    def decorate(function: _Function) -> _Function:
        def answer(event: dict[str, Any], lambda_context: Any) -> HttpAnswer:
            headers = headers_of(event)
            try:
                context = context_of(event, bounded_database(lambda_context))
                with admitted(context, permission, event["routeKey"], headers.get("x-tenant-id")):
                    _check_plain(event, headers)
                    return function(context, strict_json.parse_object(raw_body(event)))
            except CausewayError as error:
                return error_answer(LIMITER.told(error), event["requestContext"]["requestId"])

        app.add(Declaration(method, path, function, LIMITER, permission, request, documentation), answer)
        return function

    return decorate


def _check_plain(event: dict[str, Any], headers: dict[str, str]) -> None:
    for name in _REFUSED_HEADERS:
        if name.lower() in headers:
            raise InvalidRequest(f"This route does not support {name}: leave it out")
    if event.get("queryStringParameters"):
        raise InvalidRequest("This route takes no parameters in the query string")
