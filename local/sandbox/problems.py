"""Error responses: parts that several platforms use, and the response of a platform without public documents."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from local.sandbox.exchange import Response

# Status of the error -> the platform's response.
Problem = Callable[[int], Response]


def phrase(status: int) -> str:
    """Return a status's reason phrase, such as Not Found."""
    return HTTPStatus(status).phrase


def waits(status: int) -> Mapping[str, str]:
    """Return the header Retry-After (2 seconds) for a 429, and no header for another status."""
    return {"Retry-After": "2"} if status == 429 else {}


def plain(status: int) -> Response:
    """Return the error of a platform whose error format is not public."""
    code = phrase(status).upper().replace(" ", "_")
    return Response(status, {"error": phrase(status), "code": code}, waits(status))
