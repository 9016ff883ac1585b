"""POST /casino/launchGame: open a game session and launch the game at its provider."""

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
    "/casino/launchGame",
    admit=games.admit,
    response=games.GameSession,
    refuses=("PLAYER_NOT_FOUND", "WRONG_CURRENCY", "GAME_NOT_FOUND", "GAME_PROVIDER_FAILED"),
)
def launch_game(launcher: Launcher, body: LaunchRequest) -> games.GameSession:
    """Launch the game."""
    return games.launch(launcher, body)


handler = lambda_handler(app)
