"""The errors of the local stack, each with a sentence for a person."""

from http import HTTPStatus


class StartError(Exception):
    """The local stack cannot start; the message is one sentence that says why and what to do."""


class TemplateError(StartError):
    """The local stack cannot resolve something in the template; the message names the logical id and the property."""


class Throttled(Exception):
    """The function has reached its concurrency limit."""


class FunctionError(Exception):
    """The function returned no result: it raised, crashed, timed out or failed to initialise.

    Args:
        error_type: as Lambda reports it, e.g. Sandbox.Timedout, Runtime.ExitError or the exception's name.
        message: as Lambda reports it.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


class Refused(Exception):
    """An authorizer refuses the request.

    Args:
        status: the HTTP status of the answer.
        challenge: the header www-authenticate, "" for none.
    """

    def __init__(self, status: int, challenge: str = "") -> None:
        super().__init__(challenge)
        self.status = status
        self.message = HTTPStatus(status).phrase
        self.challenge = challenge
