"""The parameters of paths and the headers of requests, by name."""

from contextlib import suppress
from typing import Any

from causeway.catalogue.keys import KEY
from causeway.connections.connection import EXTERNAL
from causeway.database import idempotency
from causeway.edge.routes import VARIABLE, Declaration
from causeway.platforms.kinds.calendars import CALENDAR_ID
from causeway.wire import example_ids
from causeway.wire.field_readers import CODE
from tools.openapi import demo, examples

Schema = dict[str, Any]


def _id(example: str) -> Schema:
    return {"type": "string", "format": "uuid", "examples": [example]}


def _text(pattern: str, examples: list[str], description: str = "") -> Schema:
    said = {"description": description} if description else {}
    return {"type": "string", "pattern": f"^({pattern})$", "examples": examples} | said


def _connection(example: str) -> Schema:
    uuid = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    return _text(
        rf"{uuid}|{EXTERNAL}[0-9A-Za-z._~-]{{1,255}}|b64:[0-9A-Za-z_-]{{2,1366}}",
        [example],
        "The connection's id, or its externalIdInPath: ext: followed by the externalId, or b64: followed by the "
        "base64url form of both.",
    )


PATH: dict[str, Schema] = {
    "connection_id": _connection(demo.CONNECTION_ID),
    "key_id": _id(demo.KEY_ID),
    "run_id": _id(demo.RUN_ID),
    "log_id": _text("[1-9][0-9]{0,18}", [str(demo.LOG_ID)]),
    "tenant_id": _id(demo.TENANT_ID),
    "subject": _text(
        "[0-9A-Za-z._~-]{1,255}|b64:[0-9A-Za-z_-]{2,1360}",
        [demo.SUBJECT],
        "The person's address as the list shows it: the sub, or b64: followed by its base64url form.",
    ),
    "template_id": _text(KEY.pattern, examples=["gohighlevel"]),
    "state": _text("[0-9A-Za-z_-]{43}", [demo.OAUTH_STATE], "Of one authorization."),
    "proxy": _text(
        ".+",
        [f"locations/{example_ids.LOCATION_ID}"],
        "Below the connection's base URL. API Gateway delivers it decoded.",
    ),
    "calendar_id": _text(CALENDAR_ID.pattern, [demo.CALENDAR_ID]),
}
# What a DELETE names instead: the examples of the other operations work after it too.
DELETED: dict[str, Schema] = {"connection_id": _connection(demo.DELETED_CONNECTION_ID)}

HEADERS: dict[str, Schema] = {
    "X-Tenant-Id": _id(demo.TENANT_ID)
    | {"description": "The tenant that a super admin works on. Other callers may send their own tenant only."},
    "x-provider-code": _text(CODE.pattern, ["DEMO"], "The game provider's code."),
    "If-Match": _text(
        r'\*|"[0-9]{1,18}"(, ?"[0-9]{1,18}")*',
        ["*"],
        "The ETag of an answer, a list of ETags, or *: the object is changed only if its current ETag is among them. "
        "* is any version: send the ETag that you read, so that you overwrite no change that you have not seen.",
    ),
    "Idempotency-Key": _text(
        idempotency.KEY.pattern,
        ["4c7b2f0e-example"],
        "The same key with the same request returns the first answer again, for 24 hours.",
    ),
}
# Headers of every route of the hub that changes something.
CHANGE_HEADERS = ("If-Match", "Idempotency-Key")
# The error code that a route declares where it requires the header.
REQUIRED_BY = {"If-Match": "IF_MATCH_REQUIRED"}


def of(declaration: Declaration, query: Schema, *, changes: bool) -> list[dict[str, Any]]:
    """Return a route's parameters: of its path, of its query, and headers.

    Args:
        declaration: the route's.
        query: the schema whose properties are the query's parameters.
        changes: whether the route changes something in the hub.
    """
    ids = PATH | DELETED if declaration.method == "DELETE" and declaration.authentication.hub else PATH
    found = [_parameter(name, "path", ids[name]) for name in VARIABLE.findall(declaration.path)]
    for name, schema in query.get("properties", {}).items():
        found.append(_parameter(name, "query", schema, required=name in query.get("required", [])))
    headers = [*declaration.authentication.headers, *(CHANGE_HEADERS if changes else ())]
    refuses = declaration.documentation.get("refuses", ())
    required = {name for name, code in REQUIRED_BY.items() if code in refuses}
    return found + [_parameter(name, "header", HEADERS[name], required=name in required) for name in headers]


def _parameter(name: str, place: str, schema: Schema, *, required: bool = True) -> dict[str, Any]:
    inner = {key: value for key, value in schema.items() if key not in ("description", "examples")}
    parameter: dict[str, Any] = {"name": name, "in": place, "required": required, "schema": inner}
    # A cursor has no example: only the page before has it.
    with suppress(examples.NoExample):
        parameter["example"] = examples.of(schema, {}, name)
    return parameter | ({"description": schema["description"]} if "description" in schema else {})
