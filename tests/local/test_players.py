"""POST /_local/players."""

import asyncio
import json

import pytest

from local.gateway.players_route import PlayersRoute
from local.gateway.translation import Answer


def _create_player(balance: int, currency: str, owner: int | None) -> int:
    if currency == "XXX":
        raise ValueError("There is no currency XXX")
    return owner or balance + 1


def _post(body: bytes) -> Answer:
    return asyncio.run(PlayersRoute(_create_player)(body, "request-1"))


def test_player_is_made() -> None:
    answer = _post(b'{"balance": "10000", "currency": "EUR"}')

    assert (answer.status, json.loads(answer.body)) == (200, {"userId": 10001})


def test_player_gets_one_more_wallet() -> None:
    answer = _post(b'{"balance": "10000", "currency": "JPY", "userId": 7}')

    assert (answer.status, json.loads(answer.body)) == (200, {"userId": 7})


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body must be a JSON object"),
        (b"[1]", "The body must be a JSON object"),
        (b"\xff", "The body must be a JSON object"),
        (b'{"currency": "EUR"}', "balance must be"),
        (b'{"balance": 10000, "currency": "EUR"}', "balance must be"),
        (b'{"balance": "-1", "currency": "EUR"}', "balance must be"),
        (b'{"balance": "1.5", "currency": "EUR"}', "balance must be"),
        (b'{"balance": "1", "currency": "eur"}', "currency must be"),
        (b'{"balance": "1"}', "currency must be"),
        (b'{"balance": "1", "currency": "EUR", "userId": "7"}', "userId must be"),
        (b'{"balance": "1", "currency": "EUR", "userId": true}', "userId must be"),
        (b'{"balance": "1", "currency": "EUR", "userId": 0}', "userId must be"),
        (b'{"balance": "1", "currency": "XXX"}', "There is no currency XXX"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(body: bytes, sentence: str) -> None:
    answer = _post(body)

    refusal = json.loads(answer.body)
    assert answer.status == 400
    assert refusal["error"].startswith(sentence)
    assert refusal["code"] == "INVALID_REQUEST"
    assert refusal["requestId"] == "request-1"
    assert refusal["nextAction"].startswith('Send {"balance": "10000", "currency": "EUR"}')
