"""`python -m tools.error_table`, in the repository's folder: writes docs/errors.md, the table of the error codes."""

import sys
from pathlib import Path

from causeway.errors import table
from causeway.errors.casino import LaunchUnavailable, WalletUnavailable
from causeway.errors.rate_limits import LimiterUnavailable
from causeway.errors.requests import RateLimitExceeded
from causeway.errors.tree import CausewayError
from tools import made_files


def _retry(error: type[CausewayError]) -> str:
    if not error.retry:
        return "no"
    if issubclass(error, RateLimitExceeded):
        return "yes, after Retry-After"
    return "yes" if error.retry_after is None else f"yes, after {error.retry_after} s"


def as_markdown() -> str:
    """Return docs/errors.md: every code with its status, sentence, next action and whether a retry makes sense."""
    lines = [
        "# Error codes",
        "",
        "Made from the code by `make docs`; a test compares the two.",
        "",
        '`{"error": "<sentence>", "code": "<CODE>", "requestId": "...", "nextAction": "<what to do>"}`. Answers to a',
        "game provider's signed calls have no `nextAction`, but `balance` (minor units) where the player is known.",
        "4xx: the call was refused and nothing moved. 5xx: it may have been done; the last column says whether to send",
        "it again.",
        "",
        "| code | status | sentence | what to do | retry as it is |",
        "|---|---|---|---|---|",
    ]
    for code, error in sorted(table.every().items()):
        made = error()
        lines.append(f"| `{code}` | {error.status} | {made.sentence} | {made.action} | {_retry(error)} |")
    unavailable = {
        "on signed calls": WalletUnavailable,
        "at a launch": LaunchUnavailable,
        "of the rate limiter": LimiterUnavailable,
    }
    for callers, error in unavailable.items():
        made = error()
        lines += ["", f"`{made.code}` {callers}: {made.sentence}. {made.action}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    options = made_files.parser("tools.error_table", __doc__).parse_args()
    sys.exit(made_files.keep(Path("docs/errors.md"), as_markdown(), check=options.check))
