"""POST /casino/rollback: gives a bet back to its player."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, database, ledger

app = APIGatewayHttpResolver()


@app.post("/casino/rollback")
@api.signed_call(app, "casino")
def rollback(call: api.Call) -> ledger.Answer:
    """Parse the rollback and hand it to the ledger."""
    return ledger.rollback(database.current(), call.caller, ledger.Rollback.parse(call.body), call.request_id)


handler = api.lambda_handler(app)
