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
        (b'{"key":"Abcdefgh-1"}', "abcdefgh-1", False),
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


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        (b'{"key":"a\\u0026long\\u003csecret"}', "a&long<secret"),
        (b'{"key":"a\\u002Blong\\u002Fsecret"}', "a+long/secret"),
        (b'{"key":"a\\u00E4-long\\\\secret"}', "a\u00e4-long\\secret"),
        (b'{"within":"{\\"key\\":\\"a\\\\u0026long\\\\nsecret\\"}"}', "a&long\nsecret"),
        (b"https://h.example/?key=a%2flong%2Bsecret", "a/long+secret"),
        (b"https://h.example/?key=a%2flong+secret", "a/long secret"),
        (b"https://h.example/?key=%61-long-secret", "a-long-secret"),
        (b"%c3%a4-long-secret", "\u00e4-long-secret"),
        (b"a&#x2F;long&#x27;secret", "a/long'secret"),
        (b"a&#47;long&#039;secret", "a/long'secret"),
        (b"a&sol;long&apos;secret", "a/long'secret"),
        (b'{"html":"a\\u0026#x2F;long\\u0026amp;secret"}', "a/long&secret"),
        (b'{"url":"?key=a%2flong\\u00252Bsecret"}', "a/long+secret"),
        (b"612D6C6F6E672d736563726574", "a-long-secret"),
        (b'{"basic":"YS9sb25nPz8\\u002FPz4\\u002BPg=="}', "a/long????>>>"),
        (b'{"raw":"\xff\xfe","key":"a\\u0026long-secret"}', "a&long-secret"),
    ],
)
def test_secret_is_found_as_platforms_spell_it(body: bytes, secret: str) -> None:
    assert kept_secrets.holds(body, "", [secret])


@pytest.mark.parametrize("unit", ["\\", "&#1", "&#", "&a", "%", "%4", "\\u00"])
def test_body_of_broken_escapes_is_searched(unit: str) -> None:
    body = unit.encode() * 10_000
    assert not kept_secrets.holds(body, "", ["a/long+secret"])
    assert kept_secrets.holds(body + b" a/long+secret", "", ["a/long+secret"])


@pytest.mark.parametrize("place", [0, 1024 * 1024 - 5, 1024 * 1024 + 3, 1100 * 1024, 2 * 1024 * 1024])
def test_secret_is_found_anywhere_in_a_large_body(place: int) -> None:
    body = b"x" * place + b"a\\u0026long-secret" + b"x" * 1024 * 1024
    assert kept_secrets.holds(body, "", ["a&long-secret"])


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
