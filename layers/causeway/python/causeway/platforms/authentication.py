"""Authentication of calls, by the part `authentication` of the catalogue's document."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from causeway.outbound.deadlines import Deadline
from causeway.platforms.account import Account, Log
from causeway.platforms.token_calls import basic
from causeway.platforms.tokens import TokenSource


@dataclass(frozen=True, slots=True)
class AuthenticationFields:
    """The fields that authenticate a request.

    Attributes:
        headers: to be sent with it.
        query: parameters to be sent with it.
        derived: values derived from the secrets: redact these as well.
        renewable: the access token that stands in them, for which another one may be got when the platform refuses it.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    derived: tuple[str, ...] = ()
    renewable: str | None = None


def authenticate(
    account: Account,
    content: bytes,
    log: Log,
    tokens: TokenSource,
    *,
    refused: str | None = None,
    deadline: Deadline | None = None,
) -> AuthenticationFields:
    """Return the fields that authenticate a request.

    Args:
        account: whose secrets are used.
        content: the body of the request.
        log: takes the record of a call for a token.
        tokens: gives the access token of OAuth 2.
        refused: the renewable token that the platform has just refused with 401: get another one.
        deadline: of the call that the request belongs to.

    Raises:
        TokenRefused: the platform gave no token.
        CallFailed: the call for a token got no usable answer, or the configuration lacks a field.
    """
    wanted = account.provider.authentication
    match wanted["type"]:
        case "basic":
            proof = basic(account.filled(wanted["username"]), account.filled(wanted["password"]))
            return AuthenticationFields({"Authorization": proof})
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
            if refused is None:
                token = tokens.current(account, log, deadline)
            else:
                token = tokens.renewed(account, log, refused, deadline)
            return AuthenticationFields({"Authorization": f"Bearer {token}"}, derived=(token,), renewable=token)
    return AuthenticationFields()
