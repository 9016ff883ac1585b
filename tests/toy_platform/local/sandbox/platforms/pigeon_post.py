"""Pigeon Post, a platform that does not exist."""

from collections.abc import Mapping

from local.sandbox.authentication import header
from local.sandbox.exchange import Request, Response
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"loft": "home", "loft_key": "sandbox-loft-key"}
# The lofts that pigeons find, and how many pigeons there are.
_DESTINATIONS = {"north", "south"}
_PIGEONS = 2


def routes() -> list[Route]:
    """Return the loft, and flights from it."""
    flights: list[str] = []

    def fly(request: Request, _: Mapping[str, str]) -> Response | int:
        destination, note = (request.json.get(name) for name in ("destination", "note"))
        if not isinstance(destination, str) or not isinstance(note, str) or not note:
            return 422
        if destination not in _DESTINATIONS:
            return 404
        if len(flights) == _PIGEONS:
            return 429
        flights.append(note)
        return Response(201, {"flight": f"flight-{len(flights)}"})

    authentication = header("X-Loft-Key", CREDENTIALS["loft_key"])
    loft = f"/lofts/{CREDENTIALS['loft']}"
    return [
        Route("GET", loft, authentication, fixed({"loft": CREDENTIALS["loft"], "pigeons": _PIGEONS})),
        Route("POST", f"{loft}/flights", authentication, fly),
    ]


def problem(status: int) -> Response:
    """Return an error, whose status is 400, or 200 if the pigeons are tired."""
    troubles = {401: "wrong key", 422: "unreadable order", 429: "pigeons are tired"}
    return Response(200 if status == 429 else 400, {"trouble": troubles.get(status, "no such loft")})
