"""POST /_local/players: makes a player with a balance, or one more wallet of a player, for the demo and tests."""

import asyncio
import json
import re
from collections.abc import Callable

from local.gateway.translation import Answer

_BALANCE = re.compile(r"[0-9]{1,18}")
_CURRENCY = re.compile(r"[A-Z]{3,5}")
_ACTION = 'Send {"balance": "10000", "currency": "EUR"}; with "userId" too, that player gets one more wallet.'


class PlayersRoute:
    """The route: it makes a player with a wallet, or another wallet of a player.

    Args:
        create_player: takes a balance in minor units, a currency and a player's id, None for a new player; returns
            the id.
    """

    def __init__(self, create_player: Callable[[int, str, int | None], int]) -> None:
        self._create_player = create_player

    async def __call__(self, body: bytes, request_id: str) -> Answer:
        """Answer {"userId": n}, or 400 for a body that is not {"balance": "10000", "currency": "EUR"}.

        With "userId" in the body that player gets one more wallet.
        """
        try:
            given = json.loads(body)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return _refusal("The body must be a JSON object", request_id)
        balance, currency = given.get("balance"), given.get("currency")
        if not isinstance(balance, str) or not _BALANCE.fullmatch(balance):
            return _refusal('balance must be a text of digits, in minor units, e.g. "10000"', request_id)
        if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
            return _refusal('currency must be a currency\'s code, e.g. "EUR"', request_id)
        owner = given.get("userId")
        if owner is not None and (type(owner) is not int or not 0 < owner < 2**63):
            return _refusal("userId must be a player's id, or left out", request_id)
        try:
            user_id = await asyncio.to_thread(self._create_player, int(balance), currency, owner)
        except ValueError as error:
            return _refusal(str(error), request_id)
        return _json(200, {"userId": user_id})


def _refusal(sentence: str, request_id: str) -> Answer:
    refusal = {"error": sentence, "code": "INVALID_REQUEST", "requestId": request_id, "nextAction": _ACTION}
    return _json(400, refusal)


def _json(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"content-type": "application/json"})
