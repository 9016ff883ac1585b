"""The header fields RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11, of May 2026).

https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/
"""

from causeway.rate_limits.decisions import Decision


def of(decision: Decision) -> dict[str, str]:
    """Return the fields of a decision about one subject.

    A policy is a window: q its limit, w its length in seconds. RateLimit has what remains of each (r) and the seconds
    until its end (t). A window that a platform told has no known policy, and is in RateLimit alone.
    """
    policies = [
        f'"{window.name}";q={window.limit};w={window.seconds}'
        for window in decision.windows
        if window.limit is not None
    ]
    now = decision.decided_at
    left = [f'"{window.name}";r={window.remaining};t={window.seconds_left(now)}' for window in decision.windows]
    fields = {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(left)}
    return {name: value for name, value in fields.items() if value}
