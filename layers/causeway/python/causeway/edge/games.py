"""The edge of the functions of signed calls, which a game provider and a casino send to each other."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, Unpack

from causeway import settings
from causeway.database import postgres
from causeway.database.postgres import BUDGET, Database
from causeway.edge.answers import error_answer, json_answer
from causeway.edge.http_events import HttpAnswer, headers_of, raw_body
from causeway.edge.routes import FAULTS, App, Authentication, Declaration, Documentation
from causeway.errors import table
from causeway.errors.casino import WalletUnavailable
from causeway.errors.game_signing import SignatureInvalid
from causeway.errors.tree import CausewayError
from causeway.game_signing import authentication, signatures
from causeway.outbound.deadlines import Deadline
from causeway.wire import strict_json


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call whose signature is valid.

    Attributes:
        game_provider: the game provider on one end, and the tenant on the other.
        body: the JSON object sent.
        request_id: the id under which the call is logged.
        database: with the call's deadline.
    """

    game_provider: authentication.GameProvider
    body: dict[str, Any]
    request_id: str
    database: Database


class SignedAnswer(Protocol):
    """An answer that is stored as text, as the ledger's are: a code, the JSON text, and whether it is a replay."""

    @property
    def code(self) -> str: ...

    @property
    def body(self) -> str: ...

    @property
    def replayed(self) -> bool: ...


_REFUSES = ("INVALID_REQUEST", "PAYLOAD_TOO_LARGE", "SIGNATURE_INVALID", *FAULTS)
AUTHENTICATION = {
    "casino": Authentication(
        "Called by a game provider, with its signature",
        _REFUSES,
        ("casinoSignature",),
        ("x-provider-code",),
        unavailable=WalletUnavailable,
    ),
    "provider": Authentication(
        "Called by a casino, with its signature",
        _REFUSES,
        ("providerSignature",),
        ("x-provider-code",),
        unavailable=WalletUnavailable,
    ),
}
_Function = Callable[[SignedCall], SignedAnswer | dict[str, Any]]
_IsKnown = Callable[[Database, str], bool]


def route(
    app: App,
    method: str,
    path: str,
    *,
    side: authentication.Side,
    is_known: _IsKnown,
    request: str,
    **documentation: Unpack[Documentation],
) -> Callable[[_Function], _Function]:
    """Make a route of a function that takes a call signed between game provider and casino.

    The signature is checked over the raw bytes before they are parsed. Every answer of the casino to a call with a
    valid signature is signed with the same secret; only the 500 of an exception that nothing foresaw is not.

    Args:
        app: the function's routes.
        method: POST.
        path: as template.yaml has it.
        side: the side that is called.
        is_known: asks the called side's database whether a game provider of a code exists.
        request: the name of the body's model.
        documentation: of the answers.
    """

    def decorate(function: _Function) -> _Function:
        def answer(event: dict[str, Any], _: Any) -> HttpAnswer:
            return _answer(event, side, is_known, function)

        app.add(Declaration(method, path, function, AUTHENTICATION[side], None, request, documentation), answer)
        return function

    return decorate


def _answer(event: dict[str, Any], side: authentication.Side, is_known: _IsKnown, function: _Function) -> HttpAnswer:
    headers, request_id = headers_of(event), event["requestContext"]["requestId"]
    code = headers.get("x-provider-code", settings.default_game_provider())
    deadline = Deadline(BUDGET)
    database = postgres.current().within(deadline)
    secret = None
    try:
        raw = raw_body(event)
        if not authentication.is_known(code, partial(is_known, database)):
            raise SignatureInvalid
        caller, secret = authentication.authenticate(
            side,
            code,
            headers.get(f"x-{side}-signature", ""),
            event["requestContext"]["http"]["method"],
            event["rawPath"],
            raw,
            deadline,
        )
        answer = _http_answer(function(SignedCall(caller, strict_json.parse_object(raw), request_id, database)))
    except CausewayError as error:
        answer = error_answer(AUTHENTICATION[side].told(error), request_id, next_action=False)
    if secret is not None and side == "casino":
        signature = signatures.sign_bare(secret, answer.body.encode())
        answer.headers["x-casino-response-signature"] = signature
    return answer


def _http_answer(result: SignedAnswer | dict[str, Any]) -> HttpAnswer:
    if isinstance(result, dict):
        return json_answer("OK", 200, json.dumps(result, separators=(",", ":")), {})
    status = 200 if result.code == "OK" else table.of_code(result.code).status
    return json_answer(result.code, status, result.body, {"idempotent-replay": "true"} if result.replayed else {})
