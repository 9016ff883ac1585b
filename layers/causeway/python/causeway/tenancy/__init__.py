"""The caller and the tenant of a call: tokens, identity, permissions, context; tenants, memberships, API keys."""
