"""POST /casino/launchGame: open a game session and launch the game at its provider."""

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
    "/casino/launchGame",
    admit=games.admit,
    request="LaunchRequest",
    response="GameSession",
    refuses=("PLAYER_NOT_FOUND", "WRONG_CURRENCY", "GAME_NOT_FOUND", "GAME_PROVIDER_FAILED"),
)
def launch_game(call: LaunchCall) -> dict[str, Any]:
    """Parse the request and launch."""
    return games.launch(call.launcher, LaunchRequest.parse(call.body)).as_json()


handler = answers.lambda_handler(app)
