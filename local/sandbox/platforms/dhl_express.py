"""DHL Express's MyDHL API: https://developer.dhl.com/api-reference/dhl-express-mydhl-api."""

from collections.abc import Mapping

from local.sandbox.authentication import basic
from local.sandbox.exchange import Request, Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route

CREDENTIALS = {"api_key": "sandbox-dhl-key", "api_secret": "sandbox-dhl-secret"}


def routes() -> list[Route]:
    """Return the route that validates an address."""
    return [Route("GET", "/address-validate", basic(CREDENTIALS["api_key"], CREDENTIALS["api_secret"]), _validate)]


def _validate(request: Request, _: Mapping[str, str]) -> Response | int:
    """Answer one place in Dubai; the header x-version and the parameter countryCode are required."""
    if not request.headers.get("x-version") or not request.query.get("countryCode"):
        return 400
    place = {"countryCode": "AE", "postalCode": "", "cityName": "DUBAI", "serviceArea": {"code": "DXB"}}
    return Response(200, {"warnings": [], "address": [place]})


def problem(status: int) -> Response:
    """Return an error in the API's format."""
    content = {
        "instance": "/mydhlapi/address-validate",
        "detail": "Invalid Credentials" if status == 401 else phrase(status),
        "title": phrase(status),
        "message": phrase(status),
        "status": str(status),
    }
    return Response(status, content, waits(status))
