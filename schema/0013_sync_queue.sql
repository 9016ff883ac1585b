-- Syncs go through a queue. A run's row is committed first and queued after: the queue only hurries what stands here,
-- and what it loses is found here and queued again.

ALTER TABLE sync_runs
-- When it was last put into the queue.
ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now(),
-- When its last attempt began.
ADD COLUMN started_at timestamptz,
-- How often it was begun. Who ends a run names his attempt: one that was given up for dead ends nothing any more.
ADD COLUMN attempts bigint NOT NULL DEFAULT 0,
-- Until when the running attempt can be alive.
ADD COLUMN leased_until timestamptz;

-- A run that has no lease is nobody's; one that runs without would never be found again. (All runs so far have ended.)
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE sync_runs ADD CONSTRAINT sync_runs_lease CHECK ((status = 'running') = (leased_until IS NOT NULL));

-- A connection's runs wait for each other: two triggers at once are one run. (There are few rows to be looked at.)
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX sync_runs_one_open ON sync_runs (tenant_id, connection_id) WHERE status IN ('queued', 'running');

-- Pages of a connection's runs, newest first.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX sync_runs_page ON sync_runs (tenant_id, connection_id, requested_at DESC, run_id DESC);

GRANT UPDATE (queued_at, started_at, attempts, leased_until) ON sync_runs TO causeway_hub;

-- The sweeper must look across tenants, and may see no more than which runs wait for how long.
GRANT SELECT (tenant_id, run_id, status, queued_at, leased_until) ON sync_runs TO causeway_keeper;
CREATE POLICY sync_runs_due ON sync_runs FOR SELECT TO causeway_keeper USING (true);

-- Runs that have been in the queue for longer than p_age, or whose attempt did not live to end them.
CREATE FUNCTION sync_runs_due_v1(p_age interval) RETURNS TABLE (tenant_id uuid, run_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT r.tenant_id, r.run_id
    FROM sync_runs AS r
    WHERE r.status IN ('queued', 'running')
        AND ((r.status = 'queued' AND r.queued_at < now() - p_age) OR (r.status = 'running' AND r.leased_until < now()))
    ORDER BY r.queued_at, r.tenant_id, r.run_id;
END;

REVOKE ALL ON FUNCTION sync_runs_due_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION sync_runs_due_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION sync_runs_due_v1 TO causeway_hub;
