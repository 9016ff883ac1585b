"""Authentication of signed calls between casinos and game providers, by the secrets that a tenant shares with each."""

from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Any, Literal
from uuid import UUID

from causeway import settings
from causeway.aws import secrets
from causeway.errors.game_signing import SignatureInvalid
from causeway.errors.service import Misconfigured
from causeway.game_signing import signatures
from causeway.outbound.deadlines import Deadline
from causeway.wire.field_readers import CODE

# The side that is called. A secret signs the calls to one side.
Side = Literal["casino", "provider"]

# Characters that a shared secret has at least.
_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class GameProvider:
    """The game provider of a signed call, and the tenant on the other side.

    Attributes:
        bare_signature: the signature covered only the body; the provider's dialect says if the casino accepts it.
    """

    tenant_id: UUID
    code: str
    bare_signature: bool


@dataclass(frozen=True, slots=True)
class SharedSecrets:
    """The secrets that a tenant shares with a game provider, by the side that is called; the current one first.

    Attributes:
        code: the game provider's.
        tenant: the tenant's id as the secret has it.
    """

    code: str
    tenant: Any
    casino: tuple[str, ...]
    provider: tuple[str, ...]

    @property
    def tenant_id(self) -> UUID:
        """The tenant's id; raises Misconfigured if it is not a UUID.

        It is parsed on use, after the signature is verified: without a valid signature the answer is SIGNATURE_INVALID.
        """
        try:
            return UUID(self.tenant)
        except (ValueError, TypeError, AttributeError) as error:
            cause = f"tenant_id of game provider {self.code}'s secret must be a tenant's id"
            raise Misconfigured(cause=cause) from error

    def of(self, side: Side) -> tuple[str, ...]:
        """Return the secrets that sign the calls to a side."""
        return self.casino if side == "casino" else self.provider


def shared_secrets(code: str, *, fresh: bool, deadline: Deadline) -> SharedSecrets:
    """Return the secrets that are shared with a known game provider.

    Args:
        code: the provider's code; unique in the deployment, because a call's tenant is found by it.
        fresh: read them again, even if they were just read.
        deadline: of the call that needs them.

    Raises:
        Unavailable: the secrets cannot be read.
        Misconfigured: casino_secrets or provider_secrets of the secret is not a list of long enough texts.
    """
    secret = secrets.read(_secret_name(code), fresh=fresh, deadline=deadline)
    return SharedSecrets(code, secret.get("tenant_id"), _keys(secret, code, "casino"), _keys(secret, code, "provider"))


def _secret_name(code: str) -> str:
    return f"{settings.game_provider_secrets()}/{code}"


def is_known(code: str, ask: Callable[[str], bool]) -> bool:
    """Return whether a game provider of that code exists, before a secret is read for the code.

    The secret store does not say whether a secret exists, and a stranger can send any code: the database is asked
    first. A code whose secret was read in this execution environment exists.

    Args:
        code: as the caller sent it.
        ask: asks the database of the side that is called; raises Unavailable if it does not answer.
    """
    if not CODE.fullmatch(code):
        return False
    return secrets.current().has_read(_secret_name(code)) or ask(code)


def _keys(secret: dict[str, Any], code: str, side: Side) -> tuple[str, ...]:
    keys = secret.get(f"{side}_secrets")
    if not isinstance(keys, list) or not keys or any(not isinstance(key, str) or len(key) < _SHORTEST for key in keys):
        raise Misconfigured(
            cause=f"{side}_secrets of game provider {code}'s secret must be a list of at least one text "
            f"of {_SHORTEST} characters or more"
        )
    return tuple(keys)


def authenticate(
    side: Side, code: str, signature: str, method: str, path: str, body: bytes, deadline: Deadline
) -> tuple[GameProvider, str]:
    """Return the game provider of a signed call, and the secret that signed it.

    A signature that does not match is checked once more with secrets that are read again: a new secret works at once.

    Args:
        side: which is called.
        code: of a known game provider.
        signature: the signature header, '' where it is missing.
        method: the request's method.
        path: the request's path as API Gateway delivers it: decoded, without the query.
        body: the raw bytes received.
        deadline: of the call.

    Raises:
        SignatureInvalid: none of the provider's secrets matches.
        Unavailable, Misconfigured: the secrets cannot be read.
    """
    for fresh in (False, True) if signature else ():
        shared = shared_secrets(code, fresh=fresh, deadline=deadline)
        for secret in shared.of(side):
            if signatures.verify(signature, [secret], method, path, body, time()):
                return GameProvider(shared.tenant_id, code, signatures.is_bare(signature)), secret
    raise SignatureInvalid
