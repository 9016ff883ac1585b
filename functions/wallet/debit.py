"""POST /casino/debit: take a bet from a player's wallet."""

from causeway.casino.ledger import wallet
from causeway.casino.ledger.requests import Bet
from causeway.edge.answers import lambda_handler
from causeway.edge.games import SignedCall, route
from causeway.edge.routes import App

app = App()


@route(
    app,
    "POST",
    "/casino/debit",
    side="casino",
    is_known=wallet.is_game_provider,
    request="Bet",
    response="Moved",
    refuses=(
        "INVALID_AMOUNT",
        "SESSION_NOT_FOUND",
        "PLAYER_NOT_FOUND",
        "WRONG_CURRENCY",
        "INSUFFICIENT_FUNDS",
        "SESSION_CLOSED",
        "SESSION_EXPIRED",
        "PLAYER_BLOCKED",
        "GAME_PROVIDER_INACTIVE",
        "DUPLICATE_TRANSACTION",
        "TRANSACTION_ALREADY_PROCESSED",
        "TRANSACTION_ROLLED_BACK",
    ),
)
def debit(call: SignedCall) -> wallet.Answer:
    """Parse the bet and hand it to the ledger."""
    return wallet.debit(call.database, call.game_provider, Bet.parse(call.body), call.request_id)


handler = lambda_handler(app, next_action=False)
