"""A secret is never stored in a column of its own: columns whose names look like secrets, and why each is none."""

from tests.database.world import Casino

_LOOKS_SECRET = "secret|token|passw|passphrase|key|credential|pepper|private|pin$"
# Columns with such a name, and what they have instead of a secret.
HARMLESS = {
    **dict.fromkeys(
        ("api_credentials.holds_secrets", "api_credential_versions.holds_secrets", "oauth_tokens.holds_secrets"),
        "whether there are any",
    ),
    **dict.fromkeys(("api_credentials.key_version", "oauth_tokens.key_version"), "the number of a data key"),
    "oauth_tokens.credential_version": "the number of a version",
    "integration_api_logs.credential_version": "the number of a version",
    "oauth_apps.client_secret": "a ciphertext",
    "oauth_apps.key_version": "the number of a data key",
    "deployment_data_keys.kms_key_id": "the name of a key that stays in KMS",
    "tenant_data_keys.kms_key_id": "the name of a key that stays in KMS",
    "api_keys.key_id": "the id of an API key, of which only a hash is stored",
    "idempotency_keys.idempotency_key": "an id that the caller chose",
    **dict.fromkeys(
        ("integration_providers.provider_key", "integration_connections.provider_key", "oauth_apps.provider_key"),
        "a platform's name",
    ),
    # A game session's token is refused without the game provider's signature, and every call of a game names it.
    **dict.fromkeys(("casino_sessions.session_token", "provider_sessions.session_token"), "no use without a signature"),
}


def test_no_column_has_a_secret(shared_casino: Casino) -> None:
    """HUB 1: an encrypted secret is a row of api_credentials; a machine's key is stored as its hash."""
    rows = shared_casino.query(
        """
        SELECT c.relname || '.' || a.attname AS name
        FROM pg_class AS c INNER JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
            AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ %s
        """,
        [_LOOKS_SECRET],
    )
    assert {row.name for row in rows} == HARMLESS.keys(), (
        "a secret belongs in the vault (a connection's) or in Secrets Manager (the deployment's), never in a column; "
        "a column that only looks like one needs a reason in HARMLESS in tests/database/test_secret_columns.py"
    )
