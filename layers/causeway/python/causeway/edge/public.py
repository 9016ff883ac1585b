"""The edge of the functions that anyone may call: no caller is authenticated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from causeway.edge.answers import error_answer
from causeway.edge.http_events import HttpAnswer, path_of
from causeway.edge.routes import App, Authentication, Declaration, Documentation
from causeway.errors.tree import CausewayError

OPEN = Authentication("Called by anyone", ("INTERNAL",))
_Function = Callable[..., HttpAnswer]


@dataclass(frozen=True, slots=True)
class PublicCall:
    """A call of anyone: the parameters of its path and of its query, as API Gateway delivered them."""

    path: Mapping[str, str]
    query: Mapping[str, str]


def route(app: App, method: str, path: str, **documentation: Unpack[Documentation]) -> Callable[[_Function], _Function]:
    """Make a route of a function that anyone may call; it takes no body.

    The function gets the call if it has a parameter `call`.

    Args:
        app: the function's routes.
        method: GET.
        path: as template.yaml has it.
        documentation: of the answers.
    """

    def decorate(function: _Function) -> _Function:
        takes_call = "call" in function.__annotations__

        def answer(event: dict[str, Any], _: Any) -> HttpAnswer:
            try:
                return function(_call(event)) if takes_call else function()
            except CausewayError as error:
                return error_answer(error, event["requestContext"]["requestId"])

        app.add(Declaration(method, path, function, OPEN, None, None, documentation), answer)
        return function

    return decorate


def _call(event: dict[str, Any]) -> PublicCall:
    return PublicCall(path_of(event), event.get("queryStringParameters") or {})
