"""Both forms of the signature, compared with other tools' digests, and malformed headers: WALLET 35 to 38."""

import base64
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.game_signing import signatures

# 2026-01-01T00:00:00Z
NOW = 1767225600
SECRET = "casino-secret"
PATH = "/casino/debit"
BODY = b'{"sessionToken":"s","userId":1,"amount":1000}'
# openssl dgst -sha256 -hmac casino-secret, of BODY, and of '1767225600.POST./casino/debit.' followed by BODY.
BARE = "07d382993e64c01086125e0cfaf01d2a607c4eaf83171a5608017d5f0e67cf81"
DIGEST = "885365ca56a9b6a119ef0b318f3452dcddbd4fbfb1c22e40d68503791c21cb96"
TIMED = f"t={NOW},v1={DIGEST}"
# A debit as JSON.stringify writes it, and its HMAC by openssl.
DEBIT = (
    b'{"sessionToken":"7f325788-c990-432c-b7b0-7dcbdd4e5101","userId":1,'
    b'"transactionId":"a9429bb3-9f71-4497-9fa4-f5f7592a46af",'
    b'"roundId":"971faf2a-1b1a-45da-82dd-fc1e202134e3","amount":1000}'
)
DEBIT_DIGEST = "9d6eae6c5af4b7554f57bb5abc9a8e426e4acd328a745cb8586249711d69b7f9"
VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "seed_casino.json"


def verified(
    signature: str,
    *,
    secrets: tuple[str, ...] = (SECRET,),
    method: str = "POST",
    path: str = PATH,
    body: bytes = BODY,
    now: float = NOW,
) -> bool:
    return signatures.verify(signature, secrets, method, path, body, now)


def test_bare_signature_is_hmac_sha256_in_hex() -> None:
    """RFC 4231, test case 2"""
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

    assert signatures.sign_bare("Jefe", b"what do ya want for nothing?") == digest


def test_signatures_equal_openssls() -> None:
    assert signatures.sign_bare(SECRET, BODY) == BARE
    assert signatures.sign_bare(SECRET, DEBIT) == DEBIT_DIGEST
    assert signatures.sign_timed(SECRET, "POST", PATH, BODY, NOW + 0.9) == TIMED


@pytest.mark.parametrize("signature", [BARE, BARE.upper(), TIMED, f"t={NOW},v1={DIGEST.upper()}"])
def test_both_forms_are_accepted_whatever_the_case_of_their_digits(signature: str) -> None:
    assert verified(signature)


@pytest.mark.parametrize(("signature", "bare"), [(BARE, True), (TIMED, False), ("", True), ("t=", False)])
def test_forms_are_told_apart(signature: str, bare: bool) -> None:
    assert signatures.is_bare(signature) == bare


@pytest.mark.parametrize("signature", [BARE, TIMED])
@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], b"", BODY.replace(b"1000", b"1001")])
def test_changed_body_is_refused(signature: str, body: bytes) -> None:
    assert not verified(signature, body=body)


@pytest.mark.parametrize("signature", [BARE, TIMED])
@pytest.mark.parametrize("secrets", [(), ("casino-secret ",), ("provider-secret", "Casino-secret")])
def test_other_secrets_are_refused(signature: str, secrets: tuple[str, ...]) -> None:
    assert not verified(signature, secrets=secrets)


@pytest.mark.parametrize("signature", [BARE, TIMED])
def test_two_secrets_work_while_rotating_and_the_revoked_one_does_not(signature: str) -> None:
    """WALLET 38"""
    assert verified(signature, secrets=("new", SECRET))
    assert verified(signature, secrets=(SECRET, "old"))
    assert not verified(signature, secrets=("newer", "new"))


def test_timed_signature_is_valid_for_its_method_path_and_time_only() -> None:
    """WALLET 36, 37"""
    assert not verified(TIMED, method="PUT")
    assert not verified(TIMED, path="/casino/credit")
    assert not verified(TIMED, path=PATH + "/")
    assert not verified(TIMED.replace(str(NOW), str(NOW + 1)))


def test_bare_signature_is_valid_for_its_body_at_any_time_and_path() -> None:
    """The bare form can be replayed, which is why a provider's row must allow it."""
    assert verified(BARE, method="PUT", path="/casino/credit", now=NOW + 10**6)


@pytest.mark.parametrize("late", [-300, -299.9, 0, 299.9, 300])
def test_timed_signature_is_accepted_within_300_seconds(late: float) -> None:
    """WALLET 36"""
    assert verified(TIMED, now=NOW + late)


@pytest.mark.parametrize("late", [-(10**9), -301, -300.1, 300.1, 301, 10**9])
def test_timed_signature_is_refused_beyond_300_seconds(late: float) -> None:
    """WALLET 36"""
    assert not verified(TIMED, now=NOW + late)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_one_of_up_to_four_digests_must_match(place: int) -> None:
    """While it rotates its secret, a sender signs with both."""
    digests = ["0" * 64, BARE, "f" * 64, "1" * 64]
    assert not verified(f"t={NOW}," + ",".join(f"v1={digest}" for digest in digests))

    digests[place] = DIGEST
    assert verified(f"t={NOW}," + ",".join(f"v1={digest}" for digest in digests))


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        ",",
        "=",
        BARE[:-1],
        BARE + "0",
        BARE + BARE,
        BARE[:-1] + "g",
        BARE[:-1] + "\u0661",
        BARE[:-1] + "\uff11",
        "0x" + BARE[2:],
        "0x" + BARE,
        " " + BARE,
        BARE + " ",
        BARE + "\n",
        "\0" + BARE[1:],
        f"sha256={BARE}",
        f"v1={BARE}",
        f"v1={BARE},t={NOW}",
        base64.b64encode(bytes.fromhex(BARE)).decode(),
        "\u00e9" * 64,
        "\ud800" * 64,
        "\U0001f3b0",
        "null",
        "[]",
        "a" * 100_000,
    ],
)
def test_malformed_header_is_refused_without_an_error(header: str) -> None:
    """WALLET 35"""
    assert not verified(header)


@pytest.mark.parametrize(
    "header",
    [
        "t=",
        "t=,",
        f"t={NOW}",
        f"t={NOW},",
        f"t={NOW},v1=",
        f"t={NOW},v1={DIGEST[:-1]}",
        f"t={NOW},v1={DIGEST}0",
        f"t={NOW},v1={DIGEST[:-1]}g",
        f"t={NOW},v0={DIGEST}",
        f"t={NOW},V1={DIGEST}",
        f"T={NOW},v1={DIGEST}",
        f"t={NOW}, v1={DIGEST}",
        f"t={NOW},v1={DIGEST},",
        f"t={NOW},v1={DIGEST}\n",
        f"t={NOW},v1={DIGEST},v2={DIGEST}",
        f"t={NOW},t={NOW},v1={DIGEST}",
        f"t={NOW};v1={DIGEST}",
        f"t={NOW}" + f",v1={DIGEST}" * 5,
        f"t=-{NOW},v1={DIGEST}",
        f"t=+{NOW},v1={DIGEST}",
        f"t={NOW}.0,v1={DIGEST}",
        f"t=0x{NOW:x},v1={DIGEST}",
        f"t= {NOW},v1={DIGEST}",
        f"t={NOW}000,v1={DIGEST}",
        f"t=0{NOW},v1={DIGEST}",
        f"t={'9' * 5000},v1={DIGEST}",
        "t=" + "".join(chr(0x0660 + int(digit)) for digit in str(NOW)) + f",v1={DIGEST}",
        f"t=1_767_225_600,v1={DIGEST}",
        f"t=nan,v1={DIGEST}",
        f"t=inf,v1={DIGEST}",
        f"t={NOW},v1=\ud800{DIGEST[1:]}",
        f"t={NOW},v1=\u00e9{DIGEST[1:]}",
    ],
)
def test_malformed_timed_header_is_refused_without_an_error(header: str) -> None:
    """WALLET 35, 36"""
    assert not verified(header)


@given(
    header=st.text(alphabet=st.characters(exclude_categories=())) | st.from_regex(r"t=[0-9]{1,13},v1=[0-9a-f]{0,65}")
)
def test_header_made_without_the_secret_is_refused_without_an_error(header: str) -> None:
    assert not verified(header)


@given(
    secret=st.text(min_size=1),
    path=st.text(),
    body=st.binary(),
    now=st.integers(0, 10**11),
    late=st.integers(-300, 300),
)
def test_own_signature_is_verified(secret: str, path: str, body: bytes, now: int, late: int) -> None:
    timed = signatures.sign_timed(secret, "POST", path, body, now)

    assert signatures.verify(timed, ["other", secret], "POST", path, body, now + late)
    assert signatures.verify(signatures.sign_bare(secret, body), [secret], "POST", path, body, now)


def test_signature_of_a_debit_is_valid_for_its_own_body_only() -> None:
    assert verified(DEBIT_DIGEST, body=DEBIT)
    assert not verified(DEBIT_DIGEST, body=DEBIT.replace(b":1000}", b":1}"))
    assert not verified("", body=DEBIT)


def test_vectors_of_the_shared_folder() -> None:
    if not VECTORS.exists():
        pytest.skip(f"no vectors at {VECTORS}: these are kept beside the checkout, and not in it")
    vectors = json.loads(VECTORS.read_text())["vectors"]
    assert {vector["expected"] for vector in vectors} == {"valid", "invalid"}

    for vector in vectors:
        body = base64.b64decode(vector["raw_body_b64"])
        header = vector["headers"].get("x-casino-signature", "")
        found = verified(
            header, secrets=(vector["secret"],), path=urlsplit(vector["url"]).path, body=body, now=vector["now"]
        )
        assert found == (vector["expected"] == "valid"), vector["id"]
