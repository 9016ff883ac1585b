-- The audit log.
--
-- One function writes it, in the caller's own transaction: a change and its entry are committed or rolled back
-- together. A refused attempt is written in a transaction of its own, after the refused transaction has ended.
--
-- Events without a tenant (changes of the provider catalogue, new tenants) go to the deployment's chain, whose
-- tenant_id is the nil UUID (RFC 9562, 5.9). No tenant can have that id, so a transaction of the deployment sees no
-- tenant's rows, and the same function, policy and verifier serve both kinds of chain. NULL would not work: NULL equals
-- no setting. A second table would duplicate everything.
--
-- Concurrent writers. An entry takes its number and the previous hash from the tenant's head row, which the writer
-- locks until its transaction ends. So entries are committed in order and without a gap: after reading entry n, a
-- reader never finds a new entry below n. Write the entry as the last statement of a transaction: the tenant's other
-- writers wait for everything that comes after it.

CREATE TABLE audit_log_heads (
    tenant_id uuid PRIMARY KEY,
    entries bigint NOT NULL,
    head bytea NOT NULL,
    tenant uuid GENERATED ALWAYS AS (nullif(tenant_id, '00000000-0000-0000-0000-000000000000')) STORED
    REFERENCES tenants (tenant_id)
);
COMMENT ON TABLE audit_log_heads IS
'The end of each chain of the audit log. It reveals that the newest entries were removed.';
COMMENT ON COLUMN audit_log_heads.tenant_id IS 'A tenant''s id, or the nil UUID for the deployment.';
COMMENT ON COLUMN audit_log_heads.entries IS 'The number of entries in the chain.';
COMMENT ON COLUMN audit_log_heads.head IS 'The newest entry''s hash.';
COMMENT ON COLUMN audit_log_heads.tenant IS
'The tenant''s id, NULL for the deployment: a chain belongs to an existing tenant, and a tenant that has a chain '
'cannot be deleted.';

CREATE TABLE audit_log (
    tenant_id uuid NOT NULL REFERENCES audit_log_heads (tenant_id),
    entry bigint NOT NULL CHECK (entry > 0),
    at timestamptz NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'machine', 'system')),
    actor text COLLATE "C",
    actor_role text COLLATE "C",
    action text COLLATE "C" NOT NULL CHECK (action ~ '^[a-z][a-z_]*[.][a-z][a-z_]*$'),
    object_kind text COLLATE "C" NOT NULL,
    object_id text COLLATE "C",
    outcome text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    before jsonb,
    after jsonb,
    source_ip text,
    request_id text,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, entry)
);
COMMENT ON TABLE audit_log IS
'The audit log: who did what to which object, from where, with which outcome. Append-only, one hash chain per tenant. '
'Events without a tenant (changes of the provider catalogue, new tenants) are in the deployment''s chain, whose '
'tenant_id is the nil UUID.';
COMMENT ON COLUMN audit_log.tenant_id IS 'The chain: a tenant''s id, or the nil UUID for the deployment.';
COMMENT ON COLUMN audit_log.entry IS 'The entry''s position in its chain: 1, 2, 3, without a gap.';
COMMENT ON COLUMN audit_log.at IS
'The time of the entry. It was read while the head row was locked, so times are in the order of entries (within the '
'precision of the server''s clock).';
COMMENT ON COLUMN audit_log.actor_kind IS
'The kind of caller: a person, a machine (an API key), or the system (a job).';
COMMENT ON COLUMN audit_log.actor IS
'A person''s subject, an API key''s id or a job''s name. NULL if a refused caller was not authenticated.';
COMMENT ON COLUMN audit_log.actor_role IS 'The caller''s role at that time.';
COMMENT ON COLUMN audit_log.action IS 'The action as noun and verb: connection.created.';
COMMENT ON COLUMN audit_log.object_kind IS 'The kind of object: connection.';
COMMENT ON COLUMN audit_log.object_id IS 'The object''s id, as text. NULL if the action has no single object.';
COMMENT ON COLUMN audit_log.outcome IS
'refused: the caller may not do it, and nothing was changed. failed: it was tried without success.';
COMMENT ON COLUMN audit_log.before IS 'The object''s fields before the change. Secrets are fingerprints.';
COMMENT ON COLUMN audit_log.after IS
'The object''s fields after the change, or details of the attempt. Secrets are fingerprints.';
COMMENT ON COLUMN audit_log.previous_hash IS 'The hash of the previous entry; empty for the first.';
COMMENT ON COLUMN audit_log.hash IS
'SHA-256 over the previous hash and this entry: changing, removing or inserting an entry breaks the chain.';

CREATE INDEX audit_log_action ON audit_log (tenant_id, action, entry);
COMMENT ON INDEX audit_log_action IS 'Finds the newest entries of an action.';
CREATE INDEX audit_log_actor ON audit_log (tenant_id, actor, entry);
COMMENT ON INDEX audit_log_actor IS 'Finds the newest entries of an actor.';
CREATE INDEX audit_log_object ON audit_log (tenant_id, object_kind, object_id, entry);
COMMENT ON INDEX audit_log_object IS 'Finds the newest entries about an object.';
CREATE INDEX audit_log_at ON audit_log (tenant_id, at);
COMMENT ON INDEX audit_log_at IS 'Finds the entries of a time.';

CREATE FUNCTION audit_log_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op
        USING ERRCODE = 'CW001', HINT = 'Correct a mistake with a new entry.';
END $$;
COMMENT ON FUNCTION audit_log_refuse_change IS 'Raises CW001: the table is append-only.';

CREATE TRIGGER audit_log_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse_change();
COMMENT ON TRIGGER audit_log_append_only ON audit_log IS
'No role has the privilege to change or remove an entry, and this trigger stops even the table''s owner.';

CREATE TRIGGER audit_log_heads_stay
BEFORE DELETE OR TRUNCATE ON audit_log_heads
FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse_change();
COMMENT ON TRIGGER audit_log_heads_stay ON audit_log_heads IS 'A chain''s head cannot be removed.';

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_log_own ON audit_log FOR SELECT TO causeway_hub USING (tenant_id = current_tenant());
CREATE POLICY audit_log_audit ON audit_log FOR SELECT TO causeway_auditor USING (true);
CREATE POLICY audit_log_append ON audit_log FOR INSERT TO causeway_auditlog WITH CHECK (tenant_id = current_tenant());
GRANT SELECT ON audit_log TO causeway_hub, causeway_auditor;
GRANT INSERT ON audit_log TO causeway_auditlog;

ALTER TABLE audit_log_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_log_heads_audit ON audit_log_heads FOR SELECT TO causeway_auditor USING (true);
CREATE POLICY audit_log_heads_read ON audit_log_heads FOR SELECT TO causeway_auditlog
USING (tenant_id = current_tenant());
CREATE POLICY audit_log_heads_begin ON audit_log_heads FOR INSERT TO causeway_auditlog
WITH CHECK (tenant_id = current_tenant());
CREATE POLICY audit_log_heads_move ON audit_log_heads FOR UPDATE TO causeway_auditlog
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
GRANT SELECT ON audit_log_heads TO causeway_auditor, causeway_auditlog;
GRANT INSERT (tenant_id, entries, head), UPDATE (entries, head) ON audit_log_heads TO causeway_auditlog;

CREATE TABLE audit_refusals (
    tenant_id uuid NOT NULL,
    attempt bytea NOT NULL,
    written_at timestamptz,
    counted bigint NOT NULL DEFAULT 0 CHECK (counted >= 0),
    PRIMARY KEY (tenant_id, attempt)
);
COMMENT ON TABLE audit_refusals IS
'Equal refused attempts: the same actor, action, object and route. In five minutes one of them is written to the '
'chain, the others are only counted here. Otherwise a caller with few rights could fill the chain, and make all '
'changes of the tenant wait for its head row.';
COMMENT ON COLUMN audit_refusals.tenant_id IS 'A tenant''s id, or the nil UUID for the deployment.';
COMMENT ON COLUMN audit_refusals.attempt IS 'SHA-256 of the fields that make attempts equal.';
COMMENT ON COLUMN audit_refusals.written_at IS
'The time of the last attempt that was written to the chain. NULL until its transaction writes it.';
COMMENT ON COLUMN audit_refusals.counted IS
'The number of attempts since then that were only counted. The next entry states it as alsoRefused.';

ALTER TABLE audit_refusals ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_refusals FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_refusals_read ON audit_refusals FOR SELECT TO causeway_auditlog
USING (tenant_id = current_tenant());
CREATE POLICY audit_refusals_begin ON audit_refusals FOR INSERT TO causeway_auditlog
WITH CHECK (tenant_id = current_tenant());
CREATE POLICY audit_refusals_count ON audit_refusals FOR UPDATE TO causeway_auditlog
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
GRANT SELECT, INSERT (tenant_id, attempt), UPDATE (written_at, counted) ON audit_refusals TO causeway_auditlog;

CREATE FUNCTION audit_refusal_due(p_tenant uuid, p_attempt jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_attempt bytea := sha256(convert_to(p_attempt::text, 'UTF8'));
    v_refusal audit_refusals;
BEGIN
    INSERT INTO audit_refusals AS r (tenant_id, attempt) VALUES (p_tenant, v_attempt)
    ON CONFLICT (tenant_id, attempt) DO UPDATE SET counted = r.counted + 1
    RETURNING r.* INTO v_refusal;
    IF v_refusal.written_at > clock_timestamp() - interval '5 minutes' THEN
        RETURN NULL;
    END IF;
    UPDATE audit_refusals SET written_at = clock_timestamp(), counted = 0
    WHERE tenant_id = p_tenant AND attempt = v_attempt;
    RETURN greatest(v_refusal.counted - 1, 0);
END $$;
COMMENT ON FUNCTION audit_refusal_due IS
'Counts a refused attempt. If the attempt must be written to the chain, returns how many equal attempts were only '
'counted since the last one written; otherwise NULL.';

-- The hash is SHA-256 over the previous entry's hash and the UTF-8 bytes of a JSON array of the columns as texts, in the
-- order below, NULL as null, the time in UTC with microseconds. The verifier computes it again from the columns.
CREATE FUNCTION audit_append_v1(
    p_actor_kind text, p_actor text, p_actor_role text, p_action text, p_object_kind text, p_object_id text,
    p_outcome text, p_before jsonb, p_after jsonb, p_source_ip text, p_request_id text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant uuid := current_tenant();
    v_head audit_log_heads;
    v_at timestamptz;
    v_hash bytea;
    v_also_refused bigint;
BEGIN
    IF v_tenant IS NULL THEN
        RAISE EXCEPTION 'an audit entry needs a tenant, and the transaction has not set it' USING ERRCODE = 'CW008';
    END IF;
    IF p_outcome = 'refused' THEN
        v_also_refused := audit_refusal_due(v_tenant, jsonb_build_array(
            p_actor_kind, p_actor, p_action, p_object_kind, p_object_id, p_after ->> 'route'
        ));
        IF v_also_refused IS NULL THEN
            RETURN NULL;
        ELSIF v_also_refused > 0 THEN
            p_after := coalesce(p_after, '{}') || jsonb_build_object('alsoRefused', v_also_refused);
        END IF;
    END IF;
    INSERT INTO audit_log_heads AS h (tenant_id, entries, head) VALUES (v_tenant, 1, '')
    ON CONFLICT (tenant_id) DO UPDATE SET entries = h.entries + 1
    RETURNING h.* INTO v_head;
    v_at := clock_timestamp();
    v_hash := sha256(v_head.head || convert_to(jsonb_build_array(
        v_tenant::text, v_head.entries::text, to_char(v_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        p_actor_kind, p_actor, p_actor_role, p_action, p_object_kind, p_object_id, p_outcome,
        p_before::text, p_after::text, p_source_ip, p_request_id
    )::text, 'UTF8'));
    INSERT INTO audit_log (
        tenant_id, entry, at, actor_kind, actor, actor_role, action, object_kind, object_id, outcome, before, after,
        source_ip, request_id, previous_hash, hash
    ) VALUES (
        v_tenant, v_head.entries, v_at, p_actor_kind, p_actor, p_actor_role, p_action, p_object_kind, p_object_id,
        p_outcome, p_before, p_after, p_source_ip, p_request_id, v_head.head, v_hash
    );
    UPDATE audit_log_heads SET head = v_hash WHERE tenant_id = v_tenant;
    RETURN v_head.entries;
END $$;
COMMENT ON FUNCTION audit_append_v1 IS
'Appends an entry to the chain of the transaction''s tenant, and returns its number. Returns NULL without appending if '
'the entry is a refused attempt and an equal one was written in the last five minutes.';

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

REVOKE ALL ON FUNCTION audit_append_v1, audit_append_launch_v1, audit_refusal_due FROM public;
GRANT CREATE ON SCHEMA public TO causeway_auditlog;
ALTER FUNCTION audit_append_v1 OWNER TO causeway_auditlog;
ALTER FUNCTION audit_append_launch_v1 OWNER TO causeway_auditlog;
ALTER FUNCTION audit_refusal_due OWNER TO causeway_auditlog;
REVOKE CREATE ON SCHEMA public FROM causeway_auditlog;
GRANT EXECUTE ON FUNCTION audit_append_v1 TO causeway_hub;
GRANT EXECUTE ON FUNCTION audit_append_launch_v1 TO causeway_casino;
