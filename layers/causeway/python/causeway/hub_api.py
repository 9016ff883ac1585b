"""The edge of the hub's functions: who calls, whether he may, and the answer, ETag and refusals included."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway import audit_log, database, identity, operations, strict_json
from causeway.api import failed, json_answer, raw_body
from causeway.context import RequestContext
from causeway.errors import CausewayError, Forbidden, InvalidRequest, PreconditionRequired, Unauthorized
from causeway.permissions import Permission


@dataclass(frozen=True, slots=True)
class HubCall:
    """A call whose caller is known and may make it."""

    context: RequestContext
    path: dict[str, str]
    query: dict[str, str]
    # Names in lower case.
    headers: dict[str, str]
    raw: bytes
    # Method and path as template.yaml has them.
    route: str

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
    """Make a route of a function that a person with a token may call, if his role has the permission.

    A refusal is written to the tenant's audit log.
    """

    def decorate(route: Callable[[HubCall], HubAnswer]) -> Callable[..., Response[str]]:
        operations.guarded(route, "token", permission)

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
    claims = context.get("authorizer", {}).get("jwt", {}).get("claims")
    if claims is None:
        raise Unauthorized
    return HubCall(
        context=RequestContext(
            identity.of_claims(claims, headers.get("x-tenant-id")), context["http"]["sourceIp"], context["requestId"]
        ),
        path=path,
        query=event.get("queryStringParameters") or {},
        headers=headers,
        raw=raw_body(event),
        route=event["routeKey"],
    )


def _made(call: HubCall, permission: Permission, route: Callable[[HubCall], HubAnswer]) -> Response[str]:
    try:
        call.context.caller.demand(permission)
        return _answered(route(call))
    except Forbidden:
        if call.context.caller.tenant_id is not None:
            _note_refusal(call.context, call.route, permission)
        raise


def _note_refusal(context: RequestContext, route: str, permission: Permission) -> None:
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
