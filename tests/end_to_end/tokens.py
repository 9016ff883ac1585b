"""Bad tokens: each differs from a valid token in one thing."""

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from joserfc import jws
from joserfc.jwk import RSAKey
from moto.utilities.utils import load_resource

# moto's own key: a token signed with it is valid, apart from what a test changes in it.
POOL_KEY = RSAKey.import_key(load_resource("cognitoidp/resources/jwks-private.json"))
# What is wrong with a token -> the local JWT authorizer's description.
KINDS = {
    "alg none": "the token's signing algorithm is not supported",
    "alg None": "the token's signing algorithm is not supported",
    "signature cut off": "the token's signature is invalid",
    "HS256 with the public key": "the token's signing algorithm is not supported",
    "unknown kid": "the token's kid names no key of the issuer",
    "unknown key": "the token's signature is invalid",
    "expired": "the token has expired",
    "without expiry": "the token has expired",
    "from the future": "the token was issued in the future",
    "not valid yet": "the token is not valid yet",
    "wrong audience": "the token does not have a valid audience",
    "wrong issuer": "the token does not have a valid issuer",
    "malformed": "the token cannot be decoded",
    "claims changed": "the token's signature is invalid",
}


def part(token: str, position: int) -> dict[str, Any]:
    """Return a token's header (position 0) or claims (position 1)."""
    return json.loads(urlsafe_b64decode(token.split(".")[position] + "=="))


def encoded(value: bytes) -> str:
    """Return base64url without padding, as in tokens."""
    return urlsafe_b64encode(value).decode().rstrip("=")


def signed(claims: dict[str, Any], key: Any = POOL_KEY, kid: str = "dummy") -> str:
    """Return a token signed with a key; the default is the pool's key."""
    return jws.serialize_compact({"alg": "RS256", "kid": kid}, json.dumps(claims), key, algorithms=["RS256"])


def by_hand(claims: dict[str, Any], algorithm: str, secret: bytes | None) -> str:
    """Return a token without a signature, or with an HMAC of a shared secret; libraries refuse to make these."""
    header = {"alg": algorithm, "kid": "dummy"}
    content = ".".join(encoded(json.dumps(one).encode()) for one in (header, claims))
    signature = b"" if secret is None else hmac.digest(secret, content.encode(), "sha256")
    return f"{content}.{encoded(signature)}"


def refused_token(kind: str, good: str) -> str:
    """Return the good token with one thing wrong."""
    claims, now = part(good, 1), int(time.time())
    head, payload, signature = good.split(".")
    stranger = RSAKey.generate_key(2048)
    promoted = encoded(json.dumps(claims | {"cognito:groups": ["super_admin"]}).encode())
    return {
        "alg none": by_hand(claims, "none", None),
        "alg None": by_hand(claims, "None", None),
        "signature cut off": f"{head}.{payload}.",
        "HS256 with the public key": by_hand(claims, "HS256", POOL_KEY.as_pem(private=False)),
        "unknown kid": signed(claims, stranger, kid="stranger"),
        "unknown key": signed(claims, stranger),
        "expired": signed(claims | {"iat": now - 7200, "exp": now - 3600}),
        "without expiry": signed({name: claim for name, claim in claims.items() if name != "exp"}),
        "from the future": signed(claims | {"iat": now + 3600, "exp": now + 7200}),
        "not valid yet": signed(claims | {"nbf": now + 3600}),
        "wrong audience": signed(claims | {"aud": "another-client"}),
        "wrong issuer": signed(claims | {"iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_other"}),
        "malformed": "eyJ",
        "claims changed": f"{head}.{promoted}.{signature}",
    }[kind]
