"""POST /casino/credit: pay a win, promo or jackpot into a player's wallet."""

from causeway.casino.ledger import wallet
from causeway.casino.ledger.requests import Credit
from causeway.edge.answers import lambda_handler
from causeway.edge.games import SignedCall, route
from causeway.edge.routes import App

app = App()


@route(
    app,
    "POST",
    "/casino/credit",
    side="casino",
    is_known=wallet.is_game_provider,
    request="Credit",
    response="Moved",
    refuses=(
        "INVALID_AMOUNT",
        "SESSION_NOT_FOUND",
        "PLAYER_NOT_FOUND",
        "WRONG_CURRENCY",
        "TRANSACTION_NOT_FOUND",
        "INVALID_REFERENCE",
        "BALANCE_LIMIT_EXCEEDED",
        "DUPLICATE_TRANSACTION",
        "TRANSACTION_ALREADY_PROCESSED",
        "TRANSACTION_ROLLED_BACK",
    ),
)
def credit(call: SignedCall) -> wallet.Answer:
    """Parse the credit and hand it to the ledger."""
    return wallet.credit(call.database, call.game_provider, Credit.parse(call.body), call.request_id)


handler = lambda_handler(app, next_action=False)
