-- Tenants' connections to providers, and their observed health.

CREATE TABLE integration_connections (
    tenant_id uuid NOT NULL REFERENCES tenants,
    connection_id uuid NOT NULL DEFAULT gen_random_uuid(),
    provider_key text NOT NULL REFERENCES integration_providers,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100 AND is_name(name)),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 1000),
    environment text NOT NULL DEFAULT 'production' CHECK (environment IN ('production', 'sandbox')),
    external_id text CHECK (length(external_id) BETWEEN 1 AND 255 AND external_id !~ '[?\u0001-\u001f\u007f]'),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (
        jsonb_typeof(metadata) = 'object' AND octet_length(metadata::text) <= 4096
        AND NOT jsonb_path_exists(metadata, '$.**{5 to last}')
    ),
    config jsonb NOT NULL DEFAULT '{}',
    rate_limits jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(rate_limits) = 'object'),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'active', 'error', 'disconnected')),
    terms bytea NOT NULL DEFAULT '',
    error_code text,
    error_message text,
    status_changes bigint NOT NULL DEFAULT 0,
    last_sync_at timestamptz,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, connection_id)
);
COMMENT ON TABLE integration_connections IS 'Tenants'' connections to providers.';
COMMENT ON COLUMN integration_connections.provider_key IS 'The provider.';
COMMENT ON COLUMN integration_connections.name IS 'The name that people gave it.';
COMMENT ON COLUMN integration_connections.description IS 'What people noted about it.';
COMMENT ON COLUMN integration_connections.environment IS 'Selects one of the provider''s base URLs.';
COMMENT ON COLUMN integration_connections.external_id IS
'The tenant''s own id of the connection, for paths with ext:. No question mark: API Gateway cuts a path there.';
COMMENT ON COLUMN integration_connections.metadata IS
'What the tenant stores with the connection: never a secret, 4096 bytes and 4 levels at most. It is shown.';
COMMENT ON COLUMN integration_connections.config IS
'The settings that are not secret. The secret ones are in api_credentials.';
COMMENT ON COLUMN integration_connections.rate_limits IS
'Limits by window (minute, hour, day, month) that the tenant''s admin set. A window without one has the provider''s.';
COMMENT ON COLUMN integration_connections.status IS
'Only a successful test makes a connection active, and only an active one is used. disconnected: people have disabled '
'it.';
COMMENT ON COLUMN integration_connections.terms IS
'SHA-256 of the template''s terms (address, authentication, test call, schema) at the time the secrets were given. '
'After a change of the template the hash differs, and the secrets are not used.';
COMMENT ON COLUMN integration_connections.error_code IS 'The reason for the status error or pending: an error code.';
COMMENT ON COLUMN integration_connections.error_message IS 'The reason in a sentence, with the next action.';
COMMENT ON COLUMN integration_connections.status_changes IS
'The number of status changes. A test compares it, so that an outdated test result does not overwrite a newer status.';
COMMENT ON COLUMN integration_connections.last_sync_at IS 'When the last sync ended that did not fail.';
COMMENT ON COLUMN integration_connections.version IS
'The number of changes made by people: the ETag. A test result does not change the version.';
COMMENT ON COLUMN integration_connections.deleted_at IS
'When the connection was deleted. Its row is kept for its audit and its logs. Its credentials are not kept.';
CREATE UNIQUE INDEX integration_connections_name ON integration_connections (tenant_id, name) WHERE deleted_at IS NULL;
COMMENT ON INDEX integration_connections_name IS
'Two connections of a tenant that are not deleted have different names.';
CREATE UNIQUE INDEX integration_connections_external_id ON integration_connections (tenant_id, external_id)
WHERE deleted_at IS NULL;
COMMENT ON INDEX integration_connections_external_id IS
'Two connections of a tenant that are not deleted have different external ids.';
CREATE INDEX integration_connections_page ON integration_connections (tenant_id, created_at DESC, connection_id DESC)
WHERE deleted_at IS NULL;
COMMENT ON INDEX integration_connections_page IS 'Pages of the list, newest first.';

CREATE TABLE integration_health (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('healthy', 'degraded', 'down')),
    failures bigint NOT NULL DEFAULT 0 CHECK (failures >= 0),
    successes bigint NOT NULL DEFAULT 0 CHECK (successes >= 0),
    changed_at timestamptz NOT NULL DEFAULT now(),
    code text NOT NULL,
    message text NOT NULL,
    next_action text NOT NULL,
    response_ms bigint CHECK (response_ms >= 0),
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections
);
COMMENT ON TABLE integration_health IS 'The observed health of a connection, and the last verdict.';
COMMENT ON COLUMN integration_health.status IS
'What the last verdicts show, by the rules of causeway.connections.health.';
COMMENT ON COLUMN integration_health.failures IS
'Failures in a row, counted up to the threshold of causeway.connections.health.';
COMMENT ON COLUMN integration_health.successes IS
'Successes in a row, counted up to the threshold of causeway.connections.health.';
COMMENT ON COLUMN integration_health.changed_at IS 'The time of the last change of status.';
COMMENT ON COLUMN integration_health.code IS 'The last verdict''s code.';
COMMENT ON COLUMN integration_health.message IS 'The last verdict in a sentence.';
COMMENT ON COLUMN integration_health.next_action IS 'What to do after the last verdict.';
COMMENT ON COLUMN integration_health.response_ms IS
'Milliseconds that the platform took to answer. NULL: not measured.';
COMMENT ON COLUMN integration_health.checked_at IS 'The time of the last verdict.';

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['integration_connections', 'integration_health'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_hub USING (tenant_id = current_tenant())',
            v_table || '_own', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO causeway_hub WITH CHECK (tenant_id = current_tenant())',
            v_table || '_add', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE TO causeway_hub USING (tenant_id = current_tenant()) '
            'WITH CHECK (tenant_id = current_tenant())', v_table || '_change', v_table);
    END LOOP;
END $$;

GRANT SELECT, INSERT ON integration_connections, integration_health TO causeway_hub;
GRANT UPDATE (
    name, description, environment, external_id, metadata, config, rate_limits, terms, status, status_changes, error_code,
    error_message, last_sync_at, version, updated_at, deleted_at
) ON integration_connections TO causeway_hub;
GRANT UPDATE (status, failures, successes, changed_at, code, message, next_action, response_ms, checked_at)
ON integration_health TO causeway_hub;
