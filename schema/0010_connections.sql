-- Tenants' connections to providers, their observed health, their syncs, and the log of calls.

CREATE TABLE integration_connections (
    tenant_id uuid NOT NULL REFERENCES tenants,
    connection_id uuid NOT NULL DEFAULT gen_random_uuid(),
    provider_key text NOT NULL REFERENCES integration_providers,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100 AND is_name(name)),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 1000),
    -- Selects one of the provider's base URLs.
    environment text NOT NULL DEFAULT 'production' CHECK (environment IN ('production', 'sandbox')),
    -- The settings that are not secret. The secret ones are in api_credentials.
    config jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'active', 'error', 'disconnected')),
    -- SHA-256 of the template's terms (address, authentication, test call, schema) at the time the secrets were given.
    -- After a change of the template the hash differs, and the secrets are not used.
    terms bytea NOT NULL DEFAULT '',
    -- The reason for the status error or pending: the code, and a sentence with the next action.
    error_code text,
    error_message text,
    -- The number of status changes. A test compares it, so that an outdated test result does not overwrite a newer
    -- status.
    status_changes bigint NOT NULL DEFAULT 0,
    last_sync_at timestamptz,
    -- The number of changes made by people: the ETag. A test result does not change the version.
    version bigint NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- The row of a deleted connection is kept for its audit and its logs. Its credentials are not kept.
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, connection_id)
);
CREATE UNIQUE INDEX integration_connections_name ON integration_connections (tenant_id, name) WHERE deleted_at IS NULL;
-- Pages of the list, newest first.
CREATE INDEX integration_connections_page ON integration_connections (tenant_id, created_at DESC, connection_id DESC)
WHERE deleted_at IS NULL;

-- The observed health of a connection, and the last verdict.
CREATE TABLE integration_health (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('healthy', 'degraded', 'down')),
    -- Failures or successes in a row, counted up to the thresholds of causeway.connections.health.
    failures bigint NOT NULL DEFAULT 0 CHECK (failures >= 0),
    successes bigint NOT NULL DEFAULT 0 CHECK (successes >= 0),
    -- The time of the last change of status.
    changed_at timestamptz NOT NULL DEFAULT now(),
    -- The last verdict: code, sentence and next action.
    code text NOT NULL,
    message text NOT NULL,
    next_action text NOT NULL,
    response_ms bigint CHECK (response_ms >= 0),
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections
);

-- One row per attempt of a call to a provider. Bodies and URLs are redacted before they are stored.
CREATE TABLE integration_api_logs (
    tenant_id uuid NOT NULL,
    log_id bigint GENERATED ALWAYS AS IDENTITY,
    connection_id uuid NOT NULL,
    method text NOT NULL,
    url text NOT NULL,
    status bigint,
    milliseconds bigint NOT NULL,
    error text,
    request_body text,
    response_body text,
    request_id text NOT NULL,
    -- The user of the credential: a person's subject, an API key's id or a job's name. A job has no source_ip.
    actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'machine', 'system')),
    actor text NOT NULL,
    source_ip text,
    -- The version that was used. NULL: a candidate that was tested and is not stored.
    credential_version bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id, log_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections
);

-- Requested syncs and their results.
CREATE TABLE sync_runs (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL DEFAULT gen_random_uuid(),
    connection_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'partial', 'failed')),
    reason text,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, run_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections
);

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['integration_connections', 'integration_health', 'integration_api_logs', 'sync_runs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_hub USING (tenant_id = current_tenant())',
            v_table || '_own', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO causeway_hub WITH CHECK (tenant_id = current_tenant())',
            v_table || '_add', v_table);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO causeway_hub', v_table);
    END LOOP;
    FOREACH v_table IN ARRAY ARRAY['integration_connections', 'integration_health', 'sync_runs'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE TO causeway_hub USING (tenant_id = current_tenant()) '
            'WITH CHECK (tenant_id = current_tenant())', v_table || '_change', v_table);
    END LOOP;
END $$;

GRANT UPDATE (name, description, environment, config, terms, status, status_changes, error_code, error_message, last_sync_at, version, updated_at, deleted_at)
ON integration_connections TO causeway_hub;
GRANT UPDATE (status, failures, successes, changed_at, code, message, next_action, response_ms, checked_at)
ON integration_health TO causeway_hub;
GRANT UPDATE (status, reason, ended_at) ON sync_runs TO causeway_hub;

-- A credential belongs to a connection. The table has no rows yet, so there are none to check.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE api_credential_versions ADD CONSTRAINT api_credential_versions_connection
FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections;
