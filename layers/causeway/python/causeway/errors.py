"""The tree of errors: an error's docstring is its sentence, beside it stand its code, HTTP status and next action."""

import sys
from typing import ClassVar


class CausewayError(Exception):
    """Something went wrong on our side"""

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    # What the caller should do next; for the table in the docs.
    action: ClassVar[str] = "Report the requestId to us."
    # Seconds after which a retry makes sense.
    retry_after: ClassVar[int | None] = None

    def __init__(self, sentence: str = "", *, cause: str = "", balance: int | None = None) -> None:
        """Make an error.

        Args:
            sentence: what the caller is told, where the docstring is too general.
            cause: what our log is told; never sent to the caller.
            balance: the player's balance in minor units, where it is known.
        """
        self.sentence = sentence or (type(self).__doc__ or "").strip()
        self.cause = cause
        self.balance = balance
        super().__init__(cause or self.sentence)


class Misconfigured(CausewayError):
    """Something went wrong on our side"""


class Unavailable(CausewayError):
    """The service cannot answer at the moment; the outcome is unknown until the same call is sent again"""

    code = "UNAVAILABLE"
    status = 503
    action = "Send the same call with the same ids again after Retry-After seconds; it moves money once."
    retry_after = 1


class SchemaBehind(Unavailable):
    """The service is being updated; send the same call again"""


class InvalidRequest(CausewayError):
    """The request is not valid"""

    code = "INVALID_REQUEST"
    status = 400
    action = "Correct the field the error names."


class InvalidAmount(InvalidRequest):
    """amount must be a whole number of minor units from 0 to 9223372036854775807"""

    code = "INVALID_AMOUNT"
    action = "Send a JSON integer of minor units, without quotes, fraction or exponent."


class PayloadTooLarge(CausewayError):
    """The request's body is too large"""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    action = "Send at most 16 KiB."


class SignatureInvalid(CausewayError):
    """The signature is missing or does not fit the request"""

    code = "SIGNATURE_INVALID"
    status = 401
    action = "Sign the exact bytes of the body with the current secret of the game provider named by x-provider-code."


class TokenRequired(CausewayError):
    """This call needs the token of a player or of the tenant"""

    code = "TOKEN_REQUIRED"
    status = 401
    action = "Send Authorization: Bearer with a valid token."


class SessionNotFound(CausewayError):
    """No such game session"""

    code = "SESSION_NOT_FOUND"
    status = 404
    action = "Launch the game again, or use the session's own game provider."


class PlayerNotFound(CausewayError):
    """No such player"""

    code = "PLAYER_NOT_FOUND"
    status = 404
    action = "Send the userId the session was launched for."


class GameNotFound(CausewayError):
    """No such game"""

    code = "GAME_NOT_FOUND"
    status = 404
    action = "Send the gameId of an active game."


class CasinoNotFound(CausewayError):
    """No such casino"""

    code = "CASINO_NOT_FOUND"
    status = 404
    action = "Send the casinoCode that was agreed on."


class TransactionNotFound(CausewayError):
    """No such transaction"""

    code = "TRANSACTION_NOT_FOUND"
    status = 404
    action = "Send the bet first, then retry."


class InsufficientFunds(CausewayError):
    """The balance is too low for this bet"""

    code = "INSUFFICIENT_FUNDS"
    status = 402
    action = "Do not retry with this id; a new bet needs a new id."


class SessionClosed(CausewayError):
    """The game session is closed"""

    code = "SESSION_CLOSED"
    status = 403
    action = "Launch the game again; wins and rollbacks are still accepted."


class SessionExpired(SessionClosed):
    """The game session has expired"""

    code = "SESSION_EXPIRED"


class PlayerBlocked(CausewayError):
    """The player is blocked from betting"""

    code = "PLAYER_BLOCKED"
    status = 403
    action = "Stop the game; wins and rollbacks are still accepted."


class BalanceLimitExceeded(CausewayError):
    """The credit would exceed the balance the wallet may hold"""

    code = "BALANCE_LIMIT_EXCEEDED"
    status = 409
    action = "Settle the win with the casino by hand."


class DuplicateTransaction(CausewayError):
    """This transaction id was already used for another request"""

    code = "DUPLICATE_TRANSACTION"
    status = 409
    action = "Use a new id for a new transaction; repeat a retry unchanged."


class TransactionAlreadyProcessed(CausewayError):
    """This transaction was already processed"""

    code = "TRANSACTION_ALREADY_PROCESSED"
    status = 409
    action = "Treat it as done; your dialect answers duplicates with this code."


class TransactionRolledBack(CausewayError):
    """The transaction has been rolled back"""

    code = "TRANSACTION_ROLLED_BACK"
    status = 409
    action = "Void the bet on your side; it will never be accepted."


class InvalidReference(CausewayError):
    """The credit does not fit the transaction it names"""

    code = "INVALID_REFERENCE"
    status = 409
    action = "Name an accepted bet of the same player and round."


class NotReversible(CausewayError):
    """Only bets can be rolled back"""

    code = "NOT_REVERSIBLE"
    status = 400
    action = "Do not retry."


class AlreadyRolledBack(CausewayError):
    """The transaction was already rolled back"""

    code = "ALREADY_ROLLED_BACK"
    status = 400
    action = "Treat the bet as rolled back."


class RoundHasPayout(CausewayError):
    """Cannot rollback: round already has a payout"""

    code = "ROUND_HAS_PAYOUT"
    status = 400
    action = "Do not retry; the round is settled."


class GameProviderInactive(CausewayError):
    """The game provider is switched off for new bets"""

    code = "GAME_PROVIDER_INACTIVE"
    status = 403
    action = "Take no bets; wins, rollbacks and retries are still accepted."


class GameProviderFailed(CausewayError):
    """The game provider did not answer as it should"""

    code = "GAME_PROVIDER_FAILED"
    status = 502
    action = "Try again later."


class NotFound(CausewayError):
    """Nothing lives at this path"""

    code = "NOT_FOUND"
    status = 404
    action = "Check the method and the path."


def _tree(root: type[CausewayError]) -> list[type[CausewayError]]:
    return [root, *(below for child in root.__subclasses__() for below in _tree(child))]


# The class of each code; where a class only refines another's sentence, the one that introduced the code.
BY_CODE: dict[str, type[CausewayError]] = {error.code: error for error in reversed(_tree(CausewayError))}


def as_markdown() -> str:
    """Return docs/errors.md: every code with its status, sentence, next action and whether a retry makes sense."""
    lines = [
        "# Error codes",
        "",
        "Made from the code by `python -m causeway.errors`; a test compares the two.",
        "",
        '`{"error": "<sentence>", "code": "<CODE>", "requestId": "..."}`, with `balance` (minor units) where the',
        "player is known. 4xx: rejected, nothing moved. 5xx: the outcome is unknown until the same call is sent again.",
        "",
        "| code | status | sentence | what to do | retry as it is |",
        "|---|---|---|---|---|",
    ]
    for code, error in sorted(BY_CODE.items()):
        retry = (
            "no" if error.status < 500 else "yes" if error.retry_after is None else f"yes, after {error.retry_after} s"
        )
        sentence = (error.__doc__ or "").strip()
        lines.append(f"| `{code}` | {error.status} | {sentence} | {error.action} | {retry} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
