"""The record of one attempt of a call, for the API log, and what calls are made for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# What a call is made for. Payments and messages may use the part of a rate limit that is reserved for them.
Purpose = Literal["interactive", "payment", "message", "sync", "health", "webhook"]

# How the names of headers end in which platforms answer their own id of the request.
_REQUEST_ID = re.compile(r"(request-?id|debug-id|trace-id|log-?id|correlation-id|-uuid)$", re.IGNORECASE)
_MOST_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class Attempt:
    """The log record of one attempt, without secrets: URL and bodies are redacted, bodies are cut.

    Attributes:
        error: the name of the failure's class, None if there was an answer.
        platform_request_id: the platform's own id of the request, None if it gave none.
        number: of the attempt in its call, from 1.
        attempts: how many the call made.
        for_token: it asked for an access token that the call itself needs, maybe of another server.
    """

    method: str
    url: str
    status: int | None
    milliseconds: int
    error: str | None
    request_body: str
    response_body: str
    platform_request_id: str | None = None
    number: int = 1
    attempts: int = 1
    for_token: bool = False


def platform_request_id(headers: Mapping[str, str]) -> str | None:
    """Return the platform's own id of a request, as its answer tells it; None without a readable one."""
    given = next((value for name, value in headers.items() if _REQUEST_ID.search(name)), "")
    readable = given.isascii() and given.isprintable() and 0 < len(given) <= _MOST_CHARACTERS
    return given if readable else None
