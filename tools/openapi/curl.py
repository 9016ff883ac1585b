"""The example request of an operation as a curl line that works against the local stack (docs/local.md)."""

import json
import re
import shlex
from typing import Any
from urllib.parse import quote, urlencode

from tools.openapi import demo

# The roles that can make an example's call, and the names of their tokens in stack.json; the first one is taken.
_TOKENS = {"tenant_admin": f"tokens {demo.TENANT_CODE} tenant_admin", "super_admin": "tokens super_admin"}
_SIGNATURES = {
    "casinoSignature": ("x-casino-signature", "casino_secret"),
    "providerSignature": ("x-provider-signature", "provider_secret"),
}
_MADE = {"201", "202"}


def line(method: str, path: str, operation: dict[str, Any], *, query: str = "") -> str:
    """Return the shell line; `stack` in it is the shell function of docs/local.md.

    It sends the parameters and headers that are required, and a key for a call that makes something.

    Args:
        method: in upper case.
        path: as the operation's.
        operation: of the document.
        query: an optional parameter that is sent too.
    """
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    options = _headers(operation)
    if method not in ("GET", "POST") or (method == "POST" and body is None):
        options.insert(0, f"-X {method}")
    before = ""
    if body is not None:
        text = json.dumps(body, ensure_ascii=False)
        signature = _signature(operation)
        if signature is None:
            options.append(f"-d {shlex.quote(text)}")
        else:
            before = f"BODY={shlex.quote(text)}\n"
            options += [signature, '-d "$BODY"']
    return before + " \\\n  ".join([f'curl -i "$(stack base_url){_address(path, operation, query)}"', *options])


def _address(path: str, operation: dict[str, Any], query: str) -> str:
    """Return path and query with the examples of their parameters."""
    parameters = operation.get("parameters", [])
    inside = {one["name"]: one["example"] for one in parameters if one["in"] == "path"}
    filled = re.sub(
        r"\{(\w+)\}", lambda found: quote(str(inside[found[1]]), safe="/" if found[1] == "proxy" else ""), path
    )
    sent = [
        one
        for one in parameters
        if one["in"] == "query" and (one["required"] or one["name"] == query) and "example" in one
    ]
    values = {one["name"]: _text(one["example"]) for one in sent}
    return f"{filled}?{urlencode(values)}" if values else filled


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _headers(operation: dict[str, Any]) -> list[str]:
    roles = operation.get("x-roles", [])
    headers = []
    token = next((token for role, token in _TOKENS.items() if role in roles), None)
    if token is not None:
        headers.append(f'-H "Authorization: Bearer $(stack {token})"')
    for one in operation.get("parameters", []):
        if one["in"] != "header":
            continue
        if one["name"] == "Idempotency-Key" and _MADE & operation["responses"].keys():
            headers.append(f"-H 'Idempotency-Key: example-{operation['operationId']}'")
        elif one["required"]:
            headers.append(f"-H '{one['name']}: {one['example']}'")
    return headers


def _signature(operation: dict[str, Any]) -> str | None:
    """Return the header with the signature of $BODY; None: the call is not signed."""
    for scheme in operation["security"]:
        for name, (header, secret) in _SIGNATURES.items():
            if name in scheme:
                digest = f'openssl dgst -sha256 -hmac "$(stack {secret})" -r | cut -c 1-64'
                return f'-H "{header}: $(printf %s "$BODY" | {digest})"'
    return None
