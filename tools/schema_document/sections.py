"""The sections of docs/schema.md, and which of them a table, a type or a function belongs to."""

from dataclasses import dataclass


class Unsorted(Exception):
    """A table, a type or a function belongs to no section."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section.

    Attributes:
        wing: the folder or module of causeway/ with the code.
        names: of its tables, types and functions, in this order; a name that ends with _ stands for all that begin
            with it.
    """

    title: str
    wing: str
    about: str
    names: tuple[str, ...]


SECTIONS = (
    Section(
        "Tenants and people",
        "tenancy",
        "Who uses the deployment, and with which rights.",
        (
            *("tenants", "users", "memberships", "membership_", "api_keys", "api_key_"),
            *("countries", "time_zones", "add_time_zones", "currencies", "is_name"),
            *("admit_", "enter_", "current_"),
        ),
    ),
    Section(
        "Casino and wallet",
        "casino",
        "Players, their wallets, the ledger that explains each balance, and the audits of the ledger.",
        (
            *("casino_players", "casino_wallets", "casino_game_providers", "casino_games", "casino_sessions"),
            *("casino_transactions", "casino_postings", "casino_", "wallet_balance", "balance_cap", "ledger_"),
            "game_provider_",
        ),
    ),
    Section(
        "Demo game provider",
        "demo_provider",
        "Our example of a game provider. It holds no money, and reads no table of the casino.",
        ("provider_casinos", "provider_games", "provider_players", "provider_sessions", "provider_"),
    ),
    Section("Catalogue", "catalogue", "The platforms that a tenant can connect to.", ("integration_providers",)),
    Section(
        "Connections",
        "connections",
        "Tenants' connections to platforms, their health and circuit breakers, and the calls that were made.",
        ("integration_connections", "integration_", "circuit_breakers", "partition_", "partitions_"),
    ),
    Section(
        "Credentials",
        "vault",
        "The secrets of connections, encrypted with a data key per tenant, which only KMS can unwrap.",
        (
            *("tenant_data_keys", "data_keys_", "api_credential_", "api_credentials", "credentials_"),
            *("oauth_tokens", "oauth_tokens_"),
        ),
    ),
    Section(
        "Authorizations",
        "oauth",
        "Authorizations that people have begun at platforms, and the deployment's own OAuth apps.",
        ("deployment_data_keys", "oauth_apps", "oauth_app_", "oauth_flows", "oauth_flow_"),
    ),
    Section("Syncs", "syncs", "Runs that copy data from a platform.", ("sync_",)),
    Section("Audit log", "audit_log", "What was done or refused, in chains that show every change.", ("audit_",)),
    Section(
        "Rate limits",
        "rate_limits",
        "What each subject of a limit has used of its windows.",
        ("rate_limits", "rate_limit_", "rate_limits_"),
    ),
    Section("Events", "events", "The outbox: what happened, for subscribers.", ("events_",)),
    Section("Idempotency-Keys", "database", "First answers, for calls that are sent again.", ("idempotency_",)),
)


def place_of(name: str) -> tuple[Section, int]:
    """Return the section of a table, a type or a function, the first that names it, and its place there.

    Raises:
        Unsorted: no section names it.
    """
    for section in SECTIONS:
        for place, own in enumerate(section.names):
            if name == own or (own.endswith("_") and name.startswith(own)):
                return section, place
    raise Unsorted(f"{name} belongs to no section of docs/schema.md: name it in tools/schema_document/sections.py")
