-- People and machines that use the hub. A token or an API key authenticates them; these tables hold their role per
-- tenant.

CREATE TABLE users (
    subject text PRIMARY KEY CHECK (length(subject) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE users IS 'The people that use the hub, of all tenants. Names and e-mails are in memberships.';
COMMENT ON COLUMN users.subject IS 'The subject (sub) of the user pool''s tokens, which identifies the person.';

CREATE TABLE memberships (
    tenant_id uuid NOT NULL REFERENCES tenants,
    subject text NOT NULL REFERENCES users,
    role text NOT NULL CHECK (role IN ('tenant_admin', 'regulator', 'staff')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    name text NOT NULL DEFAULT '' CHECK (length(name) <= 200),
    email text NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    email_verified boolean NOT NULL DEFAULT false,
    called_at timestamptz,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject)
);
COMMENT ON TABLE memberships IS
'A person''s role in a tenant, copied from the person''s token. A suspended membership refuses the token.';
COMMENT ON COLUMN memberships.subject IS 'The person.';
COMMENT ON COLUMN memberships.role IS 'The role from the person''s last token.';
COMMENT ON COLUMN memberships.status IS 'A tenant admin suspends and restores memberships.';
COMMENT ON COLUMN memberships.name IS
'The name from the last token that had one; empty if none had. Personal data: name and e-mail are stored in no other '
'table.';
COMMENT ON COLUMN memberships.email IS 'The e-mail from the last token that had one; empty if none had.';
COMMENT ON COLUMN memberships.email_verified IS 'Whether the user pool has verified the e-mail.';
COMMENT ON COLUMN memberships.called_at IS
'The time of the last update of name and e-mail: at most one per minute, because a person may use two tokens with '
'different names.';
COMMENT ON COLUMN memberships.version IS 'The number of changes made by people: the ETag.';

CREATE TABLE api_keys (
    tenant_id uuid NOT NULL REFERENCES tenants,
    key_id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100 AND is_name(name)),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    channel text CHECK (length(channel) BETWEEN 1 AND 100 AND is_name(channel)),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    PRIMARY KEY (tenant_id, key_id)
);
COMMENT ON TABLE api_keys IS
'The API keys of machines. A key is shown once. Its hash covers 32 random bytes, so it needs no salt.';
COMMENT ON COLUMN api_keys.key_id IS 'The key''s id. It is part of the key, so that the row is found.';
COMMENT ON COLUMN api_keys.name IS 'What the key is for.';
COMMENT ON COLUMN api_keys.hash IS 'SHA-256 of the key''s random bytes.';
COMMENT ON COLUMN api_keys.channel IS 'The channel that the key is limited to. NULL: the key is for the whole tenant.';
COMMENT ON COLUMN api_keys.last_used_at IS 'Accurate to the minute: a busy key does not cause a write at every call.';
COMMENT ON COLUMN api_keys.revoked_at IS 'When the key was revoked. A revoked key is refused for ever.';
COMMENT ON COLUMN api_keys.version IS 'The number of changes: the ETag.';
CREATE UNIQUE INDEX api_keys_name ON api_keys (tenant_id, name) WHERE revoked_at IS NULL;
COMMENT ON INDEX api_keys_name IS 'Two keys of a tenant that are not revoked have different names.';
CREATE INDEX api_keys_page ON api_keys (tenant_id, created_at DESC, key_id DESC);
COMMENT ON INDEX api_keys_page IS 'Pages of the list, newest first.';

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
    END LOOP;
END $$;

CREATE POLICY api_keys_add ON api_keys FOR INSERT TO causeway_hub WITH CHECK (tenant_id = current_tenant());
CREATE POLICY api_keys_change ON api_keys FOR UPDATE TO causeway_hub
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());

CREATE POLICY memberships_add ON memberships FOR INSERT TO causeway_hub
WITH CHECK (tenant_id = current_tenant() AND subject = current_subject() AND status = 'active');
COMMENT ON POLICY memberships_add ON memberships IS
'Nobody can insert another person''s membership, or a suspended one.';
CREATE POLICY memberships_own_role ON memberships FOR UPDATE TO causeway_hub
USING (tenant_id = current_tenant() AND subject = current_subject() AND status = 'active')
WITH CHECK (tenant_id = current_tenant() AND subject = current_subject() AND status = 'active');
COMMENT ON POLICY memberships_own_role ON memberships IS
'A person''s own transaction may update the role, from the token, only while the membership is active: so people '
'cannot suspend themselves, and suspended people cannot restore themselves.';
CREATE POLICY memberships_manage ON memberships FOR UPDATE TO causeway_hub
USING (
    tenant_id = current_tenant() AND subject <> current_subject()
    AND current_caller_role() IN ('tenant_admin', 'super_admin')
)
WITH CHECK (
    tenant_id = current_tenant() AND subject <> current_subject()
    AND current_caller_role() IN ('tenant_admin', 'super_admin')
);
COMMENT ON POLICY memberships_manage ON memberships IS 'Only admins change other people''s memberships.';

CREATE POLICY users_self ON users FOR SELECT TO causeway_hub USING (subject = current_subject());
COMMENT ON POLICY users_self ON users IS 'A transaction sees only the user that it runs for.';
CREATE POLICY users_add ON users FOR INSERT TO causeway_hub WITH CHECK (subject = current_subject());
COMMENT ON POLICY users_add ON users IS 'A transaction creates only the user that it runs for.';

GRANT SELECT, INSERT ON users, memberships, api_keys TO causeway_hub;
GRANT UPDATE (role, status, name, email, email_verified, called_at, version) ON memberships TO causeway_hub;
GRANT UPDATE (last_used_at, revoked_at, version) ON api_keys TO causeway_hub;
