"""The edge of the functions that anyone may call: no caller is authenticated."""

from collections.abc import Callable
from typing import Any, Unpack

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway.edge.answers import error_answer
from causeway.edge.routes import Authentication, Declaration, Documentation, register
from causeway.errors.tree import CausewayError

OPEN = Authentication("Called by anyone", ("INTERNAL",))
_Function = Callable[[], Response[str]]


def route(
    app: APIGatewayHttpResolver, method: str, path: str, **documentation: Unpack[Documentation]
) -> Callable[[_Function], _Function]:
    """Make a route of a function that anyone may call; it takes no body.

    Args:
        app: the function's resolver.
        method: GET.
        path: as template.yaml has it.
        documentation: of the answers.
    """

    def decorate(function: _Function) -> _Function:
        def answer(event: dict[str, Any]) -> Response[str]:
            try:
                response = function()
            except CausewayError as error:
                return error_answer(error, event["requestContext"]["requestId"])
            return response

        register(app, Declaration(method, path, function, OPEN, None, None, documentation), answer)
        return function

    return decorate
