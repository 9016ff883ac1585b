"""The errors of the local stack, each with a sentence for a person."""

from http import HTTPStatus


class StartError(Exception):
    """The local stack cannot start; the message is one sentence that says why and what to do."""


class TemplateError(StartError):
    """The local stack cannot resolve something in the template; the message names the logical id and the property."""


class Throttled(Exception):
    """The function already runs its limit of requests at a time."""


class FunctionError(Exception):
    """The function returned no result: it raised, crashed, timed out or failed to initialise.

    error_type: as Lambda reports it, e.g. Sandbox.Timedout, Runtime.ExitError or the exception's name.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


class Refused(Exception):
    """An authorizer refuses the request. challenge: the header www-authenticate, "" for none."""

    def __init__(self, status: int, challenge: str = "") -> None:
        super().__init__(challenge)
        self.status = status
        self.message = HTTPStatus(status).phrase
        self.challenge = challenge
