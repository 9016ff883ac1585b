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
        (b'{"pin":"4711"}', "4711", False),
        (b'{"messaging_product":"whatsapp"}', "whatsapp", False),
        (b'{"password":"internationalization"}', "internationalization", False),
        (b'{"phone":"+971501234567"}', "971501234567", False),
        (b'{"key":"Ab3-5678"}', "Ab3-5678", False),
        (b'{"key":"abcdefgh-1"}', "abcdefgh-1", True),
        (b'{"key":"abcdefghijklmnopqrstuvwx"}', "abcdefghijklmnopqrstuvwx", True),
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


def test_key_in_a_header_is_redacted_and_a_plain_word_is_not() -> None:
    headers = {"x-echo": "whatsapp key-123456789", "date": "Mon, 30 Nov 2026 10:00:00 GMT"}
    redacted = kept_secrets.redacted(headers, ["whatsapp", "2026", "key-123456789"])
    assert redacted == headers | {"x-echo": "whatsapp [redacted]"}


@pytest.mark.parametrize("name", ["content-type", "content-encoding", "date", "content-range", "accept-ranges"])
def test_header_by_which_an_answer_is_read_is_not_redacted(name: str) -> None:
    headers = {name: "application/json"}
    assert kept_secrets.redacted(headers, ["application/json"]) == headers
