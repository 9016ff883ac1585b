"""Access tokens: what a platform grants, who gives a call its token, and how the next one is got."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from causeway.catalogue.document_rules import FIELD_REFERENCE
from causeway.errors.platforms import InvalidCredentials
from causeway.outbound.deadlines import Deadline
from causeway.outbound.failures import CallFailed
from causeway.platforms.account import Account, Log
from causeway.platforms.failures import SettingMissing
from causeway.platforms.verdicts import Verdict, judge_status

# client: with the client's credentials; refresh: with a refresh token; self: with the access token itself, while it is
# valid; none: a person must connect again.
Renewal = Literal["client", "refresh", "self", "none"]

# Why a token endpoint refuses for good. ended: the grant ended or was revoked. client: the client's own credentials are
# not accepted, or not for this call.
Refusal = Literal["ended", "client"]

# The parts of an authentication that a refresh needs.
_REFRESH_PARTS = ("refresh_token", "client_id", "client_secret")
_ONE_FIELD = re.compile(rf"{FIELD_REFERENCE.pattern}\Z", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """What a token endpoint granted. It has no repr: it holds secrets.

    Attributes:
        access_token: sent with calls.
        refresh_token: None: the answer had none, so the one before stays in use.
        expires_in: the access token's life in seconds; None: no known end.
        refresh_expires_in: the refresh token's life in seconds; None: no known end.
        scopes: what was granted; None: the answer does not say.
    """

    access_token: str
    refresh_token: str | None = None
    expires_in: int | None = None
    refresh_expires_in: int | None = None
    scopes: Sequence[str] | None = None


# The next action where a person, or new secrets, must give the access again.
CONNECT_AGAIN = "Connect again: authorize the connection anew, or give its tokens again."


class TokenRefused(CallFailed):
    """The platform's token endpoint gave no access token.

    Attributes:
        status: the endpoint's HTTP status, by the meaning of its answer.
        refusal: why it refuses for good; None: the failure passes by itself.
        wait: seconds that the endpoint asks to wait; None: it does not say.
    """

    def __init__(self, status: int, refusal: Refusal | None = None, wait: float | None = None) -> None:
        super().__init__(f"no token: status {status}")
        self.status = status
        self.refusal: Refusal | None = refusal
        self.wait = wait

    @property
    def verdict(self) -> Verdict:
        """The verdict on the connection."""
        if self.refusal == "ended":
            message = "The platform no longer accepts the access that was granted to the connection."
            return Verdict(InvalidCredentials, message, CONNECT_AGAIN)
        return judge_status(self.status, self.wait)


class TokenSource(Protocol):
    """Gives a connection's calls their access token."""

    def current(self, account: Account, log: Log, deadline: Deadline | None = None) -> str:
        """Return an access token that is valid, got anew if it must be.

        Args:
            account: whose token.
            log: takes the record of a call to the token endpoint.
            deadline: of the call that needs the token.

        Raises:
            TokenRefused: the platform's token endpoint gave none.
            CallFailed: it gave no usable answer, or the configuration lacks a field.
        """

    def renewed(self, account: Account, log: Log, refused: str, deadline: Deadline | None = None) -> str:
        """Return another access token than the one that the platform has just refused with 401.

        Raises:
            TokenRefused, CallFailed: as current; also where the connection has nothing to get another one with.
        """


def renewal(account: Account) -> Renewal:
    """Return how an account's next access token is got; none also for an account without access tokens."""
    wanted = account.provider.authentication
    match wanted["type"]:
        case "oauth2_client_credentials":
            return "client"
        case "oauth2_refresh_token":
            needed = _REFRESH_PARTS[:1] if lacks_app(account) else _REFRESH_PARTS
            return "refresh" if all(account.has_fields(wanted[part]) for part in needed) else "none"
        case "bearer" if "self_renewal" in wanted:
            return "self"
    return "none"


def lacks_app(account: Account) -> bool:
    """Return whether an account that a person authorized has no OAuth app of its own: it uses the deployment's."""
    oauth = account.provider.oauth
    return oauth is not None and not account.has_fields(f"{{{oauth['client_id_field']}}}")


def not_renewable() -> TokenRefused:
    """Return the refusal of a token that cannot be got anew: the access has ended with it."""
    return TokenRefused(401, "ended")


def given_token(account: Account) -> str:
    """Return the access token that a connection without a renewal was given.

    Raises:
        SettingMissing: it was given none, nor all that a new one is got with.
    """
    wanted = account.provider.authentication
    if "access_token" in wanted:
        return account.filled(wanted["access_token"])
    for part in _REFRESH_PARTS:
        account.filled(wanted[part])
    raise SettingMissing("the refresh token or its client is empty", "Give every secret of the connection again.")


def field_of(authentication: Mapping[str, Any], part: str) -> str | None:
    """Return the name of the connection's field that a part of an authentication consists of; None if of none."""
    found = _ONE_FIELD.match(authentication.get(part, ""))
    return None if found is None else found[1]
