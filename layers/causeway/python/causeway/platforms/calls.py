"""Calls to a connection's provider as the catalogue describes them: path, query, body, and how they prove who calls."""

import hmac
import json
import re
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode

from causeway.catalogue import patterns
from causeway.outbound.client import Attempt, send
from causeway.outbound.failures import CallFailed, Garbled, RequestInvalid
from causeway.outbound.replies import Reply
from causeway.outbound.request_rules import path_fault
from causeway.platforms.account import Account
from causeway.platforms.verdicts import Verdict, judge

# Characters of an answer's value that a template's pattern is matched against.
_MOST_MATCHED = 200
# Seconds for a test, the call for a token included.
_BUDGET = 10.0
# RFC 6749, A.12; it is sent on in a header.
_ACCESS_TOKEN = re.compile(r"[ -~]{1,8192}")

Log = Callable[[Attempt], object]


def _below(path: str) -> str:
    """Return a path to be appended to a base URL; raises RequestInvalid where it would leave it."""
    fault = path_fault(path)
    if fault is not None:
        raise RequestInvalid(f"the path {fault}")
    return path


def _path_part(value: str) -> str:
    return quote(value, safe="/")


def test(account: Account, log: Log) -> tuple[Verdict, int]:
    """Make the provider's cheapest authenticated call, and return what it means and how many milliseconds it took.

    Args:
        account: the connection, with the secrets to try.
        log: gets the redacted record of each attempt.
    """
    started = monotonic()
    described = account.provider.health_call
    outcome: Reply | CallFailed
    try:
        with _unsent_too(log, described["method"], described["path"]) as log_once:
            path = account.filled(described["path"], _path_part)
            query = {name: account.filled(value) for name, value in described.get("query", {}).items()}
            headers = {name: account.filled(value) for name, value in described.get("headers", {}).items()}
            body = _filled_within(account, described.get("body"))
            outcome = request(account, described["method"], path, log_once, query=query, headers=headers, body=body)
    except TokenRefused as refusal:
        outcome = refusal.reply
    except CallFailed as failure:
        outcome = failure
    verdict = judge(outcome, account.provider.key, account.address)
    if verdict.success and isinstance(outcome, Reply) and _refused(described, outcome):
        verdict = judge(Reply(401, outcome.headers, b""))
    if verdict.success:
        verdict = _proved(account, verdict)
    return verdict, round((monotonic() - started) * 1000)


def _proved(account: Account, verdict: Verdict) -> Verdict:
    """Say of a success which secrets the call proved, and which it does not use."""
    untested = account.unused_secrets
    tested = tuple(sorted(account.secrets.keys() - set(untested)))
    if not untested:
        return replace(verdict, tested=tested)
    proved = f"The platform accepts {', '.join(tested)}." if tested else "The platform answers."
    message = f"{proved} Not tested, as the test call does not use it: {', '.join(untested)}."
    return replace(verdict, message=message, tested=tested, untested=untested)


@contextmanager
def _unsent_too(log: Log, method: str, path: str) -> Generator[Log]:
    """Log an attempt that ended before there was a request too, with its path, as there is no URL.

    The block logs what it sends through the log that it is given.
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


def _refused(described: dict[str, Any], reply: Reply) -> bool:
    """Whether a platform that refuses with a good status has refused."""
    refused_when = described.get("refused_when")
    if reply.status not in described["expect"]:
        return True
    if refused_when is None:
        return False
    value: Any = json.loads(reply.body)
    for step in refused_when["pointer"].split("/")[1:]:
        value = value.get(step) if isinstance(value, dict) else None
    text = value if isinstance(value, str) else json.dumps(value)
    return value is not None and patterns.matches(refused_when["pattern"], text[:_MOST_MATCHED])


def request(
    account: Account,
    method: str,
    path: str,
    log: Log,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    budget: float = _BUDGET,
) -> Reply:
    """Call a path of the account's base URL with its credentials.

    Args:
        account: whose provider is called.
        method: of HTTP.
        path: encoded as it is to be sent.
        log: is told of each attempt.
        query: parameters, not encoded.
        headers: beside those that authenticate.
        body: {"type": "json" or "form", "content": {...}}; None: no body.
        budget: seconds in all.

    Raises:
        CallFailed: no usable answer.
    """
    ends = monotonic() + budget
    content, content_type = _body(body)
    with _unsent_too(log, method, path) as log_once:
        base_url = account.base_url + _below(path)
        proof = _prove(account, content, log_once, budget)
        parameters = {**(query or {}), **proof.query}
        return send(
            method,
            base_url + (f"?{urlencode(parameters)}" if parameters else ""),
            log=log_once,
            headers={**content_type, **(headers or {}), **proof.headers},
            body=content,
            budget=max(ends - monotonic(), 0.1),
            # What was made of the account's secrets proves as much, for as long as it holds.
            secrets=[*account.secrets.values(), *proof.made],
        )


@dataclass(frozen=True, slots=True)
class _Proof:
    """What authenticates a request: headers and query parameters. made: derived from the secrets; redact it too."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    made: tuple[str, ...] = ()


def _prove(account: Account, content: bytes, log: Log, budget: float) -> _Proof:
    """Return the proof that the provider asks for; raises CallFailed where a token is needed and not to be had."""
    auth = account.provider.authentication
    match auth["type"]:
        case "basic":
            basic = _basic(account.filled(auth["username"]), account.filled(auth["password"]))
            return _Proof({"Authorization": basic})
        case "bearer":
            return _Proof({"Authorization": f"Bearer {account.filled(auth['token'])}"})
        case "header":
            return _Proof({auth["name"]: account.filled(auth["value"])})
        case "query":
            return _Proof(query={auth["name"]: account.filled(auth["value"])})
        case "hmac":
            digest = hmac.digest(account.filled(auth["secret"]).encode(), content, auth["algorithm"])
            signature = digest.hex() if auth["encoding"] == "hex" else b64encode(digest).decode()
            return _Proof({auth["header"]: signature}, made=(signature,))
        case "oauth2_client_credentials" | "oauth2_refresh_token":
            token = _token(account, auth, log, budget)
            return _Proof({"Authorization": f"Bearer {token}"}, made=(token,))
    return _Proof()


def _basic(username: str, password: str) -> str:
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


def _body(body: Mapping[str, Any] | None) -> tuple[bytes, dict[str, str]]:
    if body is None:
        return b"", {}
    if body["type"] == "form":
        return urlencode(body["content"]).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    return json.dumps(body["content"]).encode(), {"Content-Type": "application/json"}


def _filled_within(account: Account, value: Any) -> Any:
    match value:
        case str():
            return account.filled(value)
        case dict():
            return {name: _filled_within(account, inner) for name, inner in value.items()}
        case list():
            return [_filled_within(account, inner) for inner in value]
    return value


class TokenRefused(CallFailed):
    """The platform gave no token for the client's credentials; reply: what it answered."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"no token: status {reply.status}")
        # RFC 6749, 5.2: a client that is not known may be told so with 400.
        self.reply = Reply(401, reply.headers, reply.body) if reply.status == 400 else reply


def _token(account: Account, auth: Mapping[str, Any], log: Log, budget: float) -> str:
    """Return an access token of the client's own (RFC 6749, 4.4) or of a refresh token (6)."""
    reply = _token_reply(account, auth, log, budget)
    try:
        token = json.loads(reply.body)["access_token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if reply.status >= 300:
        raise TokenRefused(reply)
    if not isinstance(token, str) or not _ACCESS_TOKEN.fullmatch(token):
        raise Garbled("the answer to the call for a token has none")
    return token


def _token_reply(account: Account, auth: Mapping[str, Any], log: Log, budget: float) -> Reply:
    client_id, client_secret = account.filled(auth["client_id"]), account.filled(auth["client_secret"])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if auth["type"] == "oauth2_refresh_token":
        url = auth["token_url"]
        form = {"grant_type": "refresh_token", "refresh_token": account.filled(auth["refresh_token"])}
    else:
        url = account.base_url + _below(account.filled(auth["token_path"], _path_part))
        scope = {"scope": account.filled(auth["scope"])} if "scope" in auth else {}
        form = {"grant_type": "client_credentials"} | scope
    if auth.get("client_auth") == "basic":
        headers["Authorization"] = _basic(client_id, client_secret)
    else:
        form |= {"client_id": client_id, "client_secret": client_secret}
    try:
        return send(
            "POST",
            url,
            log=log,
            headers=headers,
            body=urlencode(form).encode(),
            budget=max(budget, 0.1),
            secrets=account.secrets.values(),
        )
    except CallFailed as failure:
        # The request that the token is for was not.
        failure.sent = False
        raise
