"""Decrypting one credential with a cached data key, against a bound and against the AWS Encryption SDK."""

import os
from collections.abc import Callable
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import aws_encryption_sdk
from aws_encryption_sdk.identifiers import Algorithm, CommitmentPolicy, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKey
from moto import mock_aws

from benchmarks.table import Row, in_turn
from causeway.aws import clients
from causeway.vault.crypto import DataKeys, SecretField, WrappedKey, encrypt

# It has the length of a platform's token.
_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - it guards nothing
_MOST_MICROSECONDS = 50.0
_TIMES = 2000


class _Store:
    """A store of wrapped keys that stays empty: the only key is cached."""

    def find(self, tenant_id: UUID, version: int | None = None) -> WrappedKey | None:  # noqa: ARG002
        return None

    def activate(self, tenant_id: UUID, replaces: int, wrapped: bytes, kms_key_id: str) -> WrappedKey:  # noqa: ARG002
        return WrappedKey(replaces + 1, wrapped, kms_key_id)


def ours(field: SecretField) -> Callable[[], str]:
    """Encrypt a secret under a new data key, and return a function that decrypts it with the cached key."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        clients.client.cache_clear()
        keys = DataKeys(_Store(), clients.client("kms").create_key()["KeyMetadata"]["KeyId"])
        ciphertext = encrypt(keys.active(field.tenant_id), field, _SECRET)
    clients.client.cache_clear()
    return lambda: keys.decrypt(field, ciphertext)


def theirs(field: SecretField) -> Callable[[], str]:
    """Do the same with the SDK: a warm cache of materials, key commitment, no signature."""
    # The SDK has no type annotations.
    sdk: Any = aws_encryption_sdk
    client = sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    wrapping = WrappingKey(
        WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING, os.urandom(32), EncryptionKeyType.SYMMETRIC
    )
    manager = sdk.CachingCryptoMaterialsManager(
        master_key_provider=RawMasterKey(provider_id="benchmark", key_id="key", wrapping_key=wrapping),
        cache=sdk.LocalCryptoMaterialsCache(capacity=1000),
        max_age=300.0,
        max_messages_encrypted=100_000,
    )
    context = {"tenant": str(field.tenant_id), "connection": str(field.connection_id), "field": field.name}
    ciphertext, _ = client.encrypt(
        source=_SECRET.encode(),
        materials_manager=manager,
        encryption_context=context,
        algorithm=Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    )

    def decrypt() -> str:
        secret, head = client.decrypt(source=ciphertext, materials_manager=manager)
        if not context.items() <= head.encryption_context.items():
            raise RuntimeError("the secret was encrypted for another field")
        return secret.decode()

    return decrypt


def microseconds(decrypt: Callable[[], str]) -> float:
    """Return the average time of one decryption."""
    if decrypt() != _SECRET:
        raise RuntimeError("the secret did not come back")
    start = perf_counter()
    for _ in range(_TIMES):
        decrypt()
    return (perf_counter() - start) / _TIMES * 1e6


def run() -> list[Row]:
    """Measure both in turn."""
    field = SecretField(uuid4(), uuid4(), "auth_token")
    causeway, sdk = ours(field), theirs(field)
    time, reference, ratio = in_turn(lambda: microseconds(causeway), lambda: microseconds(sdk))
    bound = f"{time:.1f} us, bound {_MOST_MICROSECONDS:.0f} us"
    return [
        Row("warm open of a credential / its bound", bound, time / _MOST_MICROSECONDS, at_most=1.0),
        Row("warm open of a credential / aws-encryption-sdk", f"{time:.1f} us, SDK {reference:.1f} us", ratio),
    ]
