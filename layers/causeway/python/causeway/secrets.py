"""Secrets by name, through the AWS Parameters and Secrets Lambda extension's local HTTP endpoint.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
"""

import json
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit

from causeway import settings
from causeway.errors import Unavailable

# Seconds for one call to the extension, which runs on this machine.
_TIMEOUT = 1.5
# Names remembered at most; beyond it those without a secret are forgotten: only made-up names fill it.
_MOST_NAMES = 1000

_cache: dict[str, tuple[float, dict[str, Any] | None]] = {}


def read(name: str, *, fresh: bool = False) -> dict[str, Any] | None:
    """Return a secret's JSON object, or None where no secret of that name exists, or the role may not read it.

    Args:
        name: the secret's name or ARN.
        fresh: read it again even if it was read a moment ago, at most once a second.

    Raises:
        Unavailable: the extension did not answer, or the secret is not a JSON object.
    """
    now = monotonic()
    kept = _cache.get(name)
    if kept is not None and now - kept[0] < (1.0 if fresh else settings.secret_max_age()):
        return kept[1]
    value = _fetch(name)
    if len(_cache) >= _MOST_NAMES:
        for unknown in [known for known, (_, secret) in _cache.items() if secret is None]:
            del _cache[unknown]
    _cache[name] = (now, value)
    return value


def _fetch(name: str) -> dict[str, Any] | None:
    url = urlsplit(settings.secrets_extension_url())
    connection = HTTPConnection(url.hostname or "localhost", url.port or 80, timeout=_TIMEOUT)
    try:
        connection.request(
            "GET",
            f"{url.path}/secretsmanager/get?secretId={quote(name, safe='')}",
            headers={"X-Aws-Parameters-Secrets-Token": settings.aws_session_token()},
        )
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException) as error:
        raise Unavailable(
            cause=f"The secrets extension at {url.netloc} did not answer ({type(error).__name__}): "
            "add its layer to the function, or set SECRETS_EXTENSION_URL"
        ) from error
    finally:
        connection.close()
    # The extension answers one text to whatever Secrets Manager refuses, and this one before it is ready.
    if response.status == 400 and b"not ready" not in body:
        return None
    if response.status != 200:
        raise Unavailable(
            cause=f"The secrets extension answered {response.status} for the secret {name}: allow the role to read it"
        )
    try:
        value = json.loads(json.loads(body)["SecretString"])
    except (ValueError, KeyError, TypeError):
        value = None
    if not isinstance(value, dict):
        raise Unavailable(cause=f"The secret {name} is not a JSON object: store one")
    return value
