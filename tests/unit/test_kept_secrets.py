"""Secrets searched in answers."""

import pytest

from causeway.proxy import kept_secrets


@pytest.mark.parametrize(
    ("body", "secret", "found"),
    [
        (b'{"key":"a\\/b\\"c-long"}', 'a/b"c-long', True),
        (b"a&quot;b&amp;c-long", 'a"b&c-long', True),
        ("a\u00e4-long-secret".encode(), "a\u00e4-long-secret", True),
        (b"a\\u00e4-long-secret", "a\u00e4-long-secret", True),
        (b'{"pin":"4711"}', "4711", True),
        (b'{"amount":147110}', "4711", False),
        (b'{"amount":12}', "12", False),
        (b"", "long-secret", False),
        (b"long-secre", "long-secret", False),
    ],
)
def test_secret_is_found_as_it_may_be_written(body: bytes, secret: str, found: bool) -> None:
    assert kept_secrets.holds(body, "", [secret]) is found


def test_body_in_an_unknown_coding_is_searched_as_it_is() -> None:
    assert kept_secrets.holds(b"a long-secret", "zstd", ["long-secret"])
