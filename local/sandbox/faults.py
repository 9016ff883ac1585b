"""The sandbox's faults: their names, the refusals that every platform can give, and the faults that are due.

A fault is asked for at the control route, or by a credential `sandbox-fault-<name>`. It has one of four kinds:
- a refusal of every platform (a status, a 429 with or without a wait): nothing of the request is done;
- a refusal of one platform, in its own words: its file's FAULTS. Every platform has `throttled`;
- `exhausted`: the usual response, with the platform's own headers that say that no request is left;
- a fault of the delivery (local/sandbox/delivery.py): the response comes late, broken or not at all.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import ceil, isfinite
from types import MappingProxyType
from typing import Any

from local.sandbox.delivery import DELIVERIES
from local.sandbox.exchange import Request, Response
from local.sandbox.problems import Problem, epoch, without_wait
from local.sandbox.registry import Platform

EXHAUSTED = "exhausted"
THROTTLED = "throttled"

_IN_CREDENTIAL = re.compile(r"sandbox-fault-(\w+)")
_GARBAGE = Response(200, "<!DOCTYPE html><html><title>Welcome</title><p>It works!", content_type="text/html")
# Seconds that a refusal asks to wait, and seconds of a slow response, which are more than a connection test may take.
_WAIT, _SLOW = 2.0, 15.0


@dataclass(slots=True)
class Fault:
    """A fault of the next responses of a platform.

    Attributes:
        times: how many.
        seconds: how long a slow response takes, or how long a refusal asks to wait.
        path: only requests whose path begins with it have the fault.
    """

    name: str
    times: int
    seconds: float
    path: str = ""


class Faults:
    """The faults that were asked for at the control route, at most one for each platform."""

    def __init__(self) -> None:
        self._asked: dict[str, Fault] = {}

    def ask(self, key: str, fault: Fault) -> None:
        """Let the next responses of a platform have this fault. It replaces an earlier one."""
        self._asked[key] = fault

    def clear(self) -> None:
        """Cancel the faults that have not occurred yet."""
        self._asked.clear()

    def due(self, key: str, path: str) -> Fault | None:
        """Return the fault of a request to this path, and count it."""
        fault = self._asked.get(key)
        if fault is None or not path.startswith(fault.path):
            return None
        fault.times -= 1
        if fault.times <= 0:
            del self._asked[key]
        return fault


def read(wanted: Mapping[str, Any]) -> Fault:
    """Return the fault that the control route's JSON describes.

    Raises:
        ValueError, KeyError, TypeError: a field is missing or has a wrong value.
    """
    name = str(wanted["fault"])
    fault = Fault(
        name,
        int(wanted.get("times", 1)),
        float(wanted.get("seconds", _usual_seconds(name))),
        str(wanted.get("path", "")),
    )
    if fault.times < 1 or not isfinite(fault.seconds) or fault.seconds < 0:
        raise ValueError(wanted)
    return fault


def asked_in(request: Request) -> Fault | None:
    """Return the fault that a credential of the request asks for, known or not: sandbox-fault- and its name."""
    texts = (request.path, *request.query.values(), *request.headers.values(), *request.basic)
    found = _IN_CREDENTIAL.search(" ".join((*texts, request.body.decode("utf-8", "replace"))))
    return Fault(found[1], 1, _usual_seconds(found[1])) if found else None


def names(platform: Platform) -> list[str]:
    """Return the names of a platform's faults."""
    return sorted({*_REFUSALS, *platform.faults, THROTTLED, EXHAUSTED, *DELIVERIES})


def refusal(platform: Platform, fault: Fault) -> Response | None:
    """Return the response of a fault that does nothing of the request; None: the fault is of another kind."""
    if fault.name in platform.faults:
        return platform.faults[fault.name](fault.seconds)
    if fault.name == THROTTLED:
        return without_wait(platform.problem(429))
    if fault.name in _REFUSALS:
        return _REFUSALS[fault.name](platform.problem, fault.seconds)
    return None


def _usual_seconds(name: str) -> float:
    return _SLOW if name in ("slow", "slow_body") else _WAIT


def _status(status: int) -> Callable[[Problem, float], Response]:
    return lambda problem, _: problem(status)


def _asks_to_wait(status: int, headers: Callable[[float], Mapping[str, str]]) -> Callable[[Problem, float], Response]:
    """Return a refusal with this status, the platform's content, and headers made from the seconds to wait."""

    def refuse(problem: Problem, seconds: float) -> Response:
        response = without_wait(problem(status))
        return replace(response, status=status, headers={**response.headers, **headers(seconds)})

    return refuse


def _documented_429(problem: Problem, seconds: float) -> Response:
    """Return the platform's 429, with Retry-After only where the platform's file has it."""
    response = problem(429)
    if "Retry-After" not in response.headers:
        return response
    return replace(response, headers={**response.headers, "Retry-After": str(ceil(seconds))})


def _http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=ceil(seconds)), usegmt=True)


# Name -> the platform's response. The headers x-ratelimit-* are those of GitHub and many others, in epoch seconds:
# https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api. RateLimit and RateLimit-Policy:
# https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers
_REFUSALS: Mapping[str, Callable[[Problem, float], Response]] = MappingProxyType(
    {
        "401": _status(401),
        "403": _status(403),
        "429": _documented_429,
        "429_seconds": _asks_to_wait(429, lambda seconds: {"Retry-After": str(ceil(seconds))}),
        "429_date": _asks_to_wait(429, lambda seconds: {"Retry-After": _http_date(seconds)}),
        "429_bare": _asks_to_wait(429, lambda _: {}),
        "429_reset": _asks_to_wait(
            429,
            lambda seconds: {
                "x-ratelimit-limit": "100",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": epoch(seconds),
            },
        ),
        "429_draft": _asks_to_wait(
            429,
            lambda seconds: {
                "RateLimit-Policy": '"default";q=100;w=60',
                "RateLimit": f'"default";r=0;t={ceil(seconds)}',
            },
        ),
        "500": _status(500),
        "503": _asks_to_wait(503, lambda seconds: {"Retry-After": str(ceil(seconds))}),
        "garbage": lambda _problem, _seconds: _GARBAGE,
    }
)
