"""Time limits add up: whatever is waited for in turn ends before the function's own limit does; WALLET 39."""

from typing import Any

from causeway import demo_provider
from causeway.casino import games
from causeway.database.postgres import BUDGET
from causeway.tenancy import tokens

Functions = dict[str, dict[str, Any]]

# Seconds within which a caller of the wallet is promised an answer, and what a function does beside waiting.
PROMISE, OWN = 3.0, 0.4
# Seconds for a call to an AWS service: two attempts of a connection's and an answer's limit, and the pause between.
AWS_CALL = 2 * (1 + 2) + 1


def limit(functions: Functions, name: str) -> float:
    return functions[f"{name}Function"]["Timeout"]


def test_wallet_answers_in_time_and_before_it_is_ended(functions: Functions) -> None:
    """One deadline for secret, connection and statement."""
    assert BUDGET + OWN <= PROMISE
    for name in ("WalletBalance", "WalletDebit", "WalletCredit", "WalletRollback", "ProviderLaunch"):
        assert limit(functions, name) > PROMISE, name


def test_launch_ends_with_its_session_closed(functions: Functions) -> None:
    """WALLET 46: after the game provider's time the session may be made active in vain, and then closed."""
    assert limit(functions, "GameLaunch") >= games.LAUNCH_SECONDS + 2 * BUDGET + OWN


def test_scripted_round_ends_in_time(functions: Functions) -> None:
    assert limit(functions, "ProviderSimulate") >= BUDGET + demo_provider.ROUND_SECONDS + BUDGET + OWN


def test_authorizer_says_that_it_could_not_find_out(functions: Functions) -> None:
    """By the issuer's keys or by the database, never both."""
    assert max(tokens.FETCH_SECONDS, BUDGET) + OWN <= limit(functions, "CallerAuthorizer")


def test_what_a_schedule_begins_it_ends(functions: Functions) -> None:
    """A batch of re-wrapping takes four transactions and two calls of KMS; a lost run takes one, and one of SQS."""
    from functions.maintenance import key_rotation
    from functions.sync import sweep

    for name, module, needed in (
        ("KeyRotation", key_rotation, 4 * BUDGET + 2 * AWS_CALL),
        ("SyncSweep", sweep, BUDGET + AWS_CALL),
    ):
        assert needed <= module.RESERVE / 1000 < limit(functions, name) / 2, name
