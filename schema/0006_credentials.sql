-- The hub's credentials: a data key per tenant, wrapped by KMS, and the secrets of connections, sealed under it.
--
-- Nothing here is readable without KMS: the database holds wrapped keys and ciphertexts, never a key or a secret.
-- causeway_hub is the login of the hub's functions; causeway_credentials that of the few that open credentials: it may all
-- that the other may, and alone reads keys and ciphertexts.

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

-- A key stays as long as a ciphertext names it: the foreign key of api_credentials sees to that.
CREATE TABLE tenant_data_keys (
    tenant_id uuid NOT NULL REFERENCES tenants,
    -- It has four bytes in a ciphertext.
    version bigint NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
    -- What KMS gave: only KMS makes a key of it, and only for this tenant (encryption context).
    wrapped bytea NOT NULL,
    -- The KMS key that wrapped it, by ARN.
    kms_key_id text NOT NULL,
    -- Secrets are sealed under the active one; a retired one still opens what it sealed.
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, version)
);
-- One key per tenant seals; two first uses, or two rotations, at once make one.
CREATE UNIQUE INDEX tenant_data_keys_one_active ON tenant_data_keys (tenant_id) WHERE status = 'active';

-- A connection's credential over time: candidate -> active -> retiring -> retired, and back from retiring to active;
-- destroyed from anywhere, for good.
CREATE TABLE api_credential_versions (
    tenant_id uuid NOT NULL REFERENCES tenants,
    connection_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    status text NOT NULL DEFAULT 'candidate'
    CHECK (status IN ('candidate', 'active', 'retiring', 'retired', 'destroyed')),
    -- What its fields refer to: a version that is not destroyed.
    holds_secrets boolean NOT NULL GENERATED ALWAYS AS (status <> 'destroyed') STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id, version),
    UNIQUE (tenant_id, connection_id, version, holds_secrets)
);
-- A connection has one credential in use, and at most one to roll back to.
CREATE UNIQUE INDEX api_credential_versions_one_active
ON api_credential_versions (tenant_id, connection_id) WHERE status = 'active';
CREATE UNIQUE INDEX api_credential_versions_one_retiring
ON api_credential_versions (tenant_id, connection_id) WHERE status = 'retiring';

-- One row per secret field. A ciphertext is: format (1 byte, 1), key version (4 bytes, big-endian), nonce (12), sealed
-- text, tag (16).
CREATE TABLE api_credentials (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    version bigint NOT NULL,
    field text NOT NULL CHECK (length(field) BETWEEN 1 AND 200),
    -- A text stored here by mistake has no such head, and is refused.
    ciphertext bytea NOT NULL CHECK (octet_length(ciphertext) BETWEEN 33 AND 65536 AND get_byte(ciphertext, 0) = 1),
    -- The version inside the ciphertext.
    key_version bigint NOT NULL GENERATED ALWAYS AS (
        (get_byte(ciphertext, 1) << 24) | (get_byte(ciphertext, 2) << 16)
        | (get_byte(ciphertext, 3) << 8) | get_byte(ciphertext, 4)
    ) STORED,
    holds_secrets boolean NOT NULL DEFAULT true CHECK (holds_secrets),
    PRIMARY KEY (tenant_id, connection_id, version, field),
    -- A version is destroyed only once its ciphertexts are gone.
    CONSTRAINT api_credentials_version FOREIGN KEY (tenant_id, connection_id, version, holds_secrets)
    REFERENCES api_credential_versions (tenant_id, connection_id, version, holds_secrets),
    -- No ciphertext without the key that opens it.
    CONSTRAINT api_credentials_key FOREIGN KEY (tenant_id, key_version) REFERENCES tenant_data_keys
);

DO $$
DECLARE
    v_table text;
    v_written text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['tenant_data_keys', 'api_credential_versions', 'api_credentials'] LOOP
        -- A super admin gives no credential, puts none into use and destroys none.
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

-- A data key is only retired, a version only changes its status, a secret is only sealed anew or deleted.
GRANT UPDATE (status) ON tenant_data_keys, api_credential_versions TO causeway_credentials;
GRANT UPDATE (ciphertext), DELETE ON api_credentials TO causeway_credentials;
