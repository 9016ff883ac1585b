"""Envelope encryption: AES-256-GCM under a data key per tenant, which only KMS can unwrap."""

import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from aws_lambda_powertools import Logger
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from causeway import ages
from causeway.aws import clients
from causeway.aws.counts import count
from causeway.errors.vault import CredentialUnreadable, KeyServiceUnavailable

# A stored ciphertext is this header (format, data key's version), a nonce, and AES-GCM's ciphertext with its tag.
_HEADER = struct.Struct(">BI")
_FORMAT = 1
# Bytes. 96 random bits: NIST SP 800-38D, 8.2.2; at most 2**32 of them under one key: 8.3.
_NONCE = 12
_TAG = 16

# KMS's error codes for a wrapped key that it did not wrap, or not under this tenant's encryption context.
_WRONG_KEY = {"InvalidCiphertextException", "IncorrectKeyException"}

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class SecretField:
    """One secret field of a connection: the associated data of its ciphertext, which decrypts for no other field."""

    tenant_id: UUID
    connection_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class DataKey:
    """A tenant's data key in plain, ready for use."""

    version: int
    cipher: AESGCM = field(repr=False)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A tenant's data key as KMS encrypted it; kms_key_id is the ARN of the KMS key."""

    version: int
    wrapped: bytes
    kms_key_id: str


class KeyStore(Protocol):
    """Stores wrapped data keys."""

    def find(self, tenant_id: UUID, version: int | None = None) -> WrappedKey | None:
        """Return a tenant's wrapped key of that version, by default its active one; None if there is no such key."""

    def activate(self, tenant_id: UUID, replaces: int, wrapped: bytes, kms_key_id: str) -> WrappedKey:
        """Store a new key as the tenant's active one and return the tenant's active key.

        Nothing is stored where version `replaces` (0: no key) is not the active one any more.
        """


class ActiveKeys(Protocol):
    """Gives the key that a tenant's secrets are encrypted with now."""

    def active(self, tenant_id: UUID) -> DataKey:
        """Return a tenant's active key; raises KeyServiceUnavailable, CredentialUnreadable."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """The active key of one tenant, got before a step after which nothing may fail for want of a key."""

    key: DataKey

    def active(self, tenant_id: UUID) -> DataKey:  # noqa: ARG002 - of ActiveKeys
        """Return the key."""
        return self.key


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How long an unwrapped key is used before KMS is called again: seconds and uses; and how many keys are cached."""

    seconds: float = 300.0
    uses: int = 100_000
    keys: int = 1000


# Returns KMS's encryption context of a tenant's data key.
EncryptionContext = Callable[[UUID], Mapping[str, str]]


def of_tenant(tenant_id: UUID) -> Mapping[str, str]:
    """Return the encryption context of a tenant's data key, which names the tenant."""
    return {"tenant": str(tenant_id)}


@dataclass(slots=True)
class _CachedKey:
    key: DataKey
    since: ages.Moment
    uses: int


class DataKeys:
    """The tenants' data keys: unwrapped by KMS and cached within limits, so that a short outage of KMS is bridged."""

    def __init__(
        self,
        store: KeyStore,
        kms_key_id: str,
        limits: CacheLimits | None = None,
        clock: ages.Clock = ages.now,
        encryption_context: EncryptionContext = of_tenant,
    ) -> None:
        """Begin with an empty cache.

        Args:
            store: of the wrapped keys.
            kms_key_id: id, ARN or alias of the KMS key that wraps new data keys.
            limits: of the cache; by default those of CacheLimits.
            clock: returns the present.
            encryption_context: what KMS binds a data key to.
        """
        self._encryption_context = encryption_context
        self._store = store
        self._kms_key_id = kms_key_id
        self._limits = limits or CacheLimits()
        self._clock = clock
        self._cache: dict[tuple[UUID, int], _CachedKey] = {}

    def active(self, tenant_id: UUID) -> DataKey:
        """Return the key that a tenant's secrets are encrypted with now; the tenant's first use creates it.

        Raises:
            KeyServiceUnavailable: KMS is needed and does not answer.
            CredentialUnreadable: KMS did not wrap the stored key for this tenant.
        """
        wrapped = self._store.find(tenant_id)
        return self._generate(tenant_id, replaces=0) if wrapped is None else self._unwrap(tenant_id, wrapped)

    def rotate(self, tenant_id: UUID) -> DataKey:
        """Create a new active key for a tenant and return it; two rotations at once create one key.

        Raises:
            KeyServiceUnavailable: KMS does not answer; the active key stays.
        """
        wrapped = self._store.find(tenant_id)
        return self._generate(tenant_id, replaces=0 if wrapped is None else wrapped.version)

    def decrypt(self, secret: SecretField, ciphertext: bytes) -> str:
        """Return the secret that was encrypted for a field.

        Raises:
            CredentialUnreadable: it was encrypted for another field, or changed since; an alert has been raised.
            KeyServiceUnavailable: KMS is needed and does not answer.
        """
        if len(ciphertext) < _HEADER.size + _NONCE + _TAG or ciphertext[0] != _FORMAT:
            raise _unreadable("not a ciphertext of ours", secret.tenant_id, secret)
        version = _HEADER.unpack_from(ciphertext)[1]
        key = self._cached(secret.tenant_id, version)
        if key is None:
            wrapped = self._store.find(secret.tenant_id, version)
            if wrapped is None:
                raise _unreadable(f"the tenant has no data key {version}", secret.tenant_id, secret)
            key = self._unwrap(secret.tenant_id, wrapped)
        return decrypt(key, secret, ciphertext)

    def _call_kms(self, operation: str, tenant_id: UUID, **parameters: Any) -> dict[str, Any]:
        return call_kms(operation, tenant_id, self._encryption_context(tenant_id), **parameters)

    def _cached(self, tenant_id: UUID, version: int) -> DataKey | None:
        cached = self._cache.get((tenant_id, version))
        if cached is None:
            return None
        if cached.uses <= 0 or ages.age(cached.since, self._clock()) >= self._limits.seconds:
            self._cache.pop((tenant_id, version), None)
            return None
        cached.uses -= 1
        return cached.key

    def _keep(self, tenant_id: UUID, version: int, plaintext: bytes) -> DataKey:
        key = DataKey(version, AESGCM(plaintext))
        while len(self._cache) >= self._limits.keys:
            self._cache.pop(next(iter(self._cache)), None)
        self._cache[tenant_id, version] = _CachedKey(key, self._clock(), self._limits.uses - 1)
        return key

    def _unwrap(self, tenant_id: UUID, wrapped: WrappedKey) -> DataKey:
        key = self._cached(tenant_id, wrapped.version)
        if key is not None:
            return key
        answer = self._call_kms("decrypt", tenant_id, CiphertextBlob=wrapped.wrapped, KeyId=wrapped.kms_key_id)
        return self._keep(tenant_id, wrapped.version, answer["Plaintext"])

    def _generate(self, tenant_id: UUID, replaces: int) -> DataKey:
        answer = self._call_kms("generate_data_key", tenant_id, KeyId=self._kms_key_id, KeySpec="AES_256")
        active = self._store.activate(tenant_id, replaces, answer["CiphertextBlob"], answer["KeyId"])
        if active.wrapped != answer["CiphertextBlob"]:
            # A concurrent call was faster: use its key.
            return self._unwrap(tenant_id, active)
        return self._keep(tenant_id, active.version, answer["Plaintext"])


def encrypt(key: DataKey, secret: SecretField, plaintext: str) -> bytes:
    """Return a secret's ciphertext for a field; the key must be of the field's tenant."""
    header, nonce = _HEADER.pack(_FORMAT, key.version), os.urandom(_NONCE)
    # surrogatepass: any str can be encrypted. An encoding error would carry the secret in its repr.
    encoded = plaintext.encode("utf-8", "surrogatepass")
    return header + nonce + key.cipher.encrypt(nonce, encoded, _associated_data(secret, header))


def decrypt(key: DataKey, secret: SecretField, ciphertext: bytes) -> str:
    """Return the secret that was encrypted for a field under a key.

    Raises:
        CredentialUnreadable: it was encrypted for another field or under another key, or changed since.
    """
    header, nonce = ciphertext[: _HEADER.size], ciphertext[_HEADER.size : _HEADER.size + _NONCE]
    try:
        encoded = key.cipher.decrypt(nonce, ciphertext[_HEADER.size + _NONCE :], _associated_data(secret, header))
    except InvalidTag:
        raise _unreadable("not encrypted for this field under this key", secret.tenant_id, secret) from None
    return encoded.decode("utf-8", "surrogatepass")


def _associated_data(secret: SecretField, header: bytes) -> bytes:
    """Return what a ciphertext is bound to. Each part follows its length, so that no two fields or versions collide."""
    parts = (secret.tenant_id.bytes, secret.connection_id.bytes, secret.name.encode(), header)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def call_kms(
    operation: str, tenant_id: UUID, encryption_context: Mapping[str, str], **parameters: Any
) -> dict[str, Any]:
    """Return KMS's answer to an operation under an encryption context.

    Args:
        operation: the method of boto3's client, such as decrypt.
        tenant_id: for the alert.
        encryption_context: without which KMS does not decrypt what it encrypted with it.
        parameters: of the operation.

    Raises:
        CredentialUnreadable: KMS did not encrypt it under this context; an alert has been raised.
        KeyServiceUnavailable: KMS does not answer.
    """
    kms = clients.client("kms")
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return getattr(kms, operation)(EncryptionContext=dict(encryption_context), **parameters)
    except ClientError as error:
        reason = error.response["Error"]["Code"]
        if reason in _WRONG_KEY:
            raise _unreadable(f"KMS did not wrap this data key for the tenant ({reason})", tenant_id) from None
    except BotoCoreError as error:
        reason = type(error).__name__
    raise KeyServiceUnavailable(
        cause=f"KMS refused {operation} ({reason}): check that the key is enabled and the role may use it"
    )


def _unreadable(reason: str, tenant_id: UUID, secret: SecretField | None = None) -> CredentialUnreadable:
    """Raise the alert that belongs to the error: a ciphertext was moved or changed, or a key is lost."""
    where = {"tenant_id": str(tenant_id)}
    if secret is not None:
        where |= {"connection_id": str(secret.connection_id), "field": secret.name}
    logger.error("A credential cannot be read", extra={"alert": "credential-unreadable", "reason": reason, **where})
    count("CredentialUnreadable")
    return CredentialUnreadable(cause=f"A credential cannot be read: {reason}")
