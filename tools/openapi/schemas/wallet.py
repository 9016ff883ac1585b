"""The wallet's requests and answers. Fields that are not listed are ignored; the signature covers them too."""

from causeway.wire.fields import LARGEST_INTEGER
from tools.openapi.schemas.shapes import MONEY, NUMBER, SHORT, TEXT, Schema, object_of

_AMOUNT: Schema = {"type": "integer", "minimum": 0, "maximum": LARGEST_INTEGER, "description": "Minor units."}
_PLAYER = {"sessionToken": SHORT, "userId": NUMBER}
_CURRENCY = {"currency": SHORT | {"description": "Optional; refused if it is not the wallet's currency."}}
_BET = _PLAYER | {"transactionId": SHORT, "roundId": SHORT, "amount": _AMOUNT}
_RELATED = {
    "relatedTransactionId": SHORT | {"description": "The bet; required for a win."},
    "kind": {"enum": ["win", "promo", "jackpot"], "default": "win"},
}

SCHEMAS: dict[str, Schema] = {
    "BalanceQuery": object_of(_PLAYER | _CURRENCY, *_CURRENCY, closed=False),
    "Balance": object_of({"userId": NUMBER, "balance": MONEY, "currency": TEXT}),
    "Bet": object_of(_BET | _CURRENCY, *_CURRENCY, closed=False),
    "Credit": object_of(_BET | _RELATED | _CURRENCY, *_RELATED, *_CURRENCY, closed=False),
    "Rollback": object_of(
        _PLAYER | {"transactionId": SHORT, "roundId": SHORT, "originalTransactionId": SHORT} | _CURRENCY,
        "roundId",
        *_CURRENCY,
        closed=False,
    ),
    "Moved": object_of(
        {
            "transactionId": TEXT,
            "balance": MONEY,
            "currency": TEXT,
            "status": {"const": "ok"},
            "tombstone": {"const": True},
        },
        "tombstone",
    ),
}
