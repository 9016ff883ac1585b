"""Errors of requests that all domains share."""

from causeway.errors.tree import CausewayError

# Bytes of a request's body that are accepted.
REQUEST_BYTES = 16 * 1024


class InvalidRequest(CausewayError):
    """The request is not valid"""

    code = "INVALID_REQUEST"
    status = 400
    action = "Correct the field the error names."


class MalformedBody(InvalidRequest):
    """The body is not valid JSON"""

    action = "Send one JSON object as the body, in UTF-8 and with each field once."


class PayloadTooLarge(CausewayError):
    """The request's body is too large"""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    action = f"Send at most {REQUEST_BYTES // 1024} KiB."


class NotFound(CausewayError):
    """No such route"""

    code = "NOT_FOUND"
    status = 404
    action = "Check the method and the path."


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
        """Make an error; current: the object's current version, None if it is not known."""
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
    retry = True
    action = "Send the same call with the same key again after Retry-After seconds."
    retry_after = 2


class RateLimitExceeded(CausewayError):
    """Too many requests"""

    code = "RATE_LIMIT_EXCEEDED"
    status = 429
    retry = True
    action = "Wait for Retry-After seconds, where the answer has them, then send the same call again."

    def __init__(self, sentence: str = "", *, action: str = "", retry_after: int | None = None) -> None:
        """Make an error; sentence and action as in CausewayError, retry_after: seconds, where they are known."""
        super().__init__(sentence, action=action)
        self.retry_after = retry_after
