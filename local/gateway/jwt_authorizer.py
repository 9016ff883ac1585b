"""API Gateway's JWT authorizer: whether a request's bearer token lets it pass, and the claims that it brings.

Facts from the AWS API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers"
(http-api-jwt-authorizer), where nothing else is named.
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

# Only algorithms based on RSA are supported; Cognito signs with the first. The guide does not say whether that means
# RSA-PSS too, so it is refused here.
ALGORITHMS = ("RS256", "RS384", "RS512")
# Seconds after keys were fetched again in which no other unknown key has them fetched: else every bad token would.
REFETCH_SECONDS = 60.0

# Header parameters that nobody knows are ignored (RFC 7515 section 4), those under crit are not.
_REGISTRY = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
_REGISTRY.max_header_length = HEADER_LIMIT


@dataclass(frozen=True)
class Declaration:
    """A JWT authorizer as the template declares it; header is the lower-case name of the header with the token."""

    issuer: str
    audience: tuple[str, ...]
    header: str


@dataclass(frozen=True)
class Passed:
    """A token that lets its request pass: its claims as events carry them, and its scopes where the route asks."""

    claims: dict[str, str]
    scopes: list[str] | None


class _Invalid(Exception):
    """What is wrong with a token, in the words that www-authenticate carries."""


class SigningKeys:
    """An issuer's public keys: fetched once, and again when a token names one that is not among them.

    API Gateway caches them for up to two hours and does not say what an unknown key makes it do. fetch: returns
    the JSON Web Key Set; an OSError or ValueError of its means that there are none. clock: seconds that only grow.
    """

    def __init__(self, fetch: Callable[[], dict[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._keys: dict[str, Any] | None = None
        self._settled_until = float("-inf")

    async def find(self, key_id: str) -> Any | None:
        """The key of this id, None if the issuer has none; raises OSError or ValueError when it cannot be asked."""
        if self._keys is not None and key_id in self._keys:
            return self._keys[key_id]
        async with self._fetching:
            if self._keys is None:
                self._keys = await self._fetched()
            elif key_id not in self._keys and self._clock() >= self._settled_until:
                self._settled_until = self._clock() + REFETCH_SECONDS
                self._keys = await self._fetched()
            return self._keys.get(key_id)

    async def _fetched(self) -> dict[str, Any]:
        keys = KeySet.import_key_set(await asyncio.to_thread(self._fetch))  # ty: ignore[invalid-argument-type]
        return {key.kid: key for key in keys.keys if key.kid is not None}


class JwtAuthorizer:
    """Checks tokens as one authorizer of the template wants them.

    As the real one it looks at kid, iss, aud or client_id, exp, nbf, iat and the scopes, and not at token_use: an
    access token of the same pool passes, and it is for the functions to miss the claims that it lacks. Of the
    descriptions in www-authenticate AWS documents that of a wrong audience (http-api-troubleshooting-jwt); the
    others are said here in the same form.
    """

    def __init__(self, declaration: Declaration, keys: SigningKeys) -> None:
        self._issuer = declaration.issuer
        self._audience = frozenset(declaration.audience)
        self._keys = keys

    async def check(self, value: str | None, scopes: Collection[str] = (), now: float | None = None) -> Passed:
        """Lets a request pass or raises Refused: 401, or 403 where only a scope lacks.

        value: of the header: a token, or Bearer and a token (the scheme in any case, RFC 9110 section 11.1). scopes:
        those of which the route wants at least one; none = it asks for none. now: epoch seconds.
        """
        wanted = " ".join(scopes)
        token = _token(value)
        if not token:
            raise Refused(401, "Bearer")
        try:
            claims = await self._signed(token)
            self._judge(claims, time.time() if now is None else now)
        except _Invalid as error:
            raise Refused(401, _challenge(wanted, "invalid_token", str(error))) from error
        held = _scopes(claims)
        if scopes and not set(scopes) & set(held):
            description = "the token does not have a scope that the route demands"
            raise Refused(403, _challenge(wanted, "insufficient_scope", description))
        texts = {name: claim_text(claim) for name, claim in claims.items() if claim is not None}
        return Passed(texts, held if scopes else None)

    async def _signed(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature is good."""
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

    def _judge(self, claims: Mapping[str, Any], now: float) -> None:
        if claims.get("iss") != self._issuer:
            raise _Invalid("the token does not have a valid issuer")
        # client_id counts only where there is no aud.
        audience = claims.get("aud", claims.get("client_id"))
        named = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(one, str) and one in self._audience for one in named):
            raise _Invalid("the token does not have a valid audience")
        # A claim that is no number fails every comparison, as not-a-number does.
        if not _moment(claims.get("exp")) > now:
            raise _Invalid("the token has expired")
        for name, description in (
            ("nbf", "the token is not valid yet"),
            ("iat", "the token was issued in the future"),
        ):
            if name in claims and not _moment(claims[name]) <= now:
                raise _Invalid(description)


def claim_text(claim: Any) -> str:
    """A claim's value as payload format 2.0 carries it: everything is a text, a list is "[one two]".

    AWS documents neither; measured on an HTTP API before Cognito, in github.com/floci-io/floci/pull/2011, which
    also found that a claim that is null is left out.
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
    """The token's scopes: a list, or a text with spaces between, in scope or scp."""
    held = claims.get("scope", claims.get("scp"))
    if isinstance(held, str):
        return held.split()
    return [one for one in held if isinstance(one, str)] if isinstance(held, list) else []


def _moment(claim: Any) -> float:
    return claim if isinstance(claim, int | float) and not isinstance(claim, bool) else math.nan


def _challenge(scopes: str, error: str, description: str) -> str:
    return f'Bearer scope="{scopes}" error="{error}" error_description="{description}"'
