"""Calls to platforms' token endpoints, by the part `authentication` of the catalogue's document."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from causeway.catalogue import patterns
from causeway.outbound.client import send
from causeway.outbound.deadlines import Deadline
from causeway.outbound.failures import CallFailed, Garbled, OutOfTime
from causeway.outbound.replies import Reply
from causeway.platforms import signals
from causeway.platforms.account import Account, Log
from causeway.platforms.failures import SettingMissing
from causeway.platforms.tokens import Grant, TokenRefused, given_token, not_renewable, renewal

# Seconds for a call to a token endpoint. The lease of who makes it is longer.
BUDGET = 7.0
# Seconds that a call needs at least: the answer to a call that is cut off, with a new refresh token, would be lost.
LEAST = 2.0
# Characters of an answer's body that a template's pattern is matched against.
_MOST_MATCHED = 1000
# RFC 6749, A.12 and A.17, without the blank. An access token is sent in a header, so no other characters are taken.
_TOKEN = re.compile(r"[!-~]{1,8192}")
_SCOPE = re.compile(r"[!-+\--~]{1,256}")
_MOST_SCOPES = 100
# Seconds. A longer life counts as no known end.
_LONGEST_LIFE = 100 * 366 * 86400
# RFC 6749, 4.1.2.1: these errors pass by themselves.
_PASSING_ERRORS = ("server_error", "temporarily_unavailable")


class FreshTokens:
    """Gets a token for each piece of work: of secrets that are not stored yet, or that no connection has.

    Args:
        grant: that there is already; None: none yet.

    Attributes:
        grant: the last one.
    """

    def __init__(self, grant: Grant | None = None) -> None:
        self.grant = grant

    def current(self, account: Account, log: Log, deadline: Deadline | None = None) -> str:
        """Return the token, got on first use. Raises as TokenSource.current."""
        if renewal(account) == "none":
            return given_token(account)
        if self.grant is None:
            self.grant = call(account, log, deadline)
        return self.grant.access_token

    def renewed(self, account: Account, log: Log, refused: str, deadline: Deadline | None = None) -> str:
        """Return a new token, unless there is another one than the refused. Raises as TokenSource.renewed."""
        if renewal(account) == "none":
            raise not_renewable()
        if self.grant is not None and self.grant.access_token == refused:
            self.grant = None
        return self.current(account, log, deadline)


def call(account: Account, log: Log, deadline: Deadline | None = None) -> Grant:
    """Call an account's token endpoint once and return what it grants.

    Args:
        account: whose secrets are used.
        log: takes the record of the call.
        deadline: of the call that needs the token; the token endpoint has BUDGET seconds of it at most.

    Raises:
        TokenRefused: the endpoint gave no token.
        OutOfTime: less than LEAST seconds are left; the endpoint was not called.
        CallFailed: no usable answer, or the configuration lacks a field.
    """
    wanted = account.provider.authentication
    budget = Deadline(BUDGET, deadline).left()
    try:
        if budget < LEAST:
            raise OutOfTime("too little time is left for the call for a token")
        match renewal(account):
            case "client":
                form = {"grant_type": "client_credentials", "scope": account.filled(wanted.get("scope", ""))}
                reply = _send(account, _client_url(account), form, log, budget)
            case "refresh":
                form = {"grant_type": "refresh_token", "refresh_token": account.filled(wanted["refresh_token"])}
                reply = _send(account, wanted["token_url"], form, log, budget)
            case "self":
                reply = _renew_itself(account, log, budget)
            case "none":
                raise SettingMissing("the connection's access token cannot be got anew", "Connect again.")
    except CallFailed as failure:
        # The request that needs the token was not sent.
        failure.sent = False
        raise
    return read_grant(reply, wanted)


def read_grant(reply: Reply, wanted: Mapping[str, Any]) -> Grant:
    """Return the grant in an answer of a token endpoint (RFC 6749, 5.1).

    A life of 0 seconds, or none, is no known end: platforms whose tokens do not end answer so. Scopes are separated by
    spaces or commas.

    Args:
        reply: the answer.
        wanted: the catalogue's part that describes the endpoint; its paused_when names refusals that pass.

    Raises:
        TokenRefused: it refuses.
        Garbled: it is a success without a token.
    """
    told = reply.json()
    content = told if isinstance(told, dict) else {}
    refusal = _refusal(reply, content, wanted)
    if refusal is not None:
        raise refusal
    return grant_of(content)


def grant_of(content: Mapping[str, Any]) -> Grant:
    """Return the grant in the JSON object that a token endpoint answers, as read_grant does; raises Garbled."""
    token = content.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Garbled("the answer to the call for a token has none")
    refresh_token = content.get("refresh_token")
    usable = isinstance(refresh_token, str) and _TOKEN.fullmatch(refresh_token) is not None
    return Grant(
        access_token=token,
        refresh_token=refresh_token if usable else None,
        expires_in=_seconds(content.get("expires_in")),
        refresh_expires_in=_seconds(content.get("refresh_expires_in", content.get("refresh_token_expires_in"))),
        scopes=scopes_of(content.get("scope")),
    )


def client_fields(account: Account, client_id: str, client_secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers and the fields of a form with which a client names itself to an account's token endpoint."""
    wanted = account.provider.authentication
    if account.filled(wanted.get("client_auth", "body")) == "basic":
        return {"Authorization": basic(client_id, client_secret)}, {}
    return {}, {client_id_parameter(account): client_id, "client_secret": client_secret}


def client_id_parameter(account: Account) -> str:
    """Return the name of the client's id in forms and queries."""
    return account.provider.authentication.get("client_id_parameter", "client_id")


def basic(username: str, password: str) -> str:
    """Return the value of the header Authorization of HTTP Basic."""
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


def _client_url(account: Account) -> str:
    wanted = account.provider.authentication
    own = account.filled(wanted.get("token_url", ""))
    return own or account.url(account.filled_path(wanted["token_path"]))


def _send(account: Account, url: str, form: dict[str, str], log: Log, budget: float) -> Reply:
    """Send a form to a token endpoint, with the client's credentials and the template's own parameters.

    Empty fields are left out.
    """
    wanted = account.provider.authentication
    client_secret = account.filled(wanted["client_secret"])
    if account.filled(wanted.get("client_auth", "body")) == "issued":
        headers = {"Authorization": f"Basic {client_secret}"}
    else:
        headers, fields = client_fields(account, account.filled(wanted["client_id"]), client_secret)
        form |= fields
    form |= {name: account.filled(value) for name, value in wanted.get("parameters", {}).items()}
    body = urlencode({name: value for name, value in form.items() if value}).encode()
    media_type = "application/x-www-form-urlencoded"
    if "json_body" in wanted:
        media_type = headers["Accept"] = wanted["json_body"]["type"]
        body = json.dumps(account.filled_within(wanted["json_body"]["content"])).encode()
    return send(
        "POST",
        url,
        log=log,
        headers={"Content-Type": media_type, **headers},
        body=body,
        budget=budget,
        secrets=account.secrets.values(),
    )


def _renew_itself(account: Account, log: Log, budget: float) -> Reply:
    """Call for another token with the one in use."""
    wanted = account.provider.authentication
    described = wanted["self_renewal"]
    query = {"grant_type": described["grant"], "access_token": account.filled(wanted["token"])}
    url = f"{described['url']}?{urlencode(query)}"
    return send("GET", url, log=log, budget=budget, secrets=account.secrets.values())


def _refusal(reply: Reply, content: Mapping[str, Any], wanted: Mapping[str, Any]) -> TokenRefused | None:
    """Return what an answer refuses, with the status of its meaning; None for a success."""
    for pause in wanted.get("paused_when", ()):
        text = reply.body[:_MOST_MATCHED].decode("utf-8", "replace")
        if reply.status == pause["status"] and patterns.matches(pause.get("pattern", ""), text):
            return TokenRefused(429 if pause["meaning"] == "throttled" else 503, wait=pause["seconds"])
    error = content.get("error")
    if reply.status < 300 and (error is None or "access_token" in content):
        return None
    status = reply.status
    if status in (200, 400):
        # RFC 6749, 5.2: a refusal has 400. Some platforms give it with 200.
        status = 503 if error in _PASSING_ERRORS else 401
    wait = signals.read(replace(reply, status=status), None).asked
    if status not in (401, 403):
        return TokenRefused(status, wait=wait)
    # RFC 6749, 5.2: a wrong client is told apart from a grant that ended.
    by_client = wanted["type"] == "oauth2_client_credentials" or error == "invalid_client" or status == 403
    return TokenRefused(status, "client" if by_client else "ended", wait)


def _seconds(value: Any) -> int | None:
    """Return a life in seconds; None: no known end."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < _LONGEST_LIFE:
        return None
    return int(value) or None


def scopes_of(value: Any) -> list[str] | None:
    """Return scopes in order, told as a list, or as a text with spaces or commas; None: not told."""
    words = re.split(r"[ ,]+", value) if isinstance(value, str) else value
    if not isinstance(words, list):
        return None
    scopes = {word for word in words if isinstance(word, str) and _SCOPE.fullmatch(word)}
    return sorted(scopes)[:_MOST_SCOPES]
