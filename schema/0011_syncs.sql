-- Syncs. A sync goes through a queue: its run's row is committed first and queued after. The queue only speeds things
-- up: the sweeper finds runs that the queue lost in this table, and queues them again.

CREATE TABLE sync_runs (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL DEFAULT gen_random_uuid(),
    connection_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'partial', 'failed')),
    reason text,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    queued_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    attempts bigint NOT NULL DEFAULT 0,
    leased_until timestamptz,
    PRIMARY KEY (tenant_id, run_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections,
    CONSTRAINT sync_runs_lease CHECK ((status = 'running') = (leased_until IS NOT NULL))
);
COMMENT ON TABLE sync_runs IS 'Requested syncs and their results.';
COMMENT ON COLUMN sync_runs.run_id IS 'The run''s id.';
COMMENT ON COLUMN sync_runs.status IS
'queued -> running -> succeeded, partial (some records were not stored) or failed.';
COMMENT ON COLUMN sync_runs.reason IS 'Why the run was partial or failed.';
COMMENT ON COLUMN sync_runs.requested_by IS 'The person''s subject or the API key''s id.';
COMMENT ON COLUMN sync_runs.requested_at IS 'When the sync was requested.';
COMMENT ON COLUMN sync_runs.ended_at IS 'When the run ended. NULL: it has not.';
COMMENT ON COLUMN sync_runs.queued_at IS 'The time of the last message to the queue.';
COMMENT ON COLUMN sync_runs.started_at IS 'The start of the last attempt.';
COMMENT ON COLUMN sync_runs.attempts IS
'The number of attempts. The worker that finishes a run names its attempt: an attempt that lost its lease cannot '
'finish it.';
COMMENT ON COLUMN sync_runs.leased_until IS 'The end of the running attempt''s lease.';
COMMENT ON CONSTRAINT sync_runs_lease ON sync_runs IS
'A running run has a lease: without one the sweeper would never find it.';
CREATE UNIQUE INDEX sync_runs_one_open ON sync_runs (tenant_id, connection_id) WHERE status IN ('queued', 'running');
COMMENT ON INDEX sync_runs_one_open IS
'A connection has at most one open run: two triggers at the same time make one run.';
CREATE INDEX sync_runs_page ON sync_runs (tenant_id, connection_id, requested_at DESC, run_id DESC);
COMMENT ON INDEX sync_runs_page IS 'Pages of a connection''s runs, newest first.';

ALTER TABLE sync_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY sync_runs_own ON sync_runs FOR SELECT TO causeway_hub USING (tenant_id = current_tenant());
CREATE POLICY sync_runs_add ON sync_runs FOR INSERT TO causeway_hub WITH CHECK (tenant_id = current_tenant());
CREATE POLICY sync_runs_change ON sync_runs FOR UPDATE TO causeway_hub
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
GRANT SELECT, INSERT ON sync_runs TO causeway_hub;
GRANT UPDATE (status, reason, ended_at, queued_at, started_at, attempts, leased_until) ON sync_runs TO causeway_hub;

-- The sweeper must look across tenants, and may read only which runs wait and since when.
GRANT SELECT (tenant_id, run_id, status, queued_at, leased_until) ON sync_runs TO causeway_keeper;
CREATE POLICY sync_runs_due ON sync_runs FOR SELECT TO causeway_keeper USING (true);

CREATE FUNCTION sync_runs_due_v1(p_age interval) RETURNS TABLE (tenant_id uuid, run_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT r.tenant_id, r.run_id
    FROM sync_runs AS r
    WHERE r.status IN ('queued', 'running')
        AND ((r.status = 'queued' AND r.queued_at < now() - p_age) OR (r.status = 'running' AND r.leased_until < now()))
    ORDER BY r.queued_at, r.tenant_id, r.run_id;
END;
COMMENT ON FUNCTION sync_runs_due_v1 IS
'Runs that have been queued for longer than p_age, and running runs whose lease has expired.';

REVOKE ALL ON FUNCTION sync_runs_due_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION sync_runs_due_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION sync_runs_due_v1 TO causeway_hub;
