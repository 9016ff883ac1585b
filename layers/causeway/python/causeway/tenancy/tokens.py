"""ID tokens of the user pool, checked as API Gateway's JWT authorizer checks them on other routes.

Checks: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html. Limits of time and
size for an issuer's keys: http-api-quotas.html in the same guide.
"""

import json
import ssl
from functools import cache
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from causeway import ages, settings
from causeway.errors.service import Unavailable
from causeway.errors.tenancy import Unauthorized
from causeway.outbound import happy_eyeballs
from causeway.outbound.deadlines import Deadline, bounded

_ALGORITHMS = ["RS256", "RS384", "RS512"]
# The claims that identify a person. All other claims are dropped.
_CLAIMS = (
    *("sub", "token_use", "cognito:groups", "custom:tenant_id", "custom:player_id"),
    *("name", "email", "email_verified"),
)
# Seconds for fetching the keys, from looking up the address to the last byte. The most bytes of the keys. Seconds in
# which an issuer that failed is not asked again.
FETCH_SECONDS = 3.0
_MOST_BYTES = 150_000
_PAUSE = 5.0
# Seconds after which keys are fetched again. Seconds in which unknown key ids cause at most one fetch: otherwise
# anybody could cause fetches by invented key ids.
_MAX_AGE = 7200.0
_PATIENCE = 60.0


class SigningKeys:
    """The issuer's public keys by id, cached over calls.

    Args:
        clock: returns the current time.
    """

    def __init__(self, clock: ages.Clock = ages.now) -> None:
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._fetched = self._asked = self._failed = ages.NEVER

    def find(self, key_id: str) -> Any | None:
        """Return a key, None if the issuer has no key of this id; raises Unavailable if the issuer does not answer."""
        now = self._clock()
        held = self._keys.get(key_id)
        old = ages.age(self._fetched, now) > _MAX_AGE
        if not old and (held is not None or ages.age(self._asked, now) <= _PATIENCE):
            return held
        try:
            self._renew(now)
        except Unavailable:
            # Accept a cached key while the issuer does not answer.
            if held is None:
                raise
            return held
        if not old:
            self._asked = now
        return self._keys.get(key_id)

    def _renew(self, now: ages.Moment) -> None:
        if ages.age(self._failed, now) < _PAUSE:
            raise _unreadable("the issuer failed a moment ago")
        try:
            self._keys, self._fetched = _fetch(), now
        except Unavailable:
            self._failed = now
            raise


@cache
def current() -> SigningKeys:
    """Return this execution environment's keys."""
    return SigningKeys()


def bearer(authorization: str) -> str:
    """Return the token of an Authorization header: the whole value, or the part after "Bearer" in any case."""
    scheme, _, rest = authorization.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else authorization.strip()


def is_like_token(text: str) -> bool:
    """Return whether a text begins as a token does, with a JSON object in base64url; no API key begins so."""
    return text.startswith("eyJ")


def check(token: str) -> dict[str, str]:
    """Return the claims of a token that identify a person, in the form in which API Gateway passes claims on.

    Raises:
        Unauthorized: the token is malformed, expired or not yet valid, of another issuer or audience, or not signed by
            the issuer; or its groups are a text that looks like a list.
        Unavailable: the issuer's keys cannot be read.
    """
    # Imported here: a call with an API key does not need it.
    import jwt

    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        key = current().find(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise Unauthorized(cause="the token's kid names no key of the issuer")
        claims = jwt.decode(
            token,
            key,
            algorithms=_ALGORITHMS,
            issuer=settings.token_issuer(),
            audience=settings.token_audience(),
            options={"require": ["exp", "iss", "aud"]},
        )
    # The signature is checked first, so this sentence goes only to owners of the token.
    except jwt.ExpiredSignatureError as error:
        raise Unauthorized("The token has expired: log in again") from error
    # A deeply nested JSON raises RecursionError.
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise Unauthorized(cause=f"the token is refused: {type(error).__name__}") from error
    groups = claims.get("cognito:groups")
    if isinstance(groups, str) and groups.startswith("["):
        raise Unauthorized(cause="the token's groups are a text that reads like a list")
    return {name: _text(claims[name]) for name in _CLAIMS if claims.get(name) is not None}


def _text(claim: Any) -> str:
    """Return a claim as API Gateway writes it: a list as [a b], other values that are no text as JSON.

    Measured in https://github.com/floci-io/floci/pull/2011. `claims` refuses a text that is ambiguous.
    """
    if isinstance(claim, str):
        return claim
    if isinstance(claim, list):
        return f"[{' '.join(_text(one) for one in claim)}]"
    return json.dumps(claim, separators=(",", ":"))


def _fetch() -> dict[str, Any]:
    """Return the issuer's RSA keys by their ids."""
    from jwt import PyJWK, PyJWTError

    body = _read(settings.token_keys_url())
    try:
        given = json.loads(body)["keys"]
        keys = {one["kid"]: PyJWK(one) for one in given if one["kty"] == "RSA" and "kid" in one}
    except (ValueError, KeyError, TypeError, RecursionError, PyJWTError) as error:
        raise _unreadable(f"they are no JSON Web Key Set ({type(error).__name__})") from error
    if not keys:
        # An issuer without keys is a failure: it does not mean that the key id is unknown.
        raise _unreadable("the issuer answered with no RSA key")
    return keys


def _read(url: str) -> bytes:
    """Return the whole body if it arrives in time; a socket's own timeout starts again with every byte."""
    place = urlsplit(url).netloc
    try:
        status, body = bounded(FETCH_SECONDS, lambda: _got(url))
    except TimeoutError as error:
        raise _unreadable(f"{place} did not answer within {FETCH_SECONDS:g} s") from error
    except (OSError, HTTPException) as error:
        raise _unreadable(f"{place} did not answer ({type(error).__name__})") from error
    if status != 200:
        raise _unreadable(f"{place} answered {status}")
    return body


def _got(url: str) -> tuple[int, bytes]:
    address, deadline = urlsplit(url), Deadline(FETCH_SECONDS)
    host, secure = address.hostname or "", address.scheme == "https"
    # http.client gives each address the whole timeout: a silent address would use up the time of the others.
    dialled = happy_eyeballs.resolve_and_connect(host, address.port or (443 if secure else 80), deadline)
    connection = HTTPConnection(address.netloc)
    try:
        connection.sock = ssl.create_default_context().wrap_socket(dialled, server_hostname=host) if secure else dialled
        connection.request("GET", address.path)
        response = connection.getresponse()
        return response.status, response.read(_MOST_BYTES)
    finally:
        connection.close()
        dialled.close()


def _unreadable(why: str) -> Unavailable:
    return Unavailable(cause=f"The issuer's keys cannot be read, {why}: see TOKEN_KEYS_URL, and the way to the outside")
