-- People and machines that use the hub: who they are is proved by a token or a key; here stands what they are to a tenant.

-- A person, by the subject of the tokens of the user pool; what he is called stands in his memberships.
CREATE TABLE users (
    subject text PRIMARY KEY CHECK (length(subject) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What a person is to a tenant. His token says it and this row remembers it; a suspended membership refuses the token.
CREATE TABLE memberships (
    tenant_id uuid NOT NULL REFERENCES tenants,
    subject text NOT NULL REFERENCES users,
    role text NOT NULL CHECK (role IN ('tenant_admin', 'regulator', 'staff')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    -- What his last token called him; empty where it did not. Personal data: they stand here and nowhere else.
    name text NOT NULL DEFAULT '' CHECK (length(name) <= 200),
    email text NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    email_verified boolean NOT NULL DEFAULT false,
    -- When they were last written down: once a minute at most, as a person may use two tokens that call him differently.
    called_at timestamptz,
    -- Counts changes by people: the ETag.
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject)
);

-- A machine's key. The key itself is shown once; its hash is of 32 random bytes, so that it needs no salt.
CREATE TABLE api_keys (
    tenant_id uuid NOT NULL REFERENCES tenants,
    key_id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100 AND is_name(name)),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    -- The one channel the key is for; NULL: the whole tenant.
    channel text CHECK (length(channel) BETWEEN 1 AND 100 AND is_name(channel)),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- To the minute: a busy key is not written at every call.
    last_used_at timestamptz,
    revoked_at timestamptz,
    -- Counts changes: the ETag.
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    PRIMARY KEY (tenant_id, key_id)
);
-- A name is one living key's.
CREATE UNIQUE INDEX api_keys_name ON api_keys (tenant_id, name) WHERE revoked_at IS NULL;

-- The person or machine of the running transaction, as current_tenant() is its tenant.
CREATE FUNCTION current_subject() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('causeway.subject', true), '');

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['users', 'memberships', 'api_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    END LOOP;
    FOREACH v_table IN ARRAY ARRAY['memberships', 'api_keys'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_hub USING (tenant_id = current_tenant())',
            v_table || '_own', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO causeway_hub WITH CHECK (tenant_id = current_tenant())',
            v_table || '_add', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE TO causeway_hub USING (tenant_id = current_tenant()) '
            'WITH CHECK (tenant_id = current_tenant())', v_table || '_change', v_table);
    END LOOP;
END $$;

-- A user is nobody's but his own: a transaction finds and makes the one it runs for.
CREATE POLICY users_self ON users FOR SELECT TO causeway_hub USING (subject = current_subject());
CREATE POLICY users_add ON users FOR INSERT TO causeway_hub WITH CHECK (subject = current_subject());

GRANT SELECT, INSERT ON users, memberships, api_keys TO causeway_hub;
GRANT UPDATE (role, name, email, email_verified, called_at) ON memberships TO causeway_hub;
GRANT UPDATE (last_used_at, revoked_at, version) ON api_keys TO causeway_hub;
