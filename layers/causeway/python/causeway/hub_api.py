"""The edge of the hub's functions: who calls, whether they may, and the answer, ETag and refusals included."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway import addresses, audit_log, database, identity, operations, strict_json
from causeway.api import failed, json_answer, raw_body
from causeway.context import RequestContext
from causeway.errors import BY_CODE, CausewayError, Forbidden, InvalidRequest, PreconditionRequired, Unauthorized
from causeway.fields import known_fields
from causeway.identity import Caller
from causeway.permissions import ALLOWED, Permission

# Bytes of a request's body that are accepted.
_MOST_BYTES = 16 * 1024


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
    def version(self) -> int:
        """The version in If-Match, which a change must name; raises PreconditionRequired, InvalidRequest."""
        tag = self.headers.get("if-match", "")
        if not tag:
            raise PreconditionRequired
        number = tag.removeprefix("W/").strip('"')
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            raise InvalidRequest("If-Match must be an ETag as answered here")
        return int(number)


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """What a call is answered. version: becomes the ETag."""

    body: dict[str, Any] | str
    status: int = 200
    version: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def hub_call(
    app: APIGatewayHttpResolver, permission: Permission
) -> Callable[[Callable[[HubCall], HubAnswer]], Callable[..., Response[str]]]:
    """Make a route of a function that may be called by whose role has the permission.

    That is a person with a token, and a machine with an API key where its role has the permission too; template.yaml
    has the route behind CallerAuthorizer then, and behind TokenAuthorizer elsewhere. A refusal is written to the
    tenant's audit log.
    """

    def decorate(route: Callable[[HubCall], HubAnswer]) -> Callable[..., Response[str]]:
        proof = operations.TOKEN_OR_KEY if permission in ALLOWED["service"] else operations.TOKEN
        operations.guarded(route, proof, permission)

        @wraps(route)
        def answer(**path: str) -> Response[str]:
            event: dict[str, Any] = app.current_event.raw_event
            request_id = event["requestContext"]["requestId"]
            try:
                return _made(_call(event, path), permission, route)
            except CausewayError as error:
                return failed(error, request_id)

        return answer

    return decorate


def _call(event: dict[str, Any], path: dict[str, str]) -> HubCall:
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    caller = _caller(context.get("authorizer", {}), headers.get("x-tenant-id"))
    return HubCall(
        context=RequestContext(caller, context["http"]["sourceIp"], context["requestId"]),
        delivered=path | (event.get("pathParameters") or {}),
        query=event.get("queryStringParameters") or {},
        headers=headers,
        raw=raw_body(event, _MOST_BYTES),
        route=event["routeKey"],
    )


def _caller(authorizer: dict[str, Any], tenant_asked: str | None) -> Caller:
    """Return who calls, as the route's authorizer found out.

    Args:
        authorizer: of the event's requestContext: jwt.claims of API Gateway's own, or lambda of functions/identity's,
            which holds claims, or a key's id, or the code of the error by which the call is refused.
        tenant_asked: X-Tenant-Id.

    Raises:
        Unauthorized: nobody, or nobody who may be let in.
        CausewayError: the one that the authorizer names; Unavailable where it could not find out.
    """
    match authorizer:
        case {"lambda": {"refused": str(code)}}:
            raise BY_CODE.get(code, Unauthorized)
        case {"lambda": {"keyId": str(key_id), "tenantId": str(tenant_id), **rest}}:
            return identity.of_machine(tenant_id, key_id, rest.get("channel"))
        case {"jwt": {"claims": dict(claims)}} | {"lambda": dict(claims)}:
            return identity.of_claims(claims, tenant_asked)
    raise Unauthorized


def _made(call: HubCall, permission: Permission, route: Callable[[HubCall], HubAnswer]) -> Response[str]:
    try:
        call.context.caller.demand(permission)
        if operations.OPERATIONS[route].request is None and call.raw.strip():
            known_fields(call.body, set())
        return _answered(route(call))
    except Forbidden as refusal:
        if call.context.caller.tenant_id is not None:
            _note_refusal(call.context, call.route, refusal.permission or permission)
        raise


def _note_refusal(context: RequestContext, route: str, permission: str) -> None:
    entry = context.entry(
        audit_log.Action.ACCESS_REFUSED,
        object_kind="permission",
        object_id=permission,
        outcome="refused",
        after={"route": route},
    )
    try:
        with context.transaction() as transaction:
            audit_log.record(transaction, entry)
    except Forbidden:
        # A suspended membership is let into no transaction, and its attempts are written down all the same.
        audit_log.record_apart(database.current(), context.caller.tenant, entry)


def _answered(answer: HubAnswer) -> Response[str]:
    headers = dict(answer.headers)
    if answer.version is not None:
        headers["etag"] = f'"{answer.version}"'
    body = (
        answer.body
        if isinstance(answer.body, str)
        else json.dumps(answer.body, separators=(",", ":"), ensure_ascii=False)
    )
    response = json_answer("OK", answer.status, body, headers)
    response.headers["content-type"] = answer.content_type
    return response
