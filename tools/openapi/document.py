"""The OpenAPI 3.1 document of all functions, made of what their routes declare."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from causeway.edge.routes import VARIABLE, Declaration
from causeway.errors import table
from causeway.tenancy.permissions import ALLOWED
from tools.openapi import answers, curl, models, order, parameters, rate_limiter, refusals, signed_calls
from tools.openapi.functions import Operation, Undeclared, every

# Error codes of every route of the hub that changes something.
CHANGE_REFUSES = ("VERSION_MISMATCH", "CHANGED_MEANWHILE", "IDEMPOTENCY_KEY_REUSED", "IN_PROGRESS")

# The method of a route that takes any, and those that the document shows of it.
ANY = "ANY"
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

# The answer of GET /openapi.json.
_ITSELF = {
    "description": "This document.",
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "examples": [
        {
            "openapi": "3.1.0",
            "info": {"title": "Causeway", "version": "1", "description": "A serverless integration hub."},
            "servers": [{"url": "/"}],
            "tags": [],
            "paths": {},
            "components": {},
        }
    ],
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


def make(functions: Path) -> dict[str, Any]:
    """Return the document.

    Args:
        functions: the folder with a folder of function files per family.

    Raises:
        Undeclared: a route has no declaration, or its declaration names something that does not exist.
        ModelNameTaken: two models have the same name.
        NoExample: a model's field has no example.
        Unordered: the examples of some operations have no place in an order that works.
    """
    operations = every(functions)
    known = models.schemas(_models(operations)) | {"OpenApi": _ITSELF}
    paths: dict[str, dict[str, Any]] = {}
    errors: dict[str, dict[str, Any]] = {}
    for operation in operations:
        for one in _per_method(operation):
            path = paths.setdefault(one.declaration.path, {})
            path[one.declaration.method.lower()] = _described(one, known, errors)
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": "Causeway",
            "version": "1",
            "description": "A serverless integration hub and player wallet. Money is in whole minor units.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(operation) for operation in operations)],
        "paths": paths,
        "components": {"schemas": _shared(known, operations), "responses": errors, "securitySchemes": SECURITY_SCHEMES},
    }
    order.in_order(made)
    return made


def _per_method(operation: Operation) -> list[Operation]:
    """Return an operation for each method of a route that takes any, at its path without API Gateway's plus sign."""
    declaration = operation.declaration
    if declaration.method != ANY:
        return [operation]
    path = declaration.path.replace("+}", "}")
    return [replace(operation, declaration=replace(declaration, method=one, path=path), of_any=True) for one in METHODS]


def _models(operations: list[Operation]) -> Iterator[tuple[type[Any], models.Mode]]:
    """Yield the models that the operations name, each with the direction in which it is sent, and those of errors."""
    yield refusals.Error, "serialization"
    yield refusals.GatewayMessage, "serialization"
    for operation in operations:
        declaration = operation.declaration
        named = (declaration.request, declaration.query, declaration.documentation.get("response"))
        for model, mode in zip(named, models.MODES, strict=True):
            found = _named(model) if isinstance(model, str) else model
            if found is not None:
                yield found, mode


def _named(model: str) -> type[Any] | None:
    """Return the model of a function that loads no pydantic, and so gives the model's name; None: there is none."""
    return getattr(signed_calls, model, None) or getattr(rate_limiter, model, None)


def _shared(known: dict[str, Any], operations: list[Operation]) -> dict[str, Any]:
    """Return the schemas without those whose properties are parameters of a query."""
    queries = {models.name(one.declaration.query) for one in operations if one.declaration.query is not None}
    return {name: schema for name, schema in sorted(known.items()) if name not in queries}


def _described(operation: Operation, known: dict[str, Any], errors: dict[str, dict[str, Any]]) -> dict[str, Any]:
    declaration = operation.declaration
    _check_names(declaration, known)
    changes = declaration.authentication.hub and declaration.method != "GET"
    codes = _codes(declaration, changes=changes)
    description = {
        "operationId": operation.operation_id,
        "tags": [_tag(operation)],
        "summary": operation.summary,
        **_authorization(declaration),
    }
    query = declaration.query
    found = parameters.of(declaration, {} if query is None else known[models.name(query)], changes=changes)
    if found:
        description["parameters"] = found
    if declaration.request is not None:
        content = {"application/json": answers.content(models.name(declaration.request), known)}
        description["requestBody"] = {"required": True, "content": content}
    by_status = answers.success(declaration, known, changes=changes) | refusals.by_status(declaration, codes, errors)
    description["responses"] = {str(status): by_status[status] for status in sorted(by_status)}
    if operation.operation_id in order.AFTER:
        description["x-after"] = order.AFTER[operation.operation_id]
    description["x-codeSamples"] = [
        {
            "lang": "Shell",
            "label": "Local stack",
            "source": curl.line(declaration.method, declaration.path, description),
        }
    ]
    return description


def _check_names(declaration: Declaration, known: dict[str, Any]) -> None:
    for model in (declaration.request, declaration.documentation.get("response"), declaration.query):
        if model is not None and models.name(model) not in known:
            raise Undeclared(
                f"{declaration.key} names the model {models.name(model)}: "
                "signed_calls.py and rate_limiter.py do not have it"
            )
    query = {} if declaration.query is None else known[models.name(declaration.query)].get("properties", {})
    for name, schema in query.items():
        if "$ref" in json.dumps(schema):
            raise Undeclared(
                f"{declaration.key} has the parameter {name}, whose type is a class: a filter's choices are a Literal"
            )
    for name in VARIABLE.findall(declaration.path):
        if name not in parameters.PATH:
            raise Undeclared(
                f"{declaration.key} has the parameter {name}: add it to PATH in tools/openapi/parameters.py"
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
    if "apiKey" in declaration.authentication.security and declaration.method != "GET":
        # The authorizer counts the changing calls of keys.
        codes.append("RATE_LIMIT_EXCEEDED")
    if VARIABLE.search(declaration.path):
        # The answer to a path with characters that no id has.
        codes.append("NOT_FOUND")
    unknown = set(codes) - set(table.every())
    if unknown:
        raise Undeclared(f"{declaration.key} names the errors {sorted(unknown)}: no module of causeway/errors has them")
    return sorted(set(codes))


def _tag(operation: Operation) -> str:
    return operation.family.replace("_", " ").capitalize().replace("Api ", "API ")
