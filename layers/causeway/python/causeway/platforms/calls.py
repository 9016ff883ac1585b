"""Calls with an account: any request below its base URL, and the test call that the catalogue describes."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from causeway.catalogue import patterns
from causeway.outbound.client import BUDGET, Attempt, send
from causeway.outbound.failures import CallFailed
from causeway.outbound.replies import Reply
from causeway.platforms import account_details
from causeway.platforms.account import Account, Log
from causeway.platforms.account_details import AccountDetails
from causeway.platforms.authentication import authenticate
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.token_calls import FreshTokens
from causeway.platforms.tokens import TokenRefused, TokenSource
from causeway.platforms.verdicts import WORKING, Verdict, judge

# Characters of an answer's value that a template's pattern is matched against.
_MOST_MATCHED = 200


def check_address(account: Account) -> None:
    """Raise ConfigInvalid or a subclass, which names the field, where an account has no address to call."""
    try:
        account.base_url  # noqa: B018 - it raises
    except CallFailed as failure:
        raise judge(failure, address=account.address).refusal() from failure


def request(
    account: Account,
    method: str,
    path: str,
    log: Log,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    tokens: TokenSource | None = None,
) -> Reply:
    """Call a path below the account's base URL with its credentials, and return the answer, whatever its status.

    Args:
        account: whose credentials are used.
        method: of HTTP.
        path: encoded as it is to be sent.
        log: takes the redacted record of each attempt.
        query: parameters, not encoded.
        headers: in addition to those that authenticate.
        body: {"type": "json" or "form", "content": {...}}; None: no body.
        tokens: gives the access token; None: each call gets a new one.

    Raises:
        CallFailed: no usable answer.
    """
    reply, _ = _request(account, method, path, log, query or {}, headers or {}, body, tokens or FreshTokens())
    return reply


def _request(
    account: Account,
    method: str,
    path: str,
    log: Log,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: Mapping[str, Any] | None,
    tokens: TokenSource,
) -> tuple[Reply, list[str]]:
    """Return the answer as request does, and the secret values that the call was made with."""
    # The call for a token included.
    ends = monotonic() + BUDGET
    content, content_type = _body(body)
    with _log_unsent(log, method, path) as log_once:
        url = account.url(path)
        fields = authenticate(account, content, log_once, tokens)
        parameters = {**query, **fields.query}
        secrets = [*account.secrets.values(), *fields.derived]
        reply = send(
            method,
            url + (f"?{urlencode(parameters)}" if parameters else ""),
            log=log_once,
            headers={**content_type, **headers, **fields.headers},
            body=content,
            budget=max(ends - monotonic(), 0.1),
            secrets=secrets,
        )
        return reply, secrets


def _body(body: Mapping[str, Any] | None) -> tuple[bytes, dict[str, str]]:
    if body is None:
        return b"", {}
    if body["type"] == "form":
        return urlencode(body["content"]).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    return json.dumps(body["content"]).encode(), {"Content-Type": "application/json"}


@contextmanager
def _log_unsent(log: Log, method: str, path: str) -> Generator[Log]:
    """Log a failure before the first attempt too: with its path, as there is no URL yet.

    Yields the log for the block's own attempts.
    """
    sent: list[Attempt] = []

    def noted(attempt: Attempt) -> None:
        sent.append(attempt)
        log(attempt)

    try:
        yield noted
    except CallFailed as failure:
        if not sent:
            log(Attempt(method, path, None, 0, type(failure).__name__, "", ""))
        raise


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


def call_for_test(
    account: Account, log: Log, reader: ErrorReader | None, tokens: TokenSource | None = None
) -> AccountTest:
    """Make the platform's test call and return its result.

    Args:
        account: with the secrets to try.
        log: takes the redacted record of each attempt.
        reader: of the platform's own errors, if it has one.
        tokens: gives the access token, which the test gets anew; None: it is not kept.
    """
    started = monotonic()
    tokens = tokens or FreshTokens()
    described = account.provider.health_call
    outcome: Reply | CallFailed
    secrets: list[str] = []
    try:
        if described.get("gets_token"):
            tokens.current(account, log)
            response_ms = round((monotonic() - started) * 1000)
            return AccountTest(_with_tested_secrets(account, WORKING), response_ms)
        with _log_unsent(log, described["method"], described["path"]) as log_once:
            path = account.filled_path(described["path"])
            query, headers = (account.filled_within(described.get(part, {})) for part in ("query", "headers"))
            body = account.filled_within(described.get("body"))
            outcome, secrets = _request(account, described["method"], path, log_once, query, headers, body, tokens)
    except TokenRefused as refusal:
        outcome = refusal.reply
    except CallFailed as failure:
        outcome = failure
    verdict = judge(outcome, reader, account.address)
    if verdict.success and isinstance(outcome, Reply) and _is_refusal(described, outcome):
        verdict = judge(Reply(401, outcome.headers, b""))
    response_ms = round((monotonic() - started) * 1000)
    if not verdict.success or not isinstance(outcome, Reply):
        return AccountTest(verdict, response_ms)
    details = account_details.read(described.get("details", {}), outcome, secrets)
    return AccountTest(_with_tested_secrets(account, verdict), response_ms, details)


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
