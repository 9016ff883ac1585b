"""API Gateway's JWT authorizer: checks a request's bearer token and returns its claims.

Source where no other is named: AWS API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers"
(http-api-jwt-authorizer).
"""

import asyncio
import json
import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from local.errors import Refused
from local.gateway.translation import HEADER_LIMIT

# API Gateway supports only algorithms based on RSA; Cognito signs with RS256. The guide does not say whether RSA-PSS
# counts, so it is refused here.
ALGORITHMS = ("RS256", "RS384", "RS512")
# Seconds between two fetches caused by an unknown key: otherwise every bad token would cause one.
REFETCH_SECONDS = 60.0

# Unknown header parameters are ignored (RFC 7515 section 4), except those named by crit.
_REGISTRY = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
_REGISTRY.max_header_length = HEADER_LIMIT


@dataclass(frozen=True)
class Declaration:
    """A JWT authorizer as the template declares it.

    Attributes:
        header: the lower-case name of the header with the token.
    """

    issuer: str
    audience: tuple[str, ...]
    header: str


@dataclass(frozen=True)
class Accepted:
    """A token that was accepted: its claims as events carry them, and its scopes if the route requires some."""

    claims: dict[str, str]
    scopes: list[str] | None


class _Invalid(Exception):
    """The token is not valid; the message is the error_description of www-authenticate."""


class SigningKeys:
    """An issuer's public keys: fetched once, and fetched again when a token names an unknown key.

    API Gateway caches keys for up to two hours; the guide does not say what it does with an unknown key.

    Args:
        fetch: returns the JSON Web Key Set; raises OSError or ValueError if it cannot be read.
        clock: a monotonic clock in seconds.
    """

    def __init__(self, fetch: Callable[[], dict[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._keys: dict[str, Any] | None = None
        self._next_fetch = float("-inf")

    async def find(self, key_id: str) -> Any | None:
        """Return the key of this id, None if the issuer has no such key; raises OSError or ValueError if fetch does."""
        if self._keys is not None and key_id in self._keys:
            return self._keys[key_id]
        async with self._fetching:
            if self._keys is None:
                self._keys = await self._fetched()
            elif key_id not in self._keys and self._clock() >= self._next_fetch:
                self._next_fetch = self._clock() + REFETCH_SECONDS
                self._keys = await self._fetched()
            return self._keys.get(key_id)

    async def _fetched(self) -> dict[str, Any]:
        keys = KeySet.import_key_set(await asyncio.to_thread(self._fetch))  # ty: ignore[invalid-argument-type]
        return {key.kid: key for key in keys.keys if key.kid is not None}


class JwtAuthorizer:
    """Checks tokens as one authorizer of the template.

    Like the real one it checks kid, iss, aud or client_id, exp, nbf, iat and the scopes, and ignores token_use: an
    access token of the same pool is accepted, and the functions must refuse it for the claims that it lacks. AWS
    documents only the description of a wrong audience in www-authenticate (http-api-troubleshooting-jwt); the others
    follow its form.
    """

    def __init__(self, declaration: Declaration, keys: SigningKeys) -> None:
        self._issuer = declaration.issuer
        self._audience = frozenset(declaration.audience)
        self._keys = keys

    async def check(self, value: str | None, scopes: Collection[str] = (), now: float | None = None) -> Accepted:
        """Return the accepted token, or raise Refused: 401, or 403 if only a scope is missing.

        value: of the header: a token, or Bearer and a token (the scheme in any case, RFC 9110 section 11.1). scopes:
        the token must have at least one of them; empty = no scope is required. now: epoch seconds.
        """
        wanted = " ".join(scopes)
        token = _token(value)
        if not token:
            raise Refused(401, "Bearer")
        try:
            claims = await self._signed(token)
            self._check_claims(claims, time.time() if now is None else now)
        except _Invalid as error:
            raise Refused(401, _challenge(wanted, "invalid_token", str(error))) from error
        held = _scopes(claims)
        if scopes and not set(scopes) & set(held):
            description = "the token does not have a scope that the route requires"
            raise Refused(403, _challenge(wanted, "insufficient_scope", description))
        texts = {name: claim_text(claim) for name, claim in claims.items() if claim is not None}
        return Accepted(texts, held if scopes else None)

    async def _signed(self, token: str) -> dict[str, Any]:
        """The claims of a token, after a check of its signature."""
        try:
            unchecked = jws.extract_compact(token.encode(), registry=_REGISTRY)
            header = unchecked.headers()
            algorithm, key_id = header.get("alg"), header.get("kid")
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise _Invalid("the token cannot be decoded") from error
        if algorithm not in ALGORITHMS:
            raise _Invalid("the token's signing algorithm is not supported")
        try:
            key = await self._keys.find(key_id) if isinstance(key_id, str) else None
        except (JoseError, OSError, ValueError) as error:
            raise _Invalid("the issuer's keys cannot be read") from error
        if key is None:
            raise _Invalid("the token's kid names no key of the issuer")
        try:
            good = jws.validate_compact(unchecked, key, registry=_REGISTRY)
            claims = json.loads(unchecked.payload) if good else None
        except (JoseError, ValueError, RecursionError) as error:
            raise _Invalid("the token cannot be decoded") from error
        if not good:
            raise _Invalid("the token's signature is invalid")
        if not isinstance(claims, dict):
            raise _Invalid("the token cannot be decoded")
        return claims

    def _check_claims(self, claims: Mapping[str, Any], now: float) -> None:
        if claims.get("iss") != self._issuer:
            raise _Invalid("the token does not have a valid issuer")
        # client_id is read only if there is no aud.
        audience = claims.get("aud", claims.get("client_id"))
        named = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(one, str) and one in self._audience for one in named):
            raise _Invalid("the token does not have a valid audience")
        # A claim that is not a number becomes NaN, which fails every comparison.
        if not _moment(claims.get("exp")) > now:
            raise _Invalid("the token has expired")
        for name, description in (
            ("nbf", "the token is not valid yet"),
            ("iat", "the token was issued in the future"),
        ):
            if name in claims and not _moment(claims[name]) <= now:
                raise _Invalid(description)


def claim_text(claim: Any) -> str:
    """Return a claim's value as payload format 2.0 carries it: always a text; a list becomes "[one two]".

    AWS does not document this. It was measured on an HTTP API with Cognito in github.com/floci-io/floci/pull/2011,
    which also found that a claim with the value null is left out.
    """
    if isinstance(claim, str):
        return claim
    if isinstance(claim, list):
        return f"[{' '.join(claim_text(one) for one in claim)}]"
    return json.dumps(claim, separators=(",", ":"))


def _token(value: str | None) -> str:
    scheme, _, rest = (value or "").strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else (value or "").strip()


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    """The token's scopes: a list or a space-separated text, in scope or scp."""
    held = claims.get("scope", claims.get("scp"))
    if isinstance(held, str):
        return held.split()
    return [one for one in held if isinstance(one, str)] if isinstance(held, list) else []


def _moment(claim: Any) -> float:
    return claim if isinstance(claim, int | float) and not isinstance(claim, bool) else math.nan


def _challenge(scopes: str, error: str, description: str) -> str:
    return f'Bearer scope="{scopes}" error="{error}" error_description="{description}"'
