"""The fields of models and the columns that store them, by the model's name.

tests/database/test_model_checks.py holds each field against the CHECKs of its column.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stored:
    """A field that a column stores.

    Attributes:
        column: table and column.
        stricter: why the model refuses values that the database would take; empty: both take the same values.
    """

    column: str
    stricter: str = ""


# Fields of requests.
REQUESTS: dict[str, dict[str, Stored]] = {
    "ApiKeyDraft": {"name": Stored("api_keys.name"), "channel": Stored("api_keys.channel")},
    "ConnectionDraft": {
        "name": Stored("integration_connections.name"),
        "description": Stored("integration_connections.description"),
        "environment": Stored("integration_connections.environment"),
    },
    "ConnectionChange": {
        "name": Stored("integration_connections.name"),
        "description": Stored("integration_connections.description"),
        "environment": Stored("integration_connections.environment"),
    },
    "MembershipChange": {"status": Stored("memberships.status")},
    "TenantDraft": {
        "code": Stored("tenants.code"),
        "display_name": Stored("tenants.display_name"),
        "country": Stored("tenants.country"),
        "time_zone": Stored("tenants.time_zone"),
        "currency": Stored("tenants.currency"),
        "language": Stored("tenants.language"),
    },
    "TenantChange": {
        "display_name": Stored("tenants.display_name"),
        "country": Stored("tenants.country"),
        "time_zone": Stored("tenants.time_zone"),
        "currency": Stored("tenants.currency"),
        "language": Stored("tenants.language"),
    },
}

# Fields of requests that no column stores, with the place where their value goes.
_CONFIG = "the template's config_schema judges it; settings and secrets are stored apart"
_CALENDAR = "sent to the platform"
ELSEWHERE: dict[str, dict[str, str]] = {
    "ConnectionDraft": {"template_id": "the id of a row of integration_providers", "config": _CONFIG},
    "ConnectionChange": {"config": _CONFIG},
    "NewSecrets": {"config": _CONFIG},
    "BlockedSlotDraft": {"start_time": _CALENDAR, "end_time": _CALENDAR, "title": _CALENDAR},
}

# The tables whose rows answers are made of: a field has the name of its column.
ANSWERS = {
    "ApiKey": "api_keys",
    "AuditEntry": "audit_log",
    "Membership": "memberships",
    "Tenant": "tenants",
}

# Columns with CHECKs, in the tables above, that no request sets: our code does.
OURS = {
    "api_keys.hash",
    "api_keys.version",
    "integration_connections.status",
    "memberships.email",
    "memberships.name",
    "memberships.role",
    "memberships.version",
    "tenants.tenant_id",
    "tenants.version",
}
