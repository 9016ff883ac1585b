"""The edge of the functions that anyone may call: no caller is authenticated."""

from collections.abc import Callable
from typing import Any, Unpack

from causeway.edge.answers import error_answer
from causeway.edge.http_events import HttpAnswer
from causeway.edge.routes import App, Authentication, Declaration, Documentation
from causeway.errors.tree import CausewayError

OPEN = Authentication("Called by anyone", ("INTERNAL",))
_Function = Callable[[], HttpAnswer]


def route(app: App, method: str, path: str, **documentation: Unpack[Documentation]) -> Callable[[_Function], _Function]:
    """Make a route of a function that anyone may call; it takes no body.

    Args:
        app: the function's routes.
        method: GET.
        path: as template.yaml has it.
        documentation: of the answers.
    """

    def decorate(function: _Function) -> _Function:
        def answer(event: dict[str, Any], _: Any) -> HttpAnswer:
            try:
                return function()
            except CausewayError as error:
                return error_answer(error, event["requestContext"]["requestId"])

        app.add(Declaration(method, path, function, OPEN, None, None, documentation), answer)
        return function

    return decorate
