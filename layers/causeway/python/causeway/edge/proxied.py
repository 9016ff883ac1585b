"""The edge of the proxy: bytes come and go as they are; X-Causeway headers tell the hub's answers from a platform's."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal, Unpack

from aws_lambda_powertools import Logger

from causeway.aws.counts import count
from causeway.database import idempotency
from causeway.database.idempotency import KeyedRequest, Lease, StoredAnswer
from causeway.edge.admission import admitted, bounded_database, context_of
from causeway.edge.answers import error_answer, json_answer
from causeway.edge.digests import digest_key
from causeway.edge.http_events import HttpAnswer, headers_of, path_of, raw_body
from causeway.edge.routes import CALLER_REFUSES, App, Authentication, Declaration, Documentation, Model
from causeway.errors.platforms import ProviderOutcomeUnknown
from causeway.errors.proxy import ProxiedBodyTooLarge
from causeway.errors.requests import PayloadTooLarge
from causeway.errors.service import Internal
from causeway.errors.tree import CausewayError
from causeway.tenancy.context import RequestContext
from causeway.tenancy.permissions import Permission
from causeway.wire.models import Answer

logger = Logger(child=True)

PROXY = Authentication(
    "Called with a token or an API key",
    (*CALLER_REFUSES, "PAYLOAD_TOO_LARGE", "IDEMPOTENCY_KEY_REUSED", "IN_PROGRESS", "PROVIDER_OUTCOME_UNKNOWN"),
    ("token", "apiKey"),
    ("X-Tenant-Id", "Idempotency-Key"),
)

# More than AWS Lambda delivers: 4 MiB in base64, in JSON.
_MOST_BYTES = 6 * 1024 * 1024
# Methods that act on nothing: Idempotency-Key means nothing to them.
_READS = ("GET", "HEAD", "OPTIONS")
# The header that tells how often the platform was called.
_ATTEMPTS = "x-causeway-attempts"
# Statuses whose answers have no body (RFC 9110, 6.4.1).
_BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class ProxyCall:
    """A call of an authenticated caller who may use the proxy.

    Attributes:
        delivered: the path's parameters as API Gateway delivered them.
        query: the query string as it was sent.
        headers: by name in lower case.
        told: headers of the answer, also of an error's; the function fills it.
    """

    context: RequestContext
    method: str
    path: str
    delivered: dict[str, str]
    query: str
    headers: dict[str, str]
    raw: bytes
    told: dict[str, str] = field(default_factory=dict)


# "done": the platform did what was asked. "repeatable": it did nothing, or a second request changes nothing more.
# "unknown": it may have done it, and a second request would do it twice.
Outcome = Literal["done", "repeatable", "unknown"]


@dataclass(frozen=True, slots=True)
class ProxyAnswer:
    """A platform's answer to pass on.

    Attributes:
        outcome: what it means for the call's Idempotency-Key.
        replay: the body of a replay, as the platform's own is not stored.
    """

    http: HttpAnswer
    outcome: Outcome
    replay: Answer


class _MayBeRepeated(Exception):
    """The call may be made again: the Idempotency-Key is free for another attempt."""


_Function = Callable[[ProxyCall], ProxyAnswer]
_Headers = Callable[[Mapping[str, str]], Mapping[str, str]]


def route(
    app: App,
    method: str,
    path: str,
    *,
    permission: Permission,
    distinguishing: _Headers,
    request: Model | None = None,
    **documentation: Unpack[Documentation],
) -> Callable[[_Function], _Function]:
    """Make a route of a function that passes calls to platforms; template.yaml has it behind CallerAuthorizer.

    An error of the hub has the header X-Causeway-Error, which no platform's answer has. A refusal of the permission is
    written to the tenant's audit log. Idempotency-Key is the hub's own: see docs/proxy.md.

    Args:
        app: the function's routes.
        method: POST, or ANY.
        path: as template.yaml has it.
        permission: what the caller's role must have.
        distinguishing: takes a call's headers, and returns those that make it another call under its Idempotency-Key.
        request: the model of the body, for the API's document only.
        documentation: of the answers.
    """

    def decorate(function: _Function) -> _Function:
        def answer(event: dict[str, Any], lambda_context: Any) -> HttpAnswer:
            told: dict[str, str] = {}
            try:
                context = context_of(event, bounded_database(lambda_context))
                headers = headers_of(event)
                with admitted(context, permission, event["routeKey"], headers.get("x-tenant-id")):
                    answered = _answered(_call(event, context, headers, told), function, distinguishing)
            except CausewayError as error:
                answered = error_answer(error, event["requestContext"]["requestId"])
                told = {_ATTEMPTS: "0", **told, "x-causeway-error": error.code}
            return replace(answered, headers=answered.headers | told)

        app.add(Declaration(method, path, function, PROXY, permission, request, documentation), answer)
        return function

    return decorate


def _call(event: dict[str, Any], context: RequestContext, headers: dict[str, str], told: dict[str, str]) -> ProxyCall:
    try:
        raw = raw_body(event, _MOST_BYTES)
    except PayloadTooLarge:
        raise ProxiedBodyTooLarge from None
    http = event["requestContext"]["http"]
    return ProxyCall(
        context, http["method"], http["path"], path_of(event), event.get("rawQueryString", ""), headers, raw, told
    )


def _answered(call: ProxyCall, function: _Function, distinguishing: _Headers) -> HttpAnswer:
    key = call.headers.get("idempotency-key")
    if key is None or call.method in _READS:
        return _run(call, function).http
    fields = [call.method, call.path, call.query, distinguishing(call.headers), sha256(call.raw).hexdigest()]
    # Headers and the query may have secrets as well as a body.
    request = KeyedRequest.of(key, fields, digest_key(call.context, json.dumps(fields).encode()))
    passed: list[HttpAnswer] = []

    def work(lease: Lease) -> tuple[HttpAnswer, StoredAnswer]:
        answer = _run(replace(call, context=replace(call.context, lease=lease)), function)
        passed.append(answer.http)
        if answer.outcome == "unknown":
            raise ProviderOutcomeUnknown
        if answer.outcome == "repeatable":
            raise _MayBeRepeated
        return answer.http, _stored(answer, call.told)

    try:
        result = idempotency.once(call.context.transaction, request, work, acts_on_platform=True)
    except (ProviderOutcomeUnknown, _MayBeRepeated):
        if not passed:
            raise
        return passed[0]
    if isinstance(result, HttpAnswer):
        return result
    return json_answer("OK", result.status, result.body or "", result.headers | {"idempotent-replay": "true"})


def _stored(answer: ProxyAnswer, told: dict[str, str]) -> StoredAnswer:
    """Return the answer to a replay: the platform's status, and in place of its body what is known of the call."""
    status = answer.http.status
    return StoredAnswer(status, dict(told), "" if status in _BODILESS else answer.replay.as_text())


def _run(call: ProxyCall, function: _Function) -> ProxyAnswer:
    try:
        return function(call)
    except CausewayError:
        raise
    except Exception as error:
        if call.method in _READS or call.told.get(_ATTEMPTS, "0") == "0":
            raise
        # The platform may have acted: "send the call again" would be wrong advice.
        logger.exception("A proxied call failed")
        count(Internal.code)
        raise ProviderOutcomeUnknown(cause=f"after the call: {type(error).__name__}") from error
