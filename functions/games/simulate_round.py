"""POST /casino/simulateRound (local stage only): launch a game and have its provider play the scripted round."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, database, games
from causeway.game_api import open_call
from causeway.operations import describe

app = APIGatewayHttpResolver()


@app.post("/casino/simulateRound")
@open_call(app)
@describe("RoundReport", request="LaunchRequest", refuses="PLAYER_NOT_FOUND GAME_NOT_FOUND GAME_PROVIDER_FAILED")
def simulate_round(body: dict[str, Any], claims: dict[str, str]) -> dict[str, Any]:
    """Parse the request and play the round."""
    request = games.LaunchRequest.parse(body)
    return games.simulate_round(database.current(), games.tenant_of(claims, request.player_id), request)


handler = api.lambda_handler(app)
