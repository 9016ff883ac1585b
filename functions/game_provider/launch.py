"""POST /provider/launch: open a session for a casino's player, as the demo game provider."""

from typing import Any

from causeway import demo_provider
from causeway.edge.answers import lambda_handler
from causeway.edge.games import SignedCall, route
from causeway.edge.routes import App

app = App()


@route(
    app,
    "POST",
    "/provider/launch",
    side="provider",
    is_known=demo_provider.is_game_provider,
    request="ProviderLaunch",
    response="ProviderSession",
    refuses=("CASINO_NOT_FOUND", "GAME_NOT_FOUND"),
)
def launch(call: SignedCall) -> dict[str, Any]:
    """Parse the launch and open the session."""
    return demo_provider.launch(call.database, call.game_provider.tenant_id, demo_provider.Launch.parse(call.body))


handler = lambda_handler(app, next_action=False)
