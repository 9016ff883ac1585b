"""The permissions of each role. A route declares its permission; nothing else decides."""

from typing import Literal, get_args

# Roles of the people of a tenant; its memberships have them.
TenantRole = Literal["tenant_admin", "regulator", "staff"]
# Roles of people: groups of the user pool.
PersonRole = Literal["super_admin", TenantRole]
# Roles with permissions: of people, and of machines.
HubRole = Literal[PersonRole, "service"]
# A player has no permission; the role is only in the audit log.
Role = Literal[HubRole, "player"]
TENANT_ROLES = get_args(TenantRole)
PERSON_ROLES = get_args(PersonRole)

Permission = Literal[
    # The caller's own identity and tenant.
    "me.read",
    "catalogue.read",
    "catalogue.write",
    "connections.list",
    "connections.read",
    # The calls made with connections.
    "logs.read",
    "connections.write",
    "connections.use",
    "credentials.write",
    "limits.manage",
    # Any call to a connection's platform, with its credentials.
    "proxy.use",
    "api_keys.manage",
    "audit.read",
    "memberships.read",
    "memberships.manage",
    "tenants.manage",
    # For any player of the tenant. Players need no permission to launch for themselves.
    "games.launch",
]

# Staff may see connections and their health, but no configuration. Machines may use connections. Super admins may do in
# any tenant what its admins may, except storing, replacing and destroying credentials. They also manage the catalogue
# and the tenants. No role may read a credential.
_EVERY_ADMIN: frozenset[Permission] = frozenset(
    {
        "me.read",
        "catalogue.read",
        "connections.list",
        "connections.read",
        "logs.read",
        "connections.write",
        "connections.use",
        "limits.manage",
        "proxy.use",
        "api_keys.manage",
        "audit.read",
        "memberships.read",
        "memberships.manage",
        "games.launch",
    }
)

# Their routes run without a tenant.
ON_DEPLOYMENT: frozenset[Permission] = frozenset({"catalogue.write", "tenants.manage"})

ALLOWED: dict[Role, frozenset[Permission]] = {
    "super_admin": _EVERY_ADMIN | ON_DEPLOYMENT,
    "tenant_admin": frozenset({*_EVERY_ADMIN, "credentials.write"}),
    "regulator": frozenset(
        {
            "me.read",
            "catalogue.read",
            "connections.list",
            "connections.read",
            "logs.read",
            "audit.read",
            "memberships.read",
        }
    ),
    "staff": frozenset({"me.read", "connections.list"}),
    "service": frozenset({"me.read", "connections.list", "connections.use", "proxy.use", "games.launch"}),
    "player": frozenset(),
}
