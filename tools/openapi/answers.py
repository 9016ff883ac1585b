"""The document's description of bodies, and of the answers to calls that succeed."""

from typing import Any

from causeway.audit_log import spreadsheet
from causeway.edge.proxied import PROXY
from causeway.edge.routes import Declaration
from tools.openapi import examples, models

# Examples of answers that are no JSON: a table without rows, the beginning of a page.
_TEXTS = {"text/csv": spreadsheet.as_csv([]), "text/html": "<!doctype html>"}


def content(name: str, known: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a JSON body: the schema of this name, and its example."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"schema": schema, "example": examples.of(schema, known)}


def success(declaration: Declaration, known: dict[str, Any], *, changes: bool) -> dict[int, dict[str, Any]]:
    """Return the answer to a call that succeeds, by its status.

    Args:
        declaration: the route's.
        known: the document's schemas, by name.
        changes: whether the route changes something in the hub.
    """
    if declaration.authentication is PROXY:
        return {200: _PASSED_ON}
    documentation = declaration.documentation
    response, status = documentation.get("response"), documentation.get("status", 200)
    name = "Done" if response is None else models.name(response)
    answer: dict[str, Any] = {"description": name}
    if status != 204:
        media_types = documentation.get("media_types", ("application/json",))
        answer["content"] = {
            media_type: {"schema": {"type": "string"}, "example": _TEXTS[media_type]}
            for media_type in media_types
            if media_type in _TEXTS
        }
        if response is not None:
            answer["content"] = {media_types[0]: content(name, known)} | answer["content"]
    headers = _version_headers(declaration, known.get(name, {}), answer)
    if changes:
        said = "true: this is a replay of the first answer to the key."
        headers["Idempotent-Replay"] = _header(said, "true", required=False)
    described = answer | ({"headers": headers} if headers else {})
    return dict.fromkeys((status, *documentation.get("further", ())), described)


def _header(description: str, example: str, *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "description": description, "schema": {"type": "string"}, "example": example}


_PASSED_ON = {
    "description": "The platform's answer: its status, its body and its headers (docs/proxy.md).",
    "headers": {
        "X-Causeway-Attempts": _header("How often the platform was called.", "1"),
        "X-Causeway-Log-Id": _header("The last attempt's row of the API log.", "4711", required=False),
        "Idempotent-Replay": _header("true: the first call's status; the body is the hub's.", "true", required=False),
    },
    "content": {"*/*": {"schema": {"description": "Of any type."}, "example": "{}"}},
}


def _version_headers(declaration: Declaration, schema: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Return the headers of an answer with an object that has a version: its ETag, and a new object's path."""
    if "version" not in schema.get("properties", {}):
        return {}
    headers = {"ETag": _header("The object's current version, for If-Match.", '"1"')}
    if declaration.documentation.get("status") == 201:
        [body] = [one["example"] for one in answer["content"].values()]
        headers["Location"] = _header("The path of the new object.", f"{declaration.path}/{body['id']}")
    return headers
