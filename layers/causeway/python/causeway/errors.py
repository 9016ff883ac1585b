"""The tree of errors: an error's docstring is its sentence, beside it stand its code, HTTP status and next action."""

import sys
from typing import ClassVar


class CausewayError(Exception):
    """Something went wrong on our side"""

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    # What the caller should do next: of the code in general here, of one error where it is known more exactly.
    action: str = "Report the requestId to us."
    # Seconds after which a retry makes sense, where they are known.
    retry_after: int | None = None
    # The version of the object as it is now: the answer's ETag, where it is known.
    version: int | None = None

    def __init__(self, sentence: str = "", *, cause: str = "", balance: int | None = None, action: str = "") -> None:
        """Make an error.

        Args:
            sentence: what the caller is told, where the docstring is too general.
            cause: what our log is told; never sent to the caller.
            balance: the player's balance in minor units, where it is known.
            action: what the caller should do next, where the class's is too general.
        """
        if action:
            self.action = action
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


class HubUnavailable(Unavailable):
    """The service cannot answer at the moment; whether anything was changed is not known"""

    action = (
        "Send the same call again after Retry-After seconds, a change with the same Idempotency-Key; without one, look "
        "first whether it was done."
    )


class SchemaBehind(Unavailable):
    """The service is being updated; send the same call again"""


class KeyServiceUnavailable(Unavailable):
    """Credentials can be neither read nor stored at the moment; nothing was changed"""

    code = "KEY_SERVICE_UNAVAILABLE"
    action = "Send the same call again after Retry-After seconds."
    retry_after = 5


class CredentialUnreadable(CausewayError):
    """The stored credential cannot be read"""

    code = "CREDENTIAL_UNREADABLE"
    status = 409
    action = "Enter the connection's credential anew; we have been alerted."


class CredentialMissing(CausewayError):
    """The connection has no credential in the state that this call needs"""

    code = "CREDENTIAL_MISSING"
    status = 409
    action = "Rotate the connection's credentials."


class NothingToRollBack(CausewayError):
    """No credential of this connection can be put back into use"""

    code = "NOTHING_TO_ROLL_BACK"
    status = 409
    action = "Rotate to the credential you want: a rotation is rolled back once, within 24 hours, at the same address."


class InvalidRequest(CausewayError):
    """The request is not valid"""

    code = "INVALID_REQUEST"
    status = 400
    action = "Correct the field the error names."


class InvalidAmount(InvalidRequest):
    """amount must be a whole number of minor units from 0 to 9223372036854775807"""

    code = "INVALID_AMOUNT"
    action = "Send a JSON integer of minor units, without quotes, fraction or exponent."


class WrongCurrency(CausewayError):
    """The currency is not the wallet's"""

    code = "WRONG_CURRENCY"
    status = 400
    action = "Send a currency that the player has a wallet in; in a session that wallet's currency, or none."


class PayloadTooLarge(CausewayError):
    """The request's body is too large"""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    action = "Send at most 16 KiB."


class SignatureInvalid(CausewayError):
    """The signature is missing or does not match the request"""

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


class Unauthorized(CausewayError):
    """The call carries no valid token or key"""

    code = "UNAUTHORIZED"
    status = 401
    action = (
        "Send Authorization: Bearer with a valid token (of the user pool: the ID token, which names the tenant) or, as "
        "a machine and where the route takes keys, X-API-Key; not both."
    )


class Forbidden(CausewayError):
    """Your role does not allow this"""

    code = "FORBIDDEN"
    status = 403
    action = "Ask an administrator of your tenant."

    def __init__(self, sentence: str = "", *, cause: str = "", permission: str = "", action: str = "") -> None:
        """Make an error; permission: the one that the caller lacks, for the audit log; empty: the route's own."""
        super().__init__(sentence, cause=cause, action=action)
        self.permission = permission


class Suspended(Forbidden):
    """Your membership is suspended"""


class TenantRequired(CausewayError):
    """No tenant was named"""

    code = "TENANT_REQUIRED"
    status = 400
    action = "As a super admin, send the tenant's id in X-Tenant-Id."


class TenantNotFound(CausewayError):
    """No such tenant"""

    code = "TENANT_NOT_FOUND"
    status = 404
    action = "Check the tenant's id."


class MembershipNotFound(CausewayError):
    """No such person in this tenant"""

    code = "MEMBERSHIP_NOT_FOUND"
    status = 404
    action = "List the tenant's memberships; a person is listed from their first call on."


class OwnMembership(CausewayError):
    """You cannot suspend or restore your own membership"""

    code = "OWN_MEMBERSHIP"
    status = 409
    action = "Ask another administrator of the tenant."


class ConnectionNotFound(CausewayError):
    """No such connection"""

    code = "CONNECTION_NOT_FOUND"
    status = 404
    action = "List your connections."


class SyncRunNotFound(CausewayError):
    """No such sync of this connection"""

    code = "SYNC_RUN_NOT_FOUND"
    status = 404
    action = "List the connection's syncs."


class ApiKeyNotFound(CausewayError):
    """No such API key"""

    code = "API_KEY_NOT_FOUND"
    status = 404
    action = "List your API keys."


class NameTaken(CausewayError):
    """The name is already used"""

    code = "NAME_TAKEN"
    status = 409
    action = "Choose another name, or rename the object that has it."


class IfMatchRequired(CausewayError):
    """Send If-Match with the ETag you last saw"""

    code = "IF_MATCH_REQUIRED"
    status = 428
    action = "Read it first; send its ETag in If-Match."


class VersionMismatch(CausewayError):
    """The object has changed since you read it"""

    code = "VERSION_MISMATCH"
    status = 412
    action = "Read it again, apply your change to what it is now, and send its new ETag."

    def __init__(self, sentence: str = "", *, current: int | None = None, action: str = "") -> None:
        """Make it; current: the version the object has now, None where it has none that is known."""
        named = "" if current is None else f"The object has changed since you read it: its version is now {current}"
        super().__init__(sentence or named, action=action)
        self.version = current


class ChangedMeanwhile(CausewayError):
    """Another call changed the object at the same time; nothing was changed by this one"""

    code = "CHANGED_MEANWHILE"
    status = 409
    action = "Read it again; send the call again if you still want it."


class IdempotencyKeyReused(CausewayError):
    """This Idempotency-Key was already used for another request"""

    code = "IDEMPOTENCY_KEY_REUSED"
    status = 409
    action = "Use a new key for a new request; repeat a retry unchanged."


class InProgress(CausewayError):
    """The first call with this Idempotency-Key is still running"""

    code = "IN_PROGRESS"
    status = 409
    action = "Send the same call with the same key again after Retry-After seconds."
    retry_after = 2


class IntegrationNotActive(CausewayError):
    """The connection is not active"""

    code = "INTEGRATION_NOT_ACTIVE"
    status = 409
    action = "If it was disabled, enable it, which tests it; otherwise test it and fix what the test reports."


class TemplateMoved(CausewayError):
    """The template's addresses have changed since this connection was made"""

    code = "TEMPLATE_MOVED"
    status = 409
    action = "Look at the template's base URLs; to agree, send PATCH with a config that gives every secret again."


class SecretsRequired(CausewayError):
    """A stored secret is not sent to a new address"""

    code = "SECRETS_REQUIRED"
    status = 409
    action = "Give every secret of the connection again, together with what changes the address."


class InvalidCredentials(CausewayError):
    """The platform refused the credentials"""

    code = "INVALID_CREDENTIALS"
    status = 422
    action = "Correct the credentials; the working ones, if any, stay in use."


class ProviderForbidden(InvalidCredentials):
    """The platform knows the credentials, but they may not make this call"""

    code = "PROVIDER_FORBIDDEN"
    action = "Give the key or user the missing right on the platform, and check its list of allowed addresses."


class ConfigInvalid(CausewayError):
    """A setting or a secret cannot be used in a call"""

    code = "CONFIG_INVALID"
    status = 422
    action = "Correct the field the error names."


class ConfigIncomplete(ConfigInvalid):
    """The call needs a field that the configuration does not have"""

    code = "CONFIG_INCOMPLETE"
    action = "Give the field the error names."


class BlockedAddress(ConfigInvalid):
    """The address is private or reserved, and is not called"""

    code = "BLOCKED_ADDRESS"
    action = "Give the platform's public base URL."


class DnsFailed(ConfigInvalid):
    """There is no host of this name"""

    code = "DNS_FAILED"
    action = "Check the spelling of the base URL."


class ConnectionFailed(CausewayError):
    """The platform could not be reached"""

    code = "CONNECTION_FAILED"
    status = 502
    action = "Check the address and the platform's status, then try again."


class DnsUnavailable(ConnectionFailed):
    """The host's name could not be looked up"""

    code = "DNS_UNAVAILABLE"
    action = "Try again in a minute; if it stays so, check the spelling of the base URL."


class TlsFailed(ConnectionFailed):
    """The platform's certificate is not trusted, not valid or another host's"""

    code = "TLS_FAILED"
    action = "Check the base URL; if it is right, the platform must renew its certificate."


class ProviderError(ConnectionFailed):
    """The platform has an error of its own"""

    code = "PROVIDER_ERROR"
    action = "Try again in a few minutes, or after Retry-After; look at the platform's status page."


class UnexpectedAnswer(ConnectionFailed):
    """A server answered, but not like this platform"""

    code = "UNEXPECTED_ANSWER"
    action = "Check the base URL, the environment and the ids in the configuration."


class TimedOut(ConnectionFailed):
    """The platform did not answer in time"""

    code = "TIMED_OUT"
    status = 504
    action = "Try again; if it stays so, ask whether the platform must allow our addresses."


class ProviderOutcomeUnknown(CausewayError):
    """The platform may have done this or not: its answer did not arrive, or does not tell"""

    code = "PROVIDER_OUTCOME_UNKNOWN"
    status = 502
    action = "Look at the platform whether it was done, before sending the call again."


class ConfigSchemaInvalid(CausewayError):
    """The configuration does not match its template's schema"""

    code = "CONFIG_SCHEMA_INVALID"
    status = 400
    action = "Correct the fields the error names; the template shows the schema."


class ProviderNotFound(CausewayError):
    """No such integration template"""

    code = "PROVIDER_NOT_FOUND"
    status = 404
    action = "List the integration templates."


class ProviderInactive(CausewayError):
    """The integration template is not active"""

    code = "PROVIDER_INACTIVE"
    status = 409
    action = "Use another template, or ask a super admin to activate this one."


class ProviderRejected(CausewayError):
    """The platform did not accept the request"""

    code = "PROVIDER_REJECTED"
    status = 422
    action = "Check the ids and times; the platform's answer is in the connection's logs."


class NotSupported(CausewayError):
    """The connection's platform cannot do this"""

    code = "NOT_SUPPORTED"
    status = 409
    action = "Use a connection to a platform that can."


class RateLimitExceeded(CausewayError):
    """Too many requests"""

    code = "RATE_LIMIT_EXCEEDED"
    status = 429
    action = "Wait for Retry-After seconds, where the answer has them, then send the same call again."

    def __init__(self, sentence: str = "", *, retry_after: int | None = None) -> None:
        """Make an error; retry_after: seconds, where they are known."""
        super().__init__(sentence)
        self.retry_after = retry_after


class RateLimited(RateLimitExceeded):
    """The platform refuses calls for now: too many were made"""

    code = "RATE_LIMITED"


class NotFound(CausewayError):
    """No such route"""

    code = "NOT_FOUND"
    status = 404
    action = "Check the method and the path."


def _tree(root: type[CausewayError]) -> list[type[CausewayError]]:
    return [root, *(below for child in root.__subclasses__() for below in _tree(child))]


# The class of each code; where a class only refines another's sentence, the one that introduced the code.
BY_CODE: dict[str, type[CausewayError]] = {error.code: error for error in reversed(_tree(CausewayError))}


def _retry(error: type[CausewayError]) -> str:
    if error is ProviderOutcomeUnknown:
        return "no"
    if issubclass(error, RateLimitExceeded):
        return "yes, after Retry-After"
    if error.retry_after is not None:
        return f"yes, after {error.retry_after} s"
    return "no" if error.status < 500 else "yes"


def as_markdown() -> str:
    """Return docs/errors.md: every code with its status, sentence, next action and whether a retry makes sense."""
    lines = [
        "# Error codes",
        "",
        "Made from the code by `make docs`; a test compares the two.",
        "",
        '`{"error": "<sentence>", "code": "<CODE>", "requestId": "...", "nextAction": "<what to do>"}`. Answers to a',
        "game provider's signed calls have no `nextAction`, but `balance` (minor units) where the player is known.",
        "4xx: rejected, nothing moved. 5xx: the outcome is unknown until the same call is sent again.",
        "",
        "| code | status | sentence | what to do | retry as it is |",
        "|---|---|---|---|---|",
    ]
    for code, error in sorted(BY_CODE.items()):
        sentence = (error.__doc__ or "").strip()
        lines.append(f"| `{code}` | {error.status} | {sentence} | {error.action} | {_retry(error)} |")
    hub = f"{(HubUnavailable.__doc__ or '').strip()}. {HubUnavailable.action}"
    lines += ["", f"`{HubUnavailable.code}` on the hub's routes: {hub}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
