"""FedEx: https://developer.fedex.com/api/en-us/catalog/authorization.html."""

from local.sandbox.authentication import form
from local.sandbox.exchange import Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route, fixed
from local.sandbox.tokens import Tokens

CREDENTIALS = {
    "client_id": "sandbox-fedex-client",
    "client_secret": "sandbox-fedex-secret",
    "account_number": "740561073",
}


def routes() -> list[Route]:
    """Return the routes: the token, whose client's credentials are fields of the form, and the tracking."""
    tokens = Tokens("fedex", 3599, scope="CXS")
    client = form(client_id=CREDENTIALS["client_id"], client_secret=CREDENTIALS["client_secret"])
    tracked = {"transactionId": "sandbox", "output": {"completeTrackResults": []}}
    return [
        Route("POST", "/oauth/token", client, tokens.issue),
        Route("POST", "/track/v1/trackingnumbers", tokens.authenticate, fixed(tracked)),
    ]


def problem(status: int) -> Response:
    """Return an error in the API's format."""
    code = {401: "NOT.AUTHORIZED.ERROR", 403: "FORBIDDEN.ERROR", 404: "NOT.FOUND.ERROR"}.get(
        status, "INTERNAL.SERVER.ERROR"
    )
    content = {"transactionId": "sandbox", "errors": [{"code": code, "message": phrase(status)}]}
    return Response(status, content, waits(status))


def _throttled(_seconds: float) -> Response:
    """Return the answer above 1400 calls in 10 s: https://developer.fedex.com/api/en-us/guides/ratelimits.html."""
    return _too_many("We have received too many requests in a short duration. Please wait a while to try again.")


def _throttled_day(_seconds: float) -> Response:
    return _too_many("Daily transaction quota exceeded. Retry after 12:00AM GMT.")


def _too_many(message: str) -> Response:
    content = {"transactionId": "sandbox", "errors": [{"code": "TOO.MANY.REQUESTS", "message": message}]}
    return Response(429, content)


def _throttled_token(_seconds: float) -> Response:
    """Return the token service's 403 to an address that asked for too many tokens."""
    return problem(403)


FAULTS = {"throttled": _throttled, "throttled_day": _throttled_day, "throttled_token": _throttled_token}
