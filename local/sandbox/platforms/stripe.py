"""Stripe: https://docs.stripe.com/api."""

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
