-- The hub's credentials: a data key per tenant, wrapped by KMS, and the secrets of connections, encrypted with it.
--
-- Nothing here is readable without KMS: the database holds wrapped keys and ciphertexts, never a key or a secret.
-- causeway_hub is the login of the hub's functions. causeway_credentials is the login of the few functions that decrypt
-- credentials: it has all rights of causeway_hub, and is the only login that reads keys and ciphertexts.

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

GRANT causeway_hub TO causeway_credentials;

GRANT USAGE ON SCHEMA public TO causeway_hub;

GRANT EXECUTE ON FUNCTION enter_tenant_v1 TO causeway_hub;

CREATE POLICY tenants_hub ON tenants FOR SELECT TO causeway_hub USING (tenant_id = current_tenant());
GRANT SELECT ON tenants TO causeway_hub;

-- A key must exist as long as a ciphertext names it: the foreign key of api_credentials enforces it.
CREATE TABLE tenant_data_keys (
    tenant_id uuid NOT NULL REFERENCES tenants,
    -- A ciphertext stores the version in four bytes.
    version bigint NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
    -- The data key as KMS wrapped it. Only KMS can unwrap it, and only for this tenant (encryption context).
    wrapped bytea NOT NULL,
    -- The ARN of the KMS key that wrapped it.
    kms_key_id text NOT NULL,
    -- The active key encrypts. A retired key still decrypts what was encrypted with it.
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, version)
);
-- A tenant has one active key: two first uses, or two rotations, at the same time create one key.
CREATE UNIQUE INDEX tenant_data_keys_one_active ON tenant_data_keys (tenant_id) WHERE status = 'active';

-- The versions of a connection's credential: candidate -> active -> retiring -> retired, and back from retiring to
-- active (rollback). Any version can become destroyed, which is final.
CREATE TABLE api_credential_versions (
    tenant_id uuid NOT NULL REFERENCES tenants,
    connection_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    status text NOT NULL DEFAULT 'candidate'
    CHECK (status IN ('candidate', 'active', 'retiring', 'retired', 'destroyed')),
    -- The target of api_credentials' foreign key: a secret belongs to a version that is not destroyed.
    holds_secrets boolean NOT NULL GENERATED ALWAYS AS (status <> 'destroyed') STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id, version),
    UNIQUE (tenant_id, connection_id, version, holds_secrets)
);
-- A connection has at most one active credential, and at most one that a rollback can restore.
CREATE UNIQUE INDEX api_credential_versions_one_active
ON api_credential_versions (tenant_id, connection_id) WHERE status = 'active';
CREATE UNIQUE INDEX api_credential_versions_one_retiring
ON api_credential_versions (tenant_id, connection_id) WHERE status = 'retiring';

-- One row per secret field. The ciphertext is: format (1 byte, value 1), key version (4 bytes, big-endian), nonce (12),
-- encrypted text, tag (16).
CREATE TABLE api_credentials (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    version bigint NOT NULL,
    field text NOT NULL CHECK (length(field) BETWEEN 1 AND 200),
    -- A plaintext stored here by mistake lacks this header and is refused.
    ciphertext bytea NOT NULL CHECK (octet_length(ciphertext) BETWEEN 33 AND 65536 AND get_byte(ciphertext, 0) = 1),
    -- The key version inside the ciphertext.
    key_version bigint NOT NULL GENERATED ALWAYS AS (
        (get_byte(ciphertext, 1) << 24) | (get_byte(ciphertext, 2) << 16)
        | (get_byte(ciphertext, 3) << 8) | get_byte(ciphertext, 4)
    ) STORED,
    holds_secrets boolean NOT NULL DEFAULT true CHECK (holds_secrets),
    PRIMARY KEY (tenant_id, connection_id, version, field),
    -- A version can be destroyed only after its ciphertexts are deleted.
    CONSTRAINT api_credentials_version FOREIGN KEY (tenant_id, connection_id, version, holds_secrets)
    REFERENCES api_credential_versions (tenant_id, connection_id, version, holds_secrets),
    -- A ciphertext must have a key that decrypts it.
    CONSTRAINT api_credentials_key FOREIGN KEY (tenant_id, key_version) REFERENCES tenant_data_keys
);

DO $$
DECLARE
    v_table text;
    v_written text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['tenant_data_keys', 'api_credential_versions', 'api_credentials'] LOOP
        -- A super admin cannot add, activate or destroy a credential.
        v_written := 'tenant_id = current_tenant()' || CASE v_table WHEN 'tenant_data_keys' THEN '' ELSE
            ' AND current_setting(''causeway.role'', true) IS DISTINCT FROM ''super_admin''' END;
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
    END LOOP;
END $$;

CREATE POLICY api_credentials_destroy ON api_credentials FOR DELETE TO causeway_credentials
USING (tenant_id = current_tenant() AND current_setting('causeway.role', true) IS DISTINCT FROM 'super_admin');

-- A data key can only be retired, a version can only change its status, a secret can only be re-encrypted or deleted.
GRANT UPDATE (status) ON tenant_data_keys, api_credential_versions TO causeway_credentials;
GRANT UPDATE (ciphertext), DELETE ON api_credentials TO causeway_credentials;
