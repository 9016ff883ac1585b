-- OAuth: authorizations that people have begun, and the deployment's own apps at platforms.
--
-- The database holds no state, code or verifier in plain: a state's hash, and ciphertexts.

CREATE TABLE deployment_data_keys (
    version bigint PRIMARY KEY CHECK (version BETWEEN 1 AND 4294967295),
    wrapped bytea NOT NULL,
    kms_key_id text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE deployment_data_keys IS
'The data keys of the deployment, each wrapped by KMS. They encrypt secrets that belong to no tenant.';
COMMENT ON COLUMN deployment_data_keys.version IS 'The number of the key: a ciphertext stores it in four bytes.';
COMMENT ON COLUMN deployment_data_keys.wrapped IS
'The data key as KMS wrapped it. Only KMS can unwrap it, and only for this deployment (encryption context).';
COMMENT ON COLUMN deployment_data_keys.kms_key_id IS 'The ARN of the KMS key that wrapped it.';
COMMENT ON COLUMN deployment_data_keys.status IS
'The active key encrypts. A retired key still decrypts what was encrypted with it.';
CREATE UNIQUE INDEX deployment_data_keys_one_active ON deployment_data_keys ((true)) WHERE status = 'active';
COMMENT ON INDEX deployment_data_keys_one_active IS 'Two first uses at the same time create one active key.';

CREATE TABLE oauth_apps (
    provider_key text PRIMARY KEY REFERENCES integration_providers,
    client_id text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 255),
    client_secret bytea NOT NULL
    CHECK (octet_length(client_secret) BETWEEN 33 AND 65536 AND get_byte(client_secret, 0) = 1),
    key_version bigint NOT NULL GENERATED ALWAYS AS (
        (get_byte(client_secret, 1) << 24) | (get_byte(client_secret, 2) << 16)
        | (get_byte(client_secret, 3) << 8) | get_byte(client_secret, 4)
    ) STORED,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    updated_by text NOT NULL CHECK (length(updated_by) BETWEEN 1 AND 255),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT oauth_apps_key FOREIGN KEY (key_version) REFERENCES deployment_data_keys
);
COMMENT ON TABLE oauth_apps IS
'The deployment''s own OAuth apps: a connection without an app of its own is authorized for this one. Only '
'transactions of the deployment see them.';
COMMENT ON COLUMN oauth_apps.provider_key IS 'The provider.';
COMMENT ON COLUMN oauth_apps.client_id IS 'The app''s id at the platform; it is not secret.';
COMMENT ON COLUMN oauth_apps.client_secret IS
'The app''s secret, encrypted with the deployment''s data key: format (1 byte, value 1), key version (4 bytes, '
'big-endian), nonce (12), encrypted text, tag (16).';
COMMENT ON COLUMN oauth_apps.key_version IS 'The key version inside the ciphertext.';
COMMENT ON COLUMN oauth_apps.version IS 'The number of changes: the ETag.';
COMMENT ON COLUMN oauth_apps.updated_by IS 'The subject of the super admin who changed it last.';
COMMENT ON CONSTRAINT oauth_apps_key ON oauth_apps IS 'A ciphertext must have a key that decrypts it.';

DO $$
DECLARE
    v_table text;
    v_deployment text := 'current_tenant() = ''00000000-0000-0000-0000-000000000000''';
    v_written text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['deployment_data_keys', 'oauth_apps'] LOOP
        v_written := v_deployment || CASE v_table WHEN 'oauth_apps' THEN ' AND current_caller_role() = ''super_admin'''
            ELSE '' END;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_credentials USING (%s)', v_table || '_read',
            v_table, v_deployment);
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO causeway_credentials WITH CHECK (%s)', v_table || '_add',
            v_table, v_written);
        EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE TO causeway_credentials USING (%s) WITH CHECK (%s)',
            v_table || '_change', v_table, v_written, v_written);
        EXECUTE format('COMMENT ON POLICY %I ON %I IS %L', v_table || '_read', v_table,
            'A transaction of a tenant sees no row.');
        EXECUTE format('GRANT SELECT, INSERT ON %I TO causeway_credentials', v_table);
    END LOOP;
END $$;
COMMENT ON POLICY deployment_data_keys_add ON deployment_data_keys IS
'The first secret of the deployment, and a rotation, make a key. A transaction of a tenant makes none.';
COMMENT ON POLICY deployment_data_keys_change ON deployment_data_keys IS
'A rotation retires the key before. A transaction of a tenant changes none.';
COMMENT ON POLICY oauth_apps_add ON oauth_apps IS 'Only a super admin adds an app.';
COMMENT ON POLICY oauth_apps_change ON oauth_apps IS 'Only a super admin changes an app.';
GRANT UPDATE (status) ON deployment_data_keys TO causeway_credentials;
GRANT UPDATE (client_id, client_secret, version, updated_by, updated_at) ON oauth_apps TO causeway_credentials;

-- The schedule that rotates data keys is no super admin. It may replace a ciphertext, and nothing else of an app.
GRANT SELECT (provider_key, version, key_version), UPDATE (client_secret) ON oauth_apps TO causeway_keeper;
CREATE POLICY oauth_apps_due ON oauth_apps FOR SELECT TO causeway_keeper
USING (current_tenant() = '00000000-0000-0000-0000-000000000000');
CREATE POLICY oauth_apps_rewrap ON oauth_apps FOR UPDATE TO causeway_keeper
USING (current_tenant() = '00000000-0000-0000-0000-000000000000')
WITH CHECK (current_tenant() = '00000000-0000-0000-0000-000000000000');
COMMENT ON POLICY oauth_apps_due ON oauth_apps IS 'A transaction of a tenant sees no row.';
COMMENT ON POLICY oauth_apps_rewrap ON oauth_apps IS
'Only oauth_app_rewrapped_v1 has this login. It replaces a ciphertext by the one of a newer data key.';

CREATE FUNCTION oauth_app_rewrapped_v1(p_provider_key text, p_version bigint, p_client_secret bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE oauth_apps AS a SET client_secret = p_client_secret
    WHERE a.provider_key = p_provider_key AND a.version = p_version
        AND a.key_version < (get_byte(p_client_secret, 1) << 24) + (get_byte(p_client_secret, 2) << 16)
        + (get_byte(p_client_secret, 3) << 8) + get_byte(p_client_secret, 4);
    RETURN found;
END $$;
COMMENT ON FUNCTION oauth_app_rewrapped_v1 IS
'Replaces the ciphertext of an app''s secret by the one under a newer data key of the deployment. False: a super admin has '
'changed the app since this version, or it is under that key already.';

REVOKE ALL ON FUNCTION oauth_app_rewrapped_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION oauth_app_rewrapped_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION oauth_app_rewrapped_v1 TO causeway_credentials;

CREATE TABLE oauth_flows (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 255),
    flow_id uuid NOT NULL DEFAULT gen_random_uuid(),
    state_hash bytea NOT NULL CHECK (octet_length(state_hash) = 32),
    callback text NOT NULL CHECK (length(callback) <= 2048),
    return_url text CHECK (length(return_url) <= 2048),
    declined text [] NOT NULL,
    verifier bytea CHECK (octet_length(verifier) BETWEEN 33 AND 65536 AND get_byte(verifier, 0) = 1),
    begun_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    returned_at timestamptz,
    code bytea CHECK (octet_length(code) BETWEEN 33 AND 65536),
    error text CHECK (error ~ '^[0-9A-Za-z_.-]{1,64}$'),
    taken_at timestamptz,
    completed_at timestamptz,
    PRIMARY KEY (tenant_id, connection_id, actor),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections,
    CONSTRAINT oauth_flows_returned CHECK (
        (returned_at IS NULL AND code IS NULL AND error IS NULL)
        OR (returned_at IS NOT NULL AND (completed_at IS NOT NULL OR (code IS NULL) <> (error IS NULL)))
    ),
    CONSTRAINT oauth_flows_completed CHECK (
        completed_at IS NULL OR (taken_at IS NOT NULL AND code IS NULL AND verifier IS NULL)
    )
);
COMMENT ON TABLE oauth_flows IS
'Authorizations that people or keys have begun at platforms: the last one of each for a connection. A new one replaces '
'it, so the state before is good for nothing.';
COMMENT ON COLUMN oauth_flows.actor IS
'The person''s subject or the API key''s id. Nobody else completes the authorization.';
COMMENT ON COLUMN oauth_flows.flow_id IS 'The id that the code''s ciphertext is bound to.';
COMMENT ON COLUMN oauth_flows.state_hash IS 'SHA-256 of the state, which the platform''s redirect must bring back.';
COMMENT ON COLUMN oauth_flows.callback IS
'The URL of the callback, which the exchange of the code must name again. If it ends with a slash, the state follows.';
COMMENT ON COLUMN oauth_flows.return_url IS 'Where the callback redirects the person to. NULL: it answers a page.';
COMMENT ON COLUMN oauth_flows.declined IS 'The platform''s errors that mean that the person declined.';
COMMENT ON COLUMN oauth_flows.verifier IS
'The PKCE verifier (RFC 7636), encrypted with the tenant''s data key. NULL: the platform takes none.';
COMMENT ON COLUMN oauth_flows.begun_at IS 'When the authorization was begun.';
COMMENT ON COLUMN oauth_flows.expires_at IS 'Until when the callback and the completion are accepted.';
COMMENT ON COLUMN oauth_flows.returned_at IS 'When the callback came. A second callback changes nothing.';
COMMENT ON COLUMN oauth_flows.code IS
'The state and the authorization code as KMS encrypted them for this row and this deployment. They are gone when the '
'grant is stored.';
COMMENT ON COLUMN oauth_flows.error IS 'The platform''s error in place of a code.';
COMMENT ON COLUMN oauth_flows.taken_at IS
'When a completion took the code. Only the same call, sent again with its Idempotency-Key, takes it again.';
COMMENT ON COLUMN oauth_flows.completed_at IS 'When the grant was stored.';
COMMENT ON CONSTRAINT oauth_flows_returned ON oauth_flows IS 'A callback brings a code or an error.';
COMMENT ON CONSTRAINT oauth_flows_completed ON oauth_flows IS 'A completed authorization keeps no secret.';
CREATE UNIQUE INDEX oauth_flows_state ON oauth_flows (state_hash);
COMMENT ON INDEX oauth_flows_state IS 'Finds the authorization of a callback, before its tenant is known.';

ALTER TABLE oauth_flows ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_flows FORCE ROW LEVEL SECURITY;
CREATE POLICY oauth_flows_own ON oauth_flows FOR SELECT TO causeway_credentials USING (tenant_id = current_tenant());
CREATE POLICY oauth_flows_add ON oauth_flows FOR INSERT TO causeway_credentials
WITH CHECK (tenant_id = current_tenant());
CREATE POLICY oauth_flows_change ON oauth_flows FOR UPDATE TO causeway_credentials
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY oauth_flows_remove ON oauth_flows FOR DELETE TO causeway_credentials
USING (tenant_id = current_tenant());
GRANT SELECT, INSERT, DELETE ON oauth_flows TO causeway_credentials;
GRANT UPDATE (
    flow_id, state_hash, callback, return_url, declined, verifier, begun_at, expires_at, returned_at, code, error,
    taken_at, completed_at
) ON oauth_flows TO causeway_credentials;

-- The callback is called by anyone: its login finds an authorization by the hash of its state alone.
CREATE POLICY oauth_flows_directory ON oauth_flows FOR SELECT TO causeway_directory USING (true);
CREATE POLICY oauth_flows_return ON oauth_flows FOR UPDATE TO causeway_directory
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
GRANT SELECT (tenant_id, flow_id, state_hash, return_url, declined, expires_at, returned_at) ON oauth_flows
TO causeway_directory;
GRANT UPDATE (returned_at, code, error) ON oauth_flows TO causeway_directory;

CREATE FUNCTION oauth_flow_awaited_v1(p_state_hash bytea)
RETURNS TABLE (flow_id uuid, return_url text, declined text [])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT f.flow_id, f.return_url, f.declined
    FROM oauth_flows AS f
    WHERE f.state_hash = p_state_hash AND f.returned_at IS NULL AND f.expires_at > now();
END;
COMMENT ON FUNCTION oauth_flow_awaited_v1 IS
'The authorization that waits for a callback with this state. No row: forged, used, replaced or expired.';

CREATE FUNCTION oauth_flow_returned_v1(p_state_hash bytea, p_code bytea, p_error text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant_id uuid;
BEGIN
    SELECT f.tenant_id INTO v_tenant_id FROM oauth_flows AS f WHERE f.state_hash = p_state_hash;
    PERFORM set_config('causeway.tenant_id', v_tenant_id::text, true);
    UPDATE oauth_flows AS f SET returned_at = now(), code = p_code, error = p_error
    WHERE f.tenant_id = v_tenant_id AND f.state_hash = p_state_hash AND f.returned_at IS NULL
        AND f.expires_at > now();
    RETURN found;
END $$;
COMMENT ON FUNCTION oauth_flow_returned_v1 IS
'Keeps the code or the error that a callback brought; true for the first callback of a state only. It changes nothing '
'else.';

REVOKE ALL ON FUNCTION oauth_flow_awaited_v1, oauth_flow_returned_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_directory;
ALTER FUNCTION oauth_flow_awaited_v1 OWNER TO causeway_directory;
ALTER FUNCTION oauth_flow_returned_v1 OWNER TO causeway_directory;
REVOKE CREATE ON SCHEMA public FROM causeway_directory;
GRANT EXECUTE ON FUNCTION oauth_flow_awaited_v1, oauth_flow_returned_v1 TO causeway_hub;
