"""POST /provider/simulate: play the scripted round against the casino's wallet, as the demo game provider."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, database, game_provider
from causeway.game_api import SignedCall, signed_call
from causeway.operations import describe

app = APIGatewayHttpResolver()


@app.post("/provider/simulate")
@signed_call(app, "provider")
@describe("RoundReport", request="Simulation", refuses="SESSION_NOT_FOUND GAME_PROVIDER_FAILED")
def simulate(call: SignedCall) -> dict[str, Any]:
    """Parse the request and play the round."""
    return game_provider.simulate(database.current(), call.caller, game_provider.Simulation.parse(call.body))


handler = api.lambda_handler(app, next_action=False)
