"""The authorization code flow (RFC 6749, 4.1): the URL where a person consents, and the exchange of the code."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote, urlencode

from causeway.errors.oauth import BEGIN_AGAIN, AuthorizationRefused, OauthAppRefused, refused
from causeway.outbound.client import send
from causeway.outbound.deadlines import Deadline
from causeway.outbound.failures import CallFailed, Garbled
from causeway.outbound.replies import Reply
from causeway.platforms import registry, token_calls
from causeway.platforms.account import Account, Log
from causeway.platforms.kinds.oauth import OAuthPlatform
from causeway.platforms.tokens import Grant
from causeway.platforms.verdicts import judge

# Seconds for all calls of an exchange; the test of the connection follows.
BUDGET = 14.0
# RFC 6749, 5.2: the platform does not accept the app.
_APP_ERRORS = frozenset(("invalid_client", "unauthorized_client"))


@dataclass(frozen=True, slots=True, repr=False)
class App:
    """The OAuth app that a connection is authorized for: its id and secret at the platform."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True, repr=False)
class Code:
    """An authorization code with what its exchange must repeat.

    Attributes:
        verifier: of PKCE; None: the platform takes none.
    """

    text: str
    state: str
    redirect_url: str
    verifier: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """What a platform has granted to a connection that a person authorized.

    Attributes:
        grant: the tokens, their lives and the scopes.
        settings: of the connection, which the grant decides.
        content: the token endpoint's answer.
    """

    grant: Grant
    settings: Mapping[str, str] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)


def authorize_url(account: Account, client_id: str, redirect_url: str, state: str, verifier: str | None) -> str:
    """Return the URL where a person consents.

    Args:
        account: of the connection; its platform has the part oauth.
        client_id: the app's.
        redirect_url: where the platform redirects the person to.
        state: single-use.
        verifier: of PKCE; None: the platform takes none.

    Raises:
        SettingMissing: the configuration lacks a setting of the URL.
    """
    oauth = _oauth(account)
    parameters = {
        "response_type": "code",
        token_calls.client_id_parameter(account): client_id,
        "redirect_uri": redirect_url,
        "state": state,
    }
    if oauth["scopes"]:
        parameters["scope"] = oauth.get("scope_separator", " ").join(oauth["scopes"])
    if verifier is not None:
        parameters |= {"code_challenge": challenge(verifier, oauth["pkce"]), "code_challenge_method": "S256"}
    parameters |= oauth.get("authorize_parameters", {})
    return f"{account.filled_path(oauth['authorize_url'])}?{urlencode(parameters, quote_via=quote)}"


def challenge(verifier: str, method: str) -> str:
    """Return the PKCE challenge of a verifier (RFC 7636, 4.2). method: S256, or S256_hex, which some platforms take."""
    digest = sha256(verifier.encode())
    if method == "S256_hex":
        return digest.hexdigest()
    return urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def _oauth(account: Account) -> Mapping[str, Any]:
    oauth = account.provider.oauth
    if oauth is None:
        raise ValueError(f"{account.provider.key} has no OAuth")
    return oauth


@dataclass(slots=True, repr=False)
class Exchange:
    """The calls of one exchange, with one budget of seconds.

    Attributes:
        secrets: values to redact from the log, filled as they become known.
    """

    account: Account
    app: App
    log: Log
    secrets: list[str] = field(default_factory=list)
    deadline: Deadline = field(default_factory=lambda: Deadline(BUDGET))

    def url(self, name: str) -> str:
        """Return a URL of the platform's part oauth, such as exchange_url."""
        return self.account.filled_path(_oauth(self.account)[name])

    def get(self, url: str, query: Mapping[str, str] | None = None, *, authorization: str = "") -> dict[str, Any]:
        """Return the JSON object that a URL answers.

        Args:
            url: complete.
            query: parameters.
            authorization: the header of this name.

        Raises:
            AuthorizationRefused: the platform refuses, or answers something else.
            PlatformFailure: no usable answer.
        """
        headers = {"Authorization": authorization} if authorization else {}
        return self._read(self._send("GET", url + (f"?{urlencode(query)}" if query else ""), headers, b""))

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        """Return the JSON object that a URL answers to a form; raises as get."""
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._read(self._send("POST", url, {**content_type, **headers}, urlencode(form).encode()))

    def token(self, content: Mapping[str, Any]) -> Granted:
        """Return the grant of an answer with an access token, which the log redacts from now on; raises as get."""
        try:
            grant = token_calls.grant_of(content)
        except Garbled as failure:
            sentence = "The platform answered without an access token; nothing was changed"
            raise AuthorizationRefused(sentence) from failure
        self.secrets += [token for token in (grant.access_token, grant.refresh_token) if token]
        return Granted(grant, content=content)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        secrets = [*self.account.secrets.values(), self.app.client_secret, *self.secrets]
        budget = max(self.deadline.left(), 0.1)
        try:
            return send(method, url, log=self.log, headers=headers, body=body, budget=budget, secrets=secrets)
        except CallFailed as failure:
            raise judge(failure, address="the template's OAuth address").refusal(BEGIN_AGAIN) from failure

    def _read(self, reply: Reply) -> dict[str, Any]:
        content = reply.json()
        if reply.status == 429 or reply.status >= 500:
            raise judge(reply).refusal(BEGIN_AGAIN)
        # Some platforms answer errors with 200.
        error = content.get("error") if isinstance(content, dict) else None
        if reply.status == 401 or (isinstance(error, str) and error in _APP_ERRORS):
            raise OauthAppRefused
        if error or reply.status >= 300 or not isinstance(content, dict):
            raise refused(error)
        return content


def exchange(account: Account, app: App, code: Code, log: Log) -> Granted:
    """Exchange an authorization code for tokens, and ask the platform what it does not tell with them.

    Args:
        account: of the connection, with its settings and the secrets in use.
        app: that the code was given to.
        code: as the platform's redirect brought it.
        log: takes the redacted record of each call.

    Raises:
        OauthAppRefused, AuthorizationRefused: the platform does not accept the app, or the code.
        PlatformFailure: no usable answer; the code is used up all the same.
    """
    oauth = _oauth(account)
    # A platform may end the redirect with #_, which is not a part of the code.
    text = (unquote(code.text) if oauth.get("decodes_code") else code.text).removesuffix("#_")
    calls = Exchange(account, app, log, [code.text, text, code.state])
    form = {"grant_type": "authorization_code", "code": text, "redirect_uri": code.redirect_url}
    form |= account.filled_within(account.provider.authentication.get("parameters", {}))
    if code.verifier is not None:
        calls.secrets.append(code.verifier)
        form["code_verifier"] = code.verifier
    headers, fields = token_calls.client_fields(account, app.client_id, app.client_secret)
    granted = calls.token(calls.post(_token_url(account), form | fields, headers))
    platform = registry.find(account.provider.key, OAuthPlatform)
    return granted if platform is None else platform.complete(calls, granted)


def _token_url(account: Account) -> str:
    """Return where the code is exchanged: the endpoint that also refreshes, if tokens are refreshed."""
    wanted = account.provider.authentication
    if wanted["type"] == "oauth2_refresh_token":
        return wanted["token_url"]
    return account.filled_path(_oauth(account)["token_url"])
