"""POST /casino/getBalance: get the balance of a session's player."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, ledger
from causeway.game_api import SignedCall, signed_call
from causeway.operations import describe

app = APIGatewayHttpResolver()


@app.post("/casino/getBalance")
@signed_call(app, "casino")
@describe("Balance", request="BalanceQuery", refuses="SESSION_NOT_FOUND PLAYER_NOT_FOUND WRONG_CURRENCY")
def get_balance(call: SignedCall) -> ledger.Answer:
    """Parse the query and ask the ledger."""
    return ledger.balance(call.database, call.caller, ledger.BalanceQuery.parse(call.body))


handler = api.lambda_handler(app, next_action=False)
