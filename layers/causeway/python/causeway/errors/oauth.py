"""Errors of the authorization of connections at their platforms."""

from typing import Any

from causeway.errors.platforms import PlatformFailure
from causeway.errors.tree import CausewayError

# What a caller does to try again: a code is exchanged once, so the same call again finds it used.
BEGIN_AGAIN = "send POST to the connection's authorize again, and open the new URL"
_AGAIN = f"{BEGIN_AGAIN[0].upper()}{BEGIN_AGAIN[1:]}."

# Errors of RFC 6749 (4.1.2.1 and 5.2), and unauthorized_scope_error. Only these are repeated to the caller.
_KNOWN_ERRORS = frozenset(
    (
        *("access_denied", "invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "server_error"),
        *("temporarily_unavailable", "unauthorized_client", "unauthorized_scope_error", "unsupported_grant_type"),
        "unsupported_response_type",
    )
)


class OauthAppMissing(CausewayError):
    """There is no OAuth app to authorize this connection for"""

    code = "OAUTH_APP_MISSING"
    status = 409
    action = (
        "Give the connection the id and the secret of your own app, or ask a super admin to set the deployment's app "
        "(PUT to the template's oauth-app)."
    )


class AuthorizationNotBegun(CausewayError):
    """You have begun no authorization of this connection"""

    code = "AUTHORIZATION_NOT_BEGUN"
    status = 409
    action = "Send POST to the connection's authorize, and open the URL that it answers."


class AuthorizationPending(CausewayError):
    """The platform has not answered yet: the person has not consented, or the browser has not come back"""

    code = "AUTHORIZATION_PENDING"
    status = 409
    retry = True
    action = "Open the URL, consent, wait for the page that follows, and then send the same call again."


class AuthorizationExpired(CausewayError):
    """The authorization was not completed within 10 minutes"""

    code = "AUTHORIZATION_EXPIRED"
    status = 409
    action = _AGAIN


class AuthorizationUsed(CausewayError):
    """This authorization was completed before"""

    code = "AUTHORIZATION_USED"
    status = 409
    action = f"Look at the connection: if it is not active, {BEGIN_AGAIN}."


class AuthorizationDeclined(CausewayError):
    """The person declined at the platform; nothing was changed"""

    code = "AUTHORIZATION_DECLINED"
    status = 409
    action = f"If it was a mistake: {BEGIN_AGAIN}."


class AuthorizationRefused(PlatformFailure):
    """The platform did not grant the authorization; nothing was changed"""

    code = "AUTHORIZATION_REFUSED"
    status = 422
    action = (
        "Check the app's id, its secret, its scopes and its redirect address at the platform; then "
        f"{BEGIN_AGAIN}. The platform's answer is in the connection's logs."
    )


class OauthAppRefused(AuthorizationRefused):
    """The platform does not accept the OAuth app's id or secret; nothing was changed"""

    code = "OAUTH_APP_REFUSED"
    action = f"Correct the app's id and secret; then {BEGIN_AGAIN}."


def refused(error: Any) -> AuthorizationRefused:
    """Return the error for a platform's refusal. error: its code, which is told if it is a known one."""
    if isinstance(error, str) and error in _KNOWN_ERRORS:
        return AuthorizationRefused(f"The platform did not grant the authorization ({error}); nothing was changed")
    return AuthorizationRefused()
