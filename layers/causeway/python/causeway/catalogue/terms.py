"""The terms of a template, which a tenant agrees to: all that decides where a connection's secrets are sent."""

import json
from hashlib import sha256
from typing import Any


def digest(
    base_url: str | None,
    authentication: dict[str, Any],
    health_call: dict[str, Any],
    schema: dict[str, Any],
    oauth: dict[str, Any] | None,
) -> bytes:
    """Return the SHA-256 of a template's terms.

    Args:
        base_url: of the connection's environment.
        authentication: how each call is authenticated.
        health_call: the test call.
        schema: the config_schema.
        oauth: how a connection is authorized; None: not by OAuth.
    """
    # The details say what is shown of the answer, not where a secret goes.
    call = {name: value for name, value in health_call.items() if name != "details"}
    return sha256(json.dumps([base_url, authentication, call, schema, oauth], sort_keys=True).encode()).digest()
