"""Signed JSON calls between casino and game provider, in both directions."""

import json
from collections.abc import Mapping
from time import time
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from causeway.errors.game_signing import GameProviderFailed
from causeway.errors.requests import InvalidRequest
from causeway.errors.service import Misconfigured
from causeway.game_signing import signatures
from causeway.game_signing.authentication import Side, shared_secrets
from causeway.outbound import partners
from causeway.outbound.deadlines import Deadline
from causeway.outbound.failures import CallFailed
from causeway.wire import strict_json

# Bytes of an answer that are read at most.
_MOST_BYTES = 64 * 1024


def post(
    base_url: str, path: str, body: Mapping[str, Any], to: Side, tenant_id: UUID, code: str, deadline: Deadline
) -> tuple[int, dict[str, Any]]:
    """Send a signed call; return the answer's status and its JSON object, parsed as strictly as a request.

    Args:
        base_url: the other side's API.
        path: the call's path under it.
        body: what to send.
        to: the side that is called; its secret signs.
        tenant_id: the tenant; the secret is for its calls only.
        code: the game provider's code, whichever side calls.
        deadline: for reading the secret and receiving the answer.

    Raises:
        GameProviderFailed: no complete answer came in time, or the answer is not a JSON object, is ambiguous, is nested
            too deeply, or has more than 64 KiB.
        Unavailable: the secrets cannot be read.
        Misconfigured: the secret is another tenant's.
    """
    shared = shared_secrets(code, fresh=False, deadline=deadline)
    if shared.tenant_id != tenant_id:
        raise Misconfigured(cause=f"the secret of game provider {code} is not tenant {tenant_id}'s")
    url = base_url.rstrip("/") + path
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    secret = shared.of(to)[0]
    # The other side's API Gateway delivers the path decoded, and so it is signed.
    signature = signatures.sign_timed(secret, "POST", unquote(urlsplit(url).path), raw, time())
    headers = {f"x-{to}-signature": signature, "x-provider-code": code}
    try:
        reply = partners.post_json(url, raw, headers, deadline.left(), _MOST_BYTES)
        return reply.status, strict_json.parse_object(reply.body)
    except (CallFailed, InvalidRequest) as error:
        raise GameProviderFailed(cause=f"POST {url}: {error}") from error
