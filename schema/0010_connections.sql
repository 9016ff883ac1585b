-- Connections of tenants to providers, what was tried with them, and the calls that were made.

CREATE TABLE integration_connections (
    tenant_id uuid NOT NULL REFERENCES tenants,
    connection_id uuid NOT NULL DEFAULT gen_random_uuid(),
    provider_key text NOT NULL REFERENCES integration_providers,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100 AND is_name(name)),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 1000),
    -- Which of the provider's base URLs is called.
    environment text NOT NULL DEFAULT 'production' CHECK (environment IN ('production', 'sandbox')),
    -- The settings that are no secrets; those are in api_credentials.
    config jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'active', 'error', 'disconnected')),
    -- SHA-256 of what its template says of secrets (where they are sent, how, what judges them), as the tenant's admin
    -- knew it: who changes the template later gets none of them.
    terms bytea NOT NULL DEFAULT '',
    -- Why it is error or still pending: the code, and for people the same with what to do about it.
    error_code text,
    error_message text,
    -- How often its state was set: a test that began before undoes nothing that was found since.
    states bigint NOT NULL DEFAULT 0,
    last_sync_at timestamptz,
    -- Counts changes by people: the ETag. What a test finds changes no version.
    version bigint NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- A deleted connection stays for its audit and its logs; its credentials do not.
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, connection_id)
);
CREATE UNIQUE INDEX integration_connections_name ON integration_connections (tenant_id, name) WHERE deleted_at IS NULL;
-- Pages of the list, newest first.
CREATE INDEX integration_connections_page ON integration_connections (tenant_id, created_at DESC, connection_id DESC)
WHERE deleted_at IS NULL;

-- How a connection is observed to be, and the last verdict.
CREATE TABLE integration_health (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('healthy', 'degraded', 'down')),
    -- Failures or successes in a row, as far as they count.
    failures bigint NOT NULL DEFAULT 0 CHECK (failures >= 0),
    successes bigint NOT NULL DEFAULT 0 CHECK (successes >= 0),
    -- Since when the status is what it is.
    changed_at timestamptz NOT NULL DEFAULT now(),
    -- The verdict's code, sentence and next action.
    code text NOT NULL,
    message text NOT NULL,
    next_action text NOT NULL,
    response_ms bigint CHECK (response_ms >= 0),
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections
);

-- One row per attempt of a call to a provider, redacted before it gets here.
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
    -- Who used the credential: a person's subject, a key's id, a job's name. A job has no address.
    actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'machine', 'system')),
    actor text NOT NULL,
    source_ip text,
    -- The version that was used; NULL: one that is not stored, which was only tested.
    credential_version bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id, log_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections
);

-- Syncs asked for, and what became of them.
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

GRANT UPDATE (name, description, environment, config, terms, status, states, error_code, error_message, last_sync_at, version, updated_at, deleted_at)
ON integration_connections TO causeway_hub;
GRANT UPDATE (status, failures, successes, changed_at, code, message, next_action, response_ms, checked_at)
ON integration_health TO causeway_hub;
GRANT UPDATE (status, reason, ended_at) ON sync_runs TO causeway_hub;

-- A credential is a connection's. The table is as new as this: there are no rows to be checked.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE api_credential_versions ADD CONSTRAINT api_credential_versions_connection
FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections;
