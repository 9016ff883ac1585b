"""Game providers: the secrets that a tenant shares with one, and by which of them a signed call is proved."""

import re
from dataclasses import dataclass
from time import time
from typing import Any, Literal

from causeway import secrets, settings, signatures
from causeway.errors import Misconfigured, SignatureInvalid

# Whose calls a secret signs: those to the casino, or those to the game provider.
Direction = Literal["casino", "provider"]

_CODE = re.compile(r"[A-Z0-9_]{1,64}")
# Characters a shared secret has at least.
_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class GameProvider:
    """The game provider on one end of a signed call, and the tenant on the other."""

    tenant_id: str
    code: str
    # The signature did not cover time and path; the provider's dialect says whether that will do.
    bare_signature: bool


@dataclass(frozen=True, slots=True)
class SharedSecrets:
    """The secrets a tenant shares with a game provider, the current one first."""

    tenant_id: str
    casino: tuple[str, ...]
    provider: tuple[str, ...]


def shared_secrets(code: str, *, fresh: bool = False) -> SharedSecrets | None:
    """Return the secrets shared with a game provider, None where there is none of that code.

    Args:
        code: the provider's code; unique in the deployment, as a caller's tenant is found by it.
        fresh: read them again even if they were read a moment ago.

    Raises:
        Unavailable: the secrets cannot be read.
        Misconfigured: the secret is not of the form {"tenant_id", "casino_secrets", "provider_secrets"}.
    """
    if not _CODE.fullmatch(code):
        return None
    secret = secrets.read(f"{settings.game_provider_secrets()}/{code}", fresh=fresh)
    if secret is None:
        return None
    return SharedSecrets(str(secret.get("tenant_id")), _keys(secret, code, "casino"), _keys(secret, code, "provider"))


def _keys(secret: dict[str, Any], code: str, direction: Direction) -> tuple[str, ...]:
    keys = secret.get(f"{direction}_secrets")
    if not isinstance(keys, list) or not keys or any(not isinstance(key, str) or len(key) < _SHORTEST for key in keys):
        raise Misconfigured(
            cause=f"{direction}_secrets of game provider {code}'s secret must be a list of at least one text "
            f"of {_SHORTEST} characters or more"
        )
    return tuple(keys)


def authenticate(
    direction: Direction, code: str, signature: str, method: str, path: str, body: bytes
) -> tuple[GameProvider, str]:
    """Return who signed a call, and with which secret: the answer is signed with the same.

    A signature that does not match is tried once more with the secrets read anew, so that a new secret works at once.

    Args:
        direction: whose secret signs the call.
        code: the game provider's code.
        signature: the signature header, '' where it was missing.
        method: the request's method.
        path: the request's path as sent.
        body: the raw bytes received.

    Raises:
        SignatureInvalid: no such provider, or no secret of its matches.
        Unavailable, Misconfigured: the secrets cannot be read.
    """
    for fresh in (False, True) if signature else ():
        shared = shared_secrets(code, fresh=fresh)
        if shared is None:
            continue
        keys = shared.casino if direction == "casino" else shared.provider
        for key in keys:
            if signatures.verify(signature, [key], method, path, body, time()):
                return GameProvider(shared.tenant_id, code, signatures.is_bare(signature)), key
    raise SignatureInvalid
