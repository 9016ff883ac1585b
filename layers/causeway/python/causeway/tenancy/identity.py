"""The caller of the hub, a person or a machine, and the transaction that a caller is admitted to."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from causeway.database.postgres import Transaction
from causeway.errors.tenancy import Forbidden, Suspended, TenantNotFound, TenantRequired
from causeway.tenancy.permissions import ALLOWED, Permission, Role


@dataclass(frozen=True, slots=True)
class Profile:
    """A person's name and address from a token. Empty: the token has none, or none that can be displayed.

    Attributes:
        email_verified: the user pool has verified the address. People can change their own name and address.
    """

    name: str
    email: str
    email_verified: bool


NO_PROFILE = Profile("", "", email_verified=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a machine with its role.

    Attributes:
        subject: a person's `sub` claim, or the id of a machine's API key.
        tenant_id: None: a super admin who named no tenant.
        channel: the only channel that an API key is for.
        profile: personal data: stored in the tenant's memberships only, and never logged.
    """

    kind: Literal["person", "machine"]
    subject: str
    role: Role
    tenant_id: UUID | None
    channel: str | None = None
    profile: Profile = field(default=NO_PROFILE, repr=False)

    @property
    def tenant(self) -> UUID:
        """The tenant that the call is about; raises TenantRequired."""
        if self.tenant_id is None:
            raise TenantRequired
        return self.tenant_id

    def require(self, permission: Permission) -> None:
        """Raise Forbidden if the role does not have a permission, or if the key is for one channel.

        A key for a channel may use this channel only; no route belongs to a channel yet.
        """
        if self.channel is not None:
            raise Forbidden(cause=f"the key is for the channel {self.channel} alone")
        if permission not in ALLOWED[self.role]:
            if self.role == "player":
                # A player may launch games; only launching for another player takes a permission.
                raise Forbidden(
                    "Players do this for themselves only",
                    cause="a player for another one",
                    permission=permission,
                    action="Send your own userId.",
                )
            raise Forbidden(cause=f"{self.role} lacks {permission}", permission=permission)

    def require_tenant(self, asked: str | None) -> None:
        """Raise TenantNotFound if X-Tenant-Id names another tenant, whether it exists or not.

        Args:
            asked: the header's value; None: not sent. A super admin may name any tenant.
        """
        if asked is not None and self.role != "super_admin" and asked.lower() != str(self.tenant):
            raise TenantNotFound("X-Tenant-Id names another tenant than your own: leave it out")


def of_machine(tenant_id: UUID, key_id: UUID, channel: str | None) -> Caller:
    """Return the machine of a valid API key."""
    return Caller("machine", str(key_id), "service", tenant_id, channel)


@dataclass(frozen=True, slots=True)
class NewRole:
    """A person's role that is new in the tenant's memberships.

    Attributes:
        before: the role until now; None if there was none.
    """

    before: Role | None


def admit(transaction: Transaction, caller: Caller) -> NewRole | None:
    """Set the transaction's tenant, caller and role, and store a person's membership, by one statement.

    Returns:
        The role where it is new, for the audit log.

    Raises:
        TenantNotFound: no such tenant.
        Suspended: the person's membership is suspended.
    """
    is_member = caller.kind == "person" and caller.role != "super_admin"
    [admission] = transaction.execute(
        """
        SELECT outcome, written, role_before FROM admit_v1(
            p_tenant_id => %(tenant_id)s, p_subject => %(subject)s, p_role => %(role)s, p_is_member => %(is_member)s,
            p_name => %(name)s, p_email => %(email)s, p_email_verified => %(email_verified)s
        )
        """,
        {
            "tenant_id": caller.tenant,
            "subject": caller.subject,
            "role": caller.role,
            "is_member": is_member,
            "name": caller.profile.name,
            "email": caller.profile.email,
            "email_verified": caller.profile.email_verified,
        },
    ).fetchall()
    if admission.outcome == "no_tenant":
        raise TenantNotFound
    if admission.outcome == "suspended":
        raise Suspended
    return NewRole(admission.role_before) if admission.written else None


def enter_deployment(transaction: Transaction, caller: Caller) -> None:
    """Set the transaction's caller and role, and the deployment as its tenant: it sees no tenant's rows."""
    transaction.execute(
        "SELECT enter_deployment_v1(p_subject => %(subject)s, p_role => %(role)s)",
        {"subject": caller.subject, "role": caller.role},
    )
