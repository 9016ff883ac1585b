"""Envelope encryption against moto's KMS: what decrypts a secret, what does not, and what is reported."""

import copy
import json
import logging
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from aws_lambda_powertools import Metrics
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from moto import mock_aws

from causeway.aws import clients
from causeway.errors.vault import CredentialUnreadable, KeyServiceUnavailable
from causeway.vault.crypto import CacheLimits, DataKey, DataKeys, SecretField, WrappedKey, decrypt, encrypt
from tests.unit.clock import Clock

CANARY = "canary-4f1d9a-secret"


class Shelf:
    """Wrapped keys in memory, in field of the table."""

    def __init__(self) -> None:
        self.keys: dict[tuple[UUID, int], WrappedKey] = {}
        # True: the shelf shows its state before the first key.
        self.behind = False

    def find(self, tenant_id: UUID, version: int | None = None) -> WrappedKey | None:
        if self.behind:
            return None
        if version is None:
            version = max((known for tenant, known in self.keys if tenant == tenant_id), default=0)
        return self.keys.get((tenant_id, version))

    def activate(self, tenant_id: UUID, replaces: int, wrapped: bytes, kms_key_id: str) -> WrappedKey:
        return self.keys.setdefault((tenant_id, replaces + 1), WrappedKey(replaces + 1, wrapped, kms_key_id))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kms(set_environment: Callable[..., None]) -> Iterator[Any]:
    """Moto's KMS, with a count of its calls."""
    set_environment(AWS_DEFAULT_REGION="eu-central-1", AWS_ACCESS_KEY_ID="moto", AWS_SECRET_ACCESS_KEY="moto")
    with mock_aws():
        clients.client.cache_clear()
        client = clients.client("kms")
        client.asked = []
        client.meta.events.register("before-call.kms", lambda model, **_: client.asked.append(model.name))
        yield client
    clients.client.cache_clear()


@pytest.fixture
def kms_key_id(kms: Any) -> str:
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.asked.clear()
    return key_id


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def keys(shelf: Shelf, kms_key_id: str) -> DataKeys:
    return DataKeys(shelf, kms_key_id)


def stop(kms: Any) -> None:
    """From now on KMS's address does not answer."""
    kms.meta.events.register("before-send.kms", _refuse)


def _refuse(**_: Any) -> None:
    from botocore.exceptions import EndpointConnectionError

    raise EndpointConnectionError(endpoint_url="https://kms")


@pytest.fixture
def field() -> SecretField:
    return SecretField(uuid4(), uuid4(), "auth_token")


@pytest.fixture
def alerts() -> Iterator[Callable[[], float]]:
    """The number of alerts in the metric."""
    metrics = Metrics()
    metrics.clear_metrics()
    yield lambda: sum(metrics.metric_set.get("CredentialUnreadable", {}).get("Value", []))
    metrics.clear_metrics()


@pytest.mark.parametrize("secret", [CANARY, "", "\u00e9\u2028\0", "\ud800", "x" * 60_000])
def test_every_secret_decrypts_to_itself(keys: DataKeys, field: SecretField, secret: str) -> None:
    assert keys.decrypt(field, encrypt(keys.active(field.tenant_id), field, secret)) == secret


def test_encrypted_secret_is_header_nonce_ciphertext_and_tag(keys: DataKeys, field: SecretField) -> None:
    """HUB 2: the key version is part of the ciphertext."""
    keys.rotate(field.tenant_id)
    keys.rotate(field.tenant_id)
    ciphertext = encrypt(keys.active(field.tenant_id), field, CANARY)

    assert ciphertext[:5] == b"\x01\0\0\0\x02"
    assert len(ciphertext) == 5 + 12 + len(CANARY) + 16
    assert CANARY.encode() not in ciphertext


def test_every_encryption_has_a_fresh_nonce(keys: DataKeys, field: SecretField) -> None:
    """HUB 2: a fresh 12-byte nonce."""
    key = keys.active(field.tenant_id)

    assert len({encrypt(key, field, CANARY)[5:17] for _ in range(1000)}) == 1000


@pytest.mark.parametrize("part", ["tenant_id", "connection_id", "name"])
def test_secret_decrypts_only_for_its_own_field(field: SecretField, part: str, alerts: Callable[[], float]) -> None:
    """HUB 2: the associated data prevents it even with the same key."""
    key = DataKey(1, AESGCM(os.urandom(32)))
    other: dict[str, Any] = {"tenant_id": uuid4(), "connection_id": uuid4(), "name": "account_sid"}
    elsewhere = replace(field, **{part: other[part]})
    ciphertext = encrypt(key, field, CANARY)

    assert decrypt(key, field, ciphertext) == CANARY
    with pytest.raises(CredentialUnreadable):
        decrypt(key, elsewhere, ciphertext)
    assert alerts() == 1


def test_ciphertext_of_another_tenant_does_not_decrypt(
    keys: DataKeys, field: SecretField, alerts: Callable[[], float]
) -> None:
    """HUB 2: each tenant has its own key."""
    theirs = SecretField(uuid4(), field.connection_id, field.name)
    ciphertext = encrypt(keys.active(field.tenant_id), field, CANARY)
    keys.active(theirs.tenant_id)

    with pytest.raises(CredentialUnreadable):
        keys.decrypt(theirs, ciphertext)
    assert alerts() == 1


def test_wrapped_key_of_another_tenant_is_refused_by_kms(
    kms: Any, keys: DataKeys, kms_key_id: str, shelf: Shelf, field: SecretField, alerts: Callable[[], float]
) -> None:
    """HUB 2: the encryption context names the tenant."""
    keys.active(field.tenant_id)
    thief = SecretField(uuid4(), field.connection_id, field.name)
    shelf.keys[thief.tenant_id, 1] = shelf.keys[field.tenant_id, 1]

    with pytest.raises(CredentialUnreadable, match="InvalidCiphertext"):
        DataKeys(shelf, kms_key_id).active(thief.tenant_id)
    assert alerts() == 1


def test_ciphertext_with_another_key_version_does_not_decrypt(
    keys: DataKeys, field: SecretField, alerts: Callable[[], float]
) -> None:
    """HUB 2: the key version is associated data."""
    ciphertext = encrypt(keys.active(field.tenant_id), field, CANARY)
    keys.rotate(field.tenant_id)
    same_key = DataKey(2, keys.active(field.tenant_id).cipher)

    for version in (0, 2, 3, 2**32 - 1):
        with pytest.raises(CredentialUnreadable):
            keys.decrypt(field, ciphertext[:1] + version.to_bytes(4, "big") + ciphertext[5:])
    with pytest.raises(CredentialUnreadable):
        decrypt(same_key, field, b"\x01\0\0\0\x01" + encrypt(same_key, field, CANARY)[5:])
    assert alerts() == 5


def test_no_bit_of_a_ciphertext_can_be_changed(keys: DataKeys, field: SecretField) -> None:
    ciphertext = encrypt(keys.active(field.tenant_id), field, "s")

    for at in range(len(ciphertext) * 8):
        changed = bytearray(ciphertext)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(CredentialUnreadable):
            keys.decrypt(field, bytes(changed))


def test_truncated_ciphertext_does_not_decrypt(keys: DataKeys, field: SecretField) -> None:
    ciphertext = encrypt(keys.active(field.tenant_id), field, "ab")

    for length in range(len(ciphertext)):
        with pytest.raises(CredentialUnreadable):
            keys.decrypt(field, ciphertext[:length])


@pytest.mark.parametrize("text", [b"", b"plain text", CANARY.encode() * 4, b"\x02" + b"\0" * 40])
def test_text_that_was_never_encrypted_is_refused(keys: DataKeys, field: SecretField, text: bytes) -> None:
    """HUB 5: never plaintext."""
    with pytest.raises(CredentialUnreadable, match="not a ciphertext of ours"):
        keys.decrypt(field, text)


def test_ciphertext_equals_an_independent_implementation() -> None:
    """HUB 2: each part of the associated data follows its length in four bytes, so no byte can move between parts."""
    field = SecretField(UUID(int=1), UUID(int=2), "auth_token")
    cipher, nonce, head = AESGCM(bytes(32)), bytes(12), bytes.fromhex("0100000007")
    bound = bytes.fromhex(f"00000010{1:032x}00000010{2:032x}0000000a{b'auth_token'.hex()}00000005{head.hex()}")
    ciphertext = head + nonce + cipher.encrypt(nonce, CANARY.encode(), bound)

    assert decrypt(DataKey(7, cipher), field, ciphertext) == CANARY


def test_key_is_created_on_first_use_and_then_cached(kms: Any, keys: DataKeys, field: SecretField) -> None:
    for _ in range(3):
        keys.decrypt(field, encrypt(keys.active(field.tenant_id), field, CANARY))

    assert kms.asked == ["GenerateDataKey"]


def test_key_is_cached_up_to_its_age_limit(
    kms: Any, kms_key_id: str, shelf: Shelf, field: SecretField, clock: Clock
) -> None:
    """HUB 5: bounded by age."""
    keys = DataKeys(shelf, kms_key_id, CacheLimits(seconds=300), clock)
    ciphertext = encrypt(keys.active(field.tenant_id), field, CANARY)
    clock.go(299)
    assert keys.decrypt(field, ciphertext) == CANARY
    assert kms.asked == ["GenerateDataKey"]

    clock.go(1)
    assert keys.decrypt(field, ciphertext) == CANARY
    assert kms.asked == ["GenerateDataKey", "Decrypt"]


def test_key_cached_before_a_frozen_time_is_requested_again(
    kms: Any, kms_key_id: str, shelf: Shelf, field: SecretField, clock: Clock
) -> None:
    """HUB 5: a key that was disabled in KMS must not stay in use because one clock stood still."""
    keys = DataKeys(shelf, kms_key_id, CacheLimits(seconds=300), clock)
    ciphertext = encrypt(keys.active(field.tenant_id), field, CANARY)
    clock.freeze(300)

    assert keys.decrypt(field, ciphertext) == CANARY
    assert kms.asked == ["GenerateDataKey", "Decrypt"]


@pytest.mark.parametrize(
    "code",
    [
        *("DisabledException", "AccessDeniedException", "ThrottlingException", "KMSInvalidStateException"),
        *("KMSInternalException", "KeyUnavailableException", "DependencyTimeoutException", "NotFoundException"),
        *("ExpiredTokenException", "UnrecognizedClientException"),
    ],
)
def test_temporary_kms_refusal_does_not_make_a_credential_unreadable(
    kms: Any, kms_key_id: str, shelf: Shelf, field: SecretField, code: str
) -> None:
    """HUB 5: KMS may allow it a moment later; nobody is told to enter the credential again."""
    from botocore.exceptions import ClientError

    ciphertext = encrypt(DataKeys(shelf, kms_key_id).active(field.tenant_id), field, CANARY)

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "Decrypt")

    kms.meta.events.register("before-call.kms", refuse)
    with pytest.raises(KeyServiceUnavailable, match=code):
        DataKeys(shelf, kms_key_id).decrypt(field, ciphertext)
    kms.meta.events.unregister("before-call.kms", refuse)
    assert DataKeys(shelf, kms_key_id).decrypt(field, ciphertext) == CANARY


def test_key_is_cached_up_to_its_number_of_uses(kms: Any, kms_key_id: str, shelf: Shelf, field: SecretField) -> None:
    """HUB 5: the number of uses is limited; creating or unwrapping the key is the first use."""
    keys = DataKeys(shelf, kms_key_id, CacheLimits(uses=3))
    ciphertext = encrypt(keys.active(field.tenant_id), field, CANARY)
    for _ in range(2):
        keys.decrypt(field, ciphertext)
    assert kms.asked == ["GenerateDataKey"]

    for _ in range(3):
        keys.decrypt(field, ciphertext)
    assert kms.asked == ["GenerateDataKey", "Decrypt"]
    keys.decrypt(field, ciphertext)
    assert kms.asked == ["GenerateDataKey", "Decrypt", "Decrypt"]


def test_number_of_cached_keys_is_limited(kms: Any, kms_key_id: str, shelf: Shelf) -> None:
    keys = DataKeys(shelf, kms_key_id, CacheLimits(keys=2))
    tenants = [uuid4() for _ in range(3)]
    for tenant in tenants:
        keys.active(tenant)
    assert len(keys._cache) == 2
    kms.asked.clear()

    keys.active(tenants[2])
    keys.active(tenants[1])
    assert kms.asked == []
    keys.active(tenants[0])
    assert kms.asked == ["Decrypt"]
    assert len(keys._cache) == 2


def test_cached_keys_serve_while_kms_is_down_then_503(
    kms: Any, kms_key_id: str, shelf: Shelf, field: SecretField, clock: Clock
) -> None:
    """HUB 5."""
    keys = DataKeys(shelf, kms_key_id, CacheLimits(seconds=300), clock)
    ciphertext = encrypt(keys.active(field.tenant_id), field, CANARY)
    stop(kms)
    clock.go(299)
    assert keys.decrypt(field, ciphertext) == CANARY
    assert keys.active(field.tenant_id).version == 1

    clock.go(1)
    for call in (lambda: keys.decrypt(field, ciphertext), lambda: keys.active(field.tenant_id)):
        with pytest.raises(KeyServiceUnavailable) as raised:
            call()
        assert (raised.value.status, raised.value.retry_after) == (503, 5)
        assert "EndpointConnectionError" in raised.value.cause


def test_no_key_is_stored_when_kms_fails(kms: Any, keys: DataKeys, shelf: Shelf, field: SecretField) -> None:
    """HUB 5: KMS is down at a tenant's first use, and at a rotation."""
    other = uuid4()
    keys.active(other)
    stop(kms)

    with pytest.raises(KeyServiceUnavailable):
        keys.active(field.tenant_id)
    with pytest.raises(KeyServiceUnavailable):
        keys.rotate(other)
    assert list(shelf.keys) == [(other, 1)]
    assert keys.active(other).version == 1


class Refusal(BytesIO):
    """The body of an answer, as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "DisabledException"),
        (400, "AccessDeniedException"),
        (400, "KMSInvalidStateException"),
        (500, "KMSInternalException"),
        (503, "KeyUnavailableException"),
    ],
)
def test_kms_error_is_503(
    kms: Any,
    keys: DataKeys,
    shelf: Shelf,
    field: SecretField,
    alerts: Callable[[], float],
    status: int,
    code: str,
) -> None:
    """HUB 5. Errors: https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html"""
    from botocore.awsrequest import AWSResponse

    def refuse(**_: Any) -> AWSResponse:
        return AWSResponse("https://kms", status, {}, Refusal(json.dumps({"__type": code}).encode()))

    kms.meta.events.register("before-send.kms", refuse)

    with pytest.raises(KeyServiceUnavailable, match=code):
        keys.active(field.tenant_id)
    assert (shelf.keys, alerts()) == ({}, 0)


def test_unknown_kms_host_is_503(kms: Any, shelf: Shelf, field: SecretField) -> None:
    with pytest.raises(KeyServiceUnavailable, match="NotFoundException"):
        DataKeys(shelf, str(uuid4())).active(field.tenant_id)


def test_kms_has_a_short_time_limit_and_two_attempts(kms: Any) -> None:
    config = kms.meta.config

    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    assert config.retries["total_max_attempts"] == 2


def test_rotated_key_encrypts_and_the_older_still_decrypts(keys: DataKeys, field: SecretField) -> None:
    """HUB 4."""
    old = encrypt(keys.active(field.tenant_id), field, "old")
    assert keys.rotate(field.tenant_id).version == 2
    new = encrypt(keys.active(field.tenant_id), field, "new")

    assert (old[4], new[4]) == (1, 2)
    assert (keys.decrypt(field, old), keys.decrypt(field, new)) == ("old", "new")


def test_second_of_two_concurrent_first_uses_takes_the_firsts_key(
    kms: Any, kms_key_id: str, shelf: Shelf, field: SecretField
) -> None:
    """Both found no key, and both requested one from KMS."""

    ciphertext = encrypt(DataKeys(shelf, kms_key_id).active(field.tenant_id), field, CANARY)
    shelf.behind = True
    slower = DataKeys(shelf, kms_key_id).active(field.tenant_id)

    assert decrypt(slower, field, ciphertext) == CANARY
    assert kms.asked == ["GenerateDataKey", "GenerateDataKey", "Decrypt"]


def test_alert_names_the_field_and_nothing_secret(
    keys: DataKeys, field: SecretField, caplog: pytest.LogCaptureFixture
) -> None:
    """HUB 1, 2."""
    ciphertext = encrypt(keys.active(field.tenant_id), field, CANARY)
    with pytest.raises(CredentialUnreadable) as raised:
        keys.decrypt(SecretField(field.tenant_id, uuid4(), field.name), ciphertext)

    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    said = vars(record)
    assert (said["alert"], said["tenant_id"], said["field"]) == (
        "credential-unreadable",
        str(field.tenant_id),
        "auth_token",
    )
    everything = f"{said} {raised.value!r} {raised.value.sentence}"
    assert CANARY not in everything
    assert ciphertext.hex() not in everything


def test_nothing_shows_a_key_or_a_secret(
    kms: Any, keys: DataKeys, shelf: Shelf, field: SecretField, caplog: pytest.LogCaptureFixture
) -> None:
    """HUB 1: even at the most detailed log level; botocore would log KMS's answers."""
    given: list[bytes] = []
    kms.meta.events.register(
        "after-call.kms", lambda parsed, **_: given.append(copy.copy(parsed.get("Plaintext", b"")))
    )
    caplog.set_level(logging.DEBUG)
    key = keys.active(field.tenant_id)
    keys.decrypt(field, encrypt(key, field, CANARY))
    shown = f"{key!r} {key} {keys!r} {keys._cache!r} {shelf.keys!r} {field!r} {caplog.text}"

    [plaintext] = given
    assert len(plaintext) == 32
    for secret in (CANARY, plaintext.hex(), repr(plaintext)[2:-1], b64encode(plaintext).decode()):
        assert secret not in shown
