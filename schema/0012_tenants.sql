-- Super admins make tenants and name them; an admin suspends people of his tenant and lets them in again.

-- The role of the running transaction's person or machine, as current_subject() is who it is.
CREATE FUNCTION current_caller_role() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('causeway.role', true), '');

-- More tenants than one are there for a super admin alone, and for him in the platform's transactions alone, whose tenant
-- is the nil UUID: while he works in a tenant he sees that one.
CREATE POLICY tenants_platform_list ON tenants FOR SELECT TO causeway_hub
USING (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000');
CREATE POLICY tenants_platform_add ON tenants FOR INSERT TO causeway_hub
WITH CHECK (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000');
CREATE POLICY tenants_platform_change ON tenants FOR UPDATE TO causeway_hub
USING (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000')
WITH CHECK (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000');

-- Ids are drawn by the database; a code, once game providers know it, stays.
GRANT INSERT (code, display_name), UPDATE (display_name, version) ON tenants TO causeway_hub;

-- A person writes down the new role of his token, while his membership is active: so nobody suspends himself, and nobody
-- who is suspended lets himself in. Everybody else's membership is an admin's to change.
-- Nor does anybody make another's, or a suspended one.
DROP POLICY memberships_add ON memberships;
CREATE POLICY memberships_add ON memberships FOR INSERT TO causeway_hub
WITH CHECK (tenant_id = current_tenant() AND subject = current_subject() AND status = 'active');
DROP POLICY memberships_change ON memberships;
CREATE POLICY memberships_own_role ON memberships FOR UPDATE TO causeway_hub
USING (tenant_id = current_tenant() AND subject = current_subject() AND status = 'active')
WITH CHECK (tenant_id = current_tenant() AND subject = current_subject() AND status = 'active');
CREATE POLICY memberships_manage ON memberships FOR UPDATE TO causeway_hub
USING (
    tenant_id = current_tenant() AND subject <> current_subject()
    AND current_caller_role() IN ('tenant_admin', 'super_admin')
)
WITH CHECK (
    tenant_id = current_tenant() AND subject <> current_subject()
    AND current_caller_role() IN ('tenant_admin', 'super_admin')
);
GRANT UPDATE (status, version) ON memberships TO causeway_hub;

-- Opens a caller's transaction in one statement: tells the policies for whom it runs, and lets the caller in.
--
-- It runs with the rights of the login that calls it, so row-level security binds it as it binds the caller's own
-- statements. The role of a person's token is written down; of first calls at once, one writes it.
-- p_remembered: whether the caller is a person of the tenant; a machine and a super admin become no members.
-- outcome: ok, no_tenant or suspended. written: a role was written down just now. role_before: the role until then,
-- NULL where it is the person's first.
CREATE FUNCTION admit_v1(
    p_tenant_id uuid, p_subject text, p_role text, p_remembered boolean, p_name text, p_email text,
    p_email_verified boolean
)
RETURNS TABLE (outcome text, written boolean, role_before text)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_role text;
    v_status text;
    -- A token that does not say what its person is called takes nothing away.
    v_called boolean;
BEGIN
    PERFORM set_config('causeway.tenant_id', p_tenant_id::text, true);
    PERFORM set_config('causeway.subject', p_subject, true);
    PERFORM set_config('causeway.role', p_role, true);
    outcome := 'ok';
    written := false;
    IF NOT EXISTS (SELECT FROM tenants AS t WHERE t.tenant_id = p_tenant_id) THEN
        outcome := 'no_tenant';
    ELSIF p_remembered THEN
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
            -- It may have waited for another first call, or for a suspension.
            SELECT m.status INTO v_status FROM memberships AS m
            WHERE m.tenant_id = p_tenant_id AND m.subject = p_subject;
        END IF;
        IF v_status = 'active' AND NOT coalesce(v_called, p_name = '' AND p_email = '') THEN
            -- His calls do not wait for each other: where another one has the row, that one writes.
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

-- Tells the policies for whom a transaction of the platform runs, whose tenant is the nil UUID: it sees no tenant's rows.
CREATE FUNCTION enter_platform_v1(p_subject text, p_role text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('causeway.tenant_id', '00000000-0000-0000-0000-000000000000', true);
    PERFORM set_config('causeway.subject', p_subject, true);
    PERFORM set_config('causeway.role', p_role, true);
END $$;

REVOKE ALL ON FUNCTION admit_v1, enter_platform_v1 FROM public;
GRANT EXECUTE ON FUNCTION admit_v1, enter_platform_v1 TO causeway_hub;
