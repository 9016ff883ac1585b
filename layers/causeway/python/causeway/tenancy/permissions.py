"""What each role may do in the hub. A route names its permission; nothing else decides."""

from typing import Literal

# A player is nobody in the hub; the role stands in the audit log alone.
Role = Literal["super_admin", "tenant_admin", "regulator", "staff", "service", "player"]

Permission = Literal[
    "catalogue.read",
    "catalogue.write",
    "connections.list",
    "connections.read",
    "connections.write",
    "connections.use",
    "credentials.write",
    "api_keys.manage",
    "audit.read",
    "memberships.read",
    "memberships.manage",
    "tenants.manage",
    # For any player of the tenant; a player needs no permission to launch for himself.
    "games.launch",
]

# Staff see that connections exist and how they are, but no configuration. A machine uses connections. A super admin may
# do in any tenant what its admin may, except for credentials: these he neither gives, replaces nor destroys. He also
# keeps the catalogue and the tenants. Nobody reads a credential back.
_EVERY_ADMIN: frozenset[Permission] = frozenset(
    {
        "catalogue.read",
        "connections.list",
        "connections.read",
        "connections.write",
        "connections.use",
        "api_keys.manage",
        "audit.read",
        "memberships.read",
        "memberships.manage",
        "games.launch",
    }
)

# Rights on data of the deployment: these routes run without a tenant.
ON_DEPLOYMENT: frozenset[Permission] = frozenset({"catalogue.write", "tenants.manage"})

ALLOWED: dict[Role, frozenset[Permission]] = {
    "super_admin": _EVERY_ADMIN | ON_DEPLOYMENT,
    "tenant_admin": frozenset({*_EVERY_ADMIN, "credentials.write"}),
    "regulator": frozenset(
        {"catalogue.read", "connections.list", "connections.read", "audit.read", "memberships.read"}
    ),
    "staff": frozenset({"connections.list"}),
    "service": frozenset({"connections.list", "connections.use", "games.launch"}),
    "player": frozenset(),
}
