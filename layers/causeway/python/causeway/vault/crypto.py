"""Envelope encryption: secrets sealed with AES-256-GCM under a tenant's data key, which only KMS can unwrap."""

import os
import struct
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from causeway.aws import ages, clients
from causeway.errors.vault import CredentialUnreadable, KeyServiceUnavailable

# A sealed secret: this head (format, key version), a nonce, the ciphertext with its tag.
_HEAD = struct.Struct(">BI")
_FORMAT = 1
# Bytes. 96 random bits: NIST SP 800-38D, 8.2.2; up to 2**32 of them under one key, 8.3.
_NONCE = 12
_TAG = 16

# What KMS answers where a wrapped key is not what it wrapped for this tenant.
_NOT_WRAPPED_FOR_IT = {"InvalidCiphertextException", "IncorrectKeyException"}

logger = Logger(child=True)
metrics = Metrics(namespace="Causeway")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret stands; sealed for one place, it opens at no other."""

    tenant_id: UUID
    connection_id: UUID
    field: str


@dataclass(frozen=True, slots=True)
class DataKey:
    """A tenant's data key, ready to seal and open."""

    version: int
    cipher: AESGCM = field(repr=False)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A tenant's data key as KMS wrapped it; kms_key_id is the ARN of the KMS key."""

    version: int
    wrapped: bytes
    kms_key_id: str


class KeyStore(Protocol):
    """Where wrapped keys are kept."""

    def wrapped(self, tenant_id: UUID, version: int | None = None) -> WrappedKey | None:
        """Return a tenant's wrapped key of that version, or its active one; None where there is none."""

    def keep(self, tenant_id: UUID, after: int, wrapped: bytes, kms_key_id: str) -> WrappedKey:
        """Make a key the tenant's active one, unless `after` (0: none) no longer is; return the one that is."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long an unwrapped key is used before KMS is asked again: seconds, uses, and keys held at a time."""

    seconds: float = 300.0
    uses: int = 100_000
    keys: int = 1000


@dataclass(slots=True)
class _Held:
    key: DataKey
    since: ages.Moment
    uses: int


class DataKeys:
    """The tenants' data keys: unwrapped by KMS, and held within bounds, so that KMS may be away for a while."""

    def __init__(
        self, store: KeyStore, kms_key_id: str, bounds: Bounds | None = None, clock: ages.Clock = ages.now
    ) -> None:
        """Hold no key yet.

        Args:
            store: where wrapped keys are found and kept.
            kms_key_id: id, ARN or alias of the KMS key that wraps new data keys.
            bounds: of the keys held; by default those of Bounds.
            clock: tells the present.
        """
        self._store = store
        self._kms_key_id = kms_key_id
        self._bounds = bounds or Bounds()
        self._clock = clock
        self._held: dict[tuple[UUID, int], _Held] = {}

    def newest(self, tenant_id: UUID) -> DataKey:
        """Return the key a tenant's secrets are sealed under now; its first use makes it.

        Raises:
            KeyServiceUnavailable: KMS is needed and does not answer.
            CredentialUnreadable: KMS did not wrap the stored key for this tenant.
        """
        wrapped = self._store.wrapped(tenant_id)
        return self._make(tenant_id, after=0) if wrapped is None else self._unwrapped(tenant_id, wrapped)

    def rotate(self, tenant_id: UUID) -> DataKey:
        """Give a tenant a new key and return it; two rotations at once make one.

        Raises:
            KeyServiceUnavailable: KMS does not answer; the key is as before.
        """
        wrapped = self._store.wrapped(tenant_id)
        return self._make(tenant_id, after=0 if wrapped is None else wrapped.version)

    def open(self, place: Place, sealed: bytes) -> str:
        """Return the secret that was sealed for a place.

        Raises:
            CredentialUnreadable: it was sealed for another place or changed since; an alert has been raised.
            KeyServiceUnavailable: KMS is needed and does not answer.
        """
        if len(sealed) < _HEAD.size + _NONCE + _TAG or sealed[0] != _FORMAT:
            raise _unreadable("not a sealed secret", place.tenant_id, place)
        version = _HEAD.unpack_from(sealed)[1]
        key = self._in_hand(place.tenant_id, version)
        if key is None:
            wrapped = self._store.wrapped(place.tenant_id, version)
            if wrapped is None:
                raise _unreadable(f"the tenant has no data key {version}", place.tenant_id, place)
            key = self._unwrapped(place.tenant_id, wrapped)
        return open_sealed(key, place, sealed)

    def _in_hand(self, tenant_id: UUID, version: int) -> DataKey | None:
        held = self._held.get((tenant_id, version))
        if held is None:
            return None
        if held.uses <= 0 or ages.age(held.since, self._clock()) >= self._bounds.seconds:
            self._held.pop((tenant_id, version), None)
            return None
        held.uses -= 1
        return held.key

    def _hold(self, tenant_id: UUID, version: int, plaintext: bytes) -> DataKey:
        key = DataKey(version, AESGCM(plaintext))
        while len(self._held) >= self._bounds.keys:
            self._held.pop(next(iter(self._held)), None)
        self._held[tenant_id, version] = _Held(key, self._clock(), self._bounds.uses - 1)
        return key

    def _unwrapped(self, tenant_id: UUID, wrapped: WrappedKey) -> DataKey:
        key = self._in_hand(tenant_id, wrapped.version)
        if key is not None:
            return key
        answer = _ask_kms("decrypt", tenant_id, CiphertextBlob=wrapped.wrapped, KeyId=wrapped.kms_key_id)
        return self._hold(tenant_id, wrapped.version, answer["Plaintext"])

    def _make(self, tenant_id: UUID, after: int) -> DataKey:
        answer = _ask_kms("generate_data_key", tenant_id, KeyId=self._kms_key_id, KeySpec="AES_256")
        active = self._store.keep(tenant_id, after, answer["CiphertextBlob"], answer["KeyId"])
        if active.wrapped != answer["CiphertextBlob"]:
            # Another was faster.
            return self._unwrapped(tenant_id, active)
        return self._hold(tenant_id, active.version, answer["Plaintext"])


def seal(key: DataKey, place: Place, secret: str) -> bytes:
    """Return a secret sealed for a place; the key must be of the place's tenant."""
    head, nonce = _HEAD.pack(_FORMAT, key.version), os.urandom(_NONCE)
    # Any str can be sealed: an encoding error would carry the secret in its repr.
    return head + nonce + key.cipher.encrypt(nonce, secret.encode("utf-8", "surrogatepass"), _associated(place, head))


def open_sealed(key: DataKey, place: Place, sealed: bytes) -> str:
    """Return the secret that was sealed for a place under a key.

    Raises:
        CredentialUnreadable: it was sealed for another place or under another key, or changed since.
    """
    head, nonce = sealed[: _HEAD.size], sealed[_HEAD.size : _HEAD.size + _NONCE]
    try:
        secret = key.cipher.decrypt(nonce, sealed[_HEAD.size + _NONCE :], _associated(place, head))
    except InvalidTag:
        raise _unreadable("it was not sealed for this place under this key", place.tenant_id, place) from None
    return secret.decode("utf-8", "surrogatepass")


def _associated(place: Place, head: bytes) -> bytes:
    """What a ciphertext is bound to, each part after its length: no two places or key versions look alike."""
    parts = (place.tenant_id.bytes, place.connection_id.bytes, place.field.encode(), head)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _ask_kms(operation: str, tenant_id: UUID, **parameters: Any) -> dict[str, Any]:
    kms = clients.client("kms")
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return getattr(kms, operation)(EncryptionContext={"tenant": str(tenant_id)}, **parameters)
    except ClientError as error:
        reason = error.response["Error"]["Code"]
        if reason in _NOT_WRAPPED_FOR_IT:
            raise _unreadable(f"KMS did not wrap this data key for the tenant ({reason})", tenant_id) from None
    except BotoCoreError as error:
        reason = type(error).__name__
    raise KeyServiceUnavailable(
        cause=f"KMS refused {operation} ({reason}): check that the key is enabled and the role may use it"
    )


def _unreadable(reason: str, tenant_id: UUID, place: Place | None = None) -> CredentialUnreadable:
    """Raise the alert that belongs to the error: somebody moved or changed a ciphertext, or a key is lost."""
    where = {"tenant_id": str(tenant_id)}
    if place is not None:
        where |= {"connection_id": str(place.connection_id), "field": place.field}
    logger.error("A credential cannot be read", extra={"alert": "credential-unreadable", "reason": reason, **where})
    metrics.add_metric(name="CredentialUnreadable", unit=MetricUnit.Count, value=1)
    return CredentialUnreadable(cause=f"A credential cannot be read: {reason}")
