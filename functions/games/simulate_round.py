"""POST /casino/simulateRound (local stage only): launch a game and have its provider play the scripted round."""

from typing import Any

from causeway.casino import games
from causeway.casino.game_sessions import LaunchRequest
from causeway.edge.answers import lambda_handler
from causeway.edge.launches import route
from causeway.edge.routes import App
from causeway.tenancy.launcher import Launcher

app = App()


@route(
    app,
    "POST",
    "/casino/simulateRound",
    admit=games.admit,
    response="RoundReport",
    refuses=("PLAYER_NOT_FOUND", "WRONG_CURRENCY", "GAME_NOT_FOUND", "GAME_PROVIDER_FAILED"),
)
def simulate_round(launcher: Launcher, body: LaunchRequest) -> dict[str, Any]:
    """Play the round."""
    return games.simulate_round(launcher, body)


handler = lambda_handler(app)
