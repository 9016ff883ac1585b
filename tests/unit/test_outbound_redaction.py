"""Redaction by name and by value (HUB 16)."""

import base64
import html
import json
import re
import sys
from collections.abc import Callable
from html.entities import html5
from types import FrameType
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from causeway.outbound.redaction import MOST_CHARACTERS, REDACTED, Redactor, is_secret_name


def batched_pairs(raw: bytes) -> list[bytes]:
    """The bytes, two at a time."""
    return [raw[place : place + 2] for place in range(0, len(raw), 2)]


SECRET = 's3cr3t/Ünïcode "q"+&=\\\n<x>✓'
LETTERS = {"\a": "\\a", "\b": "\\b", "\x1b": "\\e", "\f": "\\f", "\n": "\\n", "\v": "\\v", "\\": "\\\\"}
BARE_NAMES = {text: f"&{name}" for name, text in html5.items() if not name.endswith(";")}
ENCODINGS = {
    "as it is": lambda value: value,
    "percent": lambda value: quote(value, safe=""),
    "percent in lower case": lambda value: re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
    "percent, slash kept": quote,
    "percent twice": lambda value: quote(quote(value, safe=""), safe=""),
    "percent four times": lambda value: quote(quote(quote(quote(value, safe=""), safe=""), safe=""), safe=""),
    "JavaScript": lambda value: value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n"),
    "form": quote_plus,
    "JSON": json.dumps,
    "JSON in UTF-8": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON, slash escaped": lambda value: json.dumps(value).replace("/", "\\/"),
    "JSON within JSON": lambda value: json.dumps(json.dumps(value)),
    "HTML": html.escape,
    "hexadecimal": lambda value: value.encode().hex(),
    "HEXADECIMAL": lambda value: value.encode().hex().upper(),
    "hexadecimal with colons": lambda value: value.encode().hex(":"),
    "hexadecimal with spaces": lambda value: value.encode().hex(" ").upper(),
    "bytes": lambda value: "".join(f"\\x{byte:02x}" for byte in value.encode()),
    "octal": lambda value: "".join(f"\\{byte:03o}" for byte in value.encode()),
    "Python": lambda value: "".join(f"\\U{ord(one):08x}" for one in value),
    "JavaScript's code points": lambda value: "".join(f"\\u{{{ord(one):x}}}" for one in value),
    "JavaScript's escape": lambda value: "".join(
        f"%u{int.from_bytes(pair):04x}" for one in value for pair in batched_pairs(one.encode("utf-16-be"))
    ),
    "octal, short": lambda value: re.sub(
        "[\\0-\\x1f](?=([0-7]?))",
        lambda one: f"\\{ord(one[0]):03o}" if one[1] else f"\\{ord(one[0]):o}",
        value.replace("\\", "\\\\"),
    ),
    "letters": lambda value: "".join(LETTERS.get(one, one) for one in value),
    "references": lambda value: "".join(f"&#{ord(one)};" for one in value),
    "references with zeros": lambda value: "".join(f"&#{ord(one):08};" for one in value),
    # Only names that HTML accepts so.
    "names without semicolons": lambda value: "".join(BARE_NAMES.get(one, one) for one in value),
    "references in hexadecimal": lambda value: "".join(f"&#x{ord(one):x};" for one in value),
    "references in hexadecimal with zeros": lambda value: "".join(f"&#X{ord(one):08X}" for one in value),
    "references without semicolons": lambda value: "".join(f"&#{ord(one)}" for one in value),
    "base64 in lines": lambda value: base64.encodebytes(value.encode() * 4).decode().strip(),
    "base64 in short lines": lambda value: re.sub("(.{7})", r"\1\r\n ", base64.b64encode(value.encode()).decode()),
    "base64 in lines in JSON": lambda value: json.dumps(
        re.sub("(.{7})", r"\1\n", base64.b64encode(value.encode()).decode())
    ).strip('"'),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "Basic, user of 1": lambda value: base64.b64encode(b"u:" + value.encode()).decode(),
    "Basic, user of 2": lambda value: base64.b64encode(b"uu:" + value.encode()).decode(),
    "Basic, user of 3": lambda value: base64.b64encode(b"uuu:" + value.encode() + b":more").decode(),
}
# A value without characters to escape, which makes it easy to state what must not be visible.
PLAIN = "c4nary-Value_9"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_value_is_found_in_every_spelling(encoding: str) -> None:
    """HUB 16."""
    text = ENCODINGS[encoding](SECRET)

    redacted = Redactor([SECRET]).text(f"before {text} after")

    assert REDACTED in redacted
    # Up to three characters of a base64 text may belong to the text beside it.
    rest = redacted.replace(REDACTED, "").removeprefix("before ").removesuffix(" after").strip('"\\')
    assert len(rest) <= 4, redacted


# Numbers with zeros only, with zeros before them, and with the most digits.
@example("\0", "references without semicolons")
@example("\0", "references with zeros")
@example("\0", "references in hexadecimal")
@example("\0", "octal, short")
@example("A\0\x01\a\v\x1b", "octal, short")
@example("A\a\b\x1b\f\v", "letters")
@example("A\0A", "references")
@example("\0\U0010ffff", "references with zeros")
@example("\0\U0010ffff", "references in hexadecimal with zeros")
@example("\0", "JavaScript's code points")
@example("\0", "JavaScript's escape")
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=12), st.sampled_from(sorted(ENCODINGS)))
def test_any_value_is_found_in_every_spelling(value: str, encoding: str) -> None:
    """HUB 16: short values have no base64 form of their own."""
    if not encoding.startswith(("base64", "Basic", "hex", "HEX")) or len(value.encode()) >= 8:
        assert REDACTED in Redactor([value]).text(f"|{ENCODINGS[encoding](value)}|")


def test_longer_value_is_redacted_before_a_shorter_one_inside_it() -> None:
    assert Redactor(["abc", "abcdef"]).text("abcdef abc") == f"{REDACTED} {REDACTED}"


def test_empty_value_hides_nothing() -> None:
    assert Redactor(["", ""]).text("all of it") == "all of it"


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "authToken",
        "auth_token",
        "api_key",
        "apiKey",
        "X-API-Key",
        "access_token",
        "client_secret",
        "Password",
        "passwd",
        "X-Hub-Signature-256",
        "Set-Cookie",
        "AccountPin",
        "authkey",
        "hash_key",
        "license_key",
        "key",
        "pin",
        "data[client_secret]",
        "private_key",
        "Stripe-Signature",
        "webhookSecret",
        "jwt",
        "x%2Dapi%2Dkey",
        "card[cvc]",
        "card%5Bcvv2%5D",
        "payment_method_data[card][cvc]",
        "cardCvc",
        "user.pin",
        "user[pass]",
        "s:Pass",
        "Pass%77ord",
        "Pass%252577ord",
        "p\\u0061ssword",
        "p\\\\u0061ssword",
    ],
)
def test_name_is_secret(name: str) -> None:
    """HUB 16."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["amount", "status", "keyword", "monkey", "shipping", "design", "author", "page", "sid"]
)
def test_name_is_not_secret(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("next=https://h.test/?token=v4lue", "next=https://h.test/?token=[redacted]"),
        ('{"auth_token": "v4lue", "sid": "AC1"}', '{"auth_token": "[redacted]", "sid": "AC1"}'),
        ('{"password":"v4\\"lue","a":1}', '{"password":"[redacted]","a":1}'),
        ('{"pin": 44123, "a": 1}', '{"pin": "[redacted]", "a": 1}'),
        ('{"tokens": ["v4lue", "v4lue"], "a": 1}', '{"tokens": "[redacted]", "a": 1}'),
        ('{"secret": {"a": "v4lue"}, "b": 1}', '{"secret": "[redacted]", "b": 1}'),
        ('{"secret": {"a": {"b": "v4lue"}, "c": "v4lue"}, "d": 1}', '{"secret": "[redacted]", "d": 1}'),
        ('{"tokens": [["v4lue"], ["v4lue"]], "a": []}', '{"tokens": "[redacted]", "a": []}'),
        ('{"tokens": ["a", "b]v4lue"], "a": 1}', '{"tokens": "[redacted]", "a": 1}'),
        ('{"tokens": ["a", "b\\"]v4lue"], "a": 1}', '{"tokens": "[redacted]", "a": 1}'),
        (
            '{"in": "{\\"keys\\": 1, \\"secret\\": [{\\"a\\": \\"}v4lue\\"}]}", "b": 1}',
            '{"in": "{\\"keys\\": 1, \\"secret\\": \\"[redacted]\\"}", "b": 1}',
        ),
        ('{"secret": {"a": ["v4lue"', '{"secret": "[redacted]"'),
        ('{"inner": "{\\"token\\": \\"v4lue\\"}"}', '{"inner": "{\\"token\\": \\"[redacted]\\"}"}'),
        ('{"token": "v4lu', '{"token": "[redacted]"'),
        ("{'api_key': 'v4lue'}", "{'api_key': '[redacted]'}"),
        ("grant_type=x&client_secret=v4lue&a=b", "grant_type=x&client_secret=[redacted]&a=b"),
        ("<Password>v4lue</Password><A>b</A>", "<Password>[redacted]</Password><A>b</A>"),
        ("Accept: a\nAuthorization: Basic v4luev4lue\nHost: b", "Accept: a\nAuthorization: [redacted]\nHost: b"),
        ("sent Bearer v4luev4lue to it", "sent Bearer [redacted] to it"),
        ("card[cvc]=987&a=1", "card[cvc]=[redacted]&a=1"),
        ("payment_method_data%5Bcard%5D%5Bcvc%5D=987&a=1", "payment_method_data%5Bcard%5D%5Bcvc%5D=[redacted]&a=1"),
        ("external_account[account_number]=000123456789", "external_account[account_number]=[redacted]"),
        ('{"bank": {"accountNumber": "000123456789"}}', '{"bank": {"accountNumber": "[redacted]"}}'),
        ("a?Pass%77ord=v4lue", "a?Pass%77ord=[redacted]"),
        ("a?Pass%2577ord=v4lue", "a?Pass%2577ord=[redacted]"),
        ('{"p\\u0061ssword":"v4lue"}', '{"p\\u0061ssword":"[redacted]"}'),
        ('{"in": "{\\"p\\\\u0061ssword\\": \\"v4lue\\"}"}', '{"in": "{\\"p\\\\u0061ssword\\": \\"[redacted]\\"}"}'),
        (
            '{"the user\'s": 1, "secret word": "v4lue", "x:pin": 4}',
            '{"the user\'s": 1, "secret word": "[redacted]", "x:pin": "[redacted]"}',
        ),
        (
            '<s:Password Type="x">v4lue</s:Password><s:A>b</s:A>',
            '<s:Password Type="x">[redacted]</s:Password><s:A>b</s:A>',
        ),
        ("<Password><![CDATA[v4<]lue]]></Password><A>b</A>", "<Password>[redacted]</Password><A>b</A>"),
        ("<a Password='v4lu\"e' b='c'/>", "<a Password='[redacted]' b='c'/>"),
        ('<a s:Password = "v4lu\'e" b="c"/>', '<a s:Password = "[redacted]" b="c"/>'),
        ('{"xml": "<a Password=\\"v4lue\\" b=\\"c\\"/>"}', '{"xml": "<a Password=\\"[redacted]\\" b=\\"c\\"/>"}'),
    ],
)
def test_value_under_a_secret_name_is_redacted(text: str, redacted: str) -> None:
    """HUB 16."""
    assert Redactor([]).text(text) == redacted


CARDS = (
    "4242424242424242",
    "378282246310005",
    "6011000990139424",
    "4222222222222",
    "30569309025904",
    "6212341111111111116",
)
# Their check digit is wrong, they are too short or too long, or they begin as no card does.
NO_CARDS = (
    "4242424242424241",
    "424242424242",
    "42424242424242424242",
    "1764508000007",
    "7012345678901234562",
    "25.4242424242424242",
    "2026-11-30 13:15:06 4242",
    "0123456789abcdef",
)


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize(
    "place",
    [
        "{}",
        '{{"card[number]":"{}"}}',
        '{{"number": {}, "a": 1}}',
        "number={}&a=1",
        "a=%22{}%22",
        '"a": "\\u0020{}\\u0020"',
        "paid 100 2026 with {} in 2026 1000",
        "B{}^NAME",
    ],
)
@pytest.mark.parametrize("separator", ["", " ", "-", "+", "%20"])
def test_card_number_is_redacted_by_value(number: str, place: str, separator: str) -> None:
    """HUB 16: under any name."""
    shown = separator.join((number[:4], number[4:8], number[8:12], number[12:]))
    if separator and len(number) < 15:
        shown = separator.join((number[:4], number[4:10], number[10:]))

    assert Redactor([]).body(place.format(shown).encode()) == place.format(REDACTED)


@pytest.mark.parametrize("number", NO_CARDS)
def test_other_numbers_are_shown(number: str) -> None:
    assert Redactor([]).body(number.encode()) == number


def test_card_number_in_a_url_is_redacted() -> None:
    assert Redactor([]).url(f"https://h.test/cards/{CARDS[0]}?n={CARDS[1]}") == (
        f"https://h.test/cards/{REDACTED}?n={REDACTED}"
    )


@pytest.mark.parametrize("place", range(MOST_CHARACTERS - 40, MOST_CHARACTERS + 10, 3))
def test_card_number_at_the_cut_is_redacted_completely(place: int) -> None:
    kept = Redactor([]).body(("x" * place + "4242 4242 4242 4242" + "y" * 100_000).encode())

    assert "42" not in kept.removesuffix(f"... [{place + 100_019} bytes]")


@pytest.mark.parametrize("depth", range(4))
@pytest.mark.parametrize(
    "value", ['v4"lue', "v4\\", 'v4\\"lue', ["v4", 'v"]4lue'], {"a": {"b": "v}4"}, "c": "v4lue"}, 4]
)
def test_value_under_a_secret_name_ends_where_json_ends_it(depth: int, value: Any) -> None:
    """HUB 16: in JSON inside JSON, as platforms log and forward it, and with quotes inside the value."""
    text = json.dumps({"token": value, "shown": "seen"})
    for _ in range(depth):
        text = json.dumps({"inner": text, "n": 1})

    redacted = Redactor([]).text(text)

    assert "4" not in redacted
    assert "lue" not in redacted
    assert "seen" in redacted


@pytest.mark.parametrize("text", ['{"a": "b", "n": 1, "status": "ok"}', "a=b&page=2", "<a>b</a>", "plain: words\n", ""])
def test_text_without_a_secret_is_unchanged(text: str) -> None:
    assert Redactor([PLAIN]).text(text) == text


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        ("https://user:v4lue@h.test:8/a?b=c#v4lue", "https://h.test:8/a?b=c"),
        ("https://h.test/a?access_token=v4lue&page=2", "https://h.test/a?access_token=[redacted]&page=2"),
        (f"https://h.test/bot{PLAIN}/send", "https://h.test/bot[redacted]/send"),
        (f"https://h.test/a?{urlencode({'q': PLAIN})}", "https://h.test/a?q=[redacted]"),
        ("https://[half", "[unreadable URL]"),
    ],
)
def test_url_is_without_secrets(url: str, redacted: str) -> None:
    """HUB 16."""
    assert Redactor([PLAIN]).url(url) == redacted


@pytest.mark.parametrize("place", range(MOST_CHARACTERS - 40, MOST_CHARACTERS + 10, 3))
def test_value_at_the_cut_is_redacted_completely(place: int) -> None:
    """HUB 16: the text is redacted first, then cut."""
    body = ("x" * place + PLAIN + "y" * 100_000).encode()

    kept = Redactor([PLAIN]).body(body)

    assert "c4n" not in kept
    assert len(kept) < MOST_CHARACTERS + 40
    assert kept.endswith(f"... [{len(body)} bytes]")


@pytest.mark.parametrize("place", range(MOST_CHARACTERS - 60, MOST_CHARACTERS + 10))
def test_authentication_scheme_at_the_cut_leaves_nothing_of_its_secret(place: int) -> None:
    """HUB 16: at the end of the searched text, the rest of a secret may be too short to be recognised."""
    kept = Redactor([]).body(("x" * place + " Bearer v4luev4luev4lue " + "y" * 100_000).encode())

    assert "v4" not in kept


@pytest.mark.parametrize("last", range(1, 27))
def test_longest_spelling_of_a_character_is_cut_with_its_backslashes(last: int) -> None:
    """HUB 16: a surrogate pair, each half behind eight backslashes, of which this many characters remain."""
    text = "|ab" + ("\\" * 8 + "ud83d" + "\\" * 8 + "ude00")[:last]

    assert Redactor(["ab\U0001f600cd"]).text(text, cut=True).startswith(f"|{REDACTED}")


def test_body_of_four_byte_characters_is_cut() -> None:
    """HUB 16: the searched number of bytes may be fewer characters than the limit, while the body goes on."""
    secret = "".join(map(chr, range(0x1F600, 0x1F607)))

    kept = Redactor([secret]).body((secret * 10_000).encode())

    assert not set(kept) & set(secret)


def test_value_at_the_searchs_end_is_not_kept_after_many_redactions() -> None:
    """HUB 16: redaction shortens the text, so that more of it is kept; that part must be clean too."""
    for offset in range(40):
        kept = Redactor([PLAIN]).body(("z" * offset + PLAIN * 2000).encode())
        assert "c4n" not in kept


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if not name.startswith("JSON")])
def test_value_longer_than_the_kept_text_leaves_nothing_at_the_cut(encoding: str) -> None:
    """HUB 16: the search finds the beginning of the value."""
    value = "".join(f"<{n}>" for n in range(3000))
    text = "|" * 3000 + ENCODINGS[encoding](value)

    kept = Redactor([value]).body(text.encode())

    assert kept.startswith("|" * 2800)
    # One or two base64 characters may belong to the text beside it.
    assert len(kept.removesuffix(f"... [{len(text)} bytes]").strip("|").replace(REDACTED, "")) <= 4, kept[2800:]


@pytest.mark.parametrize(
    ("secret", "text", "rest"),
    [
        ("%41", "%41", ""),
        ("%2541", "%252541", ""),
        ("41", "%41", "%"),
        ("\\n", "\\n", ""),
        ("\\" * 3, "\\" * 3, ""),
        ("nab", "C:\\nab", "C:\\"),
        ("a b", "a b,a+b,a%20b,a%2520b", ",,,"),
        ("a+b", "a b,a+b,a%2Bb", "a b,,"),
        ("&amp;x", "&amp;x,&amp;amp;x", ","),
        ("\U0001f600", "\\ud83d\\ude00,&#x1F600;,%F0%9f%98%80", ",,"),
        ("aXa", "aXaXa", ""),
        ("ab\\", "ab\\\\,", ","),
        ("it's", "it\\'s", ""),
        # JavaScript reads two digits after 4 to 7, Python three; some languages read one.
        ("pass'7word99", "pass\\477word99", ""),
        ("pass\u013fword99", "pass\\477word99", ""),
        ("\x0777", "\\777", ""),
        # As html.unescape reads them.
        ('a&b<c"d', "a&ampb&ltc&quotd", ""),
        ("\u2209,\u00acin", "&notin;,&notin", ""),
        ("&b;", "&ampb;", ""),
        ("\u2209x", "&notinx", "&notinx"),
        ("a", "%zz%4%&#;&#x;&nope;\\q\\u12", "%zz%4%&#;&#x;&nope;\\q\\u12"),
    ],
)
def test_ambiguous_escapes_are_searched_in_both_readings(secret: str, text: str, rest: str) -> None:
    """HUB 16: a secret may look like an escape sequence, or follow one."""
    assert Redactor([secret]).text(text).replace(REDACTED, "") == rest


def test_binary_body_is_logged_by_type_and_size() -> None:
    assert Redactor([]).body(b"%PDF-1.7 \x00\x01", "application/pdf") == "[application/pdf, 11 bytes]"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/problem+json", "text/html", ""]
)
def test_text_body_is_shown(content_type: str) -> None:
    assert Redactor([]).body(b'{"a": 1}', content_type) == '{"a": 1}'


WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


@pytest.mark.parametrize("declared", ["", "application/json", "text/html; charset=utf-8", "text/plain; charset={}"])
@pytest.mark.parametrize("charset", [*WIDE, "utf-7", "utf-8-sig", "iso-8859-1", "windows-1252", "cp037", "iso2022_jp"])
def test_charset_hides_neither_value_nor_name(charset: str, declared: str) -> None:
    """HUB 16: a body in UTF-16 hid both from the redactor; besides, a platform may declare a wrong charset."""
    body = json.dumps({"note": f"sent {PLAIN}", "auth_token": "v4lue"}).encode(charset)

    kept = Redactor([PLAIN]).body(body, declared.format(charset))

    plain = "".join(one for one in kept if one.isprintable())
    for hidden in ("c4nary", "Value_9", "v4lue", PLAIN.encode("utf-7").decode()):
        assert hidden not in plain


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-7"])
@pytest.mark.parametrize("secret", [PLAIN, SECRET, "\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57"])
@pytest.mark.parametrize("before", ["", "u", "uu", "uuu"])
def test_value_is_found_in_utf_16_below_base64(charset: str, secret: str, before: str) -> None:
    """HUB 16: PowerShell encodes commands like this, and UTF-7 encodes text like this."""
    raw = (before + secret).encode("utf-16-be" if charset == "utf-7" else charset)
    text = base64.b64encode(raw).decode().rstrip("=")

    redacted = Redactor([secret]).text(f"+{text}-" if charset == "utf-7" else text)

    assert REDACTED in redacted
    assert len(redacted.replace(REDACTED, "").strip("+-")) <= 4 + 4 * len(before)


def test_value_whose_utf_16_is_printable_text_is_found() -> None:
    """HUB 16: these six characters are six letters in either byte order."""
    secret = "\u6162\u6364\u6566"

    assert Redactor([secret]).body(secret.encode("utf-16-be")) == REDACTED
    assert Redactor([secret]).body(secret.encode("utf-16-le")) == REDACTED


@pytest.mark.parametrize("charset", ["UTF-8", '"utf-8"', "us-ascii", "ISO-8859-1", "windows-1252"])
def test_charset_in_which_ascii_is_ascii_is_shown(charset: str) -> None:
    assert Redactor([]).body(b'{"a": 1}', f"application/json; charset={charset}") == '{"a": 1}'
    assert Redactor([]).body(b"\xef\xbb\xbf[]", "application/json") == "[]"


@pytest.mark.parametrize("charset", ["gbk", "cp1251", "iso-8859-1", "shift_jis", "utf-8"])
@pytest.mark.parametrize("declared", ["", "text/plain", "application/json; charset=utf-8", "text/plain; charset=ascii"])
def test_body_that_is_not_in_its_charset_is_not_shown(charset: str, declared: str) -> None:
    """HUB 16: a secret is not found in a body that is decoded with another charset than it was encoded with."""
    secret = "\u0451\u043b\u043a\u0430" if charset in ("gbk", "cp1251", "shift_jis") else "caf\u00e9-\u00fcber"
    body = f"sent abc{secret}xyz".encode(charset)
    kept = Redactor([f"abc{secret}xyz"]).body(body, declared)

    assert "abc" not in kept
    assert "xyz" not in kept


def test_body_is_decoded_with_its_declared_charset() -> None:
    body = "sent caf\u00e9-\u00fcber".encode("iso-8859-1")
    assert Redactor(["caf\u00e9-\u00fcber"]).body(body, "text/plain; charset=iso-8859-1") == f"sent {REDACTED}"


@pytest.mark.parametrize(
    ("content_type", "shown"),
    [
        ("application/pdf; name=" + "x" * 60_000, "application/pdf"),
        ("application/" + "x" * 60_000, "of an unknown type"),
        ("x" * 60_000, "of an unknown type"),
        ("application/json" + " " * 60_000, "application/json"),
        ("application/json; charset=utf-16", "application/json"),
        ("text/html; charset=utf-8; charset=utf-16", "text/html"),
        ("application/pdf\r\nX: y", "of an unknown type"),
        ("application/pdf\n", "application/pdf"),
        ("application/\u202efdp", "of an unknown type"),
        (f"application/{PLAIN}", f"application/{REDACTED}"),
        (f"{PLAIN}/pdf", f"{REDACTED}/pdf"),
        (f"application/x; key={PLAIN}", "application/x"),
        (f"application/{base64.b64encode(PLAIN.encode()).decode().rstrip('=')}", f"applicati{REDACTED}"),
        (f"application/pdf {PLAIN}", "of an unknown type"),
        (PLAIN, "of an unknown type"),
    ],
)
def test_content_type_is_logged_cut_and_redacted(content_type: str, shown: str) -> None:
    """HUB 16: a Content-Type of 60000 characters was logged whole, with any secret in it."""
    assert Redactor([PLAIN]).body(b"\0", content_type) == f"[{shown}, 1 bytes]"


@pytest.mark.parametrize(
    "run",
    [
        "\\",
        "%25",
        "%",
        "a",
        "aA",
        '"',
        '"a"',
        "<a ",
        "&#0",
        "&notin",
        "&lt",
        "\\47",
        "a=",
        "[",
        "{",
        " ",
        "\\u",
        "eyJ",
        "4242 ",
        "4",
        "p='",
        "\\u0061",
    ],
)
def test_search_takes_linear_time_on_any_answer(run: str) -> None:
    """HUB 16: the platform chooses the text; a search that restarts at each position would take hours."""
    body = (run * 100_000).encode()

    assert Redactor(['aA"\\% secret', "k" * 100]).body(body).endswith(f"[{len(body)} bytes]")


def _lines_run(work: Callable[[], object]) -> int:
    """The number of lines of Python that run: measures work without a clock."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


ODD = '"\\/+&<✓ü%'


@pytest.mark.parametrize("unit", ["k3y", ODD, "\\", "%25", "✓"], ids=ascii)
@pytest.mark.parametrize("text", ["%25", "\\", ODD], ids=ascii)
def test_work_grows_no_faster_than_the_secret(unit: str, text: str) -> None:
    """HUB 16: a secret of thousands of unusual characters or backslashes costs no more than its length."""
    body = (text * 10_000).encode()

    def work(length: int) -> int:
        return _lines_run(lambda: Redactor([(unit * length)[:length] + "end"]).body(body))

    # A regular expression of alternatives took 1500 lines per character to build, and did not end on a few backslashes.
    half, whole = work(2000), work(4000)
    assert whole <= 2 * half
    assert whole <= 200 * (4000 + MOST_CHARACTERS)
