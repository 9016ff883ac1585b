"""POST /casino/getBalance: get the balance of a session's player."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.casino import ledger
from causeway.edge import answers
from causeway.edge.games import SignedCall, route

app = APIGatewayHttpResolver()


@route(
    app,
    "POST",
    "/casino/getBalance",
    side="casino",
    is_known=ledger.is_game_provider,
    request="BalanceQuery",
    response="Balance",
    refuses=("SESSION_NOT_FOUND", "PLAYER_NOT_FOUND", "WRONG_CURRENCY"),
)
def get_balance(call: SignedCall) -> ledger.Answer:
    """Parse the query and ask the ledger."""
    return ledger.balance(call.database, call.caller, ledger.BalanceQuery.parse(call.body))


handler = answers.lambda_handler(app, next_action=False)
