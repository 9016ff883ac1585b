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
from causeway.vault.crypto import Bounds, DataKey, DataKeys, Place, WrappedKey, open_sealed, seal
from tests.unit.clock import Clock

CANARY = "canary-4f1d9a-secret"


class Shelf:
    """Wrapped keys in memory, in place of the table."""

    def __init__(self) -> None:
        self.keys: dict[tuple[UUID, int], WrappedKey] = {}
        # True: the shelf shows its state before the first key.
        self.behind = False

    def wrapped(self, tenant_id: UUID, version: int | None = None) -> WrappedKey | None:
        if self.behind:
            return None
        if version is None:
            version = max((known for tenant, known in self.keys if tenant == tenant_id), default=0)
        return self.keys.get((tenant_id, version))

    def keep(self, tenant_id: UUID, after: int, wrapped: bytes, kms_key_id: str) -> WrappedKey:
        return self.keys.setdefault((tenant_id, after + 1), WrappedKey(after + 1, wrapped, kms_key_id))


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
def place() -> Place:
    return Place(uuid4(), uuid4(), "auth_token")


@pytest.fixture
def alerts() -> Iterator[Callable[[], float]]:
    """The number of alerts in the metric."""
    metrics = Metrics(namespace="Causeway")
    metrics.clear_metrics()
    yield lambda: sum(metrics.metric_set.get("CredentialUnreadable", {}).get("Value", []))
    metrics.clear_metrics()


@pytest.mark.parametrize("secret", [CANARY, "", "\u00e9\u2028\0", "\ud800", "x" * 60_000])
def test_every_secret_decrypts_to_itself(keys: DataKeys, place: Place, secret: str) -> None:
    assert keys.open(place, seal(keys.newest(place.tenant_id), place, secret)) == secret


def test_encrypted_secret_is_header_nonce_ciphertext_and_tag(keys: DataKeys, place: Place) -> None:
    """HUB 2: the key version is part of the ciphertext."""
    keys.rotate(place.tenant_id)
    keys.rotate(place.tenant_id)
    sealed = seal(keys.newest(place.tenant_id), place, CANARY)

    assert sealed[:5] == b"\x01\0\0\0\x02"
    assert len(sealed) == 5 + 12 + len(CANARY) + 16
    assert CANARY.encode() not in sealed


def test_every_encryption_has_a_fresh_nonce(keys: DataKeys, place: Place) -> None:
    """HUB 2: a fresh 12-byte nonce."""
    key = keys.newest(place.tenant_id)

    assert len({seal(key, place, CANARY)[5:17] for _ in range(1000)}) == 1000


@pytest.mark.parametrize("part", ["tenant_id", "connection_id", "field"])
def test_secret_decrypts_only_in_its_own_place(place: Place, part: str, alerts: Callable[[], float]) -> None:
    """HUB 2: the associated data prevents it even with the same key."""
    key = DataKey(1, AESGCM(os.urandom(32)))
    other: dict[str, Any] = {"tenant_id": uuid4(), "connection_id": uuid4(), "field": "account_sid"}
    elsewhere = replace(place, **{part: other[part]})
    sealed = seal(key, place, CANARY)

    assert open_sealed(key, place, sealed) == CANARY
    with pytest.raises(CredentialUnreadable):
        open_sealed(key, elsewhere, sealed)
    assert alerts() == 1


def test_ciphertext_of_another_tenant_does_not_decrypt(
    keys: DataKeys, place: Place, alerts: Callable[[], float]
) -> None:
    """HUB 2: each tenant has its own key."""
    theirs = Place(uuid4(), place.connection_id, place.field)
    sealed = seal(keys.newest(place.tenant_id), place, CANARY)
    keys.newest(theirs.tenant_id)

    with pytest.raises(CredentialUnreadable):
        keys.open(theirs, sealed)
    assert alerts() == 1


def test_wrapped_key_of_another_tenant_is_refused_by_kms(
    kms: Any, keys: DataKeys, kms_key_id: str, shelf: Shelf, place: Place, alerts: Callable[[], float]
) -> None:
    """HUB 2: the encryption context names the tenant."""
    keys.newest(place.tenant_id)
    thief = Place(uuid4(), place.connection_id, place.field)
    shelf.keys[thief.tenant_id, 1] = shelf.keys[place.tenant_id, 1]

    with pytest.raises(CredentialUnreadable, match="InvalidCiphertext"):
        DataKeys(shelf, kms_key_id).newest(thief.tenant_id)
    assert alerts() == 1


def test_ciphertext_with_another_key_version_does_not_decrypt(
    keys: DataKeys, place: Place, alerts: Callable[[], float]
) -> None:
    """HUB 2: the key version is associated data."""
    sealed = seal(keys.newest(place.tenant_id), place, CANARY)
    keys.rotate(place.tenant_id)
    same_key = DataKey(2, keys.newest(place.tenant_id).cipher)

    for version in (0, 2, 3, 2**32 - 1):
        with pytest.raises(CredentialUnreadable):
            keys.open(place, sealed[:1] + version.to_bytes(4, "big") + sealed[5:])
    with pytest.raises(CredentialUnreadable):
        open_sealed(same_key, place, b"\x01\0\0\0\x01" + seal(same_key, place, CANARY)[5:])
    assert alerts() == 5


def test_no_bit_of_a_ciphertext_can_be_changed(keys: DataKeys, place: Place) -> None:
    sealed = seal(keys.newest(place.tenant_id), place, "s")

    for at in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(CredentialUnreadable):
            keys.open(place, bytes(changed))


def test_truncated_ciphertext_does_not_decrypt(keys: DataKeys, place: Place) -> None:
    sealed = seal(keys.newest(place.tenant_id), place, "ab")

    for length in range(len(sealed)):
        with pytest.raises(CredentialUnreadable):
            keys.open(place, sealed[:length])


@pytest.mark.parametrize("text", [b"", b"plain text", CANARY.encode() * 4, b"\x02" + b"\0" * 40])
def test_text_that_was_never_encrypted_is_refused(keys: DataKeys, place: Place, text: bytes) -> None:
    """HUB 5: never plaintext."""
    with pytest.raises(CredentialUnreadable, match="not a sealed secret"):
        keys.open(place, text)


def test_ciphertext_equals_an_independent_implementation() -> None:
    """HUB 2: each part of the associated data follows its length in four bytes, so no byte can move between parts."""
    place = Place(UUID(int=1), UUID(int=2), "auth_token")
    cipher, nonce, head = AESGCM(bytes(32)), bytes(12), bytes.fromhex("0100000007")
    bound = bytes.fromhex(f"00000010{1:032x}00000010{2:032x}0000000a{b'auth_token'.hex()}00000005{head.hex()}")
    sealed = head + nonce + cipher.encrypt(nonce, CANARY.encode(), bound)

    assert open_sealed(DataKey(7, cipher), place, sealed) == CANARY


def test_key_is_created_on_first_use_and_then_cached(kms: Any, keys: DataKeys, place: Place) -> None:
    for _ in range(3):
        keys.open(place, seal(keys.newest(place.tenant_id), place, CANARY))

    assert kms.asked == ["GenerateDataKey"]


def test_key_is_cached_up_to_its_age_limit(kms: Any, kms_key_id: str, shelf: Shelf, place: Place, clock: Clock) -> None:
    """HUB 5: bounded by age."""
    keys = DataKeys(shelf, kms_key_id, Bounds(seconds=300), clock)
    sealed = seal(keys.newest(place.tenant_id), place, CANARY)
    clock.go(299)
    assert keys.open(place, sealed) == CANARY
    assert kms.asked == ["GenerateDataKey"]

    clock.go(1)
    assert keys.open(place, sealed) == CANARY
    assert kms.asked == ["GenerateDataKey", "Decrypt"]


def test_key_cached_before_a_frozen_time_is_requested_again(
    kms: Any, kms_key_id: str, shelf: Shelf, place: Place, clock: Clock
) -> None:
    """HUB 5: a key that was disabled in KMS must not stay in use because one clock stood still."""
    keys = DataKeys(shelf, kms_key_id, Bounds(seconds=300), clock)
    sealed = seal(keys.newest(place.tenant_id), place, CANARY)
    clock.freeze(300)

    assert keys.open(place, sealed) == CANARY
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
    kms: Any, kms_key_id: str, shelf: Shelf, place: Place, code: str
) -> None:
    """HUB 5: KMS may allow it a moment later; nobody is told to enter the credential again."""
    from botocore.exceptions import ClientError

    sealed = seal(DataKeys(shelf, kms_key_id).newest(place.tenant_id), place, CANARY)

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "Decrypt")

    kms.meta.events.register("before-call.kms", refuse)
    with pytest.raises(KeyServiceUnavailable, match=code):
        DataKeys(shelf, kms_key_id).open(place, sealed)
    kms.meta.events.unregister("before-call.kms", refuse)
    assert DataKeys(shelf, kms_key_id).open(place, sealed) == CANARY


def test_key_is_cached_up_to_its_number_of_uses(kms: Any, kms_key_id: str, shelf: Shelf, place: Place) -> None:
    """HUB 5: the number of uses is limited; creating or unwrapping the key is the first use."""
    keys = DataKeys(shelf, kms_key_id, Bounds(uses=3))
    sealed = seal(keys.newest(place.tenant_id), place, CANARY)
    for _ in range(2):
        keys.open(place, sealed)
    assert kms.asked == ["GenerateDataKey"]

    for _ in range(3):
        keys.open(place, sealed)
    assert kms.asked == ["GenerateDataKey", "Decrypt"]
    keys.open(place, sealed)
    assert kms.asked == ["GenerateDataKey", "Decrypt", "Decrypt"]


def test_number_of_cached_keys_is_limited(kms: Any, kms_key_id: str, shelf: Shelf) -> None:
    keys = DataKeys(shelf, kms_key_id, Bounds(keys=2))
    tenants = [uuid4() for _ in range(3)]
    for tenant in tenants:
        keys.newest(tenant)
    assert len(keys._held) == 2
    kms.asked.clear()

    keys.newest(tenants[2])
    keys.newest(tenants[1])
    assert kms.asked == []
    keys.newest(tenants[0])
    assert kms.asked == ["Decrypt"]
    assert len(keys._held) == 2


def test_cached_keys_serve_while_kms_is_down_then_503(
    kms: Any, kms_key_id: str, shelf: Shelf, place: Place, clock: Clock
) -> None:
    """HUB 5."""
    keys = DataKeys(shelf, kms_key_id, Bounds(seconds=300), clock)
    sealed = seal(keys.newest(place.tenant_id), place, CANARY)
    stop(kms)
    clock.go(299)
    assert keys.open(place, sealed) == CANARY
    assert keys.newest(place.tenant_id).version == 1

    clock.go(1)
    for call in (lambda: keys.open(place, sealed), lambda: keys.newest(place.tenant_id)):
        with pytest.raises(KeyServiceUnavailable) as raised:
            call()
        assert (raised.value.status, raised.value.retry_after) == (503, 5)
        assert "EndpointConnectionError" in raised.value.cause


def test_no_key_is_stored_when_kms_fails(kms: Any, keys: DataKeys, shelf: Shelf, place: Place) -> None:
    """HUB 5: KMS is down at a tenant's first use, and at a rotation."""
    other = uuid4()
    keys.newest(other)
    stop(kms)

    with pytest.raises(KeyServiceUnavailable):
        keys.newest(place.tenant_id)
    with pytest.raises(KeyServiceUnavailable):
        keys.rotate(other)
    assert list(shelf.keys) == [(other, 1)]
    assert keys.newest(other).version == 1


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
    kms: Any, keys: DataKeys, shelf: Shelf, place: Place, alerts: Callable[[], float], status: int, code: str
) -> None:
    """HUB 5. Errors: https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html"""
    from botocore.awsrequest import AWSResponse

    def refuse(**_: Any) -> AWSResponse:
        return AWSResponse("https://kms", status, {}, Refusal(json.dumps({"__type": code}).encode()))

    kms.meta.events.register("before-send.kms", refuse)

    with pytest.raises(KeyServiceUnavailable, match=code):
        keys.newest(place.tenant_id)
    assert (shelf.keys, alerts()) == ({}, 0)


def test_unknown_kms_host_is_503(kms: Any, shelf: Shelf, place: Place) -> None:
    with pytest.raises(KeyServiceUnavailable, match="NotFoundException"):
        DataKeys(shelf, str(uuid4())).newest(place.tenant_id)


def test_kms_has_a_short_time_limit_and_two_attempts(kms: Any) -> None:
    config = kms.meta.config

    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    assert config.retries["total_max_attempts"] == 2


def test_rotated_key_encrypts_and_the_older_still_decrypts(keys: DataKeys, place: Place) -> None:
    """HUB 4."""
    old = seal(keys.newest(place.tenant_id), place, "old")
    assert keys.rotate(place.tenant_id).version == 2
    new = seal(keys.newest(place.tenant_id), place, "new")

    assert (old[4], new[4]) == (1, 2)
    assert (keys.open(place, old), keys.open(place, new)) == ("old", "new")


def test_second_of_two_concurrent_first_uses_takes_the_firsts_key(
    kms: Any, kms_key_id: str, shelf: Shelf, place: Place
) -> None:
    """Both found no key, and both requested one from KMS."""

    sealed = seal(DataKeys(shelf, kms_key_id).newest(place.tenant_id), place, CANARY)
    shelf.behind = True
    slower = DataKeys(shelf, kms_key_id).newest(place.tenant_id)

    assert open_sealed(slower, place, sealed) == CANARY
    assert kms.asked == ["GenerateDataKey", "GenerateDataKey", "Decrypt"]


def test_alert_names_the_place_and_nothing_secret(
    keys: DataKeys, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """HUB 1, 2."""
    sealed = seal(keys.newest(place.tenant_id), place, CANARY)
    with pytest.raises(CredentialUnreadable) as raised:
        keys.open(Place(place.tenant_id, uuid4(), place.field), sealed)

    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    said = vars(record)
    assert (said["alert"], said["tenant_id"], said["field"]) == (
        "credential-unreadable",
        str(place.tenant_id),
        "auth_token",
    )
    everything = f"{said} {raised.value!r} {raised.value.sentence}"
    assert CANARY not in everything
    assert sealed.hex() not in everything


def test_nothing_shows_a_key_or_a_secret(
    kms: Any, keys: DataKeys, shelf: Shelf, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """HUB 1: even at the most detailed log level; botocore would log KMS's answers."""
    given: list[bytes] = []
    kms.meta.events.register(
        "after-call.kms", lambda parsed, **_: given.append(copy.copy(parsed.get("Plaintext", b"")))
    )
    caplog.set_level(logging.DEBUG)
    key = keys.newest(place.tenant_id)
    keys.open(place, seal(key, place, CANARY))
    shown = f"{key!r} {key} {keys!r} {keys._held!r} {shelf.keys!r} {place!r} {caplog.text}"

    [plaintext] = given
    assert len(plaintext) == 32
    for secret in (CANARY, plaintext.hex(), repr(plaintext)[2:-1], b64encode(plaintext).decode()):
        assert secret not in shown
