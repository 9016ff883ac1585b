"""FedEx: https://developer.fedex.com/api/en-us/catalog/authorization.html."""

from local.sandbox.authentication import form
from local.sandbox.exchange import Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route
from local.sandbox.tokens import Tokens

CREDENTIALS = {
    "client_id": "sandbox-fedex-client",
    "client_secret": "sandbox-fedex-secret",
    "account_number": "740561073",
}


def routes() -> list[Route]:
    """Return the route of the token; the client's credentials are fields of the form."""
    tokens = Tokens("fedex", 3599, scope="CXS")
    client = form(client_id=CREDENTIALS["client_id"], client_secret=CREDENTIALS["client_secret"])
    return [Route("POST", "/oauth/token", client, tokens.issue)]


def problem(status: int) -> Response:
    """Return an error in the API's format."""
    code = {401: "NOT.AUTHORIZED.ERROR", 403: "FORBIDDEN.ERROR", 404: "NOT.FOUND.ERROR"}.get(
        status, "INTERNAL.SERVER.ERROR"
    )
    content = {"transactionId": "sandbox", "errors": [{"code": code, "message": phrase(status)}]}
    return Response(status, content, waits(status))
