-- Idempotency-Keys of callers.

CREATE TABLE idempotency_keys (
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    object_id uuid NOT NULL DEFAULT gen_random_uuid(),
    lease_id uuid NOT NULL,
    leased_until timestamptz,
    begun boolean NOT NULL DEFAULT false,
    status bigint,
    headers jsonb,
    body text CHECK (length(body) <= 1000000),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject, idempotency_key),
    CONSTRAINT idempotency_keys_answer CHECK (status BETWEEN 200 AND 399 OR (status = 502 AND body IS NULL))
);
COMMENT ON TABLE idempotency_keys IS
'Calls by the caller''s Idempotency-Key: the same key with the same request finds the first answer. A key belongs to '
'its caller: no other caller of the tenant sees its answer.';
COMMENT ON COLUMN idempotency_keys.tenant_id IS 'A tenant''s id, or the nil UUID for the deployment.';
COMMENT ON COLUMN idempotency_keys.subject IS 'The caller: a person''s subject or an API key''s id.';
COMMENT ON COLUMN idempotency_keys.idempotency_key IS 'The header Idempotency-Key.';
COMMENT ON COLUMN idempotency_keys.request_hash IS
'SHA-256 of the request: the same key with another request is refused.';
COMMENT ON COLUMN idempotency_keys.object_id IS
'The id of the object that the call creates, if it creates one: an attempt after a failed one creates the same object.';
COMMENT ON COLUMN idempotency_keys.lease_id IS 'The running or last attempt.';
COMMENT ON COLUMN idempotency_keys.leased_until IS 'The end of the attempt''s lease. NULL: no attempt is running.';
COMMENT ON COLUMN idempotency_keys.begun IS 'Whether part of the call''s work is committed, but not all of it.';
COMMENT ON COLUMN idempotency_keys.status IS
'The status of the first answer, committed with the call''s work. NULL: the work is not done. 502 without a body: the '
'platform may have done what the call asked for.';
COMMENT ON COLUMN idempotency_keys.headers IS 'The headers of the first answer.';
COMMENT ON COLUMN idempotency_keys.body IS 'The body of the first answer, without secrets that are shown once.';
COMMENT ON COLUMN idempotency_keys.created_at IS
'The key''s first use. A key is new again after 24 hours, or when the attempt gave it up (which sets -infinity).';
COMMENT ON CONSTRAINT idempotency_keys_answer ON idempotency_keys IS
'Kept is the answer to a call that was done, which may be a platform''s redirect, and the 502 of an outcome that is not '
'known.';
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
COMMENT ON INDEX idempotency_keys_created IS 'The sweep deletes the oldest first.';

CREATE FUNCTION idempotency_kept() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '24 hours';
COMMENT ON FUNCTION idempotency_kept IS
'How long a key finds its answer. After that the key counts as new, and may be swept.';
REVOKE ALL ON FUNCTION idempotency_kept FROM public;
GRANT EXECUTE ON FUNCTION idempotency_kept TO causeway_hub, causeway_keeper;

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY idempotency_keys_own ON idempotency_keys FOR SELECT TO causeway_hub
USING (tenant_id = current_tenant() AND subject = current_subject());
COMMENT ON POLICY idempotency_keys_own ON idempotency_keys IS
'No other caller of the tenant sees a caller''s keys and answers.';
CREATE POLICY idempotency_keys_add ON idempotency_keys FOR INSERT TO causeway_hub
WITH CHECK (tenant_id = current_tenant() AND subject = current_subject());
COMMENT ON POLICY idempotency_keys_add ON idempotency_keys IS 'Callers add their own keys only.';
CREATE POLICY idempotency_keys_change ON idempotency_keys FOR UPDATE TO causeway_hub
USING (tenant_id = current_tenant() AND subject = current_subject())
WITH CHECK (tenant_id = current_tenant() AND subject = current_subject());
COMMENT ON POLICY idempotency_keys_change ON idempotency_keys IS 'Callers change their own keys only.';
GRANT SELECT ON idempotency_keys TO causeway_hub;
GRANT INSERT (tenant_id, subject, idempotency_key, request_hash, lease_id, leased_until) ON idempotency_keys
TO causeway_hub;
GRANT UPDATE (request_hash, object_id, lease_id, leased_until, begun, status, headers, body, created_at) ON idempotency_keys
TO causeway_hub;

-- Runs with the rights of its caller. outcome: first, failed, expired, running, answered or reused;
-- causeway.database.idempotency.Claim explains them.
CREATE FUNCTION idempotency_claim_v1(p_key text, p_hash bytea, p_lease_id uuid, p_lease interval)
RETURNS TABLE (outcome text, object_id uuid, begun boolean, status bigint, headers jsonb, body text)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_tenant();
    v_subject text := current_subject();
    v_until timestamptz := now() + p_lease;
    v_known idempotency_keys;
    v_outcome text;
BEGIN
    LOOP
        -- Of two at the same time, the second waits here for the first one's commit.
        INSERT INTO idempotency_keys (tenant_id, subject, idempotency_key, request_hash, lease_id, leased_until)
        VALUES (v_tenant, v_subject, p_key, p_hash, p_lease_id, v_until)
        ON CONFLICT DO NOTHING RETURNING * INTO v_known;
        IF FOUND THEN
            v_outcome := 'first';
            EXIT;
        END IF;
        SELECT * INTO v_known FROM idempotency_keys AS k
        WHERE k.tenant_id = v_tenant AND k.subject = v_subject AND k.idempotency_key = p_key FOR UPDATE;
        -- The row may be gone: an attempt may have given the key up between the two statements.
        EXIT WHEN FOUND;
    END LOOP;
    IF v_outcome IS NULL THEN
        v_outcome := CASE
            WHEN v_known.leased_until > now() AND v_known.request_hash = p_hash THEN 'running'
            WHEN v_known.created_at <= now() - idempotency_kept() AND coalesce(v_known.leased_until <= now(), true)
                THEN 'first'
            WHEN v_known.request_hash <> p_hash THEN 'reused'
            WHEN v_known.status IS NOT NULL THEN 'answered'
            WHEN v_known.leased_until IS NULL THEN 'failed'
            ELSE 'expired'
        END;
        IF v_outcome IN ('first', 'failed', 'expired') THEN
            UPDATE idempotency_keys AS k SET
                request_hash = p_hash, lease_id = p_lease_id, leased_until = v_until,
                object_id = CASE v_outcome WHEN 'first' THEN gen_random_uuid() ELSE k.object_id END,
                created_at = CASE v_outcome WHEN 'first' THEN now() ELSE k.created_at END,
                begun = (v_outcome <> 'first' AND k.begun), status = NULL, headers = NULL, body = NULL
            WHERE k.tenant_id = v_tenant AND k.subject = v_subject AND k.idempotency_key = p_key
            RETURNING * INTO v_known;
        END IF;
    END IF;
    RETURN QUERY SELECT
        v_outcome, v_known.object_id, v_known.begun, v_known.status, v_known.headers, v_known.body;
END $$;
COMMENT ON FUNCTION idempotency_claim_v1 IS 'Claims a key of the transaction''s caller for an attempt.';

REVOKE ALL ON FUNCTION idempotency_claim_v1 FROM public;
GRANT EXECUTE ON FUNCTION idempotency_claim_v1 TO causeway_hub;

-- The schedule that queues lost syncs also sweeps old keys, of all tenants.
GRANT SELECT (tenant_id, subject, idempotency_key, created_at, leased_until), DELETE ON idempotency_keys TO causeway_keeper;
CREATE POLICY idempotency_keys_old ON idempotency_keys FOR SELECT TO causeway_keeper USING (true);
CREATE POLICY idempotency_keys_sweep ON idempotency_keys FOR DELETE TO causeway_keeper
USING (created_at < now() - idempotency_kept() AND coalesce(leased_until <= now(), true));
COMMENT ON POLICY idempotency_keys_sweep ON idempotency_keys IS
'No key younger than idempotency_kept() can be deleted, and no key whose attempt still has its lease.';

CREATE FUNCTION idempotency_sweep_v1() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    WITH swept AS (
        DELETE FROM idempotency_keys AS k
        USING (
            SELECT o.tenant_id, o.subject, o.idempotency_key FROM idempotency_keys AS o
            WHERE o.created_at < now() - idempotency_kept() AND coalesce(o.leased_until <= now(), true)
            ORDER BY o.created_at LIMIT 1000
        ) AS old
        WHERE k.tenant_id = old.tenant_id AND k.subject = old.subject AND k.idempotency_key = old.idempotency_key
        RETURNING 1
    )
    SELECT count(*) FROM swept;
END;
COMMENT ON FUNCTION idempotency_sweep_v1 IS
'Deletes up to 1000 keys that are past idempotency_kept() and have no running attempt. Returns the number deleted.';

REVOKE ALL ON FUNCTION idempotency_sweep_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION idempotency_sweep_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION idempotency_sweep_v1 TO causeway_hub;
