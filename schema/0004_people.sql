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
-- Launches ask whether a person is suspended.
CREATE POLICY memberships_directory ON memberships FOR SELECT TO causeway_directory
USING (tenant_id = current_tenant());

GRANT SELECT, INSERT ON users, memberships, api_keys TO causeway_hub;
GRANT UPDATE (role, status, name, email, email_verified, called_at, version) ON memberships TO causeway_hub;
GRANT UPDATE (last_used_at, revoked_at, version) ON api_keys TO causeway_hub;
GRANT SELECT (tenant_id, subject, status) ON memberships TO causeway_directory;

-- It runs with the rights of the login that calls it, so row-level security applies. Of several first calls of a person at
-- the same time, one stores the role.
-- p_is_member: whether the caller is a person of the tenant. Machines and super admins have no membership.
-- outcome: ok, no_tenant or suspended. written: whether this call stored a role. role_before: the role before it, NULL
-- if it is the person's first role.
CREATE FUNCTION admit_v1(
    p_tenant_id uuid, p_subject text, p_role text, p_is_member boolean, p_name text, p_email text,
    p_email_verified boolean
)
RETURNS TABLE (outcome text, written boolean, role_before text)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_role text;
    v_status text;
    -- Whether the stored name and e-mail equal the token's. A token without name or e-mail does not erase them.
    v_called boolean;
BEGIN
    PERFORM set_config('causeway.tenant_id', p_tenant_id::text, true);
    PERFORM set_config('causeway.subject', p_subject, true);
    PERFORM set_config('causeway.role', p_role, true);
    outcome := 'ok';
    written := false;
    IF NOT EXISTS (SELECT FROM tenants AS t WHERE t.tenant_id = p_tenant_id) THEN
        outcome := 'no_tenant';
    ELSIF p_is_member THEN
        SELECT m.role, m.status, (p_name = '' OR m.name = p_name)
            AND (p_email = '' OR (m.email = p_email AND m.email_verified = p_email_verified))
        INTO v_role, v_status, v_called
        FROM memberships AS m
        WHERE m.tenant_id = p_tenant_id AND m.subject = p_subject;
        IF v_status IS DISTINCT FROM 'suspended' AND v_role IS DISTINCT FROM p_role THEN
            INSERT INTO users (subject) VALUES (p_subject) ON CONFLICT DO NOTHING;
            INSERT INTO memberships AS m (tenant_id, subject, role) VALUES (p_tenant_id, p_subject, p_role)
            ON CONFLICT (tenant_id, subject) DO UPDATE SET role = excluded.role
            WHERE m.role <> excluded.role AND m.status = 'active';
            written := FOUND;
            role_before := CASE WHEN written THEN v_role END;
            -- The INSERT may have waited for another first call, or for a suspension: read the status again.
            SELECT m.status INTO v_status FROM memberships AS m
            WHERE m.tenant_id = p_tenant_id AND m.subject = p_subject;
        END IF;
        IF v_status = 'active' AND NOT coalesce(v_called, p_name = '' AND p_email = '') THEN
            -- SKIP LOCKED: concurrent calls of a person do not wait for each other; the call that has the row writes.
            UPDATE memberships AS m
            SET name = CASE p_name WHEN '' THEN m.name ELSE p_name END,
                email = CASE p_email WHEN '' THEN m.email ELSE p_email END,
                email_verified = CASE p_email WHEN '' THEN m.email_verified ELSE p_email_verified END,
                called_at = now()
            FROM (
                SELECT FROM memberships AS s
                WHERE s.tenant_id = p_tenant_id AND s.subject = p_subject AND s.status = 'active'
                    AND (s.called_at IS NULL OR s.called_at < now() - interval '1 minute')
                FOR UPDATE SKIP LOCKED
            ) AS stale
            WHERE m.tenant_id = p_tenant_id AND m.subject = p_subject;
        END IF;
        IF v_status = 'suspended' THEN
            outcome := 'suspended';
        END IF;
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION admit_v1 IS
'Opens a caller''s transaction in one statement: sets tenant, subject and role for the policies, and checks that the '
'caller may enter the tenant. It stores the role of a person''s token.';

-- Every call of a machine starts with it: it checks the key in one round trip.
-- The comparison of hashes need not take constant time, as its duration reveals nothing useful about a hash.
CREATE FUNCTION api_key_use_v1(
    p_tenant_id uuid, p_key_id uuid, p_hash bytea, p_source_ip text, p_request_id text
)
RETURNS TABLE (key_id uuid, channel text)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    RETURN QUERY
        SELECT k.key_id, k.channel FROM api_keys AS k
        WHERE k.tenant_id = p_tenant_id AND k.key_id = p_key_id AND k.hash = p_hash AND k.revoked_at IS NULL;
    IF FOUND THEN
        UPDATE api_keys AS k SET last_used_at = now()
        FROM (
            SELECT FROM api_keys AS s
            WHERE s.tenant_id = p_tenant_id AND s.key_id = p_key_id
                AND (s.last_used_at IS NULL OR s.last_used_at < now() - interval '1 minute')
            FOR UPDATE SKIP LOCKED
        ) AS stale
        WHERE k.tenant_id = p_tenant_id AND k.key_id = p_key_id;
        RETURN;
    END IF;
    IF EXISTS (
        SELECT FROM api_keys AS k
        WHERE k.tenant_id = p_tenant_id AND k.key_id = p_key_id AND k.hash = p_hash AND k.revoked_at IS NOT NULL
    ) THEN
        PERFORM audit_append_v1(
            'machine', p_key_id::text, 'service', 'access.refused', 'api_key', p_key_id::text, 'refused', NULL,
            '{"reason": "the key is revoked"}', p_source_ip, p_request_id
        );
    END IF;
END;
$$;
COMMENT ON FUNCTION api_key_use_v1 IS
'Returns the key that the caller claims to have, if it is the tenant''s and not revoked; otherwise no row. Stores the '
'time of use, accurate to the minute; of several calls at the same time, one stores it. p_hash: SHA-256 of the key''s '
'32 random bytes. Use of a revoked key is written to the audit log.';

CREATE FUNCTION membership_suspended_v1(p_subject text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN EXISTS (
    SELECT FROM memberships AS m
    WHERE m.tenant_id = current_tenant() AND m.subject = p_subject AND m.status = 'suspended'
);
COMMENT ON FUNCTION membership_suspended_v1 IS
'Whether a person''s membership in the current transaction''s tenant is suspended.';

REVOKE ALL ON FUNCTION admit_v1, api_key_use_v1, membership_suspended_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_directory;
ALTER FUNCTION membership_suspended_v1 OWNER TO causeway_directory;
REVOKE CREATE ON SCHEMA public FROM causeway_directory;
GRANT EXECUTE ON FUNCTION admit_v1, api_key_use_v1 TO causeway_hub;
GRANT EXECUTE ON FUNCTION membership_suspended_v1 TO causeway_casino;
