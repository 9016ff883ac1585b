"""Wrong requests to every route of the hub: a 4xx that names each path and the rule it breaks, and repeats no value.

The routes and the fields of their requests are those that the functions declare: a new route is tested without a line
here. A request is refused before the database is asked; these calls have none.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from causeway.edge.routes import VARIABLE
from causeway.errors.requests import REQUEST_BYTES
from causeway.tenancy.permissions import ALLOWED, Role
from causeway.wire.model_problems import OTHER
from tests.findings import none_of
from tests.unit import wrong_bodies
from tests.unit.gateway_events import Answered, Context, make_event, of_size
from tests.unit.wrong_bodies import CANARIES, CANARY, SECRET
from tools.openapi.functions import Operation, every

ROOT = Path(__file__).parents[2]
TENANT = "00000000-0000-4000-8000-000000000001"
SOME_ID = "00000000-0000-4000-8000-0000000000aa"
ROLES: tuple[Role, ...] = ("tenant_admin", "super_admin")
HUB = [operation for operation in every(ROOT / "functions") if operation.declaration.authentication.hub]
WITH_BODY = [operation for operation in HUB if operation.declaration.request is not None]
WITHOUT_BODY = [operation for operation in HUB if operation.declaration.request is None]
WITH_QUERY = [operation for operation in HUB if operation.declaration.query is not None]
Call = Callable[..., Answered]
Problems = list[tuple[str, str]]


def key_of(operation: Operation) -> str:
    return operation.declaration.key


def model_of(declared: Any) -> type[BaseModel]:
    assert isinstance(declared, type), f"{declared} is a name: declare a model"
    return declared


@pytest.fixture
def call(caplog: pytest.LogCaptureFixture) -> Call:
    """Calls an operation as a role that may, and checks what holds for every refusal."""
    caplog.set_level("DEBUG")

    def send(operation: Operation, body: bytes | None, query: dict[str, str] | None = None) -> Answered:
        declaration = operation.declaration
        role = next(role for role in ROLES if declaration.permission in ALLOWED[role])
        claims = {"sub": "somebody", "cognito:groups": f"[{role}]"}
        claims |= {"custom:tenant_id": TENANT} if role == "tenant_admin" else {}
        authorizer = {"jwt": {"claims": claims}}
        event = make_event(declaration.path, body, method=declaration.method, base64=True, authorizer=authorizer)
        ids = dict.fromkeys(VARIABLE.findall(declaration.path), SOME_ID)
        event |= {"pathParameters": ids, "queryStringParameters": query or {}}
        caplog.clear()
        result = operation.module.handler(event, Context())
        answered = Answered(result["statusCode"], result["headers"], result["body"])

        assert answered.status in (400, 413, 422), answered
        assert set(answered.fields) >= {"error", "code", "requestId", "nextAction"}
        told = answered.body + "".join(str(vars(record)) for record in caplog.records)
        assert not [canary for canary in CANARIES if canary in told], told
        return answered

    return send


def problems(answered: Answered) -> Problems:
    """The paths and rules of an answer; its sentence has the same."""
    found = [(problem["path"], problem["rule"]) for problem in answered.fields.get("problems", [])]
    assert answered.fields["error"] == "; ".join(f"{path} {rule}".lstrip() for path, rule in found), answered
    return found


def as_bytes(body: Any) -> bytes:
    return json.dumps(body).encode()


def test_operations_are_found() -> None:
    assert len(WITH_BODY) >= 10
    assert len(WITHOUT_BODY) >= 15
    assert len(WITH_QUERY) >= 9


@pytest.mark.parametrize("operation", WITH_BODY, ids=key_of)
def test_each_wrong_part_of_a_body_is_named_with_its_rule(operation: Operation, call: Call) -> None:
    """Of each part: wrong types, numbers as text, null, values out of limits and choices; missing and unknown ones."""
    found = wrong_bodies.of_model(model_of(operation.declaration.request))
    told = [(path, wrong, problems(call(operation, as_bytes(wrong)))) for path, wrong in found]

    assert told
    none_of(
        f"{path} of {str(wrong)[:200]}: {named}"
        for path, wrong, named in told
        if [place for place, _ in named] != [path] or named[0][1] in ("", OTHER)
    )


@pytest.mark.parametrize("operation", WITH_BODY + WITH_QUERY, ids=key_of)
def test_steps_of_a_models_errors_have_one_meaning(operation: Operation) -> None:
    """model_paths reads no step of a union without a tag, and cannot tell a wrong key from a part of its value."""
    declared = [operation.declaration.request, operation.declaration.query]
    for model in [model_of(one) for one in declared if one is not None]:
        # The schema is built on the model's first use.
        model.model_rebuild()
        parts = list(schemas_in(model.__pydantic_core_schema__))

        assert "model-fields" in {part["type"] for part in parts}
        assert "union" not in {part["type"] for part in parts}
        values = [part["values_schema"] for part in parts if part["type"] == "dict"]
        none_of(
            value
            for value in values
            if {"model", "dict", "list", "tagged-union"} & {one["type"] for one in schemas_in(value)}
        )


def schemas_in(part: Any) -> Iterator[dict[str, Any]]:
    """The schemas of pydantic_core in a part of one, and the part itself."""
    if isinstance(part, dict):
        if isinstance(part.get("type"), str):
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from schemas_in(inner)


@pytest.mark.parametrize("operation", WITH_BODY, ids=key_of)
def test_faults_are_told_together_five_at_most(operation: Operation, call: Call) -> None:
    """Each field of the body is wrong, and one more that there is not; then five more."""
    found = wrong_bodies.of_model(model_of(operation.declaration.request))
    wrong = {path: body[path] for path, body in found if path in body}
    several = problems(call(operation, as_bytes(wrong)))
    many = problems(call(operation, as_bytes(wrong | {f"unknown{letter}": CANARY for letter in "ABCDE"})))

    assert len(wrong) > 1
    assert {path for path, _ in several} <= set(wrong)
    assert len(several) == min(len(wrong), 5)
    assert len(many) == 5


@pytest.mark.parametrize("operation", [one for one in WITH_BODY if one.declaration.method == "PATCH"], ids=key_of)
def test_change_without_a_field_is_refused_in_one_way(operation: Operation, call: Call) -> None:
    """The schema says so too."""
    schema = model_of(operation.declaration.request).model_json_schema()
    required = [(name, "is missing") for name in schema.get("required", [])]

    assert problems(call(operation, b"{}")) == (required or [("", "The body must have at least one field")])
    assert required or schema["minProperties"] == 1


BROKEN = {
    "no body": b"",
    "no JSON": CANARY.encode(),
    "an open object": b'{"name":"' + CANARY.encode(),
    "a list": as_bytes([CANARY]),
    "a text": as_bytes(CANARY),
    "null": b"null",
    "a field twice": b'{"name":"canary-0f1e2d","name":"canary-0f1e2d"}',
    "an inner field twice": b'{"config":{"name":"canary-0f1e2d","name":"canary-0f1e2d"}}',
    "NaN": b'{"name":NaN}',
    "Infinity": b'{"name":[-Infinity]}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "another encoding": '{"name":"\xe9"}'.encode("latin-1"),
    "32 levels of objects": b'{"name":' * 32 + b"1" + b"}" * 32,
    "33 levels of lists": b'{"name":' + b"[" * 33 + b"]" * 33 + b"}",
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("operation", WITH_BODY, ids=key_of)
def test_body_that_is_no_plain_json_object_is_refused(operation: Operation, broken: str, call: Call) -> None:
    answered = call(operation, BROKEN[broken])

    assert (answered.status, answered.fields["code"]) == (400, "INVALID_REQUEST")
    assert answered.fields["error"].startswith("The body ")


@pytest.mark.parametrize("operation", WITH_BODY + WITHOUT_BODY, ids=key_of)
def test_body_over_the_limit_is_413(operation: Operation, call: Call) -> None:
    for size in (REQUEST_BYTES + 1, 17 * 1024):
        answered = call(operation, of_size(size).encode())
        assert (answered.status, answered.fields["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("operation", WITHOUT_BODY, ids=key_of)
def test_body_of_a_route_without_one_is_refused(operation: Operation, call: Call) -> None:
    assert problems(call(operation, as_bytes({"name": CANARY}))) == [
        ("name", "is not a known field: there are no fields")
    ]
    assert problems(call(operation, as_bytes({SECRET: 1}))) == [
        ("<unnamed>", "is not a known field: there are no fields")
    ]
    assert call(operation, as_bytes([CANARY])).fields["error"] == "The body must be a JSON object"


@pytest.mark.parametrize("operation", WITH_QUERY, ids=key_of)
def test_each_wrong_parameter_of_a_query_is_named_with_its_rule(operation: Operation, call: Call) -> None:
    found = wrong_bodies.of_query(model_of(operation.declaration.query))
    told = [(path, wrong, problems(call(operation, None, wrong))) for path, wrong in found]

    assert told
    none_of(
        f"{path} of {str(wrong)[:200]}: {named}"
        for path, wrong, named in told
        if [place for place, _ in named] != [path] or named[0][1] in ("", OTHER)
    )
