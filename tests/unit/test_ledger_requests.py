"""The wallet's request bodies, from bytes to dataclasses: WALLET 4, 7, 11, 26, 30, 32, 33."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from causeway.casino.ledger.requests import BalanceQuery, Bet, Credit, Rollback
from causeway.errors.casino import InvalidAmount
from causeway.errors.requests import InvalidRequest
from causeway.wire.strict_json import parse_object

LONGEST = 2**63 - 1
QUERY = {"sessionToken": "session", "userId": 7}
BET = {**QUERY, "transactionId": "bet", "roundId": "round", "amount": 1000}
WIN = {**QUERY, "transactionId": "win", "roundId": "round", "amount": 2500, "relatedTransactionId": "bet"}
UNDO = {**QUERY, "transactionId": "undo", "originalTransactionId": "bet", "roundId": "round"}

Parse = Callable[[dict[str, Any]], Any]
ALL: list[tuple[Parse, dict[str, Any]]] = [
    (BalanceQuery.parse, QUERY),
    (Bet.parse, BET),
    (Credit.parse, WIN),
    (Rollback.parse, UNDO),
]
TEXTS = [(parse, body, name) for parse, body in ALL for name, value in body.items() if isinstance(value, str)]


def read(parse: Parse, body: dict[str, Any]) -> Any:
    return parse(parse_object(json.dumps(body).encode()))


def test_body_is_parsed_field_by_field() -> None:
    assert read(BalanceQuery.parse, QUERY) == BalanceQuery("session", 7)
    assert read(Bet.parse, BET) == Bet("session", 7, "bet", "round", 1000)
    assert read(Credit.parse, WIN) == Credit("session", 7, "win", "round", 2500, "bet", "win")
    assert read(Rollback.parse, UNDO) == Rollback("session", 7, "undo", "round", "bet")


@pytest.mark.parametrize(("parse", "body"), ALL)
def test_unknown_fields_are_ignored(parse: Parse, body: dict[str, Any]) -> None:
    """WALLET 32"""
    assert read(parse, {**body, "extra": [{"x": None}], "Amount": -1, "": 1.5}) == read(parse, body)


@pytest.mark.parametrize(("parse", "body"), ALL)
def test_order_of_fields_does_not_matter(parse: Parse, body: dict[str, Any]) -> None:
    """WALLET 11"""
    assert read(parse, dict(reversed(body.items()))) == read(parse, body)


@pytest.mark.parametrize(("parse", "body", "name"), TEXTS)
@pytest.mark.parametrize("wrong", ["", "x" * 256, 1, 1.5, True, [], {}, "\0", "\ud800"])
def test_wrong_text_is_refused_with_the_fields_name(
    parse: Parse, body: dict[str, Any], name: str, wrong: object
) -> None:
    """WALLET 33"""
    with pytest.raises(InvalidRequest, match=name):
        read(parse, {**body, name: wrong})


@pytest.mark.parametrize(("parse", "body", "name"), TEXTS)
@pytest.mark.parametrize("text", ["x" * 255, "\U0001f3b0", " ", "'; --"])
def test_text_is_kept_as_sent(parse: Parse, body: dict[str, Any], name: str, text: str) -> None:
    """WALLET 33"""
    found = read(parse, {**body, name: text})

    assert text in [getattr(found, field) for field in found.__dataclass_fields__]


@pytest.mark.parametrize(("parse", "body", "name"), [given for given in TEXTS if given[1:] != (UNDO, "roundId")])
def test_missing_text_is_refused_with_its_name(parse: Parse, body: dict[str, Any], name: str) -> None:
    for missing in ({k: v for k, v in body.items() if k != name}, {**body, name: None}):
        with pytest.raises(InvalidRequest, match=name):
            read(parse, missing)


@pytest.mark.parametrize(("parse", "body"), ALL)
@pytest.mark.parametrize("wrong", [0, -1, LONGEST + 1, 1.0, True, None, "7", [7]])
def test_wrong_player_is_refused(parse: Parse, body: dict[str, Any], wrong: object) -> None:
    with pytest.raises(InvalidRequest, match="userId"):
        read(parse, {**body, "userId": wrong})


@pytest.mark.parametrize(("parse", "body"), [(Bet.parse, BET), (Credit.parse, WIN)])
@pytest.mark.parametrize(
    "amount",
    [
        "-1",
        "true",
        "false",
        "null",
        '"1000"',
        "10.5",
        "1000.0",
        "1e3",
        "1e999",
        "-1e999",
        str(LONGEST + 1),
        str(-LONGEST),
        str(10**30),
        "9" * 5000,
        "[]",
        "[1000]",
        "{}",
    ],
)
def test_amount_that_is_not_a_whole_number_is_refused(parse: Parse, body: dict[str, Any], amount: str) -> None:
    """WALLET 11, 30"""
    raw = json.dumps({**body, "amount": "?"}).replace('"?"', amount).encode()

    with pytest.raises(InvalidAmount):
        parse(parse_object(raw))


@pytest.mark.parametrize(("parse", "body"), [(Bet.parse, BET), (Credit.parse, WIN)])
def test_missing_amount_is_refused(parse: Parse, body: dict[str, Any]) -> None:
    """WALLET 30"""
    with pytest.raises(InvalidAmount):
        read(parse, {name: value for name, value in body.items() if name != "amount"})


@pytest.mark.parametrize(("parse", "body"), [(Bet.parse, BET), (Credit.parse, WIN)])
@pytest.mark.parametrize("amount", [0, 1, 6372709234, LONGEST])
def test_amounts_are_exact_up_to_the_largest(parse: Parse, body: dict[str, Any], amount: int) -> None:
    """WALLET 4, 8"""
    assert read(parse, {**body, "amount": amount}).amount == amount


@pytest.mark.parametrize("kind", ["promo", "jackpot"])
def test_promo_and_jackpot_need_no_bet_but_may_name_one(kind: str) -> None:
    """WALLET 7"""
    alone = {name: value for name, value in WIN.items() if name != "relatedTransactionId"}

    assert read(Credit.parse, {**alone, "kind": kind}) == Credit("session", 7, "win", "round", 2500, None, kind)
    assert read(Credit.parse, {**WIN, "kind": kind}).bet_id == "bet"
    with pytest.raises(InvalidRequest, match="relatedTransactionId"):
        read(Credit.parse, {**WIN, "kind": kind, "relatedTransactionId": ""})


@pytest.mark.parametrize(
    "kind", ["", "WIN", "bet", "rollback", "deposit", "tombstone", None, 1, True, 1.5, ["win"], {}]
)
def test_other_kinds_of_credit_are_refused(kind: object) -> None:
    with pytest.raises(InvalidRequest, match="kind"):
        read(Credit.parse, {**WIN, "kind": kind})


@pytest.mark.parametrize("amount", [0, -5, 1.5, "1000", True, None, 10**30])
def test_amount_of_a_rollback_is_not_read(amount: object) -> None:
    """WALLET 26"""
    assert read(Rollback.parse, {**UNDO, "amount": amount}) == read(Rollback.parse, UNDO)


def test_round_of_a_rollback_may_be_missing() -> None:
    """WALLET 26"""
    alone = {name: value for name, value in UNDO.items() if name != "roundId"}

    assert read(Rollback.parse, alone).round_id is None
    assert read(Rollback.parse, {**alone, "roundId": None}).round_id is None


@pytest.mark.parametrize(("parse", "body"), ALL)
def test_currency_may_be_sent(parse: Parse, body: dict[str, Any]) -> None:
    """WALLET 43: the ledger compares it with the wallet's currency"""
    assert read(parse, {**body, "currency": "EUR"}).currency == "EUR"
    assert read(parse, {**body, "currency": None}).currency is None
    assert read(parse, body).currency is None


@pytest.mark.parametrize(("parse", "body"), ALL)
@pytest.mark.parametrize("wrong", ["", 978, True, ["EUR"], {}])
def test_currency_that_is_not_a_text_is_refused(parse: Parse, body: dict[str, Any], wrong: object) -> None:
    """WALLET 43"""
    with pytest.raises(InvalidRequest, match="currency"):
        read(parse, {**body, "currency": wrong})
