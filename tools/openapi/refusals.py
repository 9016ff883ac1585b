"""Error answers: their models, and the document's description of the answers with a status."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from causeway.edge import answers, games
from causeway.edge.routes import Declaration
from causeway.errors import table
from causeway.errors.casino import WalletError
from causeway.errors.requests import InvalidRequest
from causeway.errors.service import Unavailable
from causeway.errors.tree import MOST_PROBLEMS, CausewayError, Problem
from causeway.wire.field_types import Omittable
from causeway.wire.models import Answer
from tools.openapi.signed_calls import Money

# API Gateway's own answers, which have a message and no code.
_GATEWAY = {413: "Request Entity Too Large", 429: "Too Many Requests", 500: "Internal Server Error"} | {
    503: "Service Unavailable"
}
_REQUEST_ID = "JKJaXmPLvHcESHA="


class BrokenRule(Answer):
    """A part of the request that breaks a rule."""

    path: Annotated[str, Field(description="Empty: the whole request.", examples=["name"])]
    rule: Annotated[str, Field(examples=["must be a string"])]


class Error(Answer):
    """An error answer of a function."""

    error: Annotated[str, Field(description="A sentence for people.")]
    code: Annotated[str, Field(description="For programs.")]
    request_id: Annotated[str, Field(description="The log has it.", examples=[_REQUEST_ID])]
    next_action: Annotated[
        Omittable[str],
        Field(description="What the caller should do; answers to a game provider's signed calls do not have it."),
    ] = None
    problems: Annotated[
        Omittable[Annotated[list[BrokenRule], Field(max_length=MOST_PROBLEMS)]],
        Field(description="The first parts of the request that break a rule, where they are known."),
    ] = None
    balance: Annotated[Omittable[Money], Field(description="The player's balance, where the player is known.")] = None


class GatewayMessage(Answer):
    """An error answer of API Gateway itself."""

    message: str


def by_status(
    declaration: Declaration, codes: list[str], known: dict[str, dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Return references to a route's error answers, by status.

    Args:
        declaration: the route's.
        codes: its error codes.
        known: the document's error answers by name; routes with the same answers share one.
    """
    authentication = declaration.authentication
    signed = authentication in games.AUTHENTICATION.values()
    gateway = _GATEWAY | ({401: "Unauthorized"} if authentication.gateway else {})
    grouped: dict[int, list[str]] = {status: [] for status in gateway}
    for code in codes:
        grouped.setdefault(table.every()[code].status, []).append(code)
    unavailable = authentication.unavailable
    errors = {**table.every(), Unavailable.code: unavailable}
    found: dict[int, dict[str, Any]] = {}
    for status, its_codes in grouped.items():
        own = [unavailable.__name__] if unavailable is not Unavailable and Unavailable.code in its_codes else []
        marks = [*(["signed"] if signed and its_codes else []), *(["gateway"] if status in gateway else [])]
        name = "-".join([str(status), *its_codes, *own, *marks])
        known.setdefault(name, answer([errors[code] for code in its_codes], gateway.get(status), signed=signed))
        found[status] = {"$ref": f"#/components/responses/{name}"}
    return found


def example(kind: type[CausewayError], *, signed: bool) -> dict[str, Any]:
    """Return the body of an error's answer, as the functions make it.

    Args:
        kind: the error's class.
        signed: whether it answers a signed call: it has no nextAction then.
    """
    error = kind()
    if type(error) is InvalidRequest and not signed:
        error = InvalidRequest.of_problems([Problem("name", "must be a string")])
    if isinstance(error, WalletError):
        error = type(error)(balance=1_000_000)
    return answers.error_body(error, _REQUEST_ID, next_action=not signed)


def answer(kinds: Sequence[type[CausewayError]], gateway: str | None, *, signed: bool) -> dict[str, Any]:
    """Return the description of the error answers with one status.

    Args:
        kinds: the classes of the function's errors.
        gateway: the message of API Gateway's own answer; None: it has none with this status.
        signed: as for example.
    """
    lines = [f"{error.code}: {error.sentence}. {error.action}" for error in (kind() for kind in kinds)]
    examples = {kind.code: {"value": example(kind, signed=signed)} for kind in kinds}
    shapes: list[dict[str, Any]] = []
    if kinds:
        codes = [kind.code for kind in kinds]
        shapes.append({"allOf": [_ref(Error), {"properties": {"code": {"enum": codes}}}]})
    if gateway is not None:
        lines.append(f"From API Gateway itself: {gateway}.")
        shapes.append(_ref(GatewayMessage))
        examples["gateway"] = {"value": {"message": gateway}}
    schema = shapes[0] if len(shapes) == 1 else {"oneOf": shapes}
    content = {"application/json": {"schema": schema, "examples": examples}}
    return {"description": "\n".join(lines), "content": content}


def _ref(model: type[Answer]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
