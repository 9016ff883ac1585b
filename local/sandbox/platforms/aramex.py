"""Aramex: https://www.aramex.com/developers. Credentials are in the body, and errors come with status 200."""

from collections.abc import Mapping

from local.sandbox.exchange import Request, Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route

CREDENTIALS = {
    "username": "sandbox@aramex.example",
    "password": "sandbox-aramex-password",
    "account_number": "20016",
    "account_pin": "331421",
    "account_entity": "DXB",
    "account_country_code": "AE",
}
# Field of the body's ClientInfo -> field of the credentials.
_CLIENT_INFO = {
    "UserName": "username",
    "Password": "password",
    "AccountNumber": "account_number",
    "AccountPin": "account_pin",
    "AccountEntity": "account_entity",
    "AccountCountryCode": "account_country_code",
}


def routes() -> list[Route]:
    """Return the route that tracks shipments; it knows no waybill."""
    return [Route("POST", r"/ShippingAPI\.V2/Tracking/Service_1_0\.svc/json/TrackShipments", _authenticated, _track)]


def _authenticated(request: Request) -> bool:
    client = request.json.get("ClientInfo")
    return isinstance(client, dict) and all(client.get(name) == CREDENTIALS[key] for name, key in _CLIENT_INFO.items())


def _track(request: Request, _: Mapping[str, str]) -> Response:
    waybills = request.json.get("Shipments", [])
    content = {"HasErrors": False, "Notifications": [], "NonExistingWaybills": waybills, "TrackingResults": []}
    return Response(200, content)


def problem(status: int) -> Response:
    """Return an error; a refused account comes with status 200, all else as a page of HTML."""
    if status in (401, 403):
        found = [{"Code": "ERR01", "Message": "ClientInfo - Invalid username or password"}]
        content = {"HasErrors": True, "Notifications": found, "NonExistingWaybills": [], "TrackingResults": []}
        return Response(200, content)
    return Response(status, f"<h1>{phrase(status)}</h1>", waits(status), "text/html")
