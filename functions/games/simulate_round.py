"""POST /casino/simulateRound (local stage only): launch a game and have its provider play the scripted round."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.casino import games
from causeway.casino.game_sessions import LaunchRequest
from causeway.edge import answers
from causeway.edge.launches import LaunchCall, route

app = APIGatewayHttpResolver()


@route(
    app,
    "POST",
    "/casino/simulateRound",
    admit=games.admit,
    request="LaunchRequest",
    response="RoundReport",
    refuses=("PLAYER_NOT_FOUND", "WRONG_CURRENCY", "GAME_NOT_FOUND", "GAME_PROVIDER_FAILED"),
)
def simulate_round(call: LaunchCall) -> dict[str, Any]:
    """Parse the request and play the round."""
    return games.simulate_round(call.launcher, LaunchRequest.parse(call.body))


handler = answers.lambda_handler(app)
