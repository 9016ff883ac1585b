"""POST /provider/launch: open a session for a casino's player, as the demo game provider."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import demo_provider
from causeway.edge import answers
from causeway.edge.games import SignedCall, signed_call
from causeway.edge.operations import describe

app = APIGatewayHttpResolver()


@app.post("/provider/launch")
@signed_call(app, "provider")
@describe("ProviderSession", request="ProviderLaunch", refuses="CASINO_NOT_FOUND GAME_NOT_FOUND")
def launch(call: SignedCall) -> dict[str, Any]:
    """Parse the launch and open the session."""
    return demo_provider.launch(call.database, call.caller, demo_provider.Launch.parse(call.body))


handler = answers.lambda_handler(app, next_action=False)
