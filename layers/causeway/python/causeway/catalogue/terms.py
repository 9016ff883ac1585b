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
    # The details say what is shown of the answer, and the limits how often is called: not where a secret goes.
    call = {name: value for name, value in health_call.items() if name != "details"}
    flow = oauth and {name: value for name, value in oauth.items() if name != "rate_limits"}
    return sha256(json.dumps([base_url, authentication, call, schema, flow], sort_keys=True).encode()).digest()
