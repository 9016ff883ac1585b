"""Who calls the hub: a person by the claims of a token, or a machine by its API key."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes
from typing import Any, Literal
from uuid import UUID

import psycopg

from causeway.database.postgres import Database
from causeway.errors.requests import InvalidRequest
from causeway.errors.tenancy import Forbidden, Suspended, TenantNotFound, TenantRequired, Unauthorized
from causeway.tenancy.permissions import ALLOWED, Permission, Role
from causeway.wire import base64url
from causeway.wire.fields import parse_uuid, text_field
from causeway.wire.names import name_field, unseen

_PREFIX = "cwk_"
# Characters of a token's subject.
LONGEST_SUBJECT = 255
# The groups of the user pool that are roles of people; machines have a role of their own.
_PEOPLE = frozenset(("super_admin", "tenant_admin", "regulator", "staff"))
# A group without a space, comma, bracket, quote or anything else that could stand between two.
_GROUP = re.compile(r"\[([A-Za-z0-9_-]+)\]|([A-Za-z0-9_-]+)")
# A player's id as the database writes it: "007" is none.
_PLAYER = re.compile(r"[1-9][0-9]{0,17}")
# 64 bytes in base64url.
_KEY = re.compile(rf"{_PREFIX}([A-Za-z0-9_-]{{86}})")


_LONGEST_NAME = 200
# What can be shown as an address and cannot be taken for anything else; RFC 5321 allows 254 characters in all.
_EMAIL = re.compile(r"(?=.{3,254}\Z)[!#$%&'*+/=?^_`{|}~.0-9A-Za-z-]+@[0-9A-Za-z.-]+")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a token says of a person beside who he is; empty where it says nothing, or nothing that can be shown.

    email_verified: whether the user pool has proved that the address is his; he may change name and address himself.
    """

    name: str
    email: str
    email_verified: bool

    @classmethod
    def of_claims(cls, claims: dict[str, str]) -> "Profile":
        """Read the claims name, email and email_verified; what is malformed is left out, and refuses nobody."""
        try:
            name = name_field(claims, "name", _LONGEST_NAME)
        except InvalidRequest:
            name = ""
        email = claims.get("email", "")
        email = email if _EMAIL.fullmatch(email) else ""
        return cls(name, email, bool(email) and claims.get("email_verified") == "true")


NOBODY_S = Profile("", "", email_verified=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and as what. tenant_id is None for a super admin who named no tenant."""

    kind: Literal["person", "machine"]
    # The token's subject, or the key's id.
    subject: str
    role: Role
    tenant_id: UUID | None
    # The one channel a key is for.
    channel: str | None = None
    # What a person is called: personal data, for the tenant's list of memberships alone, and in no log.
    profile: "Profile" = field(default_factory=lambda: NOBODY_S, repr=False)

    @property
    def tenant(self) -> UUID:
        """The tenant the call is about; raises TenantRequired."""
        if self.tenant_id is None:
            raise TenantRequired
        return self.tenant_id

    def demand(self, permission: Permission) -> None:
        """Raise Forbidden where the role does not have a permission, or the key is for one channel.

        A channel's key sends through that channel and does nothing else; no route is a channel's yet.
        """
        if self.channel is not None:
            raise Forbidden(cause=f"the key is for the channel {self.channel} alone")
        if permission not in ALLOWED[self.role]:
            if self.role == "player":
                # Players launch games, and for others that takes a permission.
                raise Forbidden(
                    "Players do this for themselves only",
                    cause="a player for another one",
                    permission=permission,
                    action="Send your own userId.",
                )
            raise Forbidden(cause=f"{self.role} lacks {permission}", permission=permission)

    def demand_tenant(self, asked: str | None) -> None:
        """Raise TenantNotFound where X-Tenant-Id names another tenant than the caller's own, as if it were not there.

        Args:
            asked: the header's value; None: not sent. A super admin's own tenant is the one he names.
        """
        if asked is not None and self.role != "super_admin" and asked.lower() != str(self.tenant):
            raise TenantNotFound("X-Tenant-Id names another tenant than your own: leave it out")


def group_of(claim: str) -> str | None:
    """Return the one group that a cognito:groups claim holds, None where it can be read in another way too.

    API Gateway writes the list ["a", "b"] as the text "[a b]" and escapes nothing, so the group "a b" and the groups
    "a" and "b" are one text:
    https://github.com/aws-solutions-library-samples/guidance-for-claude-code-with-amazon-bedrock/issues/802.
    Never split such a text: take it whole, and refuse what no single group of plain letters can be. A claim that is the
    text "[a]" comes from API Gateway like the list ["a"]; a user pool writes lists alone, and `tokens`, which
    sees the difference, refuses the text.

    Args:
        claim: "[a]", as both authorizers write a list, or "a", as they write a text.
    """
    found = _GROUP.fullmatch(claim)
    return None if found is None else found[1] or found[2]


def of_claims(claims: dict[str, str], tenant_asked: str | None) -> Caller:
    """Return the person whose token's claims an authorizer passed on; both authorizers write them alike.

    Args:
        claims: sub, cognito:groups and custom:tenant_id; name, email and email_verified where they are there.
        tenant_asked: X-Tenant-Id, by which a super admin names the tenant; nobody else's is heard.

    Raises:
        Unauthorized: no usable subject, no group, several groups, a group that is no role, or a role that needs a
            tenant has none.
        TenantNotFound: the tenant asked for is no id.
    """
    subject = _subject(claims)
    role: Any = group_of(claims.get("cognito:groups", ""))
    if role not in _PEOPLE:
        raise Unauthorized(
            f"The token's groups must be exactly one of {', '.join(sorted(_PEOPLE))}, and no other group beside it",
            cause="the token's groups are not exactly one role",
        )
    profile = Profile.of_claims(claims)
    if role == "super_admin":
        named = None if tenant_asked is None else parse_uuid(tenant_asked, TenantNotFound)
        return Caller("person", subject, role, named, profile=profile)
    return Caller("person", subject, role, _tenant(claims), profile=profile)


def of_player(claims: dict[str, str]) -> Caller:
    """Return the player whose token's claims an authorizer passed on; player_of says which player it is.

    Raises:
        Unauthorized: no usable subject, or no tenant.
        TenantNotFound: the tenant is no id.
    """
    return Caller("person", _subject(claims), "player", _tenant(claims))


def player_of(claims: dict[str, str]) -> int | None:
    """Return the player that a token is of, None where it is no player's.

    Raises:
        Unauthorized: custom:player_id is not the one spelling of a player's id.
    """
    text = claims.get("custom:player_id")
    if text is None:
        return None
    if not _PLAYER.fullmatch(text):
        raise Unauthorized(cause="the token's custom:player_id is no player's id")
    return int(text)


def _subject(claims: dict[str, str]) -> str:
    """Return who a token is of, a person of the tenant or a player; raises Unauthorized."""
    if claims.get("token_use", "id") != "id":
        raise Unauthorized("An access token was sent: send the ID token, which names the tenant")
    try:
        subject = text_field(claims, "sub", LONGEST_SUBJECT)
    except InvalidRequest as error:
        raise Unauthorized(cause=f"the token's {error.sentence}") from error
    if subject.startswith(("[", "{")):
        raise Unauthorized(cause="the token's sub may be a list or an object")
    if subject != subject.strip() or unseen(subject):
        raise Unauthorized(cause="the token's sub has blanks at an end, a line break or an invisible character")
    return subject


def _tenant(claims: dict[str, str]) -> UUID:
    tenant = claims.get("custom:tenant_id", "")
    if not tenant:
        raise Unauthorized("The token names no tenant (custom:tenant_id)")
    return parse_uuid(tenant, TenantNotFound)


@dataclass(frozen=True, slots=True)
class NewRole:
    """A role that a token told of and that was written down just now. before: the one until now, None: the first."""

    before: Role | None


def admit(transaction: psycopg.Connection[Any], caller: Caller) -> NewRole | None:
    """Open a caller's transaction in one statement: tenant, caller and role are set, a person is written down.

    Returns:
        What was written down, None where nothing was new: the audit log tells it.

    Raises:
        TenantNotFound: no such tenant.
        Suspended.
    """
    remembered = caller.kind == "person" and caller.role != "super_admin"
    [admission] = transaction.execute(
        "SELECT outcome, written, role_before FROM admit_v1(%s, %s, %s, %s, %s, %s, %s)",
        [
            caller.tenant,
            caller.subject,
            caller.role,
            remembered,
            caller.profile.name,
            caller.profile.email,
            caller.profile.email_verified,
        ],
    ).fetchall()
    if admission.outcome == "no_tenant":
        raise TenantNotFound
    if admission.outcome == "suspended":
        raise Suspended
    return NewRole(admission.role_before) if admission.written else None


def enter_platform(transaction: psycopg.Connection[Any], caller: Caller) -> None:
    """Open a caller's transaction of the platform, which sees no tenant's rows."""
    transaction.execute("SELECT enter_platform_v1(%s, %s)", [caller.subject, caller.role])


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; text is shown once and kept nowhere."""

    key_id: UUID
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.key_id})"


def make_key(tenant_id: UUID, key_id: UUID) -> tuple[NewKey, bytes]:
    """Make an API key and the hash that is kept of it.

    A key is cwk_ and 64 bytes in base64url: tenant, key id, 32 random bytes. It says where to look it up, so that a
    look-up stays inside the tenant it claims, and its hash decides.
    """
    secret = token_bytes(32)
    text = _PREFIX + base64url.encode(tenant_id.bytes + key_id.bytes + secret)
    return NewKey(key_id, text), sha256(secret).digest()


def is_like_key(text: str) -> bool:
    """Return whether a text begins as API keys do and tokens do not."""
    return text.startswith(_PREFIX)


def of_key(database: Database, text: str, source_ip: str | None = None, request_id: str | None = None) -> Caller:
    """Return the machine that an API key belongs to, and record the key's use, to the minute.

    The use of a revoked key is written into its tenant's audit log, once in five minutes.

    Args:
        database: of the hub's login.
        text: as sent.
        source_ip: of the caller.
        request_id: of the call.

    Raises:
        Unauthorized: malformed, unknown or revoked.
    """
    form = _KEY.fullmatch(text)
    try:
        raw = base64url.decode("" if form is None else form[1])
    except ValueError as error:
        raise Unauthorized(cause="not the one spelling of an API key") from error
    if not raw:
        raise Unauthorized("The API key is not whole: it is cwk_ and 86 characters more, as it was shown once")
    tenant_id, key_id = UUID(bytes=raw[:16]), UUID(bytes=raw[16:32])
    known = database.one(
        "SELECT channel FROM api_key_use_v1(%s, %s, %s, %s, %s)",
        [tenant_id, key_id, sha256(raw[32:]).digest(), source_ip, request_id],
    )
    if known is None:
        raise Unauthorized(cause=f"no API key {key_id} of tenant {tenant_id}, or not this one, or a revoked one")
    return of_machine(tenant_id, key_id, known.channel)


def of_machine(tenant_id: UUID, key_id: UUID, channel: str | None) -> Caller:
    """Return the machine whose API key was found good."""
    return Caller("machine", str(key_id), "service", tenant_id, channel)
