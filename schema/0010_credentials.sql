-- Credentials: a data key per tenant, wrapped by KMS, and the secrets of connections, encrypted with it.
--
-- Nothing here is readable without KMS: the database holds wrapped keys and ciphertexts, never a key or a secret.
--
-- After a rotation the old credential is kept for a while for a rollback, and its ciphertexts for a while longer.

CREATE TABLE tenant_data_keys (
    tenant_id uuid NOT NULL REFERENCES tenants,
    version bigint NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
    wrapped bytea NOT NULL,
    kms_key_id text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, version)
);
COMMENT ON TABLE tenant_data_keys IS
'A tenant''s data keys, each wrapped by KMS. A key must exist as long as a ciphertext names it: the foreign key of '
'api_credentials enforces it.';
COMMENT ON COLUMN tenant_data_keys.version IS 'The number of the key: a ciphertext stores it in four bytes.';
COMMENT ON COLUMN tenant_data_keys.wrapped IS
'The data key as KMS wrapped it. Only KMS can unwrap it, and only for this tenant (encryption context).';
COMMENT ON COLUMN tenant_data_keys.kms_key_id IS 'The ARN of the KMS key that wrapped it.';
COMMENT ON COLUMN tenant_data_keys.status IS
'The active key encrypts. A retired key still decrypts what was encrypted with it.';
CREATE UNIQUE INDEX tenant_data_keys_one_active ON tenant_data_keys (tenant_id) WHERE status = 'active';
COMMENT ON INDEX tenant_data_keys_one_active IS
'A tenant has one active key: two first uses, or two rotations, at the same time create one key.';

CREATE TABLE api_credential_versions (
    tenant_id uuid NOT NULL REFERENCES tenants,
    connection_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    status text NOT NULL DEFAULT 'candidate'
    CHECK (status IN ('candidate', 'active', 'retiring', 'retired', 'destroyed')),
    holds_secrets boolean NOT NULL GENERATED ALWAYS AS (status <> 'destroyed') STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id, version),
    CONSTRAINT api_credential_versions_secrets UNIQUE (tenant_id, connection_id, version, holds_secrets),
    CONSTRAINT api_credential_versions_connection FOREIGN KEY (tenant_id, connection_id)
    REFERENCES integration_connections
);
COMMENT ON TABLE api_credential_versions IS 'The versions of a connection''s credential.';
COMMENT ON COLUMN api_credential_versions.version IS
'The number of the version. A later version of the connection''s credential has a higher number.';
COMMENT ON COLUMN api_credential_versions.status IS
'candidate -> active -> retiring -> retired, and back from retiring to active (rollback). Any version can become '
'destroyed, which is final.';
COMMENT ON COLUMN api_credential_versions.holds_secrets IS 'Whether the version may have secrets: it is not destroyed.';
COMMENT ON COLUMN api_credential_versions.changed_at IS 'The time of the last change of status.';
COMMENT ON CONSTRAINT api_credential_versions_secrets ON api_credential_versions IS
'The target of api_credentials'' foreign key: a secret belongs to a version that is not destroyed.';
COMMENT ON CONSTRAINT api_credential_versions_connection ON api_credential_versions IS
'A credential belongs to a connection.';
CREATE UNIQUE INDEX api_credential_versions_one_active
ON api_credential_versions (tenant_id, connection_id) WHERE status = 'active';
COMMENT ON INDEX api_credential_versions_one_active IS 'A connection has at most one active credential.';
CREATE UNIQUE INDEX api_credential_versions_one_retiring
ON api_credential_versions (tenant_id, connection_id) WHERE status = 'retiring';
COMMENT ON INDEX api_credential_versions_one_retiring IS
'A connection has at most one credential that a rollback can restore.';

CREATE FUNCTION api_credential_version_changed_v1() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF old.status = 'destroyed' THEN
        RAISE EXCEPTION 'version % of a credential is destroyed and cannot become %', old.version, new.status
            USING ERRCODE = 'CW009';
    END IF;
    new.changed_at := now();
    RETURN new;
END $$;
COMMENT ON FUNCTION api_credential_version_changed_v1 IS
'Sets the time of each change of status, also for the code of the release before. Nothing else sets it. A destroyed '
'version cannot get another status (CW009).';

CREATE TRIGGER api_credential_versions_changed BEFORE UPDATE OF status ON api_credential_versions
FOR EACH ROW WHEN (old.status <> new.status) EXECUTE FUNCTION api_credential_version_changed_v1();

CREATE TABLE api_credentials (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    version bigint NOT NULL,
    field text NOT NULL CHECK (length(field) BETWEEN 1 AND 200),
    ciphertext bytea NOT NULL CHECK (octet_length(ciphertext) BETWEEN 33 AND 65536 AND get_byte(ciphertext, 0) = 1),
    key_version bigint NOT NULL GENERATED ALWAYS AS (
        (get_byte(ciphertext, 1) << 24) | (get_byte(ciphertext, 2) << 16)
        | (get_byte(ciphertext, 3) << 8) | get_byte(ciphertext, 4)
    ) STORED,
    holds_secrets boolean NOT NULL DEFAULT true CHECK (holds_secrets),
    PRIMARY KEY (tenant_id, connection_id, version, field),
    CONSTRAINT api_credentials_version FOREIGN KEY (tenant_id, connection_id, version, holds_secrets)
    REFERENCES api_credential_versions (tenant_id, connection_id, version, holds_secrets),
    CONSTRAINT api_credentials_key FOREIGN KEY (tenant_id, key_version) REFERENCES tenant_data_keys
);
COMMENT ON TABLE api_credentials IS
'The encrypted secrets of connections: one row per secret field of a credential''s version.';
COMMENT ON COLUMN api_credentials.version IS 'The credential''s version.';
COMMENT ON COLUMN api_credentials.field IS 'The field of the connection''s configuration.';
COMMENT ON COLUMN api_credentials.ciphertext IS
'Format (1 byte, value 1), key version (4 bytes, big-endian), nonce (12), encrypted text, tag (16). A plaintext stored '
'here by mistake lacks this header and is refused.';
COMMENT ON COLUMN api_credentials.key_version IS 'The key version inside the ciphertext.';
COMMENT ON COLUMN api_credentials.holds_secrets IS 'Always true: the foreign key compares it with the version''s.';
COMMENT ON CONSTRAINT api_credentials_version ON api_credentials IS
'A version can be destroyed only after its ciphertexts are deleted.';
COMMENT ON CONSTRAINT api_credentials_key ON api_credentials IS 'A ciphertext must have a key that decrypts it.';

DO $$
DECLARE
    v_table text;
    v_written text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['tenant_data_keys', 'api_credential_versions', 'api_credentials'] LOOP
        v_written := 'tenant_id = current_tenant()' || CASE v_table WHEN 'tenant_data_keys' THEN '' ELSE
            ' AND current_caller_role() IS DISTINCT FROM ''super_admin''' END;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_credentials USING (tenant_id = current_tenant())',
            v_table || '_own', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO causeway_credentials WITH CHECK (%s)',
            v_table || '_add', v_table, v_written);
        EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE TO causeway_credentials '
            'USING (%s) WITH CHECK (%s)',
            v_table || '_change', v_table, v_written, v_written);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO causeway_credentials', v_table);
        IF v_table <> 'tenant_data_keys' THEN
            EXECUTE format('COMMENT ON POLICY %I ON %I IS %L', v_table || '_add', v_table,
                'A super admin cannot add a credential.');
            EXECUTE format('COMMENT ON POLICY %I ON %I IS %L', v_table || '_change', v_table,
                'A super admin cannot change or activate a credential.');
        END IF;
    END LOOP;
END $$;

CREATE POLICY api_credentials_destroy ON api_credentials FOR DELETE TO causeway_credentials
USING (tenant_id = current_tenant() AND current_caller_role() IS DISTINCT FROM 'super_admin');
COMMENT ON POLICY api_credentials_destroy ON api_credentials IS 'A super admin cannot destroy a credential.';

-- Only the status of a data key and of a version can change. A secret can only be re-encrypted, replaced by its platform
-- (a refresh token that changes with each use), or deleted.
GRANT UPDATE (status) ON tenant_data_keys, api_credential_versions TO causeway_credentials;
GRANT UPDATE (ciphertext), DELETE ON api_credentials TO causeway_credentials;

-- The schedule that rotates keys, re-encrypts and ends overlaps must look across tenants. It may read only the age
-- and version of keys, and which connections are due.
GRANT SELECT (tenant_id, version, status, created_at) ON tenant_data_keys TO causeway_keeper;
GRANT SELECT (tenant_id, connection_id, status, changed_at) ON api_credential_versions TO causeway_keeper;
GRANT SELECT (tenant_id, key_version) ON api_credentials TO causeway_keeper;
CREATE POLICY tenant_data_keys_due ON tenant_data_keys FOR SELECT TO causeway_keeper USING (true);
CREATE POLICY api_credential_versions_due ON api_credential_versions FOR SELECT TO causeway_keeper USING (true);
CREATE POLICY api_credentials_due ON api_credentials FOR SELECT TO causeway_keeper USING (true);

CREATE FUNCTION data_keys_due_v1(p_age interval) RETURNS TABLE (tenant_id uuid, rotate boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT k.tenant_id, k.created_at < now() - p_age
    FROM tenant_data_keys AS k
    WHERE k.status = 'active' AND (
        k.created_at < now() - p_age
        OR EXISTS (SELECT FROM api_credentials AS c WHERE c.tenant_id = k.tenant_id AND c.key_version < k.version)
    )
    ORDER BY k.created_at, k.tenant_id;
END;
COMMENT ON FUNCTION data_keys_due_v1 IS
'Tenants whose active data key is older than p_age (rotate is true), or that have secrets encrypted with an older key.';

CREATE FUNCTION credentials_due_v1(p_overlap interval, p_kept interval)
RETURNS TABLE (tenant_id uuid, connection_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT v.tenant_id, v.connection_id
    FROM api_credential_versions AS v
    WHERE (v.status = 'retiring' AND v.changed_at <= now() - p_overlap)
        OR (v.status = 'retired' AND v.changed_at <= now() - p_kept)
    GROUP BY v.tenant_id, v.connection_id
    ORDER BY min(v.changed_at), v.tenant_id, v.connection_id;
END;
COMMENT ON FUNCTION credentials_due_v1 IS
'Connections with a version that has been retiring for longer than p_overlap, or retired for longer than p_kept.';

REVOKE ALL ON FUNCTION data_keys_due_v1, credentials_due_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION data_keys_due_v1 OWNER TO causeway_keeper;
ALTER FUNCTION credentials_due_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION data_keys_due_v1, credentials_due_v1 TO causeway_credentials;
