"""What each role may do in the hub. A route names its permission; nothing else decides."""

from typing import Literal

Role = Literal["super_admin", "tenant_admin", "regulator", "staff", "service"]

Permission = Literal[
    "catalogue.read",
    "catalogue.write",
    "connections.list",
    "connections.read",
    "connections.write",
    "connections.use",
    "api_keys.manage",
    "audit.read",
    "memberships.read",
    "memberships.manage",
    "tenants.manage",
]

# Staff see that connections exist and how they are, but no configuration. A machine uses connections. A super admin
# does in any tenant what its admin may, and keeps the catalogue and the tenants; credentials nobody reads back.
_ADMIN: frozenset[Permission] = frozenset(
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
    }
)

_KEEPER: frozenset[Permission] = frozenset({"catalogue.write", "tenants.manage"})

ALLOWED: dict[Role, frozenset[Permission]] = {
    "super_admin": _ADMIN | _KEEPER,
    "tenant_admin": _ADMIN,
    "regulator": frozenset(
        {"catalogue.read", "connections.list", "connections.read", "audit.read", "memberships.read"}
    ),
    "staff": frozenset({"connections.list"}),
    "service": frozenset({"connections.list", "connections.use"}),
}
