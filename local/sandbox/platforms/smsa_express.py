"""SMSA Express: https://ecomapis.smsaexpress.com."""

from local.sandbox.authentication import header
from local.sandbox.exchange import Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"api_key": "sandbox-smsa-key"}


def routes() -> list[Route]:
    """Return the route of the currencies."""
    currencies = [{"code": "SAR", "name": "Saudi Riyal"}, {"code": "AED", "name": "UAE Dirham"}]
    return [Route("GET", "/api/lookup/currency", header("apikey", CREDENTIALS["api_key"]), fixed(currencies))]


def problem(status: int) -> Response:
    """Return an error as ASP.NET's problem details: https://ecomapis.smsaexpress.com publishes no format."""
    title = phrase(status)
    return Response(status, {"title": title, "status": status}, waits(status), "application/problem+json")
