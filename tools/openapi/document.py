"""The OpenAPI 3.1 document of all functions, made of what their routes declare."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from causeway.edge.routes import VARIABLE, Authentication, Declaration, Documentation, Model
from causeway.errors import table
from causeway.errors.service import Unavailable
from causeway.errors.tree import CausewayError
from causeway.tenancy.permissions import ALLOWED
from tools.openapi import models, schemas
from tools.openapi.functions import Operation, Undeclared, every
from tools.openapi.schemas import parameters

# Error codes of every route of the hub that changes something.
CHANGE_REFUSES = ("VERSION_MISMATCH", "CHANGED_MEANWHILE", "IDEMPOTENCY_KEY_REUSED", "IN_PROGRESS")

# API Gateway's own answers, which have a message and no code.
_GATEWAY = {413: "Request Entity Too Large", 429: "Too Many Requests", 500: "Internal Server Error"} | {
    503: "Service Unavailable"
}
# The security schemes that an Authentication (causeway.edge.routes) names.
SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the user pool. cognito:groups is the role, custom:tenant_id the tenant.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A machine's key, made by POST /api-keys; it belongs to one tenant. Never send a token too.",
    },
    "casinoSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "x-casino-signature",
        "description": "The game provider's HMAC-SHA256 over time, method, path and body: t=<seconds>,v1=<hex>.",
    },
    "providerSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "x-provider-signature",
        "description": "The casino's HMAC-SHA256 over time, method, path and body: t=<seconds>,v1=<hex>.",
    },
}


def make(functions: Path, schema_folder: Path) -> dict[str, Any]:
    """Return the document.

    Args:
        functions: the folder with a folder of function files per family.
        schema_folder: the folder with catalogue/.

    Raises:
        Undeclared: a route has no declaration, or its declaration names something that does not exist.
    """
    operations = every(functions)
    components = models.schemas(_models(operations)) | schemas.every(schema_folder)
    paths: dict[str, dict[str, Any]] = {}
    refusals: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = paths.setdefault(operation.declaration.path, {})
        path[operation.declaration.method.lower()] = _described(operation, components, refusals)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Causeway",
            "version": "1",
            "description": "A serverless integration hub and player wallet. Money is in whole minor units.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(operation) for operation in operations)],
        "paths": paths,
        "components": {"schemas": components, "responses": refusals, "securitySchemes": SECURITY_SCHEMES},
    }


def _described(operation: Operation, components: dict[str, Any], refusals: dict[str, dict[str, Any]]) -> dict[str, Any]:
    declaration = operation.declaration
    _check_names(declaration, components)
    authentication = declaration.authentication
    changes = authentication.hub and declaration.method != "GET"
    codes = _codes(declaration, changes=changes)
    description = {
        "operationId": operation.operation_id,
        "tags": [_tag(operation)],
        "summary": operation.summary,
        **_authorization(declaration),
    }
    found = _parameters(declaration, components, changes=changes)
    if found:
        description["parameters"] = found
    if declaration.request is not None:
        content = {"application/json": {"schema": _ref(_name(declaration.request))}}
        description["requestBody"] = {"required": True, "content": content}
    answers = _answer(declaration.documentation, changes=changes) | _refusals(codes, authentication, refusals)
    description["responses"] = {str(status): answers[status] for status in sorted(answers)}
    return description


def _models(operations: list[Operation]) -> Iterator[tuple[type[Any], models.Mode]]:
    """Yield the models that the operations name, each with the direction in which it is sent."""
    for operation in operations:
        declaration = operation.declaration
        named = (declaration.request, declaration.query, declaration.documentation.get("response"))
        for model, mode in zip(named, models.MODES, strict=True):
            if isinstance(model, type):
                yield model, mode


def _check_names(declaration: Declaration, components: dict[str, Any]) -> None:
    documentation = declaration.documentation
    for model in (declaration.request, documentation.get("response"), _query(declaration)):
        name = None if model is None else _name(model)
        if name is not None and name not in components:
            raise Undeclared(
                f"{declaration.key} names the schema {name}: no module of tools/openapi/schemas/__init__.py has it"
            )
    for name in VARIABLE.findall(declaration.path):
        if name not in parameters.PATH:
            raise Undeclared(
                f"{declaration.key} has the parameter {name}: add it to PATH in tools/openapi/schemas/parameters.py"
            )
    for name in declaration.authentication.security:
        if name not in SECURITY_SCHEMES:
            raise Undeclared(
                f"{declaration.key} needs the scheme {name}: add it to SECURITY_SCHEMES in tools/openapi/document.py"
            )


def _authorization(declaration: Declaration) -> dict[str, Any]:
    """Return the parts that say who may call the operation: a sentence, security schemes, permission, roles."""
    authentication, permission = declaration.authentication, declaration.permission
    security = [{name: []} for name in authentication.security]
    if permission is None:
        return {"description": f"{authentication.sentence}.", "security": security}
    roles = [role for role, allowed in ALLOWED.items() if permission in allowed]
    return {
        "description": f"{authentication.sentence}, by the roles {', '.join(roles)} (permission {permission}).",
        "security": security,
        "x-permission": permission,
        "x-roles": roles,
    }


def _codes(declaration: Declaration, *, changes: bool) -> list[str]:
    refuses = declaration.documentation.get("refuses", ())
    codes = [*declaration.authentication.refuses, *refuses, *(CHANGE_REFUSES if changes else ())]
    if declaration.request is not None:
        codes.append("PAYLOAD_TOO_LARGE")
    if VARIABLE.search(declaration.path):
        # The answer to a path with characters that no id has.
        codes.append("NOT_FOUND")
    unknown = set(codes) - set(table.every())
    if unknown:
        raise Undeclared(f"{declaration.key} names the errors {sorted(unknown)}: no module of causeway/errors has them")
    return sorted(set(codes))


def _parameters(declaration: Declaration, components: dict[str, Any], *, changes: bool) -> list[dict[str, Any]]:
    documentation = declaration.documentation
    found = [_parameter(name, "path", parameters.PATH[name]) for name in VARIABLE.findall(declaration.path)]
    query_model = _query(declaration)
    if query_model is not None:
        query = components[_name(query_model)]
        required = query.get("required", [])
        found += [
            _parameter(name, "query", schema, required=name in required) for name, schema in query["properties"].items()
        ]
    headers = [*declaration.authentication.headers, *(parameters.CHANGE_HEADERS if changes else ())]
    required = {name for name, code in parameters.REQUIRED_BY.items() if code in documentation.get("refuses", ())}
    return found + [_parameter(name, "header", parameters.HEADERS[name], required=name in required) for name in headers]


def _parameter(name: str, place: str, schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    inner = {key: value for key, value in schema.items() if key != "description"}
    parameter: dict[str, Any] = {"name": name, "in": place, "required": required, "schema": inner}
    return parameter | ({"description": schema["description"]} if "description" in schema else {})


def _answer(documentation: Documentation, *, changes: bool) -> dict[int, dict[str, Any]]:
    """Return the answer to a call that succeeds, by its status."""
    response, status = documentation.get("response"), documentation.get("status", 200)
    name = "Done" if response is None else _name(response)
    answer: dict[str, Any] = {"description": name}
    if status != 204:
        media_types = documentation.get("media_types", ("application/json",))
        text: dict[str, Any] = {"schema": {"type": "string"}}
        answer["content"] = dict.fromkeys(media_types, text)
        if response is not None:
            answer["content"][media_types[0]] = {"schema": _ref(name)}
    headers = {}
    if name in schemas.VERSIONED:
        headers["ETag"] = _header("The object's current version, for If-Match.")
        if status == 201:
            headers["Location"] = _header("The path of the new object.")
    if changes:
        headers["Idempotent-Replay"] = _header("true: this is a replay of the first answer to the key.", required=False)
    return {status: answer | ({"headers": headers} if headers else {})}


def _header(description: str, *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "description": description, "schema": {"type": "string"}}


def _refusals(
    codes: list[str], authentication: Authentication, known: dict[str, dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Return references to the error answers, by status.

    Args:
        codes: the operation's error codes.
        authentication: of the operation's caller.
        known: the document's error answers by name; routes with the same codes share one.
    """
    gateway = dict(_GATEWAY)
    if authentication.gateway:
        gateway[401] = "Unauthorized"
    by_status: dict[int, list[str]] = {status: [] for status in gateway}
    for code in codes:
        by_status.setdefault(table.every()[code].status, []).append(code)
    answers: dict[int, dict[str, Any]] = {}
    unavailable = authentication.unavailable
    errors = {**table.every(), Unavailable.code: unavailable}
    for status, its_codes in by_status.items():
        own = [unavailable.__name__] if unavailable is not Unavailable and Unavailable.code in its_codes else []
        name = "-".join([str(status), *its_codes, *own, *(["gateway"] if status in gateway else [])])
        known.setdefault(name, _refusal([errors[code] for code in its_codes], gateway.get(status)))
        answers[status] = {"$ref": f"#/components/responses/{name}"}
    return answers


def _refusal(errors: list[type[CausewayError]], gateway: str | None) -> dict[str, Any]:
    lines = [f"{error.code}: {error.sentence}. {error.action}" for error in (kind() for kind in errors)]
    shapes: list[dict[str, Any]] = []
    if errors:
        codes = [error.code for error in errors]
        shapes.append({"allOf": [_ref("Error"), {"properties": {"code": {"enum": codes}}}]})
    if gateway is not None:
        lines.append(f"From API Gateway itself: {gateway}.")
        shapes.append(_ref("GatewayMessage"))
    schema = shapes[0] if len(shapes) == 1 else {"oneOf": shapes}
    return {"description": "\n".join(lines), "content": {"application/json": {"schema": schema}}}


def _query(declaration: Declaration) -> Model | None:
    return declaration.query or declaration.documentation.get("query")


def _name(model: Model) -> str:
    return model if isinstance(model, str) else model.__name__


def _tag(operation: Operation) -> str:
    return operation.family.replace("_", " ").capitalize().replace("Api ", "API ")


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
