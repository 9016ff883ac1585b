-- Finds tenants whose data keys are due. The schedule that rotates keys and re-encrypts must look across tenants, and
-- may read only the age and version of keys.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'causeway_keeper') THEN
        CREATE ROLE causeway_keeper NOLOGIN;
    END IF;
    EXECUTE format('GRANT causeway_keeper TO %I', current_user);
END $$;

COMMENT ON ROLE causeway_keeper IS 'Owns the functions that list or sweep rows of all tenants for jobs.';

GRANT USAGE ON SCHEMA public TO causeway_keeper;
GRANT SELECT (tenant_id, version, status, created_at) ON tenant_data_keys TO causeway_keeper;
GRANT SELECT (tenant_id, key_version) ON api_credentials TO causeway_keeper;
CREATE POLICY tenant_data_keys_due ON tenant_data_keys FOR SELECT TO causeway_keeper USING (true);
CREATE POLICY api_credentials_due ON api_credentials FOR SELECT TO causeway_keeper USING (true);

CREATE FUNCTION data_keys_due_v1(p_age interval) RETURNS TABLE (tenant_id uuid, rotate boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT k.tenant_id, k.created_at < now() - p_age
    FROM tenant_data_keys AS k
    WHERE k.status = 'active' AND (
        k.created_at < now() - p_age
        OR EXISTS (SELECT FROM api_credentials AS c WHERE c.tenant_id = k.tenant_id AND c.key_version < k.version)
    )
    ORDER BY k.created_at, k.tenant_id;
END;
COMMENT ON FUNCTION data_keys_due_v1 IS
'Tenants whose active data key is older than p_age (rotate is true), or that have secrets encrypted with an older key.';

REVOKE ALL ON FUNCTION data_keys_due_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION data_keys_due_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION data_keys_due_v1 TO causeway_credentials;
