"""Error responses: parts that several platforms use, and the response of a platform without public documents."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from math import ceil
from time import time

from local.sandbox.exchange import Response

# Status of the error -> the platform's response.
Problem = Callable[[int], Response]
# Seconds to wait -> the response of a platform that does nothing of the request.
Refusal = Callable[[float], Response]
# Seconds to wait -> headers of a good response after which no request is left.
Exhausted = Callable[[float], Mapping[str, str]]


def phrase(status: int) -> str:
    """Return a status's reason phrase, such as Not Found."""
    return HTTPStatus(status).phrase


def waits(status: int) -> Mapping[str, str]:
    """Return the header Retry-After (2 seconds) for a 429, and no header for another status."""
    return {"Retry-After": "2"} if status == 429 else {}


def without_wait(response: Response) -> Response:
    """Return a response without its Retry-After."""
    return replace(response, headers={name: text for name, text in response.headers.items() if name != "Retry-After"})


def no_headers(_seconds: float) -> Mapping[str, str]:
    """Return no header: most platforms do not say how many requests are left."""
    return {}


def epoch(seconds: float) -> str:
    """Return the moment that many seconds from now, in epoch seconds."""
    return str(ceil(time() + seconds))


def plain(status: int) -> Response:
    """Return the error of a platform whose error format is not public."""
    code = phrase(status).upper().replace(" ", "_")
    return Response(status, {"error": phrase(status), "code": code}, waits(status))
