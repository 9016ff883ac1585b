"""The rows of the hub's tables in one text: two equal texts show that nothing was written in between."""

_TABLES = (
    *("integration_connections", "integration_health", "integration_api_logs", "integration_api_log_bodies"),
    *("sync_runs", "idempotency_keys"),
    *("api_keys", "api_credentials", "api_credential_versions", "tenant_data_keys", "integration_providers"),
    *("tenants", "memberships"),
)

# A write creates another row version, at another position and with another transaction id. A key's use is stored even
# if its machine is refused, so for keys the columns are compared.
SNAPSHOT = " UNION ALL ".join(
    f"SELECT '{table}' AS name, md5(string_agg(t.line, '|' ORDER BY t.line)) AS rows "  # noqa: S608
    f"FROM (SELECT {line} AS line FROM {table} AS r) AS t"
    for table in _TABLES
    for line in [
        "(to_jsonb(r) - 'last_used_at')::text" if table == "api_keys" else "r.ctid::text || ' ' || r.xmin::text"
    ]
)
# Postgres may read partitioned tables in parallel, and then tells the tables in any order.
SNAPSHOT += " ORDER BY name"
