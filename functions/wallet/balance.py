"""POST /casino/getBalance: answers a player's balance to the game provider whose session it is."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, database, ledger
from causeway.operations import describe

app = APIGatewayHttpResolver()


@app.post("/casino/getBalance")
@api.signed_call(app, "casino")
@describe("Balance", request="BalanceQuery", refuses="SESSION_NOT_FOUND PLAYER_NOT_FOUND")
def get_balance(call: api.Call) -> ledger.Answer:
    """Parse the query and ask the ledger."""
    return ledger.balance(database.current(), call.caller, ledger.BalanceQuery.parse(call.body))


handler = api.lambda_handler(app)
