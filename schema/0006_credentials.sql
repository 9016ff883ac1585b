-- The hub's credentials: a data key per tenant, wrapped by KMS, and the secrets of connections, encrypted with it.
--
-- Nothing here is readable without KMS: the database holds wrapped keys and ciphertexts, never a key or a secret.

DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['causeway_hub', 'causeway_credentials'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', v_role);
        END IF;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
            EXECUTE format('GRANT rds_iam TO %I', v_role);
        END IF;
        EXECUTE format('ALTER ROLE %I SET lock_timeout = ''1500ms''', v_role);
        EXECUTE format('ALTER ROLE %I SET statement_timeout = ''2s''', v_role);
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''5s''', v_role);
        EXECUTE format('ALTER ROLE %I SET jit = off', v_role);
    END LOOP;
END $$;

COMMENT ON ROLE causeway_hub IS 'The login of the hub''s functions.';
COMMENT ON ROLE causeway_credentials IS
'The login of the few functions that decrypt credentials. It has all rights of causeway_hub, and is the only login '
'that reads keys and ciphertexts.';

GRANT causeway_hub TO causeway_credentials;

GRANT USAGE ON SCHEMA public TO causeway_hub;

GRANT EXECUTE ON FUNCTION enter_tenant_v1 TO causeway_hub;

CREATE POLICY tenants_hub ON tenants FOR SELECT TO causeway_hub USING (tenant_id = current_tenant());
GRANT SELECT ON tenants TO causeway_hub;

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
    PRIMARY KEY (tenant_id, connection_id, version),
    CONSTRAINT api_credential_versions_secrets UNIQUE (tenant_id, connection_id, version, holds_secrets)
);
COMMENT ON TABLE api_credential_versions IS 'The versions of a connection''s credential.';
COMMENT ON COLUMN api_credential_versions.version IS
'The number of the version. A later version of the connection''s credential has a higher number.';
COMMENT ON COLUMN api_credential_versions.status IS
'candidate -> active -> retiring -> retired, and back from retiring to active (rollback). Any version can become '
'destroyed, which is final.';
COMMENT ON COLUMN api_credential_versions.holds_secrets IS 'Whether the version may have secrets: it is not destroyed.';
COMMENT ON CONSTRAINT api_credential_versions_secrets ON api_credential_versions IS
'The target of api_credentials'' foreign key: a secret belongs to a version that is not destroyed.';
CREATE UNIQUE INDEX api_credential_versions_one_active
ON api_credential_versions (tenant_id, connection_id) WHERE status = 'active';
COMMENT ON INDEX api_credential_versions_one_active IS 'A connection has at most one active credential.';
CREATE UNIQUE INDEX api_credential_versions_one_retiring
ON api_credential_versions (tenant_id, connection_id) WHERE status = 'retiring';
COMMENT ON INDEX api_credential_versions_one_retiring IS
'A connection has at most one credential that a rollback can restore.';

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

-- Only the status of a data key and of a version can change. A secret can only be re-encrypted or deleted.
GRANT UPDATE (status) ON tenant_data_keys, api_credential_versions TO causeway_credentials;
GRANT UPDATE (ciphertext), DELETE ON api_credentials TO causeway_credentials;
