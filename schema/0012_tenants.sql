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
GRANT INSERT (code, display_name), UPDATE (display_name) ON tenants TO causeway_hub;

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
GRANT UPDATE (status) ON memberships TO causeway_hub;
