"""Launching a game and playing the scripted round, at the casino and at the game provider."""

from tools.openapi.schemas.shapes import ID, NUMBER, SHORT, TEXT, Schema, list_of, object_of

_LAUNCHED = {"gameId": TEXT, "currency": TEXT, "minBet": TEXT, "maxBet": TEXT}
_SESSION = {"sessionToken": SHORT, "userId": NUMBER, "gameId": SHORT, "currency": SHORT, "casinoCode": SHORT}
_STEP = {
    "step": NUMBER,
    "action": TEXT,
    "amount": {"type": "integer", "description": "Minor units."},
    "status": {"type": "integer"},
    "expectedBalance": TEXT,
    "balance": TEXT,
}

SCHEMAS: dict[str, Schema] = {
    "LaunchRequest": object_of(
        {
            "userId": NUMBER,
            "gameId": NUMBER,
            "currency": SHORT
            | {"description": "The currency of the wallet to play with; if it is missing, the player's first wallet."},
        },
        "currency",
    ),
    "GameSession": object_of({"sessionToken": ID, "casinoSessionId": NUMBER, "providerSessionId": TEXT, **_LAUNCHED}),
    "ProviderLaunch": object_of(_SESSION | {"casinoSessionId": NUMBER}, closed=False),
    "ProviderSession": object_of({"providerSessionId": ID, **_LAUNCHED, "playerId": {"type": ["integer", "string"]}}),
    "Simulation": object_of(_SESSION | {"providerSessionId": SHORT}, "gameId", "currency", closed=False),
    "RoundReport": object_of(
        {
            "success": {"type": "boolean"},
            "roundId": TEXT,
            "steps": list_of(object_of(_STEP)),
            "finalBalance": TEXT,
        }
    ),
}
