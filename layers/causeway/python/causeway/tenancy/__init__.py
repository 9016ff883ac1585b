"""Who calls and for which tenant: tokens, identity, permissions, context; tenants, memberships, API keys."""
