-- After a rotation the old credential is kept for a while for a rollback, and its ciphertexts for a while longer.

ALTER TABLE api_credential_versions ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN api_credential_versions.changed_at IS 'The time of the last change of status.';

CREATE FUNCTION api_credential_version_changed_v1() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF old.status = 'destroyed' THEN
        RAISE EXCEPTION 'version % of a credential is destroyed and cannot become %', old.version, new.status
            USING ERRCODE = 'CW009';
    END IF;
    new.changed_at := now();
    RETURN new;
END $$;
COMMENT ON FUNCTION api_credential_version_changed_v1 IS
'Sets the time of each change of status, also for the code of the release before. Nothing else sets it. A destroyed '
'version cannot get another status (CW009).';

CREATE TRIGGER api_credential_versions_changed BEFORE UPDATE OF status ON api_credential_versions
FOR EACH ROW WHEN (old.status <> new.status) EXECUTE FUNCTION api_credential_version_changed_v1();

-- The schedule that ends overlaps must look across tenants, and may read only which connections are due.
GRANT SELECT (tenant_id, connection_id, status, changed_at) ON api_credential_versions TO causeway_keeper;
CREATE POLICY api_credential_versions_due ON api_credential_versions FOR SELECT TO causeway_keeper USING (true);

CREATE FUNCTION credentials_due_v1(p_overlap interval, p_kept interval)
RETURNS TABLE (tenant_id uuid, connection_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT v.tenant_id, v.connection_id
    FROM api_credential_versions AS v
    WHERE (v.status = 'retiring' AND v.changed_at <= now() - p_overlap)
        OR (v.status = 'retired' AND v.changed_at <= now() - p_kept)
    GROUP BY v.tenant_id, v.connection_id
    ORDER BY min(v.changed_at), v.tenant_id, v.connection_id;
END;
COMMENT ON FUNCTION credentials_due_v1 IS
'Connections with a version that has been retiring for longer than p_overlap, or retired for longer than p_kept.';

REVOKE ALL ON FUNCTION credentials_due_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION credentials_due_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION credentials_due_v1 TO causeway_credentials;
