"""The test call of an account, as the catalogue describes it."""

import json
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from causeway.catalogue import patterns
from causeway.errors.platforms import SEND_AGAIN, RateLimited
from causeway.errors.requests import RateLimitExceeded
from causeway.outbound.attempts import Attempt
from causeway.outbound.failures import CallFailed
from causeway.outbound.replies import Reply
from causeway.platforms import account_details, retrying
from causeway.platforms.account import Account, Log
from causeway.platforms.account_details import AccountDetails
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.failures import AuthorizationMissing, SettingMissing
from causeway.platforms.retrying import Answered, PlatformRequest
from causeway.platforms.tokens import TokenRefused
from causeway.platforms.verdicts import WORKING, Verdict, judge

# Seconds for a test, the call for a token included.
TEST_SECONDS = 10.0

# Characters of an answer's value that a template's pattern is matched against.
_MOST_MATCHED = 200


def check_address(account: Account) -> None:
    """Raise ConfigInvalid or a subclass, which names the field, where an account has no address to call.

    An address that an authorization will tell is not missing.
    """
    try:
        account.base_url  # noqa: B018 - it raises
    except AuthorizationMissing:
        return
    except CallFailed as failure:
        raise judge(failure, address=account.address).refusal() from failure


@dataclass(frozen=True, slots=True)
class AccountTest:
    """The result of a test call.

    Attributes:
        response_ms: of all its calls together, in milliseconds.
        details: of the account, after a success.
    """

    verdict: Verdict
    response_ms: int
    details: AccountDetails = account_details.NONE


def call_for_test(account: Account, terms: CallTerms) -> AccountTest:
    """Make the platform's test call, once, and return its result.

    Args:
        account: with the secrets to try.
        terms: of the call; it has TEST_SECONDS at most.
    """
    started = monotonic()
    described = account.provider.health_call
    outcome: Answered | None = None
    try:
        if described.get("gets_token"):
            # It shows nothing of the platform's own calls: an open circuit breaker stays open.
            terms.tokens.current(account, lambda attempt: terms.log(replace(attempt, for_token=True)))
            response_ms = round((monotonic() - started) * 1000)
            return AccountTest(_with_tested_secrets(account, WORKING), response_ms)
        outcome = retrying.call(account, _test_request(account, terms.log), replace(terms, seconds=TEST_SECONDS))
        verdict = outcome.verdict
    except RateLimitExceeded as refusal:
        verdict = _of_our_limit(refusal)
    except TokenRefused as refusal:
        verdict = refusal.verdict
    except CallFailed as failure:
        verdict = judge(failure, address=account.address)
    if verdict.success and outcome is not None and _is_refusal(described, outcome.reply):
        verdict = judge(Reply(401, outcome.reply.headers, b""))
    response_ms = round((monotonic() - started) * 1000)
    if not verdict.success or outcome is None:
        return AccountTest(verdict, response_ms)
    details = account_details.read(described.get("details", {}), outcome.reply, outcome.secrets)
    return AccountTest(_with_tested_secrets(account, verdict), response_ms, details)


def _of_our_limit(refusal: RateLimitExceeded) -> Verdict:
    """Return the verdict on a test that a limit refused: the same sentence and action, in the words of a test."""
    message = f"{refusal.sentence}, so the platform was not called."
    return Verdict(RateLimited, message, refusal.action.replace(SEND_AGAIN, "{again}"), refusal.retry_after or 1)


def _test_request(account: Account, log: Log) -> PlatformRequest:
    """Return the test call as the catalogue describes it; raises SettingMissing, which is logged."""
    described = account.provider.health_call
    method, path = described["method"], described["path"]
    try:
        query, headers = (account.filled_within(described.get(part, {})) for part in ("query", "headers"))
        request = PlatformRequest(method, account.filled_path(path), query, headers, most_attempts=1)
        return request.of_body(account.filled_within(described.get("body")))
    except SettingMissing as failure:
        log(Attempt(method, path, None, 0, type(failure).__name__, "", ""))
        raise


def _is_refusal(described: dict[str, Any], reply: Reply) -> bool:
    """Return whether an answer with a good status is a refusal, by expect and refused_when of the test call."""
    refused_when = described.get("refused_when")
    if reply.status not in described["expect"]:
        return True
    if refused_when is None:
        return False
    value = account_details.value_at(json.loads(reply.body), refused_when["pointer"].split("/")[1:])
    text = value if isinstance(value, str) else json.dumps(value)
    return value is not None and patterns.matches(refused_when["pattern"], text[:_MOST_MATCHED])


def _with_tested_secrets(account: Account, verdict: Verdict) -> Verdict:
    """Return a success with the names of the secrets that the call used, and of those that it did not use."""
    untested = account.untested_secrets
    tested = tuple(sorted(account.secrets.keys() - set(untested)))
    if not untested:
        return replace(verdict, tested=tested)
    accepted = f"The platform accepts {', '.join(tested)}." if tested else "The platform answers."
    message = f"{accepted} Not tested, as the test call does not use it: {', '.join(untested)}."
    return replace(verdict, message=message, tested=tested, untested=untested)
