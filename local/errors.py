"""What can go wrong in the local stack, each with the sentence a person reads."""

from http import HTTPStatus


class StartError(Exception):
    """The local stack cannot start; the message says why and what to do, in one sentence."""


class TemplateError(StartError):
    """The template holds something the local stack cannot resolve; names the logical id and the property."""


class Throttled(Exception):
    """The function already runs as many requests at a time as it may."""


class FunctionError(Exception):
    """The function did not give a result: it raised, crashed, ran out of time or could not be initialised.

    error_type is the type the Lambda service reports, e.g. Sandbox.Timedout, Runtime.ExitError or the
    exception's name.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


class Refused(Exception):
    """An authorizer does not let the request pass. challenge: www-authenticate, '' for none."""

    def __init__(self, status: int, challenge: str = "") -> None:
        super().__init__(challenge)
        self.status = status
        self.message = HTTPStatus(status).phrase
        self.challenge = challenge
