"""POST /casino/rollback: give a bet back to its player."""

from causeway.casino.ledger import wallet
from causeway.casino.ledger.requests import Rollback
from causeway.edge.answers import lambda_handler
from causeway.edge.games import SignedCall, route
from causeway.edge.routes import App

app = App()


@route(
    app,
    "POST",
    "/casino/rollback",
    side="casino",
    is_known=wallet.is_game_provider,
    request="Rollback",
    response="Moved",
    refuses=(
        "SESSION_NOT_FOUND",
        "PLAYER_NOT_FOUND",
        "WRONG_CURRENCY",
        "TRANSACTION_NOT_FOUND",
        "NOT_REVERSIBLE",
        "ALREADY_ROLLED_BACK",
        "ROUND_HAS_PAYOUT",
        "INVALID_REFERENCE",
        "BALANCE_LIMIT_EXCEEDED",
        "DUPLICATE_TRANSACTION",
        "TRANSACTION_ALREADY_PROCESSED",
        "TRANSACTION_ROLLED_BACK",
    ),
)
def rollback(call: SignedCall) -> wallet.Answer:
    """Parse the rollback and hand it to the ledger."""
    return wallet.rollback(call.database, call.game_provider, Rollback.parse(call.body), call.request_id)


handler = lambda_handler(app, next_action=False)
