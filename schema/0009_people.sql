-- People and machines that use the hub. A token or an API key authenticates them; these tables hold their role per
-- tenant.

-- A person, identified by the subject of the user pool's tokens. Name and e-mail are in memberships.
CREATE TABLE users (
    subject text PRIMARY KEY CHECK (length(subject) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A person's role in a tenant, copied from the person's token. A suspended membership refuses the token.
CREATE TABLE memberships (
    tenant_id uuid NOT NULL REFERENCES tenants,
    subject text NOT NULL REFERENCES users,
    role text NOT NULL CHECK (role IN ('tenant_admin', 'regulator', 'staff')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    -- Name and e-mail from the last token that had them; empty if none had. Personal data: stored in no other table.
    name text NOT NULL DEFAULT '' CHECK (length(name) <= 200),
    email text NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    email_verified boolean NOT NULL DEFAULT false,
    -- The time of the last update of name and e-mail: at most one per minute, because a person may use two tokens with
    -- different names.
    called_at timestamptz,
    -- The number of changes made by people: the ETag.
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject)
);

-- An API key of a machine. The key is shown once. Its hash covers 32 random bytes, so it needs no salt.
CREATE TABLE api_keys (
    tenant_id uuid NOT NULL REFERENCES tenants,
    key_id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100 AND is_name(name)),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    -- The channel that the key is limited to. NULL: the key is for the whole tenant.
    channel text CHECK (length(channel) BETWEEN 1 AND 100 AND is_name(channel)),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Accurate to the minute: a busy key does not cause a write at every call.
    last_used_at timestamptz,
    revoked_at timestamptz,
    -- The number of changes: the ETag.
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    PRIMARY KEY (tenant_id, key_id)
);
-- Two keys of a tenant that are not revoked have different names.
CREATE UNIQUE INDEX api_keys_name ON api_keys (tenant_id, name) WHERE revoked_at IS NULL;

-- The person or machine of the current transaction, as current_tenant() is its tenant.
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

-- A transaction sees and creates only the user that it runs for.
CREATE POLICY users_self ON users FOR SELECT TO causeway_hub USING (subject = current_subject());
CREATE POLICY users_add ON users FOR INSERT TO causeway_hub WITH CHECK (subject = current_subject());

GRANT SELECT, INSERT ON users, memberships, api_keys TO causeway_hub;
GRANT UPDATE (role, name, email, email_verified, called_at) ON memberships TO causeway_hub;
GRANT UPDATE (last_used_at, revoked_at, version) ON api_keys TO causeway_hub;
