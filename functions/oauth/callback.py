"""GET /oauth/callback: takes the redirect of a platform after a person's consent, and keeps the code."""

from html import escape

from causeway.database import postgres
from causeway.edge.answers import lambda_handler
from causeway.edge.http_events import HttpAnswer
from causeway.edge.public import PublicCall, route
from causeway.edge.routes import App
from causeway.oauth import callback
from causeway.oauth.callback import Outcome, Returned

app = App()

_HEADERS = {
    "cache-control": "no-store",
    # Nothing is loaded from anywhere, and no other site may frame the page or learn its address.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PAGES: dict[Outcome, tuple[int, str, str]] = {
    "returned": (
        200,
        "Almost connected",
        "The platform has given its consent. Go back to where you began and complete the connection.",
    ),
    "declined": (200, "Not connected", "You declined at the platform. Nothing was changed."),
    "refused": (
        200,
        "Not connected",
        "The platform did not give its consent. Nothing was changed. Go back to where you began to see the reason.",
    ),
    "unknown": (
        400,
        "This link is not valid",
        "It was used, has expired, or belongs to no authorization. Nothing was changed. Begin again where you began.",
    ),
}


@route(
    app,
    "GET",
    "/oauth/callback",
    media_types=("text/html",),
    further=(303, 400),
    refuses=("UNAVAILABLE", "KEY_SERVICE_UNAVAILABLE"),
)
def receive(call: PublicCall) -> HttpAnswer:
    """Take a platform's redirect after the consent: state, and code or error."""
    return _answer(callback.receive(postgres.current(), call.query, None))


@route(
    app,
    "GET",
    "/oauth/callback/{state}",
    media_types=("text/html",),
    further=(303, 400),
    refuses=("UNAVAILABLE", "KEY_SERVICE_UNAVAILABLE"),
)
def receive_on_path(call: PublicCall) -> HttpAnswer:
    """Take the redirect of a platform that does not return the state: its redirect path is for one authorization."""
    return _answer(callback.receive(postgres.current(), call.query, call.path["state"]))


def _answer(returned: Returned) -> HttpAnswer:
    if returned.return_url is not None:
        return HttpAnswer(303, "text/plain", "", _HEADERS | {"location": returned.return_url})
    status, title, text = _PAGES[returned.outcome]
    page = (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p></html>"
    )
    return HttpAnswer(status, "text/html; charset=utf-8", page, _HEADERS)


handler = lambda_handler(app)
