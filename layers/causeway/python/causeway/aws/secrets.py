"""Secrets by name, through the AWS Parameters and Secrets Lambda extension's local HTTP endpoint.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
"""

import json
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from causeway import ages, settings
from causeway.errors.service import Unavailable
from causeway.outbound.deadlines import Deadline, bounded

# Seconds for one call to the extension, which runs beside the function.
_TIMEOUT = 1.5
# A secret read within so many seconds counts as fresh.
_FRESH = 1.0


@dataclass(frozen=True, slots=True)
class _Cached:
    value: dict[str, Any]
    read_at: ages.Moment


class Secrets:
    """The secrets that this execution environment has read.

    Args:
        clock: returns the present.
    """

    def __init__(self, clock: ages.Clock = ages.now) -> None:
        self._clock = clock
        self._cached: dict[str, _Cached] = {}

    def has_read(self, name: str) -> bool:
        """Return whether a secret of that name was ever read here."""
        return name in self._cached

    def read(self, name: str, *, fresh: bool = False, deadline: Deadline | None = None) -> dict[str, Any]:
        """Return a secret's JSON object.

        A 400 of the extension does not prove that the secret does not exist. The extension answers 400 with the same
        text for a secret that does not exist and for one that it cannot read now. Public reports say that it also
        answers 400 while it starts and under load (https://github.com/elastic/docs-builder/pull/2501).

        Args:
            name: the secret's name or ARN.
            fresh: ignore the cache, except for a secret read within the last second.
            deadline: of the call that needs the secret.

        Raises:
            Unavailable: the secret cannot be read, or is not a JSON object.
        """
        cached = self._cached.get(name)
        longest = _FRESH if fresh else settings.secret_max_age()
        if cached is not None and ages.age(cached.read_at, self._clock()) < longest:
            return cached.value
        # The age counts from before the read: the secret may be replaced while the answer is on its way.
        began = self._clock()
        value = _fetch(name, _TIMEOUT if deadline is None else min(_TIMEOUT, deadline.left()))
        self._cached[name] = _Cached(value, began)
        return value


@cache
def current() -> Secrets:
    """Return this execution environment's secrets."""
    return Secrets()


def read(name: str, *, fresh: bool = False, deadline: Deadline | None = None) -> dict[str, Any]:
    """Read a secret, as Secrets.read does."""
    return current().read(name, fresh=fresh, deadline=deadline)


def pepper(name: str) -> bytes:
    """Return the pepper of a secret {"pepper": ...}, empty if it holds none; raises as Secrets.read does."""
    return str(read(name).get("pepper", "")).encode()


def _fetch(name: str, seconds: float) -> dict[str, Any]:
    url = urlsplit(settings.secrets_extension_url())
    token = settings.aws_session_token()
    try:
        status, body = bounded(seconds, lambda: _got(f"{url.path}/secretsmanager/get", url.netloc, name, token))
    except (OSError, HTTPException) as error:
        raise Unavailable(
            cause=f"The secrets extension at {url.netloc} did not answer ({type(error).__name__}): "
            "add its layer to the function, or set SECRETS_EXTENSION_URL"
        ) from error
    if status != 200:
        raise Unavailable(
            cause=f"The secrets extension answered {status} for the secret {name}: it is starting or busy, or there is "
            "no such secret that the role may read; if it lasts, create the secret and allow the role to read it"
        )
    try:
        value = json.loads(json.loads(body)["SecretString"])
    except (ValueError, KeyError, TypeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Unavailable(cause=f"The secret {name} is not a JSON object: store one")
    return value


def _got(path: str, netloc: str, name: str, token: str) -> tuple[int, bytes]:
    connection = HTTPConnection(netloc, timeout=_TIMEOUT)
    try:
        connection.request(
            "GET", f"{path}?secretId={quote(name, safe='')}", headers={"X-Aws-Parameters-Secrets-Token": token}
        )
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
