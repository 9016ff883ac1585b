"""Errors of the wallet and of game sessions."""

from typing import Any

from causeway.errors.requests import InvalidRequest
from causeway.errors.service import Unavailable
from causeway.errors.tree import CausewayError


class WalletError(CausewayError):
    """A call to the wallet is refused; the answer has the player's balance if it is known."""

    def __init__(self, sentence: str = "", *, cause: str = "", balance: int | None = None) -> None:
        """Make an error.

        Args:
            sentence: for the caller, where the class's sentence is too general.
            cause: for our log; never sent to the caller.
            balance: the player's balance in minor units, None if the player is not known.
        """
        super().__init__(sentence, cause=cause)
        self.balance = balance

    @property
    def fields(self) -> dict[str, Any]:
        """The balance, as text like every amount in an answer."""
        return super().fields | ({} if self.balance is None else {"balance": str(self.balance)})


class WalletUnavailable(Unavailable):
    """The service cannot answer at the moment; the outcome is unknown until the same call is sent again"""

    action = "Send the same call with the same ids again after Retry-After seconds; it moves money once."


class LaunchUnavailable(Unavailable):
    """The service cannot answer at the moment; whether a session was opened is not known"""

    action = "Launch again after Retry-After seconds; a launch always makes a new session."


class InvalidAmount(InvalidRequest):
    """amount must be a whole number of minor units from 0 to 9223372036854775807"""

    code = "INVALID_AMOUNT"
    action = "Send a JSON integer of minor units, without quotes, fraction or exponent."


class WrongCurrency(WalletError):
    """The currency is not the wallet's"""

    code = "WRONG_CURRENCY"
    status = 400
    action = "Send a currency that the player has a wallet in; in a session that wallet's currency, or none."


class SessionNotFound(WalletError):
    """No such game session"""

    code = "SESSION_NOT_FOUND"
    status = 404
    action = "Launch the game again, or use the session's own game provider."


class PlayerNotFound(WalletError):
    """No such player"""

    code = "PLAYER_NOT_FOUND"
    status = 404
    action = "Send the userId the session was launched for."


class GameNotFound(CausewayError):
    """No such game"""

    code = "GAME_NOT_FOUND"
    status = 404
    action = "Send the gameId of an active game."


class TransactionNotFound(WalletError):
    """No such transaction"""

    code = "TRANSACTION_NOT_FOUND"
    status = 404
    action = "Send the bet first, then retry."


class InsufficientFunds(WalletError):
    """The balance is too low for this bet"""

    code = "INSUFFICIENT_FUNDS"
    status = 402
    action = "Do not retry with this id; a new bet needs a new id."


class SessionClosed(WalletError):
    """The game session is closed"""

    code = "SESSION_CLOSED"
    status = 403
    action = "Launch the game again; wins and rollbacks are still accepted."


class SessionExpired(SessionClosed):
    """The game session has expired"""

    code = "SESSION_EXPIRED"


class PlayerBlocked(WalletError):
    """The player is blocked from betting"""

    code = "PLAYER_BLOCKED"
    status = 403
    action = "Stop the game; wins and rollbacks are still accepted."


class BalanceLimitExceeded(WalletError):
    """The credit would exceed the balance the wallet may hold"""

    code = "BALANCE_LIMIT_EXCEEDED"
    status = 409
    action = "Settle the win with the casino by hand."


class DuplicateTransaction(WalletError):
    """This transaction id was already used for another request"""

    code = "DUPLICATE_TRANSACTION"
    status = 409
    action = "Use a new id for a new transaction; repeat a retry unchanged."


class TransactionAlreadyProcessed(WalletError):
    """This transaction was already processed"""

    code = "TRANSACTION_ALREADY_PROCESSED"
    status = 409
    action = "Treat it as done; your dialect answers duplicates with this code."


class TransactionRolledBack(WalletError):
    """The transaction has been rolled back"""

    code = "TRANSACTION_ROLLED_BACK"
    status = 409
    action = "Void the bet on your side; it will never be accepted."


class InvalidReference(WalletError):
    """The credit does not fit the transaction it names"""

    code = "INVALID_REFERENCE"
    status = 409
    action = "Name an accepted bet of the same player and round."


class NotReversible(WalletError):
    """Only bets can be rolled back"""

    code = "NOT_REVERSIBLE"
    status = 400
    action = "Do not retry."


class AlreadyRolledBack(WalletError):
    """The transaction was already rolled back"""

    code = "ALREADY_ROLLED_BACK"
    status = 400
    action = "Treat the bet as rolled back."


class RoundHasPayout(WalletError):
    """Cannot rollback: round already has a payout"""

    code = "ROUND_HAS_PAYOUT"
    status = 400
    action = "Do not retry; the round is settled."


class GameProviderInactive(WalletError):
    """The game provider is switched off for new bets"""

    code = "GAME_PROVIDER_INACTIVE"
    status = 403
    action = "Take no bets; wins, rollbacks and retries are still accepted."
