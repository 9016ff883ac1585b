-- Syncs go through a queue. The run's row is committed first and queued after. The queue only speeds things up: the
-- sweeper finds runs that the queue lost in this table, and queues them again.

ALTER TABLE sync_runs
ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now(),
ADD COLUMN started_at timestamptz,
ADD COLUMN attempts bigint NOT NULL DEFAULT 0,
ADD COLUMN leased_until timestamptz;
COMMENT ON COLUMN sync_runs.queued_at IS 'The time of the last message to the queue.';
COMMENT ON COLUMN sync_runs.started_at IS 'The start of the last attempt.';
COMMENT ON COLUMN sync_runs.attempts IS
'The number of attempts. The worker that finishes a run names its attempt: an attempt that lost its lease cannot '
'finish it.';
COMMENT ON COLUMN sync_runs.leased_until IS 'The end of the running attempt''s lease.';

-- All runs so far are finished.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE sync_runs ADD CONSTRAINT sync_runs_lease CHECK ((status = 'running') = (leased_until IS NOT NULL));
COMMENT ON CONSTRAINT sync_runs_lease ON sync_runs IS
'A running run has a lease: without one the sweeper would never find it.';

-- There are few rows to check.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX sync_runs_one_open ON sync_runs (tenant_id, connection_id) WHERE status IN ('queued', 'running');
COMMENT ON INDEX sync_runs_one_open IS
'A connection has at most one open run: two triggers at the same time make one run.';

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX sync_runs_page ON sync_runs (tenant_id, connection_id, requested_at DESC, run_id DESC);
COMMENT ON INDEX sync_runs_page IS 'Pages of a connection''s runs, newest first.';

GRANT UPDATE (queued_at, started_at, attempts, leased_until) ON sync_runs TO causeway_hub;

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
