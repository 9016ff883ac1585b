"""Base64url: each value has one valid spelling, in cursors, API keys and ids of paths."""

import string
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors.tenancy import Unauthorized
from causeway.tenancy import key_texts
from causeway.wire import base64url

LETTERS = string.ascii_letters + string.digits + "-_"


@given(st.binary(max_size=80))
def test_bytes_have_one_spelling(raw: bytes) -> None:
    text = base64url.encode(raw)

    assert base64url.decode(text) == raw
    spelled = set()
    for last in LETTERS if text else "":
        try:
            spelled.add(base64url.decode(text[:-1] + last))
        except ValueError:
            continue
    # As many spellings as the unused bits of the last character allow.
    assert len(spelled) == (0 if not text else {0: 64, 2: 4, 3: 16}[len(text) % 4])


@pytest.mark.parametrize("text", ["QQ==", "QQ=", "Q", "QR", "Q Q", "QQ\n", "Q+", "Q/", "\u00e4\u00e4", "QUJD\r\n"])
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        base64url.decode(text)


def test_api_key_has_one_spelling() -> None:
    """The unused bits of the last character allow 16 spellings; only one is valid."""
    key, _ = key_texts.make(UUID(int=1), uuid4())
    canonical = []
    for last in LETTERS:
        try:
            key_texts.use(None, key.text[:-1] + last)  # ty: ignore[invalid-argument-type]
        except Unauthorized:
            continue
        # An accepted spelling would query the database, which is None here.
        except AttributeError:
            canonical.append(last)
    assert len(canonical) == 4
    assert key.text[-1] in canonical
