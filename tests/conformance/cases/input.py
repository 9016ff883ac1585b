"""Input: an invalid call is refused with a typed error and moves nothing."""

import json
import secrets
import unicodedata
from collections.abc import Callable

from tests.conformance.cases import case, cases_of
from tests.conformance.client import B, Casino, Fields, encoded, new_id, sign
from tests.conformance.expectations import accepted, expect, moves, refused, replays, unmoved

_AMOUNTS = {
    "-1": b"-1",
    "true": b"true",
    "false": b"false",
    "null": b"null",
    "a text": b'"1000"',
    "10.5": b"10.5",
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "1e999": b"1e999",
    "-1e999": b"-1e999",
    "1e-999": b"1e-999",
    "2^63": str(2**63).encode(),
    "2^64+1000": str(2**64 + 1000).encode(),
    "-2^63": str(-(2**63)).encode(),
    "10^30": str(10**30).encode(),
    "5000 digits": b"9" * 5000,
    "5000 zeros": b"1" + b"0" * 5000 + b".0",
    "[]": b"[]",
    "[1000]": b"[1000]",
    "{}": b"{}",
    "missing": b"",
    "01000": b"01000",
    "+1000": b"+1000",
    "0x3e8": b"0x3e8",
    "1_000": b"1_000",
}


def _with_amount(fields: Fields, amount: bytes) -> bytes:
    rest = encoded({name: value for name, value in fields.items() if name != "amount"})
    return rest[:-1] + b',"amount":' + amount + b"}" if amount else rest


@cases_of(_AMOUNTS)
def case_30_amount_that_is_no_whole_number_of_minor_units_is_refused(casino: Casino, amount: bytes) -> None:
    """WALLET 30: amount -1, true, null, "1000", 10.5, NaN, ... missing -> 400, unmoved, never 500, never cached."""
    player = casino.player()
    bet = player.placed(1000)
    win, next_bet = player.win(2500, bet), player.bet(500)
    with unmoved(player):
        for _ in range(2):
            refused(casino.send("credit", _with_amount(win, amount)), 400)
            refused(casino.send("debit", _with_amount(next_bet, amount)), 400)
    with moves(player, 2000):
        accepted(casino.credit(win), win, 11500)
        accepted(casino.debit(next_bet), next_bet, 11000)


@cases_of({"BIGINT's greatest": 2**63 - 1, "just past BIGINT": 2**63 - B, "far past the cap": 10**18})
def case_31_credit_past_what_a_wallet_may_hold_is_refused(casino: Casino, amount: int) -> None:
    """WALLET 31: Credit past BIGINT or the wallet's cap -> refused cleanly."""
    player = casino.player()
    win, gift = player.win(amount, player.placed(1000)), player.gift(amount)
    with unmoved(player):
        for credit in (win, gift):
            first = refused(casino.credit(credit), balance=9000)
            replays(casino.credit(credit), first)
        refused(casino.debit(player.bet(amount)), code="INSUFFICIENT_FUNDS", balance=9000)


def _nested(bet: Fields, opening: bytes, closing: bytes, levels: int) -> bytes:
    return encoded(bet)[:-1] + b',"extra":' + opening * levels + closing * levels + b"}"


Malformed = Callable[[Fields], bytes]
_MALFORMED: dict[str, Malformed] = {
    "no JSON": lambda _bet: b"userId=1&amount=1000",
    "empty": lambda _bet: b"",
    "white space": lambda _bet: b" \r\n",
    "an array": lambda bet: b"[" + encoded(bet) + b"]",
    "a text": lambda bet: json.dumps(encoded(bet).decode()).encode(),
    "a number": lambda _bet: b"1000",
    "null": lambda _bet: b"null",
    "cut off": lambda bet: encoded(bet)[:-1],
    "trailing garbage": lambda bet: encoded(bet) + b"x",
    "a second object": lambda bet: encoded(bet) + encoded(bet),
    "trailing comma": lambda bet: encoded(bet)[:-1] + b",}",
    "trailing NUL": lambda bet: encoded(bet) + b"\0",
    "byte order mark": lambda bet: b"\xef\xbb\xbf" + encoded(bet),
    "UTF-16": lambda bet: encoded(bet).decode().encode("utf-16"),
    "UTF-16 without mark": lambda bet: encoded(bet).decode().encode("utf-16-le"),
    "invalid UTF-8": lambda bet: encoded(bet | {"extra": "é"}).replace("é".encode(), b"\xe9"),
    "overlong UTF-8": lambda bet: encoded(bet | {"extra": "@"}).replace(b"@", b"\xc0\xaf"),
    "surrogate in UTF-8": lambda bet: encoded(bet | {"extra": "@"}).replace(b"@", b"\xed\xa0\x80"),
    "duplicate key": lambda bet: encoded(bet)[:-1] + b',"amount":1}',
    "duplicate key, equal": lambda bet: encoded(bet)[:-1] + b',"amount":1000}',
    "duplicate key, escaped": lambda bet: encoded(bet)[:-1] + b',"\\u0061mount":1}',
    "duplicate extra key": lambda bet: encoded(bet)[:-1] + b',"extra":1,"extra":1}',
    "duplicate key inside": lambda bet: encoded(bet)[:-1] + b',"extra":{"a":1,"a":2}}',
    "1000 arrays deep": lambda bet: _nested(bet, b"[", b"]", 1000),
    "1000 objects deep": lambda bet: _nested(bet, b'{"a":', b"", 999)[:-1] + b"1" + b"}" * 1000,
    "7000 arrays deep": lambda bet: _nested(bet, b"[", b"]", 7000),
    "NaN in an extra field": lambda bet: encoded(bet)[:-1] + b',"extra":NaN}',
    "single quotes": lambda bet: str(bet).encode(),
    "a comment": lambda bet: encoded(bet) + b"/* */",
    "control character": lambda bet: encoded(bet)[:-1] + b',"extra":"\n"}',
    "over the limit": lambda bet: encoded(bet | {"extra": "x" * 2**20}),
    "over the limit by white space": lambda bet: encoded(bet) + b" " * 2**20,
    "over the gateway's limit": lambda bet: encoded(bet | {"extra": "x" * (7 * 2**20)}),
}


@cases_of(_MALFORMED)
def case_32_body_that_is_no_plain_json_object_is_refused(casino: Casino, malform: Malformed) -> None:
    """WALLET 32: Not JSON, empty body, array, scalar, ... nesting, body over the limit -> 400/413."""
    player = casino.player()
    bet = player.bet(1000)
    body = malform(bet)
    with unmoved(player):
        for operation in ("debit", "credit", "rollback", "getBalance"):
            reply = casino.send(operation, body)
            expect(reply.status in (400, 413), f"{operation} answered neither 400 nor 413: {reply}")
        expect(casino.send("launchGame", body, signature=None).status in (400, 413), "launchGame took it")
    with moves(player, -1000):
        accepted(casino.debit(bet), bet, 9000)


@case
def case_32_extra_fields_are_ignored_but_signed(casino: Casino) -> None:
    """WALLET 32: Unknown extra fields are ignored but covered by the signature."""
    player = casino.player()
    extra = {"extra": {"a": [1, 2.5, None]}, "balance": "999999", "status": "ok", "tenantId": "x", "__proto__": {}}
    bet = player.bet(1000)
    signature = sign(casino.secret, encoded(bet | extra))
    with unmoved(player):
        changed = encoded(bet | extra | {"status": "OK"})
        refused(casino.send("debit", changed, signature=signature), 401)
        refused(casino.send("debit", encoded(bet), signature=signature), 401)
    with moves(player, -1000):
        accepted(casino.send("debit", encoded(bet | extra), signature=signature), bet, 9000)


def _never_used(text: str) -> str:
    """An id of the same kind, and at both limits of the same length, that no earlier run has used."""
    if len(text) == 1:
        return chr(0x20000 + secrets.randbelow(0xA6D0))
    return new_id() + text[36:] if len(text) == 255 else text + new_id()


_IDS = {
    "one character": "a",
    "255 characters": "x" * 255,
    "255 astral characters": "\U0001f3b0" * 255,
    "spaces": " a b ",
    "accents": "pari-é-ü-ß-ñ",
    "decomposed accents": unicodedata.normalize("NFD", "pari-é-ü-ñ"),
    "chinese": "下注",
    "right to left": "\u202e\u0631\u0647\u0627\u0646\u200f",
    "zero width": "a\u200bb\ufeff",
    "control characters": "a\u0001\t\n\r\u007f\u0085\u2028b",
    "no character": "\ufffe\uffff\U0010ffff\ufdd0",
    "quotes and backslashes": "\"\\'`/\\u0041\\n%s%(a)s{0}$1",
    "SQL": "'; DROP TABLE casino_transactions; --",
    "HTML": "<script>alert('1')</script>&amp;",
    "a number": "123",
    "null": "null",
}


@cases_of(_IDS)
def case_33_id_is_kept_as_sent(casino: Casino, text: str) -> None:
    """WALLET 33: Ids: 1 to 255 characters; any Unicode kept as sent; SQL or HTML text is stored verbatim."""
    player = casino.player()
    bet = player.bet(1000, _never_used(text), text)
    with moves(player, -1000):
        first = accepted(casino.debit(bet), bet, 9000)
        replays(casino.debit(bet), first)
        escaped = json.dumps(bet).encode()
        replays(casino.send("debit", escaped), first)
    with unmoved(player):
        refused(casino.debit(bet | {"amount": 1}), 409, "DUPLICATE_TRANSACTION")
        win = player.win(300, bet)
        expect(casino.credit(win | {"roundId": f"{text[:-1]}?"}).status >= 400, "a win for another round was paid")
    with moves(player, 300):
        win = player.win(300, bet)
        accepted(casino.credit(win), win, 9300)


@cases_of(
    {
        "upper and lower case": ("A", "a"),
        "composed and decomposed": ("\u00e9", "e\u0301"),
        "ligature": ("\ufb01", "fi"),
        "sharp s": ("ß", "ss"),
        "dotless i": ("I", "\u0131"),
        "full width": ("\uff11", "1"),
        "space at the end": (" ", ""),
        "zero width space": ("\u200b", ""),
        "trailing zero": ("0", "00"),
    }
)
def case_33_ids_that_look_alike_are_different(casino: Casino, ends: tuple[str, str]) -> None:
    """WALLET 33: Ids: no normalisation, case-sensitive."""
    player = casino.player()
    stem = new_id()
    one, two = (player.bet(1000, stem + end, "round-" + end) for end in ends)
    with moves(player, -2000):
        accepted(casino.debit(one), one, 9000)
        accepted(casino.debit(two), two, 8000)
    with moves(player, 1000):
        undo = player.undo(two)
        accepted(casino.rollback(undo), undo, 9000)
    with moves(player, 200):
        win = player.win(200, one)
        accepted(casino.credit(win), win, 9200)


_NO_IDS = {
    "empty": b'""',
    "256 characters": b'"' + b"x" * 256 + b'"',
    "NUL": b'"a\\u0000b"',
    "NUL alone": b'"\\u0000"',
    "lone high surrogate": b'"a\\ud800"',
    "lone low surrogate": b'"\\udc00b"',
    "surrogates swapped": b'"\\udc00\\ud800"',
    "a number": b"123",
    "a fraction": b"1.5",
    "true": b"true",
    "null": b"null",
    "an array": b'["a"]',
    "an object": b"{}",
    "missing": b"",
}


@cases_of(_NO_IDS)
def case_33_text_that_is_no_id_is_refused(casino: Casino, text: bytes) -> None:
    """WALLET 33: NUL or a lone surrogate, nothing, 256 characters -> 400, unmoved."""
    player = casino.player()
    bet = player.placed(1000)
    bodies = {"debit": player.bet(100), "credit": player.win(100, bet), "rollback": player.undo(bet)}
    with unmoved(player):
        for operation, fields in bodies.items():
            for name in fields.keys() - {"userId", "amount"}:
                if operation == "rollback" and name == "roundId":
                    continue  # may be left out: WALLET 26
                rest = encoded({other: value for other, value in fields.items() if other != name})
                body = rest[:-1] + b',"' + name.encode() + b'":' + text + b"}" if text else rest
                reply = casino.send(operation, body)
                expect(reply.status == 400, f"{operation} with this {name} is not answered 400: {reply}")


@case
def case_34_unknown_or_foreign_player_or_session_is_refused(casino: Casino) -> None:
    """WALLET 34: Unknown or foreign player, session -> a typed error, unmoved."""
    player, other = casino.player(), casino.player()
    strangers = {
        "an unknown player": {"userId": 2**62},
        "another player": {"userId": other.user_id},
        "an unknown session": {"sessionToken": new_id()},
        "another player's session": {"sessionToken": other.session_token},
        "a session in upper case": {"sessionToken": player.session_token.upper()},
    }
    bet = player.placed(1000)
    with unmoved(player), unmoved(other):
        for who, fields in strangers.items():
            for operation, body in (
                ("getBalance", player.fields),
                ("debit", player.bet(100)),
                ("credit", player.win(100, bet)),
                ("credit", player.gift(100)),
                ("rollback", player.undo(bet)),
                ("rollback", player.undo(player.bet(1))),
            ):
                reply = casino.send(operation, encoded(body | fields))
                expect(400 <= reply.status < 500 and reply.code, f"{operation} for {who}: {reply}")
                expect("balance" not in reply.json, f"{operation} for {who} tells a balance: {reply}")


@cases_of(
    {
        "0": b"0",
        "-1": b"-1",
        "a text": b'"1"',
        "true": b"true",
        "1.0": b"1.0",
        "2^63": str(2**63).encode(),
        "5000 digits": b"1" * 5000,
        "null": b"null",
        "[]": b"[]",
        "missing": b"",
    }
)
def case_34_user_id_that_is_no_id_is_refused(casino: Casino, user_id: bytes) -> None:
    """WALLET 34: An impossible player id -> a typed error, unmoved."""
    player = casino.player()
    with unmoved(player):
        for operation, fields in (
            ("getBalance", player.fields),
            ("debit", player.bet(100)),
            ("credit", player.gift(100)),
            ("rollback", player.undo(player.bet(1))),
            ("launchGame", {"gameId": casino.game_id, "userId": 1}),
        ):
            rest = encoded({name: value for name, value in fields.items() if name != "userId"})
            body = rest[:-1] + b',"userId":' + user_id + b"}" if user_id else rest
            signature = None if operation == "launchGame" else ""
            refused(casino.send(operation, body, signature=signature), 400)


@case
def case_34_launch_of_an_unknown_game_or_player_is_refused(casino: Casino) -> None:
    """WALLET 34: Unknown game or player -> a typed error."""
    player = casino.player()
    refused(casino.launch(player.user_id, 2**62))
    refused(casino.launch(2**62))
    for game_id in (0, -1, "1", None, True, 1.5, [], {}):
        body = encoded({"userId": player.user_id, "gameId": game_id})
        refused(casino.send("launchGame", body, signature=None), 400)
