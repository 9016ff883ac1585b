-- What a launch reads and writes outside the games' own tables. Three functions answer yes or no: whether the casino
-- knows a game provider's code in the whole deployment, whether the demo provider knows it, and whether a person is
-- suspended. A fourth writes launches to the audit log.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'causeway_directory') THEN
        CREATE ROLE causeway_directory NOLOGIN;
    END IF;
    EXECUTE format('GRANT causeway_directory TO %I', current_user);
END $$;

COMMENT ON ROLE causeway_directory IS
'Owns the functions that answer a question about a call before its tenant is known, or for a login that may not read '
'the table.';

GRANT USAGE ON SCHEMA public TO causeway_directory;

CREATE POLICY casino_game_providers_directory ON casino_game_providers FOR SELECT TO causeway_directory USING (true);
CREATE POLICY provider_casinos_directory ON provider_casinos FOR SELECT TO causeway_directory USING (true);
CREATE POLICY memberships_directory ON memberships FOR SELECT TO causeway_directory
USING (tenant_id = current_tenant());
GRANT SELECT (code) ON casino_game_providers TO causeway_directory;
GRANT SELECT (provider_code) ON provider_casinos TO causeway_directory;
GRANT SELECT (tenant_id, subject, status) ON memberships TO causeway_directory;

-- A caller's code is looked up before its tenant is known. (Both tables are small: they hold the tenants' partners.)
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX casino_game_providers_by_code ON casino_game_providers (code);
COMMENT ON INDEX casino_game_providers_by_code IS
'A code has one secret, which belongs to one tenant, so no other tenant may have a game provider with that code.';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX provider_casinos_by_code ON provider_casinos (provider_code);
COMMENT ON INDEX provider_casinos_by_code IS 'Finds a code before the caller''s tenant is known.';

CREATE FUNCTION game_provider_known_v1(p_code text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM casino_game_providers AS p WHERE p.code = p_code);
COMMENT ON FUNCTION game_provider_known_v1 IS
'Whether any casino has a game provider with this code. Checked before the provider''s secret is first read, so that '
'an invented code costs one index lookup here and no request to the secret store.';

CREATE FUNCTION provider_code_known_v1(p_code text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM provider_casinos AS c WHERE c.provider_code = p_code);
COMMENT ON FUNCTION provider_code_known_v1 IS
'The same for the demo game provider: whether any casino knows it by this code.';

CREATE FUNCTION membership_suspended_v1(p_subject text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN EXISTS (
    SELECT FROM memberships AS m
    WHERE m.tenant_id = current_tenant() AND m.subject = p_subject AND m.status = 'suspended'
);
COMMENT ON FUNCTION membership_suspended_v1 IS
'Whether a person''s membership in the current transaction''s tenant is suspended.';

REVOKE ALL ON FUNCTION game_provider_known_v1, provider_code_known_v1, membership_suspended_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_directory;
ALTER FUNCTION game_provider_known_v1 OWNER TO causeway_directory;
ALTER FUNCTION provider_code_known_v1 OWNER TO causeway_directory;
ALTER FUNCTION membership_suspended_v1 OWNER TO causeway_directory;
REVOKE CREATE ON SCHEMA public FROM causeway_directory;
GRANT EXECUTE ON FUNCTION game_provider_known_v1, membership_suspended_v1 TO causeway_casino;
GRANT EXECUTE ON FUNCTION provider_code_known_v1 TO causeway_provider;

CREATE FUNCTION audit_append_launch_v1(
    p_actor_kind text, p_actor text, p_actor_role text, p_action text, p_object_kind text, p_object_id text,
    p_outcome text, p_before jsonb, p_after jsonb, p_source_ip text, p_request_id text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (p_action, p_outcome) NOT IN (('session.opened', 'done'), ('access.refused', 'refused')) THEN
        RAISE EXCEPTION 'the casino may write entries about launches only, not %', p_action USING ERRCODE = 'CW018';
    END IF;
    RETURN audit_append_v1(
        p_actor_kind, p_actor, p_actor_role, p_action, p_object_kind, p_object_id, p_outcome, p_before, p_after,
        p_source_ip, p_request_id
    );
END $$;
COMMENT ON FUNCTION audit_append_launch_v1 IS
'Appends an entry about a launch to the audit log. The casino''s login can write no other entries. Entries exist for a '
'person''s launch for a player, and for a refused launch. A launch by an API key is recorded in casino_sessions.';

REVOKE ALL ON FUNCTION audit_append_launch_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_auditlog;
ALTER FUNCTION audit_append_launch_v1 OWNER TO causeway_auditlog;
REVOKE CREATE ON SCHEMA public FROM causeway_auditlog;
GRANT EXECUTE ON FUNCTION audit_append_launch_v1 TO causeway_casino;
