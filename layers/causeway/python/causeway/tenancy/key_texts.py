"""The text of an API key: made once, and read in each call of a machine.

A key is "cwk_" and 64 bytes in base64url: the tenant's id, the key's id, and 32 random bytes. The ids say where to look
the key up, inside the tenant that it claims; the hash of the random bytes proves it.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from typing import LiteralString
from uuid import UUID

from causeway.database.postgres import Database
from causeway.errors.tenancy import Unauthorized
from causeway.rate_limits import limiter
from causeway.rate_limits.decisions import Decision
from causeway.tenancy import machine_limits
from causeway.tenancy.identity import Caller, of_machine
from causeway.wire import base64url

_PREFIX = "cwk_"
# 64 bytes in base64url.
_KEY = re.compile(rf"{_PREFIX}([A-Za-z0-9_-]{{86}})")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key. Its text is shown once and stored nowhere."""

    key_id: UUID
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.key_id})"


def make(tenant_id: UUID, key_id: UUID) -> tuple[NewKey, bytes]:
    """Return a new key, and the hash to store."""
    secret = token_bytes(32)
    text = _PREFIX + base64url.encode(tenant_id.bytes + key_id.bytes + secret)
    return NewKey(key_id, text), sha256(secret).digest()


def looks_like_key(text: str) -> bool:
    """Return whether a text begins as an API key does; no token begins so."""
    return text.startswith(_PREFIX)


@dataclass(frozen=True, slots=True)
class UsedKey:
    """The use of an API key.

    Attributes:
        machine: the key's.
        decision: about the limits of the key and its tenant; None: the use is not counted.
    """

    machine: Caller
    decision: Decision | None


_FROM: LiteralString = """
    FROM api_key_use_v1(
        p_tenant_id => %(tenant_id)s, p_key_id => %(key_id)s, p_hash => %(hash)s, p_source_ip => %(source_ip)s,
        p_request_id => %(request_id)s
    ) AS k
"""
_USED: LiteralString = f"SELECT k.channel {_FROM}"
# An unknown key has no row, so it counts for nobody.
_COUNTED: LiteralString = f"SELECT k.channel, {limiter.TAKE} AS taken {_FROM}"


def use(
    database: Database,
    text: str,
    source_ip: str | None = None,
    request_id: str | None = None,
    *,
    counted: bool = False,
) -> UsedKey:
    """Return the machine of an API key, and store the minute of the key's last use, by one statement.

    The use of a revoked key is recorded in its tenant's audit log, at most once in five minutes.

    Args:
        database: of the hub's login.
        text: as sent.
        source_ip: of the caller.
        request_id: of the call.
        counted: take the call from the limits of the key and its tenant.

    Raises:
        Unauthorized: the key is malformed, unknown or revoked; nothing is counted.
        Unavailable: the database did not answer.
    """
    tenant_id, key_id, digest = _parts(text)
    parameters = {
        "tenant_id": tenant_id,
        "key_id": key_id,
        "hash": digest,
        "source_ip": source_ip,
        "request_id": request_id,
    }
    asked = limiter.Asked(machine_limits.subjects(tenant_id, str(key_id)))
    if counted:
        row = database.one(_COUNTED, parameters | asked.parameters(tenant_id))
    else:
        row = database.one(_USED, parameters)
    if row is None:
        raise Unauthorized(cause=f"no API key {key_id} of tenant {tenant_id}, or not this one, or a revoked one")
    return UsedKey(of_machine(tenant_id, key_id, row.channel), asked.decision(row.taken) if counted else None)


def _parts(text: str) -> tuple[UUID, UUID, bytes]:
    """Return the tenant's id and the key's id in a key's text, and the hash of its random bytes."""
    match = _KEY.fullmatch(text)
    if match is None:
        raise Unauthorized("The API key is not whole: it is cwk_ and 86 characters more, as it was shown once")
    try:
        raw = base64url.decode(match[1])
    except ValueError as error:
        raise Unauthorized(cause="not the one spelling of an API key") from error
    return UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), sha256(raw[32:]).digest()
