"""Telr's hosted payment page: https://docs.telr.com. Credentials are in the body, and errors come with status 200."""

from local.sandbox.exchange import Request, Response
from local.sandbox.problems import plain
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"store_id": "15996", "auth_key": "sandbox-telr-key"}


def routes() -> list[Route]:
    """Return the route of an order's check, which finds no order; the error's exact text is an assumption."""
    missing = {"method": "check", "error": {"message": "E20:Order not found", "note": ""}}
    return [Route("POST", r"/gateway/order\.json", _authenticated, fixed(missing))]


def _authenticated(request: Request) -> bool:
    given = request.json.get("store"), request.json.get("authkey")
    return given == (CREDENTIALS["store_id"], CREDENTIALS["auth_key"])


def problem(status: int) -> Response:
    """Return an error; a refused key comes with status 200. The exact text is an assumption."""
    if status in (401, 403):
        note = "Check the store id and authentication key"
        return Response(200, {"method": "check", "error": {"message": "E04:Invalid store ID", "note": note}})
    return plain(status)
