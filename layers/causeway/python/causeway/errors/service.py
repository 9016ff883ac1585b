"""Errors of our own side: a fault, a wrong setting, a service that cannot answer."""

from causeway.errors.tree import CausewayError


class Internal(CausewayError):
    """Something went wrong on our side"""

    code = "INTERNAL"
    status = 500
    retry = True
    action = "Report the requestId to us."


class Misconfigured(Internal):
    """Something went wrong on our side"""


class Unavailable(CausewayError):
    """The service cannot answer at the moment; whether anything was changed is not known"""

    code = "UNAVAILABLE"
    status = 503
    retry = True
    action = (
        "Send the same call again after Retry-After seconds, with its Idempotency-Key if it had one; look first "
        "whether it was done if it had none."
    )
    retry_after = 1


class SchemaBehind(Unavailable):
    """The service is being updated"""


class PartitionsMissing(Internal):
    """Partitions of a table could not be made"""
