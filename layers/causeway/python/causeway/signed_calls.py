"""Signed JSON calls between casino and game provider, either way."""

import json
from time import time
from typing import Any
from urllib.parse import urlsplit

from causeway import outbound, signatures
from causeway.errors import GameProviderFailed
from causeway.game_providers import Direction, shared_secrets


def post(base_url: str, path: str, body: dict[str, Any], to: Direction, code: str) -> tuple[int, dict[str, Any]]:
    """Send a signed call and return the answer's status and JSON object.

    Args:
        base_url: the other side's API.
        path: the call's path under it.
        body: what to send.
        to: the side that is called; its secret signs.
        code: the game provider's code, on whichever end it stands.

    Raises:
        GameProviderFailed: no secret is shared, no answer came, or it is not a JSON object.
        Unavailable: the secrets cannot be read.
    """
    shared = shared_secrets(code)
    if shared is None:
        raise GameProviderFailed(cause=f"no secret is shared with game provider {code}")
    url = base_url.rstrip("/") + path
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    secret = (shared.casino if to == "casino" else shared.provider)[0]
    signature = signatures.sign_timed(secret, "POST", urlsplit(url).path, raw, time())
    try:
        reply = outbound.post_json(url, raw, {f"x-{to}-signature": signature, "x-provider-code": code})
        answer = json.loads(reply.body)
    except (outbound.CallFailed, ValueError) as error:
        raise GameProviderFailed(cause=f"POST {url}: {error}") from error
    if not isinstance(answer, dict):
        raise GameProviderFailed(cause=f"POST {url}: the answer is not a JSON object")
    return reply.status, answer
