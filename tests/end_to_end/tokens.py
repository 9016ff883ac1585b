"""Tokens that are good but for one thing, each signed as well as anybody could."""

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from joserfc import jws
from joserfc.jwk import RSAKey
from moto.utilities.utils import load_resource

# moto's own key: a token signed with it is as good as the pool's, so only what a test changes in it is wrong.
POOL_KEY = RSAKey.import_key(load_resource("cognitoidp/resources/jwks-private.json"))
# What is wrong with a token, and what the local JWT authorizer says of it.
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
    """A token's header or claims."""
    return json.loads(urlsafe_b64decode(token.split(".")[position] + "=="))


def encoded(value: bytes) -> str:
    """Base64url as tokens have it."""
    return urlsafe_b64encode(value).decode().rstrip("=")


def signed(claims: dict[str, Any], key: Any = POOL_KEY, kid: str = "dummy") -> str:
    """A token signed with a key, the pool's unless another is given."""
    return jws.serialize_compact({"alg": "RS256", "kid": kid}, json.dumps(claims), key, algorithms=["RS256"])


def by_hand(claims: dict[str, Any], algorithm: str, secret: bytes | None) -> str:
    """A token without signature, or signed with a shared secret, as no library would make it of a public key."""
    header = {"alg": algorithm, "kid": "dummy"}
    content = ".".join(encoded(json.dumps(one).encode()) for one in (header, claims))
    signature = b"" if secret is None else hmac.digest(secret, content.encode(), "sha256")
    return f"{content}.{encoded(signature)}"


def refused_token(kind: str, good: str) -> str:
    """A token that is the good one but for one thing."""
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
