-- Checks an API key in one round trip: every call of a machine starts with it.

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

REVOKE ALL ON FUNCTION api_key_use_v1 FROM public;
GRANT EXECUTE ON FUNCTION api_key_use_v1 TO causeway_hub;
