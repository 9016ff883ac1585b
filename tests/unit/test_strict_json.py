"""Bodies that two parsers could read differently are refused: WALLET 30, 32, 33."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors.requests import InvalidRequest
from causeway.wire.strict_json import NotAnInteger, parse_object, shown_name

LONGEST = 2**63 - 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"null",
        b"true",
        b"1",
        b'"text"',
        b"[]",
        b'[{"a":1}]',
        b"{",
        b"}",
        b"{}{}",
        b"{} x",
        b'{"a":1}garbage',
        b'{"a":1},',
        b'{"a":1,}',
        b'{"a" 1}',
        b"{a:1}",
        b"{'a':1}",
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":.5}',
        b'{"a":1.}',
        b'{"a":0x10}',
        b'{"a":1_000}',
        b'{"a":"\n"}',
        b'{"a":"\x00"}',
        b'{"a":"\\x41"}',
        b'{"a":"\\u12"}',
        b'{"a":1}//',
        b'{"a":/* */1}',
        b"\x00",
        b'{"a":1}\x00',
    ],
)
def test_body_that_is_not_a_json_object_is_refused(raw: bytes) -> None:
    """WALLET 32: no field is named that the caller could correct"""
    with pytest.raises(InvalidRequest) as refused:
        parse_object(raw)
    assert refused.value.action == "Send one JSON object as the body, in UTF-8 and with each field once."


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-16-le")])
def test_byte_order_mark_and_other_encodings_are_refused(raw: bytes) -> None:
    """WALLET 32"""
    with pytest.raises(InvalidRequest):
        parse_object(raw)


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"caf\xe9"])
def test_invalid_utf8_is_refused(text: bytes) -> None:
    """WALLET 32: bad start, cut short, overlong, surrogate, beyond Unicode, Latin-1"""
    with pytest.raises(InvalidRequest, match="UTF-8"):
        parse_object(b'{"a":"' + text + b'"}')


@pytest.mark.parametrize(
    "raw",
    [b'{"a":1,"a":1}', b'{"a":1,"b":2,"a":3}', b'{"a":1,"\\u0061":2}', b'{"x":{"a":1,"a":2}}', b'{"x":[{"":1,"":1}]}'],
)
def test_duplicate_field_is_refused_at_any_depth(raw: bytes) -> None:
    """WALLET 32"""
    with pytest.raises(InvalidRequest, match="twice"):
        parse_object(raw)


def test_fields_that_look_alike_are_two() -> None:
    assert parse_object('{"a":1,"A":2,"\u00e9":3,"e\u0301":4}'.encode()) == {"a": 1, "A": 2, "\u00e9": 3, "e\u0301": 4}


def nested(levels: int, opening: str, closing: str) -> bytes:
    return ('{"a":' + opening * (levels - 1) + "1" + closing * (levels - 1) + "}").encode()


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
@pytest.mark.parametrize("levels", [33, 1000, 100_000])
def test_deep_nesting_is_refused(levels: int, opening: str, closing: str) -> None:
    """WALLET 32"""
    with pytest.raises(InvalidRequest):
        parse_object(nested(levels, opening, closing))


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_usual_nesting_is_accepted(opening: str, closing: str) -> None:
    assert parse_object(nested(31, opening, closing)).keys() == {"a"}


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_javascripts_number_constants_are_refused(constant: str) -> None:
    """WALLET 30"""
    with pytest.raises(InvalidRequest, match=f"{constant} is not a number"):
        parse_object(f'{{"amount":{constant}}}'.encode())


@pytest.mark.parametrize(
    "number", ["10.5", "1000.0", "1e3", "1E3", "1e999", "-1e999", "1e-1", "0.0", "9" * 41, "-" + "9" * 40, "9" * 5000]
)
def test_number_that_is_not_written_as_an_integer_is_refused(number: str) -> None:
    """WALLET 11, 30"""
    value = parse_object(f'{{"amount":{number}}}'.encode())["amount"]

    assert isinstance(value, NotAnInteger)
    assert value.text == number


@pytest.mark.parametrize("number", [0, 1, -1, LONGEST, LONGEST + 1, -(2**63), 10**30, 10**39])
def test_integers_are_exact(number: int) -> None:
    value = parse_object(f'{{"amount":{number}}}'.encode())["amount"]

    assert (type(value), value) == (int, number)


@given(raw=st.binary())
def test_any_bytes_are_an_object_or_refused(raw: bytes) -> None:
    with suppress(InvalidRequest):
        assert isinstance(parse_object(raw), dict)


_plain = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text()


@given(
    value=st.dictionaries(
        st.text(),
        st.recursive(_plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10),
    ),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 2]),
)
def test_any_object_is_read_as_it_was_written(value: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    assert parse_object(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()) == value


@pytest.mark.parametrize(
    "name",
    [
        *(
            "displayName",
            "casino_id",
            "X-API-Key",
            "isActive",
            "lastSyncAt",
            "$schema",
            "userID",
            "a",
            "ig_user_id",
            "URL",
        ),
        *("oauth2_token", "line2", "apiKey", "API_KEY", "surprise", "webhook_encryption_key", "_private"),
    ],
)
def test_unknown_field_is_named(name: str) -> None:
    assert shown_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "sk_live_abcdefghijklmnop",
            "sk_test_a",
            "whsec_abc",
            "cwk_abc",
            "pit-sandbox-gohighlevel",
            "xoxb-abc",
            "ghp_abc",
        ),
        *(
            "AKIAIOSFODNNEXAMPLE",
            "eyJhbGciOiJSUzI",
            "EAAsandboxAccessToken",
            "AIzaSyAbc",
            "5a6d0b0c5a6d0b0c5a6d0b0c5a6d",
        ),
        *(
            "d41d8cd98f00b204e9800998ecf8427e",
            "AbCdEfGhIjKlMnOp",
            "hunter2hunter2",
            "p4ssw0rd",
            "x" * 41,
            "a b",
            "a\nb",
            "",
        ),
        *("key:secret", "a.b", "tr\u00e4ger", "6c1f0b62-8c3f-4f0e-9a53-2f6f1f0c7a11", "\0", "1234567"),
    ],
)
def test_field_name_that_may_be_a_secret_is_not_repeated(name: str) -> None:
    """HUB 1: a secret pasted as a field name would otherwise appear in the answer, and in logs of answers."""
    assert shown_name(name) == "<unnamed>"
