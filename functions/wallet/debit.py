"""POST /casino/debit: takes a bet from a player's wallet."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, database, ledger

app = APIGatewayHttpResolver()


@app.post("/casino/debit")
@api.signed_call(app, "casino")
def debit(call: api.Call) -> ledger.Answer:
    """Parse the bet and hand it to the ledger."""
    return ledger.debit(database.current(), call.caller, ledger.Bet.parse(call.body), call.request_id)


handler = api.lambda_handler(app)
