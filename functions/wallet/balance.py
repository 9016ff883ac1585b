"""POST /casino/getBalance: get the balance of a session's player."""

from causeway.casino.ledger import wallet
from causeway.casino.ledger.requests import BalanceQuery
from causeway.edge.answers import lambda_handler
from causeway.edge.games import SignedCall, route
from causeway.edge.routes import App

app = App()


@route(
    app,
    "POST",
    "/casino/getBalance",
    side="casino",
    is_known=wallet.is_game_provider,
    request="BalanceQuery",
    response="Balance",
    refuses=("SESSION_NOT_FOUND", "PLAYER_NOT_FOUND", "WRONG_CURRENCY"),
)
def get_balance(call: SignedCall) -> wallet.Answer:
    """Parse the query and read the balance."""
    return wallet.balance(call.database, call.game_provider, BalanceQuery.parse(call.body))


handler = lambda_handler(app, next_action=False)
