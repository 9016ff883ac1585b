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
from causeway.deadlines import Deadline, bounded
from causeway.errors.service import Unavailable

# Seconds for one call to the extension, which runs on this machine.
_TIMEOUT = 1.5
# Seconds in which a secret that is wanted fresh is not read again.
_FRESH = 1.0


@dataclass(frozen=True, slots=True)
class _Kept:
    value: dict[str, Any]
    read_at: ages.Moment


class Secrets:
    """The secrets this execution environment has read; clock: tells the present."""

    def __init__(self, clock: ages.Clock = ages.now) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def has_read(self, name: str) -> bool:
        """Return whether a secret of that name was ever read here."""
        return name in self._kept

    def read(self, name: str, *, fresh: bool = False, deadline: Deadline | None = None) -> dict[str, Any]:
        """Return a secret's JSON object.

        A secret that does not exist and one that cannot be read now look alike: to both the extension answers 400 with
        the same text. Public reports have it answer 400 while it starts and under load too
        (https://github.com/elastic/docs-builder/pull/2501). So no answer of its is taken for "there is none".

        Args:
            name: the secret's name or ARN.
            fresh: read it again even if it was read a moment ago, at most once a second.
            deadline: of the call that needs it.

        Raises:
            Unavailable: the secret cannot be read, or is not a JSON object.
        """
        kept = self._kept.get(name)
        longest = _FRESH if fresh else settings.secret_max_age()
        if kept is not None and ages.age(kept.read_at, self._clock()) < longest:
            return kept.value
        # Its age begins before it is read: it may be replaced while it is on its way.
        began = self._clock()
        value = _fetch(name, _TIMEOUT if deadline is None else min(_TIMEOUT, deadline.left()))
        self._kept[name] = _Kept(value, began)
        return value


@cache
def current() -> Secrets:
    """Return this execution environment's secrets."""
    return Secrets()


def read(name: str, *, fresh: bool = False, deadline: Deadline | None = None) -> dict[str, Any]:
    """Read a secret, as Secrets.read does."""
    return current().read(name, fresh=fresh, deadline=deadline)


def pepper(name: str) -> bytes:
    """Return the pepper of a secret {"pepper": ...}, empty where it holds none; raises as Secrets.read does."""
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
