"""The OpenAPI 3.1 document of all functions: their routes, found by importing them, and what each declares."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from inspect import getdoc, unwrap
from pathlib import Path
from types import ModuleType
from typing import Any

from causeway.edge.operations import GUARDS, NO_PROOF, OPERATIONS, Guard, Operation, Proof
from causeway.errors import table
from causeway.errors.casino import WalletUnavailable
from causeway.errors.tree import CausewayError
from causeway.tenancy.permissions import ALLOWED
from tools.openapi import schemas
from tools.openapi.schemas import parameters

# What every route of the hub that changes something can answer.
CHANGE_REFUSES = ("VERSION_MISMATCH", "CHANGED_MEANWHILE", "IDEMPOTENCY_KEY_REUSED", "IN_PROGRESS")
_PATH_PARAMETER = re.compile(r"<(\w+)>")
# A module of one route says in its docstring what the route is for.
_ROUTE_DOCSTRING = re.compile(r"[A-Z]+ /\S+(?: \((?P<note>[^)]*)\))?: (?P<text>.+)")

# What API Gateway itself answers, with a message and no code.
_GATEWAY = {413: "Request Entity Too Large", 429: "Too Many Requests", 500: "Internal Server Error"} | {
    503: "Service Unavailable"
}
# Those of causeway.edge.operations' proofs, by name.
SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the user pool. Groups say the role, custom:tenant_id says the tenant.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A machine's key, made by POST /api-keys; it says the tenant. Not together with a token.",
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


class Undeclared(Exception):
    """A route has no declaration, or one that names what is not there."""


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    # As OpenAPI writes it: /integrations/{connection_id}.
    path: str
    family: str
    module: ModuleType
    function: Any

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)


def make(functions: Path, schema_folder: Path) -> dict[str, Any]:
    """Return the document.

    Args:
        functions: the folder with a folder of handlers per family.
        schema_folder: the one with catalogue/.

    Raises:
        Undeclared: a route says nothing of itself, or names a schema or an error that is not there.
    """
    components = schemas.every(schema_folder)
    routes = sorted(_routes(functions), key=lambda route: (route.family, route.path, route.method))
    paths: dict[str, dict[str, Any]] = {}
    refusals: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, components, refusals)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Causeway",
            "version": "1",
            "description": "A serverless integration hub and player wallet. Money is in whole minor units.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(route) for route in routes)],
        "paths": paths,
        "components": {"schemas": components, "responses": refusals, "securitySchemes": SECURITY_SCHEMES},
    }


def _routes(functions: Path) -> Iterator[_Route]:
    for file in sorted(functions.glob("*/*.py")):
        module = _imported(file)
        app = getattr(module, "app", None)
        if app is None:
            continue  # not behind the HTTP API
        # Powertools tells its routes to nobody else.
        for route in [*app._static_routes, *app._dynamic_routes]:  # noqa: SLF001
            path = _PATH_PARAMETER.sub(r"{\1}", route.path)
            yield _Route(route.method, path, file.parent.name, module, unwrap(route.func))


def _imported(file: Path) -> ModuleType:
    name = f"functions.{file.parent.name}.{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise Undeclared(f"{file} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _operation(route: _Route, components: dict[str, Any], refusals: dict[str, dict[str, Any]]) -> dict[str, Any]:
    what = f"{route.method} {route.path}"
    declared = _declared(what, route, components)
    guard = GUARDS.get(route.function, Guard(NO_PROOF))
    changes = guard.proof.hub and route.method != "GET"
    codes = _codes(what, route, declared, guard.proof, changes=changes)
    operation = {
        "operationId": _operation_id(route),
        "tags": [_tag(route)],
        "summary": _summary(route),
        **_admission(guard),
    }
    found = _parameters(route, declared, guard.proof, components, changes=changes)
    if found:
        operation["parameters"] = found
    if declared.request is not None:
        content = {"application/json": {"schema": _ref(declared.request)}}
        operation["requestBody"] = {"required": True, "content": content}
    answers = {declared.status: _answer(declared, changes=changes)} | _refusals(codes, guard.proof, refusals)
    operation["responses"] = {str(status): answers[status] for status in sorted(answers)}
    return operation


def _declared(what: str, route: _Route, components: dict[str, Any]) -> Operation:
    declared = OPERATIONS.get(route.function)
    if declared is None:
        raise Undeclared(f"{what} has no @describe")
    for name in (declared.answer, declared.request, declared.query):
        if name is not None and name not in components:
            raise Undeclared(f"{what} names the schema {name}, which is not in tools.openapi.schemas")
    return declared


def _admission(guard: Guard) -> dict[str, Any]:
    """Who may call, for people and for programs."""
    security = [{name: []} for name in guard.proof.security]
    if guard.permission is None:
        return {"description": f"{guard.proof.sentence}.", "security": security}
    roles = [role for role, allowed in ALLOWED.items() if guard.permission in allowed]
    return {
        "description": f"{guard.proof.sentence}, by the roles {', '.join(roles)} (permission {guard.permission}).",
        "security": security,
        "x-permission": guard.permission,
        "x-roles": roles,
    }


def _codes(what: str, route: _Route, declared: Operation, proof: Proof, *, changes: bool) -> list[str]:
    codes = [*proof.refuses, *declared.refuses, *(CHANGE_REFUSES if changes else ())]
    if declared.request is not None:
        codes.append("PAYLOAD_TOO_LARGE")
    if route.parameters:
        # Of an id with characters that no path of ours has.
        codes.append("NOT_FOUND")
    unknown = set(codes) - set(table.every())
    if unknown:
        raise Undeclared(f"{what} names the errors {sorted(unknown)}, which are not in causeway.errors")
    return sorted(set(codes))


def _parameters(
    route: _Route, declared: Operation, proof: Proof, components: dict[str, Any], *, changes: bool
) -> list[dict[str, Any]]:
    found = [_parameter(name, "path", parameters.PATH[name]) for name in route.parameters]
    if declared.query is not None:
        query = components[declared.query]
        required = query.get("required", [])
        found += [
            _parameter(name, "query", schema, required=name in required) for name, schema in query["properties"].items()
        ]
    headers = [*proof.headers, *(parameters.CHANGE_HEADERS if changes else ())]
    required = {name for name, code in parameters.REQUIRED_BY.items() if code in declared.refuses}
    return found + [_parameter(name, "header", parameters.HEADERS[name], required=name in required) for name in headers]


def _parameter(name: str, place: str, schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    inner = {key: value for key, value in schema.items() if key != "description"}
    parameter: dict[str, Any] = {"name": name, "in": place, "required": required, "schema": inner}
    return parameter | ({"description": schema["description"]} if "description" in schema else {})


def _answer(declared: Operation, *, changes: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done" if declared.answer is None else declared.answer}
    if declared.status != 204:
        text: dict[str, Any] = {"schema": {"type": "string"}}
        answer["content"] = dict.fromkeys(declared.media_types, text)
        if declared.answer is not None:
            answer["content"][declared.media_types[0]] = {"schema": _ref(declared.answer)}
    headers = {}
    if declared.answer in schemas.VERSIONED:
        headers["ETag"] = _header("The version the object has now, for If-Match.")
        if declared.status == 201:
            headers["Location"] = _header("Where it is.")
    if changes:
        headers["Idempotent-Replay"] = _header("true: this is the first answer to the key, again.", required=False)
    return answer | ({"headers": headers} if headers else {})


def _header(description: str, *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "description": description, "schema": {"type": "string"}}


def _refusals(codes: list[str], proof: Proof, known: dict[str, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The refusals by status; each is written into known once, whichever routes have it."""
    gateway = dict(_GATEWAY)
    if proof.gateway:
        gateway[401] = "Unauthorized"
    by_status: dict[int, list[str]] = {status: [] for status in gateway}
    for code in codes:
        by_status.setdefault(table.every()[code].status, []).append(code)
    answers: dict[int, dict[str, Any]] = {}
    errors = dict(table.every())
    if proof.signed:
        errors[WalletUnavailable.code] = WalletUnavailable
    for status, its_codes in by_status.items():
        signed = ["signed"] if proof.signed and WalletUnavailable.code in its_codes else []
        name = "-".join([str(status), *its_codes, *signed, *(["gateway"] if status in gateway else [])])
        known.setdefault(name, _refusal([errors[code] for code in its_codes], gateway.get(status)))
        answers[status] = {"$ref": f"#/components/responses/{name}"}
    return answers


def _refusal(errors: list[type[CausewayError]], gateway: str | None) -> dict[str, Any]:
    lines = [f"{error.code}: {(error.__doc__ or '').strip()}. {error.action}" for error in errors]
    shapes: list[dict[str, Any]] = []
    if errors:
        codes = [error.code for error in errors]
        shapes.append({"allOf": [_ref("Error"), {"properties": {"code": {"enum": codes}}}]})
    if gateway is not None:
        lines.append(f"The gateway's own: {gateway}.")
        shapes.append(_ref("GatewayMessage"))
    schema = shapes[0] if len(shapes) == 1 else {"oneOf": shapes}
    return {"description": "\n".join(lines), "content": {"application/json": {"schema": schema}}}


def _tag(route: _Route) -> str:
    return route.family.replace("_", " ").capitalize().replace("Api ", "API ")


def _operation_id(route: _Route) -> str:
    module = route.module.__name__.rpartition(".")[2]
    names = [route.family, *([] if module == route.family else [module]), route.function.__name__]
    return "_".join(names)


def _summary(route: _Route) -> str:
    own = _ROUTE_DOCSTRING.fullmatch((getdoc(route.module) or "").splitlines()[0])
    if own is None:
        return (getdoc(route.function) or "").splitlines()[0].rstrip(".")
    text = own["text"].rstrip(".")
    return text[0].upper() + text[1:] + (f" ({own['note']})" if own["note"] else "")


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
