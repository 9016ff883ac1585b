"""The edge of the hub's functions: it checks the caller's identity, tenant and permission, and writes the answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Unpack

from aws_lambda_powertools import Logger

from causeway.aws.counts import count
from causeway.database import idempotency
from causeway.database.idempotency import KeyedRequest, Lease, StoredAnswer
from causeway.database.postgres import Database
from causeway.edge import admission
from causeway.edge.answers import error_answer, json_answer
from causeway.edge.digests import digest_key
from causeway.edge.http_events import HttpAnswer, headers_of, path_of, raw_body
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import (
    CALLER_REFUSES,
    App,
    Authentication,
    Declaration,
    Documentation,
    models_of,
)
from causeway.errors.platforms import ProviderOutcomeUnknown
from causeway.errors.requests import ChangedMeanwhile, VersionMismatch
from causeway.errors.service import Internal
from causeway.errors.tree import CausewayError
from causeway.tenancy.permissions import ALLOWED, ON_DEPLOYMENT, Permission
from causeway.wire.models import NoBody, NoQuery
from causeway.wire.preconditions import Expected

logger = Logger(child=True)

TOKEN = Authentication("Called with a token", CALLER_REFUSES, ("token",), ("X-Tenant-Id",), gateway=True, hub=True)
TOKEN_OR_KEY = Authentication(
    "Called with a token or an API key", CALLER_REFUSES, ("token", "apiKey"), ("X-Tenant-Id",), hub=True
)

_Function = Callable[..., HubAnswer]


def route(
    app: App,
    method: str,
    path: str,
    *,
    permission: Permission,
    refuses_if_match: bool = False,
    acts_on_platform: bool = False,
    **documentation: Unpack[Documentation],
) -> Callable[[_Function], _Function]:
    """Make a route of a function: people and machines whose role has the permission may call it.

    The function gets the call, and, where it has these parameters, `body` and `query`: the request's body and query
    string, parsed into the models that annotate them. A body or a query is refused where the function takes none.

    template.yaml has the route behind CallerAuthorizer where machines have the permission too (an API key), behind
    TokenAuthorizer elsewhere. A refusal is written to the tenant's audit log. Every route but a GET honours
    Idempotency-Key.

    Args:
        app: the function's routes.
        method: GET, POST, PUT, PATCH or DELETE.
        path: as template.yaml has it.
        permission: what the caller's role must have.
        refuses_if_match: the route makes a new object, which has no version yet: any If-Match is answered 412.
        acts_on_platform: the platform does something that a second call would do twice. An exception after the call
            is answered PROVIDER_OUTCOME_UNKNOWN.
        documentation: of the answers.
    """

    def decorate(function: _Function) -> _Function:
        body, query = models_of(function)
        rules = _Rules(permission, body is not None, refuses_if_match, acts_on_platform)

        def answer(event: dict[str, Any], lambda_context: Any) -> HttpAnswer:
            request_id = event["requestContext"]["requestId"]
            try:
                return _respond(_call(event, admission.bounded_database(lambda_context)), rules, function)
            except CausewayError as error:
                return error_answer(error, request_id)

        authentication = TOKEN_OR_KEY if permission in ALLOWED["service"] else TOKEN
        declaration = Declaration(method, path, function, authentication, permission, body, documentation, query)
        app.add(declaration, answer)
        return function

    return decorate


def _call(event: dict[str, Any], database: Database) -> HubCall:
    return HubCall(
        context=admission.context_of(event, database),
        delivered=path_of(event),
        query=event.get("queryStringParameters") or {},
        headers=headers_of(event),
        raw=raw_body(event),
        route=event["routeKey"],
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules that `route` was given."""

    permission: Permission
    takes_body: bool
    refuses_if_match: bool
    acts_on_platform: bool


def _respond(call: HubCall, rules: _Rules, function: _Function) -> HttpAnswer:
    with admission.admitted(call.context, rules.permission, call.route, call.headers.get("x-tenant-id")):
        if not rules.takes_body and call.raw.strip():
            NoBody.parse(call.body)
        if call.route.startswith("GET "):
            return _run(call, rules, function).as_sent()
        return _run_once(call, rules, function)


def _run_once(call: HubCall, rules: _Rules, function: _Function) -> HttpAnswer:
    """Return the stored answer of the call's Idempotency-Key, before any other check; without one, run the function."""
    key = call.headers.get("idempotency-key")
    if key is None:
        return _run(call, rules, function).as_sent()
    fields = [call.route, call.path, call.query, call.body if call.raw.strip() else None]
    request = KeyedRequest.of(key, fields, digest_key(call.context, call.raw))
    context = call.context
    transactions = context.deployment_transaction if rules.permission in ON_DEPLOYMENT else context.transaction

    def work(lease: Lease) -> tuple[HttpAnswer, StoredAnswer]:
        answer = _run(replace(call, context=replace(call.context, lease=lease)), rules, function)
        return answer.as_sent(), answer.to_store()

    result = idempotency.once(transactions, request, work, acts_on_platform=rules.acts_on_platform)
    if isinstance(result, HttpAnswer):
        return result
    return json_answer("OK", result.status, result.body or "", result.headers | {"idempotent-replay": "true"})


def _run(call: HubCall, rules: _Rules, function: _Function) -> HubAnswer:
    # No object exists yet, so If-Match is false, * too (RFC 9110, 13.1.1).
    if rules.refuses_if_match and "if-match" in call.headers:
        Expected.parse(call.headers["if-match"])
        raise VersionMismatch("The new object has no version yet: send no If-Match", action="Send no If-Match.")
    try:
        return function(call, **_parsed(call, function))
    except VersionMismatch as error:
        # The caller sent no If-Match and lost a race: answer 409 without a version.
        if "if-match" in call.headers:
            raise
        raise ChangedMeanwhile from error
    except CausewayError:
        raise
    except Exception as error:
        if not rules.acts_on_platform:
            raise
        # The platform may have acted: "send the call again" would be wrong advice.
        logger.exception("A call that acts on a platform failed")
        count(Internal.code)
        raise ProviderOutcomeUnknown(cause=f"after the call: {type(error).__name__}") from error


def _parsed(call: HubCall, function: _Function) -> dict[str, Any]:
    """Return the function's parameters beside the call: the parsed body and query; raises InvalidRequest."""
    body, query = models_of(function)
    parsed = {} if body is None else {"body": body.parse(call.body)}
    asked = (query or NoQuery).parse(call.query)
    return parsed if query is None else parsed | {"query": asked}
