"""The fields of models and the columns that store them, by the model's name.

tests/database/test_model_checks.py holds each field against the CHECKs of its column.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stored:
    """A field that a column stores.

    Attributes:
        column: table and column.
        stricter: why the model refuses values that the database would take; empty: it takes them.
        later: what else refuses, before it is stored, a value that the model takes and the database refuses.
    """

    column: str
    stricter: str = ""
    later: str = ""


_TEMPLATE = {
    "kind": Stored("integration_providers.kind", "a release adds a kind of platform without a migration"),
    "display_name": Stored("integration_providers.display_name"),
    "description": Stored("integration_providers.description"),
    "icon": Stored("integration_providers.icon"),
    "config_schema": Stored("integration_providers.config_schema", later="catalogue.config_schema.check"),
    "setup_instructions": Stored("integration_providers.setup_instructions"),
    "documentation_url": Stored("integration_providers.documentation_url"),
    "base_urls": Stored("integration_providers.base_urls", "the parts of an object have models of their own"),
    "api_version": Stored("integration_providers.api_version"),
    "webhook_support": Stored("integration_providers.webhook_support"),
    "webhook_url": Stored("integration_providers.webhook_url", "its path must be one that is sent as it is"),
    "rate_limits": Stored("integration_providers.rate_limits", "the parts of an object have models of their own"),
    "authentication": Stored("integration_providers.authentication", "the parts of an object have models of their own"),
    "health_call": Stored("integration_providers.health_call", "the parts of an object have models of their own"),
    "oauth": Stored("integration_providers.oauth", "the parts of an object have models of their own"),
}
# Fields of requests.
REQUESTS: dict[str, dict[str, Stored]] = {
    "ApiKeyDraft": {"name": Stored("api_keys.name"), "channel": Stored("api_keys.channel")},
    "ConnectionDraft": {
        "name": Stored("integration_connections.name"),
        "description": Stored("integration_connections.description"),
        "environment": Stored("integration_connections.environment"),
        "external_id": Stored("integration_connections.external_id"),
        "metadata": Stored("integration_connections.metadata"),
    },
    "ConnectionChange": {
        "name": Stored("integration_connections.name"),
        "description": Stored("integration_connections.description"),
        "environment": Stored("integration_connections.environment"),
        "external_id": Stored("integration_connections.external_id"),
        "metadata": Stored("integration_connections.metadata"),
    },
    "AuthorizationDraft": {"return_url": Stored("oauth_flows.return_url", "its site must be on the deployment's list")},
    "OAuthAppDraft": {"client_id": Stored("oauth_apps.client_id", "an app's id is visible ASCII")},
    "MembershipChange": {"status": Stored("memberships.status")},
    "TemplateChange": _TEMPLATE | {"is_active": Stored("integration_providers.is_active")},
    "TemplateDraft": _TEMPLATE | {"key": Stored("integration_providers.provider_key")},
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

_CONFIG = "the template's config_schema judges it; settings and secrets are stored apart"
_CALENDAR = "sent to the platform"
# Fields of requests that no column stores, with the place where their value goes.
ELSEWHERE: dict[str, dict[str, str]] = {
    "ConnectionDraft": {"template_id": "the id of a row of integration_providers", "config": _CONFIG},
    "ConnectionChange": {"config": _CONFIG},
    "NewSecrets": {"config": _CONFIG},
    "OAuthAppDraft": {"client_secret": "encrypted, in oauth_apps.client_secret"},
    "LimitsDraft": dict.fromkeys(
        ("minute", "hour", "day", "month"), "a part of the object integration_connections.rate_limits"
    ),
    "BlockedSlotDraft": {"start_time": _CALENDAR, "end_time": _CALENDAR, "title": _CALENDAR},
    "TemplateChange": {"key": "compared with the path, never changed"},
}

# The tables whose rows answers are made of: a field has the name of its column. Template is not here: its row may be
# older than a rule, and is shown without validation.
ANSWERS = {
    "ApiKey": "api_keys",
    "AuditEntry": "audit_log",
    "CallLog": "integration_api_logs",
    "Connection": "integration_connections",
    "ConnectionCheck": "integration_health",
    "Membership": "memberships",
    "SyncRun": "sync_runs",
    "Tenant": "tenants",
}

# Columns with CHECKs, in the tables above, that no request sets: our code does.
OURS = {
    "api_keys.hash",
    "api_keys.version",
    "integration_connections.rate_limits",
    "integration_connections.status",
    "integration_connections.version",
    "integration_providers.created_by",
    "integration_providers.version",
    "memberships.email",
    "memberships.name",
    "memberships.role",
    "memberships.version",
    "oauth_apps.client_secret",
    "oauth_apps.updated_by",
    "oauth_apps.version",
    "oauth_flows.actor",
    "oauth_flows.callback",
    "oauth_flows.code",
    "oauth_flows.error",
    "oauth_flows.state_hash",
    "oauth_flows.verifier",
    "tenants.tenant_id",
    "tenants.version",
}
