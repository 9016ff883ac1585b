"""Errors of rate limits, besides RateLimitExceeded."""

from causeway.errors.requests import InvalidRequest
from causeway.errors.service import Unavailable
from causeway.errors.tree import CausewayError


class CostAboveLimit(CausewayError):
    """The cost is larger than the smallest limit, so that no window ever has room for it"""

    code = "COST_ABOVE_LIMIT"
    status = 400
    action = "Send a smaller cost."


class LimitOutOfBounds(InvalidRequest):
    """A limit is larger than the template allows"""

    code = "LIMIT_OUT_OF_BOUNDS"
    action = "Send at most the limit that GET names under most."


class LimiterUnavailable(Unavailable):
    """The limiter cannot answer at the moment; whether the request was counted is not known"""

    action = "Make no request for now; send the same call again after Retry-After seconds, which may count it twice."
