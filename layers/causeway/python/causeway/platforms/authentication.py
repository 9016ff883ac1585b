"""Authentication of calls, by the part `authentication` of the catalogue's document."""

import hmac
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from causeway.outbound.client import send
from causeway.outbound.failures import CallFailed, Garbled
from causeway.outbound.replies import Reply
from causeway.platforms.account import Account, Log

# RFC 6749, A.12. The token is sent in a header, so no other characters are taken.
_ACCESS_TOKEN = re.compile(r"[ -~]{1,8192}")


@dataclass(frozen=True, slots=True)
class AuthenticationFields:
    """The fields that authenticate a request.

    Attributes:
        headers: to be sent with it.
        query: parameters to be sent with it.
        derived: values derived from the secrets: redact these as well.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    derived: tuple[str, ...] = ()


class TokenRefused(CallFailed):
    """The platform's token endpoint gave no access token"""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"no token: status {reply.status}")
        # RFC 6749, 5.2: an unknown client may be refused with 400.
        self.reply = Reply(401, reply.headers, reply.body) if reply.status == 400 else reply


def authenticate(account: Account, content: bytes, log: Log) -> AuthenticationFields:
    """Return the fields that authenticate a request; for OAuth 2, call the platform for a token first.

    Args:
        account: whose secrets are used.
        content: the body of the request.
        log: takes the record of the call for a token, which has the client's whole budget.

    Raises:
        TokenRefused: the platform gave no token.
        CallFailed: the call for a token got no usable answer, or the configuration lacks a field.
    """
    wanted = account.provider.authentication
    match wanted["type"]:
        case "basic":
            basic = _basic(account.filled(wanted["username"]), account.filled(wanted["password"]))
            return AuthenticationFields({"Authorization": basic})
        case "bearer":
            return AuthenticationFields({"Authorization": f"Bearer {account.filled(wanted['token'])}"})
        case "header":
            return AuthenticationFields({wanted["name"]: account.filled(wanted["value"])})
        case "query":
            return AuthenticationFields(query={wanted["name"]: account.filled(wanted["value"])})
        case "hmac":
            digest = hmac.digest(account.filled(wanted["secret"]).encode(), content, wanted["algorithm"])
            signature = digest.hex() if wanted["encoding"] == "hex" else b64encode(digest).decode()
            return AuthenticationFields({wanted["header"]: signature}, derived=(signature,))
        case "oauth2_client_credentials" | "oauth2_refresh_token":
            token = _token(account, wanted, log)
            return AuthenticationFields({"Authorization": f"Bearer {token}"}, derived=(token,))
    return AuthenticationFields()


def _basic(username: str, password: str) -> str:
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


def _token(account: Account, wanted: Mapping[str, Any], log: Log) -> str:
    """Return an access token, got by the client's credentials (RFC 6749, 4.4) or a refresh token (RFC 6749, 6)."""
    reply = _token_reply(account, wanted, log)
    try:
        token = json.loads(reply.body)["access_token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if reply.status >= 300:
        raise TokenRefused(reply)
    if not isinstance(token, str) or not _ACCESS_TOKEN.fullmatch(token):
        raise Garbled("the answer to the call for a token has none")
    return token


def _token_reply(account: Account, wanted: Mapping[str, Any], log: Log) -> Reply:
    client_id, client_secret = account.filled(wanted["client_id"]), account.filled(wanted["client_secret"])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if wanted["type"] == "oauth2_refresh_token":
        url = wanted["token_url"]
        form = {"grant_type": "refresh_token", "refresh_token": account.filled(wanted["refresh_token"])}
    else:
        url = account.url(account.filled_path(wanted["token_path"]))
        scope = {"scope": account.filled(wanted["scope"])} if "scope" in wanted else {}
        form = {"grant_type": "client_credentials"} | scope
    if wanted.get("client_auth") == "basic":
        headers["Authorization"] = _basic(client_id, client_secret)
    else:
        form |= {"client_id": client_id, "client_secret": client_secret}
    try:
        return send(
            "POST",
            url,
            log=log,
            headers=headers,
            body=urlencode(form).encode(),
            secrets=account.secrets.values(),
        )
    except CallFailed as failure:
        # The request that needs the token was not sent.
        failure.sent = False
        raise
