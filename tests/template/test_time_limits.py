"""Time limits add up: a function's sequential waits end before its own limit; WALLET 39."""

import importlib
from typing import Any

from causeway import demo_provider
from causeway.casino import games
from causeway.connections import tokens as connection_tokens
from causeway.database import partitions
from causeway.database.postgres import BUDGET
from causeway.platforms import call_terms
from causeway.tenancy import tokens

Functions = dict[str, dict[str, Any]]

# Functions of the HTTP API that call platforms.
CALL_PLATFORMS = ("IntegrationConnections", "IntegrationCalendars")

# Seconds: the promised time of a wallet answer, and a function's own work beside waiting.
PROMISE, OWN = 3.0, 0.4
# Seconds for a call to an AWS service: two attempts with connect and read time limits, and the pause between them.
AWS_CALL = 2 * (1 + 2) + 1


def limit(functions: Functions, name: str) -> float:
    return functions[f"{name}Function"]["Timeout"]


def test_wallet_answers_in_time_and_before_its_timeout(functions: Functions) -> None:
    """Secret, database connection and statement share one deadline."""
    assert BUDGET + OWN <= PROMISE
    for name in ("WalletBalance", "WalletDebit", "WalletCredit", "WalletRollback", "ProviderLaunch"):
        assert limit(functions, name) > PROMISE, name


def test_failed_launch_can_close_its_session_in_time(functions: Functions) -> None:
    """WALLET 46: after the game provider has answered, activating the session may fail, and closing it must follow."""
    assert limit(functions, "GameLaunch") >= games.LAUNCH_SECONDS + 2 * BUDGET + OWN


def test_scripted_round_ends_in_time(functions: Functions) -> None:
    assert limit(functions, "ProviderSimulate") >= BUDGET + demo_provider.ROUND_SECONDS + BUDGET + OWN


def test_authorizer_can_answer_that_it_could_not_authenticate(functions: Functions) -> None:
    """It waits for the issuer's keys or for the database, never for both."""
    assert max(tokens.FETCH_SECONDS, BUDGET) + OWN <= limit(functions, "CallerAuthorizer")


def test_call_of_a_platform_is_logged_and_answered_in_time(functions: Functions) -> None:
    """HUB 9: the platform's time, writing its log, and writing what it shows; API Gateway ends after 30 seconds."""
    for name in CALL_PLATFORMS:
        assert call_terms.BEHIND_HTTP + BUDGET + OWN <= limit(functions, name) < 30


# Seconds that the last step of each scheduled function may take after its time budget is used up: a batch of
# re-encryption has four transactions and two KMS calls, a token six and two and the wait for it, a lost run one
# transaction and one SQS call, partitions one transaction, an old version three calls of Lambda.
LAST_STEP = {
    "KeyRotation": 4 * BUDGET + 2 * AWS_CALL,
    "TokenRefresh": connection_tokens.WAIT + 6 * BUDGET + 2 * AWS_CALL,
    "SyncSweep": BUDGET + AWS_CALL,
    "Partitions": partitions.STEP,
    "SnapshotCleanup": 3 * AWS_CALL,
}


def test_scheduled_function_finishes_its_last_step_in_time(functions: Functions) -> None:
    scheduled = {
        name.removesuffix("Function"): own
        for name, own in functions.items()
        if any(event["Type"] == "ScheduleV2" for event in own.get("Events", {}).values())
    }
    assert set(LAST_STEP) == set(scheduled), "give each scheduled function a line in LAST_STEP, in this file"
    for name, own in scheduled.items():
        source = f"{own['CodeUri'].strip('/').replace('/', '.')}.{own['Handler'].partition('.')[0]}"
        reserve = getattr(importlib.import_module(source), "RESERVE", 0) / 1000
        assert LAST_STEP[name] <= reserve < limit(functions, name) / 2, (
            f"{source}: RESERVE is {reserve} s; it must cover the last step ({LAST_STEP[name]} s), and be less than "
            f"half of the function's Timeout ({limit(functions, name)} s)"
        )
