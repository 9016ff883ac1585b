"""POST /casino/launchGame: open a game session and launch the game at its provider."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, database, games
from causeway.game_api import open_call
from causeway.operations import describe

app = APIGatewayHttpResolver()


@app.post("/casino/launchGame")
@open_call(app)
@describe("GameSession", request="LaunchRequest", refuses="PLAYER_NOT_FOUND GAME_NOT_FOUND GAME_PROVIDER_FAILED")
def launch_game(body: dict[str, Any], claims: dict[str, str]) -> dict[str, Any]:
    """Parse the request, check that the token may launch for this player, and launch."""
    request = games.LaunchRequest.parse(body)
    session = games.launch(database.current(), games.tenant_of(claims, request.player_id), request)
    return {
        "sessionToken": session.session_token,
        "casinoSessionId": session.casino_session_id,
        "providerSessionId": session.provider_session_id,
        "gameId": session.game_code,
        "currency": session.currency,
        "minBet": session.min_bet,
        "maxBet": session.max_bet,
    }


handler = api.lambda_handler(app)
