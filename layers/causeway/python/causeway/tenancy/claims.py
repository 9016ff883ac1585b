"""The claims of a token: the person or the player they name. Both authorizers pass claims on in the same form."""

import re
from typing import Any
from uuid import UUID

from causeway.errors.requests import InvalidRequest
from causeway.errors.tenancy import TenantNotFound, Unauthorized
from causeway.tenancy.identity import Caller, Profile
from causeway.tenancy.permissions import PERSON_ROLES
from causeway.wire.field_readers import is_storable, parse_uuid, text_field
from causeway.wire.names import NotAName, has_invisible, in_one_form

# Characters of a token's subject, and of a person's name.
LONGEST_SUBJECT = 255
_LONGEST_NAME = 200
_ROLES = ", ".join(sorted(PERSON_ROLES))
# Exactly one group: its characters exclude blanks, commas and brackets, which separate groups.
_GROUP = re.compile(r"\[([A-Za-z0-9_-]+)\]|([A-Za-z0-9_-]+)")
# A player's id in the form of the database: no leading zero.
_PLAYER = re.compile(r"[1-9][0-9]{0,17}")
# An address that can be displayed and has one reading; RFC 5321 allows 254 characters.
_EMAIL = re.compile(r"(?=.{3,254}\Z)[!#$%&'*+/=?^_`{|}~.0-9A-Za-z-]+@[0-9A-Za-z.-]+")


def person_of(claims: dict[str, str], tenant_asked: str | None) -> Caller:
    """Return the person that the claims of a token name.

    Args:
        claims: sub, cognito:groups and custom:tenant_id; name, email and email_verified where the token has them.
        tenant_asked: X-Tenant-Id, by which a super admin names the tenant. It is ignored for all other roles.

    Raises:
        Unauthorized: no valid subject, no group, several groups, a group that is no role, or no tenant for a role that
            needs a tenant.
        TenantNotFound: the tenant is not an id.
    """
    subject = _subject(claims)
    role: Any = _group(claims.get("cognito:groups", ""))
    if role not in PERSON_ROLES:
        raise Unauthorized(
            f"The token's groups must be exactly one of {_ROLES}, and no other group beside it",
            cause="the token's groups are not exactly one role",
        )
    if role == "super_admin":
        tenant_id = None if tenant_asked is None else parse_uuid(tenant_asked, TenantNotFound)
    else:
        tenant_id = _tenant(claims)
    return Caller("person", subject, role, tenant_id, profile=_profile(claims))


def player_of(claims: dict[str, str]) -> Caller:
    """Return the player that the claims of a token name; player_id says which player it is.

    Raises:
        Unauthorized: no valid subject, or no tenant.
        TenantNotFound: the tenant is not an id.
    """
    return Caller("person", _subject(claims), "player", _tenant(claims))


def player_id_of(claims: dict[str, str]) -> int | None:
    """Return the id of the token's player, None if the token names no player.

    Raises:
        Unauthorized: custom:player_id is not a player's id in its one spelling.
    """
    text = claims.get("custom:player_id")
    if text is None:
        return None
    if not _PLAYER.fullmatch(text):
        raise Unauthorized(cause="the token's custom:player_id is no player's id")
    return int(text)


def _group(claim: str) -> str | None:
    """Return the only group of a cognito:groups claim, None if the claim can be read in another way too.

    API Gateway writes the list ["a", "b"] as the text "[a b]" and escapes nothing, so the group "a b" and the groups
    "a" and "b" are the same text:
    https://github.com/aws-solutions-library-samples/guidance-for-claude-code-with-amazon-bedrock/issues/802.
    Never split this text. Accept it only where it is one group of plain letters. A claim that is the text "[a]" looks
    like the list ["a"] after API Gateway. A user pool writes only lists, and `tokens`, which sees the difference,
    refuses the text.

    Args:
        claim: "[a]", as both authorizers write a list, or "a", as they write a text.
    """
    found = _GROUP.fullmatch(claim)
    return None if found is None else found[1] or found[2]


def _subject(claims: dict[str, str]) -> str:
    """Return the subject of a person's or a player's token; raises Unauthorized."""
    if claims.get("token_use", "id") != "id":
        raise Unauthorized("An access token was sent: send the ID token, which names the tenant")
    try:
        subject = text_field(claims, "sub", LONGEST_SUBJECT)
    except InvalidRequest as error:
        raise Unauthorized(cause=f"the token's {error.sentence}") from error
    if subject.startswith(("[", "{")):
        raise Unauthorized(cause="the token's sub may be a list or an object")
    if subject != subject.strip() or has_invisible(subject):
        raise Unauthorized(cause="the token's sub has blanks at an end, a line break or an invisible character")
    return subject


def _tenant(claims: dict[str, str]) -> UUID:
    tenant = claims.get("custom:tenant_id", "")
    if not tenant:
        raise Unauthorized("The token names no tenant (custom:tenant_id)")
    return parse_uuid(tenant, TenantNotFound)


def _profile(claims: dict[str, str]) -> Profile:
    """Return name and address; a malformed one is left out, and the person is admitted all the same."""
    email = claims.get("email", "")
    email = email if _EMAIL.fullmatch(email) else ""
    return Profile(_name(claims.get("name", "")), email, bool(email) and claims.get("email_verified") == "true")


def _name(text: str) -> str:
    try:
        return in_one_form(text, _LONGEST_NAME) if is_storable(text) else ""
    except NotAName:
        return ""
