"""The terms of a template, which a tenant agrees to: all that decides where a connection's secrets are sent."""

import json
from hashlib import sha256
from typing import Any


def digest(
    base_url: str | None, authentication: dict[str, Any], health_call: dict[str, Any], schema: dict[str, Any]
) -> bytes:
    """Return the SHA-256 of a template's terms.

    Args:
        base_url: of the connection's environment.
        authentication: how each call is authenticated.
        health_call: the test call.
        schema: the config_schema.
    """
    return sha256(json.dumps([base_url, authentication, health_call, schema], sort_keys=True).encode()).digest()
