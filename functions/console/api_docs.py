"""GET /openapi.json and /docs: the API's document and its web page, which tools.openapi makes."""

from pathlib import Path

from causeway.edge.answers import lambda_handler
from causeway.edge.http_events import HttpAnswer
from causeway.edge.public import route
from causeway.edge.routes import App
from causeway.errors.service import Misconfigured

app = App()

_FOLDER = Path(__file__).parent
# Nothing is loaded from anywhere, and no other site may frame the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@route(app, "GET", "/openapi.json", response="OpenApi")
def document() -> HttpAnswer:
    """Get the API's OpenAPI 3.1 document."""
    return _file("openapi.json", "application/json")


@route(app, "GET", "/docs", media_types=("text/html",))
def page() -> HttpAnswer:
    """Get the API reference as a web page."""
    return _file("docs.html", "text/html; charset=utf-8")


def _file(name: str, media_type: str) -> HttpAnswer:
    file = _FOLDER / name
    if not file.is_file():
        # `make build` and the local stack make the page; `sam build` alone does not.
        raise Misconfigured(cause=f"{name} is not in the function's package: make build was not run")
    headers = {
        "cache-control": "public, max-age=300",
        "content-security-policy": _POLICY,
        "x-content-type-options": "nosniff",
    }
    return HttpAnswer(200, media_type, file.read_text(encoding="utf-8"), headers)


handler = lambda_handler(app)
