"""POST /provider/simulate: play the scripted round against the casino's wallet, as the demo game provider."""

from typing import Any

from causeway import demo_provider
from causeway.database import postgres
from causeway.edge.answers import lambda_handler
from causeway.edge.games import SignedCall, route
from causeway.edge.routes import App

app = App()


@route(
    app,
    "POST",
    "/provider/simulate",
    side="provider",
    is_known=demo_provider.is_game_provider,
    request="Simulation",
    response="RoundReport",
    refuses=("SESSION_NOT_FOUND", "GAME_PROVIDER_FAILED"),
)
def simulate(call: SignedCall) -> dict[str, Any]:
    """Parse the request and play the round."""
    return demo_provider.simulate(
        postgres.current(), call.game_provider.tenant_id, demo_provider.Simulation.parse(call.body)
    )


handler = lambda_handler(app, next_action=False)
