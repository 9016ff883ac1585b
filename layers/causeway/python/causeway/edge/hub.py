"""The edge of the hub's functions: who calls, whether they may, and the answer, ETag and refusals included."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, Unpack

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway import audit_log, settings
from causeway.aws import secrets
from causeway.database import idempotency, postgres
from causeway.database.idempotency import Attempt, Claim, Kept
from causeway.database.postgres import Database
from causeway.edge.answers import failed, json_answer
from causeway.edge.events import headers_of, raw_body
from causeway.edge.routes import CALLER_REFUSES, Declaration, Documentation, Proof, register
from causeway.errors.platforms import ProviderOutcomeUnknown
from causeway.errors.requests import ChangedMeanwhile, IfMatchRequired, VersionMismatch
from causeway.errors.tenancy import Forbidden, TenantNotFound
from causeway.errors.tree import CausewayError
from causeway.outbound.deadlines import Deadline
from causeway.tenancy.authorizer_context import AuthorizerContext
from causeway.tenancy.context import RequestContext
from causeway.tenancy.permissions import ALLOWED, KEEPER, Permission
from causeway.wire import addresses, strict_json
from causeway.wire.fields import known_fields
from causeway.wire.preconditions import ANY, Expected

logger = Logger(child=True)

# Stop waiting for the database so many seconds before the function's time limit.
_RESERVE = 1.0
Result = TypeVar("Result")

TOKEN = Proof("Called with a token", CALLER_REFUSES, ("token",), ("X-Tenant-Id",), gateway=True, hub=True)
TOKEN_OR_KEY = Proof(
    "Called with a token or an API key", CALLER_REFUSES, ("token", "apiKey"), ("X-Tenant-Id",), hub=True
)


@dataclass(frozen=True, slots=True)
class HubCall:
    """A call whose caller is known and may make it."""

    context: RequestContext
    # The path's parameters as API Gateway delivered them.
    delivered: dict[str, str]
    query: dict[str, str]
    # Names in lower case.
    headers: dict[str, str]
    raw: bytes
    # Method and path as template.yaml has them.
    route: str

    @property
    def path(self) -> dict[str, str]:
        """The ids in the path; raises InvalidRequest where it cannot be told which are meant."""
        return {name: addresses.parse(name, value) for name, value in self.delivered.items()}

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object sent; raises InvalidRequest."""
        return strict_json.parse_object(self.raw)

    @property
    def expected(self) -> Expected:
        """The versions that If-Match names, any where it was not sent; raises InvalidRequest."""
        return Expected.parse(self.headers["if-match"]) if "if-match" in self.headers else ANY

    @property
    def demanded(self) -> Expected:
        """The same for a change that must name a version; raises IfMatchRequired, InvalidRequest."""
        if "if-match" not in self.headers:
            raise IfMatchRequired
        return self.expected

    def keeping(self, answer: Callable[[Result], "HubAnswer"]) -> RequestContext:
        """Return the call's context, by which the answer to a result is committed with the work (context.done)."""
        return replace(self.context, kept_of=lambda result: _kept(answer(result)))


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """What a call is answered.

    Attributes:
        version: becomes the ETag.
        kept: what a replay answers instead of body, where body holds what is shown once.
    """

    body: dict[str, Any] | str
    status: int = 200
    version: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    kept: dict[str, Any] | None = None


_Function = Callable[[HubCall], HubAnswer]


def route(
    app: APIGatewayHttpResolver,
    method: str,
    path: str,
    *,
    permission: Permission,
    request: str | None = None,
    refuses_if_match: bool = False,
    acts_on_platform: bool = False,
    **documentation: Unpack[Documentation],
) -> Callable[[_Function], _Function]:
    """Make a route of a function: people and machines whose role has the permission may call it.

    template.yaml has the route behind CallerAuthorizer where machines have the permission too (an API key), behind
    TokenAuthorizer elsewhere. A refusal is written to the tenant's audit log. Every route but a GET honours
    Idempotency-Key.

    Args:
        app: the function's resolver.
        method: GET, POST, PATCH or DELETE.
        path: as template.yaml has it.
        permission: what the caller's role must have.
        request: the schema of the body. None: the route takes no body, and a body with fields is refused.
        refuses_if_match: the route makes a new object, which has no version yet: any If-Match is answered 412.
        acts_on_platform: the platform does something that a second call would do twice. A fault of ours after the call
            is answered PROVIDER_OUTCOME_UNKNOWN.
        documentation: of the answers.
    """
    rules = _Rules(permission, request is not None, refuses_if_match, acts_on_platform)

    def decorate(function: _Function) -> _Function:
        def answer(**parameters: str) -> Response[str]:
            event: dict[str, Any] = app.current_event.raw_event
            request_id = event["requestContext"]["requestId"]
            try:
                return _made(_call(event, parameters, _in_time(app)), rules, function)
            except CausewayError as error:
                return failed(error, request_id)

        proof = TOKEN_OR_KEY if permission in ALLOWED["service"] else TOKEN
        register(app, Declaration(method, path, function, proof, permission, request, documentation), answer)
        return function

    return decorate


def _in_time(app: APIGatewayHttpResolver) -> Database:
    """Return the database for one call: the caller is answered before Lambda ends the function."""
    seconds = app.lambda_context.get_remaining_time_in_millis() / 1000
    return postgres.current().within(Deadline(seconds - _RESERVE))


def _call(event: dict[str, Any], path: dict[str, str], in_time: Database) -> HubCall:
    context = event["requestContext"]
    headers = headers_of(event)
    caller = AuthorizerContext.parse(context.get("authorizer", {})).caller(headers.get("x-tenant-id"))
    return HubCall(
        context=RequestContext(caller, context["http"]["sourceIp"], context["requestId"], in_time),
        delivered=path | (event.get("pathParameters") or {}),
        query=event.get("queryStringParameters") or {},
        headers=headers,
        raw=raw_body(event),
        route=event["routeKey"],
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    """What `route` was told of a route."""

    permission: Permission
    takes_body: bool
    refuses_if_match: bool
    acts_on_platform: bool


def _made(call: HubCall, rules: _Rules, function: _Function) -> Response[str]:
    try:
        call.context.caller.demand(rules.permission)
        _demand_tenant(call, rules.permission)
        if not rules.takes_body and call.raw.strip():
            known_fields(call.body, set())
        if call.route.startswith("GET "):
            return _answered(_done(call, rules, function))
        return _done_once(call, rules, function)
    except Forbidden as refusal:
        _note_refusal(call, refusal.permission or rules.permission)
        raise


def _done_once(call: HubCall, rules: _Rules, function: _Function) -> Response[str]:
    """Do what a call asks for, or find the answer that its Idempotency-Key got: before any other check."""
    key = call.headers.get("idempotency-key")
    if key is None:
        return _answered(_done(call, rules, function))
    request = [call.route, call.path, call.query, call.body if call.raw.strip() else None]
    claim = Claim.of(key, request, _digest_key(call))
    platform = rules.permission in KEEPER
    transactions = call.context.platform_transaction if platform else call.context.transaction

    def work(attempt: Attempt) -> tuple[Response[str], Kept]:
        answer = _done(replace(call, context=replace(call.context, attempt=attempt)), rules, function)
        return _answered(answer), _kept(answer)

    found = idempotency.once(transactions, claim, work, acts=rules.acts_on_platform)
    if isinstance(found, Response):
        return found
    return json_answer("OK", found.status, found.body or "", found.headers | {"idempotent-replay": "true"})


def _digest_key(call: HubCall) -> bytes:
    """Return what keys the digest of a request: the pepper, where its body may hold secrets.

    Only the functions that are sent secrets have it. What has no body needs it not: a connection can be disabled while
    the secret store is away.
    """
    name = settings.audit_secret_or_none()
    if name is None or not call.raw.strip():
        return b"requests without secrets"
    return audit_log.fingerprint_key(secrets.pepper(name), call.context.caller.tenant)


def _done(call: HubCall, rules: _Rules, function: _Function) -> HubAnswer:
    # Where nothing exists, * is as false as any version (RFC 9110, 13.1.1).
    if rules.refuses_if_match and "if-match" in call.headers:
        Expected.parse(call.headers["if-match"])
        raise VersionMismatch("What is to be made has no version yet: send no If-Match", action="Send no If-Match.")
    try:
        return function(call)
    except VersionMismatch as error:
        # A caller who named no version lost a race, and is not told of a version.
        if "if-match" in call.headers:
            raise
        raise ChangedMeanwhile from error
    except CausewayError:
        raise
    except Exception as error:
        if not rules.acts_on_platform:
            raise
        # The platform may have done it: "send the call again" would be wrong advice.
        logger.exception("A call that acts on a platform failed")
        raise ProviderOutcomeUnknown(cause=f"after the call: {type(error).__name__}") from error


def _demand_tenant(call: HubCall, permission: Permission) -> None:
    """Raise TenantNotFound where a caller names a tenant that is not his own; his own tenant's log tells it."""
    try:
        call.context.caller.demand_tenant(call.headers.get("x-tenant-id"))
    except TenantNotFound:
        _note_refusal(call, permission, refused=TenantNotFound.code)
        raise


def _note_refusal(call: HubCall, permission: str, **more: str) -> None:
    entry = call.context.entry(
        audit_log.Action.ACCESS_REFUSED,
        object_kind="permission",
        object_id=permission,
        outcome="refused",
        after={"route": call.route, **more},
    )
    call.context.note_attempt(entry)


def _answered(answer: HubAnswer) -> Response[str]:
    response = json_answer("OK", answer.status, _text(answer.body), _headers(answer))
    response.headers["content-type"] = answer.content_type
    return response


def _kept(answer: HubAnswer) -> Kept:
    return Kept(answer.status, _headers(answer), _text(answer.body if answer.kept is None else answer.kept))


def _headers(answer: HubAnswer) -> dict[str, str]:
    return answer.headers | ({} if answer.version is None else {"etag": f'"{answer.version}"'})


def _text(body: dict[str, Any] | str) -> str:
    return body if isinstance(body, str) else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
