"""The authorization servers of the platforms: the consent, the token endpoint, the tokens that they issue.

A browser is played by calling the URL of the consent with sandbox_consent=allow, part (without the last scope) or
decline; without it the page offers these links. RFC 6749, 4.1 and 6; where a platform differs, its file says so.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Literal
from urllib.parse import unquote, urlencode, urlsplit

from local.sandbox.exchange import Request, Response
from local.sandbox.routes import Route

CHOICE = "sandbox_consent"
_CHOICES = ("allow", "part", "decline")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person has granted to the app: the scopes, and the tokens issued for them."""

    scopes: tuple[str, ...]
    access_token: str
    refresh_token: str | None


# The grant, and whether it is the first answer (not a refresh) -> the token endpoint's answer.
Answer = Callable[[Grant, bool], dict[str, Any]]
# Status and error code -> the platform's error.
Refusal = Callable[[int, str, str], Response]


def rfc_refusal(status: int, error: str, description: str) -> Response:
    """Return an error in the format of RFC 6749, 5.2."""
    return Response(status, {"error": error, "error_description": description})


@dataclass(frozen=True, slots=True)
class Vendor:
    """How a platform's authorization server differs from others.

    Attributes:
        client_parameter: the name of the parameter with the app's id.
        separator: of the scopes in the URL of the consent.
        pkce: refused: a verifier makes the client invalid; ignored; S256 and S256_hex: taken; the second is required.
        takes_basic: whether the app's credentials may stand in the header Authorization.
        declined: parameters of the redirect after a person declines; None: the person never comes back.
        returns_state: whether the redirect has the state.
        code_ending: what the redirect adds to a code; percent-encoded: it is a part of the code, encoded once more.
        refresh: none: no refresh token; kept: the same is good again; rotated: each use makes a new one, and the old
            one is dead.
        needs: further parameters of the token call.
    """

    client_id: str
    client_secret: str
    answer: Answer
    refusal: Refusal = rfc_refusal
    client_parameter: str = "client_id"
    separator: str = " "
    pkce: Literal["refused", "ignored", "S256", "S256_hex"] = "ignored"
    takes_basic: bool = False
    declined: Mapping[str, str] | None = field(default_factory=lambda: {"error": "access_denied"})
    returns_state: bool = True
    code_ending: str = ""
    refresh: Literal["none", "kept", "rotated"] = "none"
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Consent:
    """A consent whose code was not used yet."""

    redirect: str
    scopes: tuple[str, ...]
    challenge: str


class AuthorizationServer:
    """The authorization server of one platform."""

    def __init__(
        self, key: str, vendor: Vendor, *, access: tuple[str, ...] = (), refresh: tuple[str, ...] = ()
    ) -> None:
        """Begin with no consent.

        Args:
            key: the platform's; the beginning of all that is issued.
            vendor: how it differs.
            access, refresh: tokens that are good from the beginning.
        """
        self._key = key
        self._vendor = vendor
        self._consents: dict[str, _Consent] = {}
        self._access: dict[str, tuple[str, ...]] = dict.fromkeys(access, ())
        self._refresh: dict[str, tuple[str, ...]] = dict.fromkeys(refresh, ())

    def routes(self, authorize: str, token: str) -> list[Route]:
        """Return the routes of the consent and of the token endpoint; the arguments are their paths."""
        return [
            Route("GET", authorize, _anyone, self._authorize),
            Route("POST", token, _anyone, self.token),
        ]

    def authenticate(self, request: Request) -> bool:
        """Return whether the request has an access token that is good."""
        return request.bearer in self._access

    def is_token(self, token: str) -> bool:
        """Return whether an access token is good."""
        return token in self._access

    def scopes_of(self, token: str) -> tuple[str, ...]:
        """Return the scopes of an access token."""
        return self._access.get(token, ())

    def issue(self, scopes: tuple[str, ...]) -> str:
        """Return a new access token."""
        token = f"sandbox-{self._key}-access-{token_hex(12)}"
        self._access[token] = scopes
        return token

    def is_app(self, fields: Mapping[str, str]) -> bool:
        """Return whether fields have the app's id and secret."""
        vendor = self._vendor
        given = (fields.get(vendor.client_parameter), fields.get("client_secret"))
        return given == (vendor.client_id, vendor.client_secret)

    def _authorize(self, request: Request, _: Mapping[str, str]) -> Response:
        vendor, query = self._vendor, request.query
        fault = self._fault(query)
        if fault is not None:
            # A wrong app or redirect is told to the person: nobody is redirected (RFC 6749, 4.1.2.1).
            return Response(400, f"<!DOCTYPE html><title>Error</title><p>{fault}", content_type="text/html")
        choice = query.get(CHOICE)
        if choice not in _CHOICES:
            return self._page(request)
        state = {"state": query["state"]} if vendor.returns_state and "state" in query else {}
        if choice == "decline":
            if vendor.declined is None:
                return Response(200, "<!DOCTYPE html><title>Closed</title>", content_type="text/html")
            return _redirect(query["redirect_uri"], {**vendor.declined, **state})
        asked = tuple(scope for scope in query.get("scope", "").split(vendor.separator) if scope)
        code = f"sandbox-{self._key}-code-{token_hex(12)}"
        scopes = asked[:-1] if choice == "part" else asked
        whole = code + unquote(vendor.code_ending) if "%" in vendor.code_ending else code
        self._consents[whole] = _Consent(query["redirect_uri"], scopes, query.get("code_challenge", ""))
        return _redirect(query["redirect_uri"], {"code": code + vendor.code_ending, **state})

    def _fault(self, query: Mapping[str, str]) -> str | None:
        vendor, redirect = self._vendor, urlsplit(query.get("redirect_uri", ""))
        if query.get(vendor.client_parameter) != vendor.client_id or query.get("response_type") != "code":
            return "Unknown app"
        if not redirect.path.startswith("/oauth/callback") or redirect.query or redirect.fragment:
            return "The redirect address is not registered"
        if vendor.pkce == "S256_hex" and "code_challenge" not in query:
            return "code_challenge"
        return None

    def _page(self, request: Request) -> Response:
        links = [f'<a href="?{urlencode({**request.query, CHOICE: choice})}">{choice}</a>' for choice in _CHOICES]
        page = f"<!DOCTYPE html><title>{self._key}</title><p>Causeway asks for access: {' '.join(links)}"
        return Response(200, page, content_type="text/html")

    def token(self, request: Request, _: Mapping[str, str]) -> Response:
        """Answer the token endpoint: a code, or a refresh token."""
        vendor, form = self._vendor, request.form
        if vendor.takes_basic and request.basic != ("", ""):
            form |= {vendor.client_parameter: request.basic[0], "client_secret": request.basic[1]}
        if not self.is_app(form) or (vendor.pkce == "refused" and "code_verifier" in form):
            return vendor.refusal(401, "invalid_client", "Client authentication failed")
        if any(form.get(name) != value for name, value in vendor.needs.items()):
            return vendor.refusal(400, "invalid_request", f"{', '.join(vendor.needs)} required")
        match form.get("grant_type", "authorization_code"):
            case "authorization_code":
                return self._exchange(form)
            case "refresh_token" if vendor.refresh != "none":
                return self._renew(form)
        return vendor.refusal(400, "unsupported_grant_type", "Unsupported grant_type")

    def _exchange(self, form: Mapping[str, str]) -> Response:
        # A code is good once.
        consent = self._consents.pop(form.get("code", ""), None)
        if consent is None or consent.redirect != form.get("redirect_uri"):
            return self._vendor.refusal(400, "invalid_grant", "Unknown or used code, or another redirect_uri")
        if not self._is_verified(consent.challenge, form.get("code_verifier", "")):
            return self._vendor.refusal(400, "invalid_grant", "code_verifier does not match")
        refresh = None if self._vendor.refresh == "none" else self._new_refresh(consent.scopes)
        return Response(200, self._vendor.answer(Grant(consent.scopes, self.issue(consent.scopes), refresh), True))

    def _is_verified(self, challenge: str, verifier: str) -> bool:
        digest = hashlib.sha256(verifier.encode()).digest()
        match self._vendor.pkce:
            case "S256":
                expected = base64.urlsafe_b64encode(digest).decode().rstrip("=")
                return challenge == (expected if verifier else "")
            case "S256_hex":
                return challenge == digest.hex()
        return True

    def _new_refresh(self, scopes: tuple[str, ...]) -> str:
        token = f"sandbox-{self._key}-refresh-{token_hex(12)}"
        self._refresh[token] = scopes
        return token

    def _renew(self, form: Mapping[str, str]) -> Response:
        given = form.get("refresh_token", "")
        if given not in self._refresh:
            return self._vendor.refusal(400, "invalid_grant", "Token has been expired or revoked.")
        scopes = self._refresh[given]
        refresh: str | None = given
        if self._vendor.refresh == "rotated":
            del self._refresh[given]
            refresh = self._new_refresh(scopes)
        return Response(200, self._vendor.answer(Grant(scopes, self.issue(scopes), refresh), False))


def _anyone(_: Request) -> bool:
    return True


def _redirect(url: str, parameters: Mapping[str, str]) -> Response:
    return Response(302, "", {"Location": f"{url}?{urlencode(parameters)}"}, "text/html")
