"""POST /provider/launch: open a session for a casino's player, as the demo game provider."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, game_provider
from causeway.game_api import SignedCall, signed_call
from causeway.operations import describe

app = APIGatewayHttpResolver()


@app.post("/provider/launch")
@signed_call(app, "provider")
@describe("ProviderSession", request="ProviderLaunch", refuses="CASINO_NOT_FOUND GAME_NOT_FOUND")
def launch(call: SignedCall) -> dict[str, Any]:
    """Parse the launch and open the session."""
    return game_provider.launch(call.database, call.caller, game_provider.Launch.parse(call.body))


handler = api.lambda_handler(app, next_action=False)
