"""Stripe: https://docs.stripe.com/api."""

from dataclasses import replace

from local.sandbox.authentication import bearer
from local.sandbox.exchange import Request, Response
from local.sandbox.problems import waits
from local.sandbox.routes import Route, fixed

CREDENTIALS = {
    "api_key": "sk_test_sandboxStripeKey",
    "publishable_key": "pk_test_sandboxStripeKey",
    "webhook_secret": "whsec_sandboxStripeSecret",
}


def routes() -> list[Route]:
    """Return the route of the balance: https://docs.stripe.com/api/balance."""
    money = [{"amount": 1250000, "currency": "aed", "source_types": {"card": 1250000}}]
    balance = {"object": "balance", "available": money, "pending": [], "livemode": False}
    return [Route("GET", "/v1/balance", _authenticated, fixed(balance, Request_Id="req_sandbox"))]


def _authenticated(request: Request) -> bool:
    """The key as a bearer token, or as the user of HTTP Basic without a password."""
    return bearer(CREDENTIALS["api_key"])(request) or request.basic == (CREDENTIALS["api_key"], "")


def problem(status: int) -> Response:
    """Return an error: https://docs.stripe.com/api/errors; the 429's header: https://docs.stripe.com/rate-limits."""
    error = {
        401: {"type": "invalid_request_error", "message": "Invalid API Key provided: sk_test_****"},
        403: {"type": "invalid_request_error", "message": "The provided key does not have the required permissions."},
        404: {"type": "invalid_request_error", "message": "Unrecognized request URL."},
        429: {"type": "invalid_request_error", "code": "rate_limit", "message": "Request rate limit exceeded."},
    }.get(status, {"type": "api_error", "message": "An unexpected error occurred."})
    more = {"Stripe-Rate-Limited-Reason": "global-rate"} if status == 429 else {}
    return Response(status, {"error": error}, {"Request-Id": "req_sandbox", **more, **waits(status)})


def _refused(status: int, code: str, message: str, **headers: str) -> Response:
    error = {"type": "invalid_request_error", "code": code, "message": message}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {"error": error}, {"Request-Id": "req_sandbox", **named})


def _locked(_seconds: float) -> Response:
    """Return the 429 of an object that another request uses: https://docs.stripe.com/rate-limits#object-lock-timeouts."""
    message = "This object cannot be accessed right now because another request is currently accessing it."
    return _refused(429, "lock_timeout", message, Stripe_Should_Retry="true")


def _in_progress(_seconds: float) -> Response:
    """Return the 409 of a request whose first attempt with the same idempotency key still runs."""
    message = "There is currently another in-progress request using this Idempotent Key."
    return _refused(409, "idempotency_key_in_use", message, Stripe_Should_Retry="true")


def _not_again(_seconds: float) -> Response:
    """Return a 500 that Stripe asks not to repeat: https://docs.stripe.com/error-low-level#retrying."""
    response = problem(500)
    return replace(response, headers={**response.headers, "Stripe-Should-Retry": "false"})


FAULTS = {"locked": _locked, "in_progress": _in_progress, "not_again": _not_again}
