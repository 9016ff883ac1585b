-- Super admins create and change tenants. A caller's transaction is opened for a tenant, or for the deployment.

CREATE POLICY tenants_deployment_list ON tenants FOR SELECT TO causeway_hub
USING (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000');
COMMENT ON POLICY tenants_deployment_list ON tenants IS
'Only a super admin sees all tenants, and only in a transaction of the deployment, whose tenant is the nil UUID. In a '
'transaction of a tenant, a super admin sees that tenant only.';
CREATE POLICY tenants_deployment_add ON tenants FOR INSERT TO causeway_hub
WITH CHECK (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000');
COMMENT ON POLICY tenants_deployment_add ON tenants IS 'Only a super admin creates a tenant.';
CREATE POLICY tenants_deployment_change ON tenants FOR UPDATE TO causeway_hub
USING (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000')
WITH CHECK (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000');
COMMENT ON POLICY tenants_deployment_change ON tenants IS 'Only a super admin changes a tenant.';

-- The database generates ids. The code has no UPDATE grant: it stays, because game providers know it.
GRANT INSERT (code, display_name, country, time_zone, currency, language) ON tenants TO causeway_hub;
GRANT UPDATE (display_name, country, time_zone, currency, language, version) ON tenants TO causeway_hub;
-- A new tenant gets the time zone and the currency of its country.
GRANT SELECT ON countries, currencies, time_zones TO causeway_hub;

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

CREATE FUNCTION enter_deployment_v1(p_subject text, p_role text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('causeway.tenant_id', '00000000-0000-0000-0000-000000000000', true);
    PERFORM set_config('causeway.subject', p_subject, true);
    PERFORM set_config('causeway.role', p_role, true);
END $$;
COMMENT ON FUNCTION enter_deployment_v1 IS
'Sets subject and role for a transaction of the deployment. Its tenant is the nil UUID, so it sees no tenant''s rows.';

REVOKE ALL ON FUNCTION admit_v1, enter_deployment_v1 FROM public;
GRANT EXECUTE ON FUNCTION admit_v1, enter_deployment_v1 TO causeway_hub;
