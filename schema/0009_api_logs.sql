-- The log of calls to platforms, partitioned by time: a month of calls, or a day of their bodies, is dropped as a whole.
--
-- The partitions are tables of the schema partitions. No login may use that schema, so a partition is reached through
-- its parent only, under the parent's grants and policies. They are made ahead. A row without a partition of its time
-- goes to the default partition: no call fails, and no row is lost, while nothing makes partitions.

-- No foreign key to integration_connections: a call is a fact of the past, which outlives its connection. A key would
-- also lock the connection's row with each call, and the whole table with each new partition. The policy for INSERT
-- compares the connection instead.
CREATE TABLE integration_api_logs (
    tenant_id uuid NOT NULL,
    log_id bigint GENERATED ALWAYS AS IDENTITY CHECK (log_id > 0),
    connection_id uuid NOT NULL,
    method text NOT NULL,
    url text NOT NULL,
    status bigint,
    milliseconds bigint NOT NULL CHECK (milliseconds >= 0),
    error text,
    request_id text NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'machine', 'system')),
    actor text NOT NULL,
    source_ip text,
    credential_version bigint,
    purpose text NOT NULL DEFAULT 'interactive'
    CHECK (purpose IN ('interactive', 'payment', 'message', 'sync', 'health', 'webhook')),
    attempt bigint NOT NULL DEFAULT 1 CHECK (attempt > 0),
    attempts bigint NOT NULL DEFAULT 1,
    platform_failed boolean,
    platform_request_id text,
    run_id uuid,
    event_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, created_at, log_id),
    CONSTRAINT integration_api_logs_attempt CHECK (attempt <= attempts)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE integration_api_logs IS
'The log of calls: one row per attempt of a call to a provider. URLs are redacted before they are stored.';
COMMENT ON COLUMN integration_api_logs.connection_id IS
'The connection at the time of the call. The call is kept when the connection is deleted, or gets another key.';
COMMENT ON COLUMN integration_api_logs.log_id IS 'The row''s number. A later row has a higher one.';
COMMENT ON COLUMN integration_api_logs.method IS 'The HTTP method.';
COMMENT ON COLUMN integration_api_logs.url IS 'The redacted URL.';
COMMENT ON COLUMN integration_api_logs.status IS 'The HTTP status of the answer. NULL: there was no answer.';
COMMENT ON COLUMN integration_api_logs.milliseconds IS 'How long the attempt took.';
COMMENT ON COLUMN integration_api_logs.error IS
'The name of the failure, such as TimedOut. NULL: there was an answer.';
COMMENT ON COLUMN integration_api_logs.actor_kind IS
'The kind of user of the credential: a person, a machine (an API key), or the system (a job).';
COMMENT ON COLUMN integration_api_logs.actor IS
'A person''s subject, an API key''s id or a job''s name. A job has no source_ip.';
COMMENT ON COLUMN integration_api_logs.credential_version IS
'The version of the credential that was used. NULL: a candidate that was tested and is not stored.';
COMMENT ON COLUMN integration_api_logs.purpose IS
'What the call was made for. Payments and messages may use the part of a rate limit that is reserved for them.';
COMMENT ON COLUMN integration_api_logs.attempt IS 'The number of the attempt in its call.';
COMMENT ON COLUMN integration_api_logs.attempts IS 'How many attempts the call made.';
COMMENT ON COLUMN integration_api_logs.platform_failed IS
'Whether the attempt shows a fault of the platform: the circuit breaker counts these. NULL: it shows nothing of the '
'connection, as nothing was sent to the platform itself, or with other secrets or settings than the connection''s.';
COMMENT ON CONSTRAINT integration_api_logs_attempt ON integration_api_logs IS
'A call has as many attempts as its last one is numbered.';
COMMENT ON COLUMN integration_api_logs.platform_request_id IS
'The platform''s own id of the request, for its support. NULL: its answer had none.';
COMMENT ON COLUMN integration_api_logs.run_id IS 'The sync''s run that made the call. NULL: no run.';
COMMENT ON COLUMN integration_api_logs.event_id IS 'The event that caused the call. NULL: no event.';
CREATE INDEX integration_api_logs_page ON integration_api_logs (tenant_id, connection_id, created_at, log_id);
COMMENT ON INDEX integration_api_logs_page IS 'Pages of a connection''s calls, newest first.';
CREATE INDEX integration_api_logs_entry ON integration_api_logs (tenant_id, log_id);
COMMENT ON INDEX integration_api_logs_entry IS 'Finds a call by its number.';
CREATE INDEX integration_api_logs_request ON integration_api_logs (tenant_id, request_id);
COMMENT ON INDEX integration_api_logs_request IS 'Finds the calls of a request.';
-- Few calls fail, so these three are small.
CREATE INDEX integration_api_logs_status ON integration_api_logs (tenant_id, connection_id, created_at, log_id)
WHERE status >= 300;
COMMENT ON INDEX integration_api_logs_status IS
'Pages of a connection''s calls that were answered otherwise than 2xx, newest first.';
CREATE INDEX integration_api_logs_failed ON integration_api_logs (tenant_id, created_at, log_id)
WHERE error IS NOT NULL;
COMMENT ON INDEX integration_api_logs_failed IS 'Pages of a tenant''s failed calls, newest first.';
CREATE INDEX integration_api_logs_failure ON integration_api_logs (tenant_id, connection_id, error, created_at, log_id)
WHERE error IS NOT NULL;
COMMENT ON INDEX integration_api_logs_failure IS 'Pages of a connection''s calls with one kind of failure, newest first.';

-- No foreign key to integration_api_logs: a day of bodies is dropped long before the month of their calls.
CREATE TABLE integration_api_log_bodies (
    tenant_id uuid NOT NULL,
    log_id bigint NOT NULL,
    request_body text NOT NULL,
    response_body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, created_at, log_id)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE integration_api_log_bodies IS
'The bodies of the calls in integration_api_logs, redacted before they are stored. They have a table of their own '
'because they are kept for a shorter time.';
COMMENT ON COLUMN integration_api_log_bodies.log_id IS 'The call, a row of integration_api_logs.';
COMMENT ON COLUMN integration_api_log_bodies.request_body IS 'The redacted body that we sent. Empty: none.';
COMMENT ON COLUMN integration_api_log_bodies.response_body IS 'The redacted body that the platform answered. Empty: none.';
COMMENT ON COLUMN integration_api_log_bodies.created_at IS
'The same time as the call''s, because both rows are inserted in one transaction: the key of the call finds its bodies.';

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['integration_api_logs', 'integration_api_log_bodies'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_hub USING (tenant_id = current_tenant())',
            v_table || '_own', v_table);
    END LOOP;
END $$;

-- A call belongs to a connection of its tenant.
CREATE POLICY integration_api_logs_add ON integration_api_logs FOR INSERT TO causeway_hub WITH CHECK (
    tenant_id = current_tenant() AND EXISTS (
        SELECT FROM integration_connections AS c
        WHERE c.tenant_id = integration_api_logs.tenant_id AND c.connection_id = integration_api_logs.connection_id
    )
);
COMMENT ON POLICY integration_api_logs_add ON integration_api_logs IS
'A tenant logs calls of its own connections only.';
CREATE POLICY integration_api_log_bodies_add ON integration_api_log_bodies FOR INSERT TO causeway_hub
WITH CHECK (tenant_id = current_tenant());
GRANT SELECT ON integration_api_logs, integration_api_log_bodies TO causeway_hub;
-- Not created_at and log_id of a call: no call can be backdated, and none is stored outside today's partitions.
GRANT INSERT (
    tenant_id, connection_id, method, url, status, milliseconds, error, request_id, actor_kind, actor, source_ip,
    credential_version, purpose, attempt, attempts, platform_request_id, run_id, event_id, platform_failed
) ON integration_api_logs TO causeway_hub;
GRANT INSERT (tenant_id, log_id, request_body, response_body) ON integration_api_log_bodies TO causeway_hub;

-- Only the owner of a table can give it partitions. It needs no right to the rows.
CREATE SCHEMA partitions AUTHORIZATION causeway_partitioner;
COMMENT ON SCHEMA partitions IS 'The partitions of the tables in public.';
GRANT CREATE ON SCHEMA public TO causeway_partitioner;
ALTER TABLE integration_api_logs OWNER TO causeway_partitioner;
ALTER TABLE integration_api_log_bodies OWNER TO causeway_partitioner;
REVOKE ALL ON integration_api_logs, integration_api_log_bodies FROM causeway_partitioner;

-- A row without a partition of its time. A new partition copies the columns of the default one: its owner may read it, but
-- row-level security shows no row to it.
CREATE TABLE partitions.integration_api_logs_default PARTITION OF integration_api_logs DEFAULT;
CREATE TABLE partitions.integration_api_log_bodies_default PARTITION OF integration_api_log_bodies DEFAULT;
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['integration_api_logs_default', 'integration_api_log_bodies_default'] LOOP
        EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE partitions.%I OWNER TO causeway_partitioner', v_table);
        EXECUTE format('REVOKE ALL ON partitions.%I FROM causeway_partitioner', v_table);
        EXECUTE format('GRANT SELECT ON partitions.%I TO causeway_partitioner', v_table);
    END LOOP;
END $$;

-- Postgres prints a bound in the session's time zone and style, so both are set.
CREATE FUNCTION partition_ranges(p_table text) RETURNS TABLE (lower timestamptz, upper timestamptz)
LANGUAGE sql STABLE SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
BEGIN ATOMIC
    SELECT b.bound[1]::timestamptz, b.bound[2]::timestamptz
    FROM pg_inherits AS i
    INNER JOIN pg_class AS c ON c.oid = i.inhrelid
    -- The default partition's expression does not match.
    CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid), '^FOR VALUES FROM \(''(.*)''\) TO \(''(.*)''\)$')
        AS b (bound)
    WHERE i.inhparent = p_table::regclass AND b.bound IS NOT NULL;
END;
COMMENT ON FUNCTION partition_ranges IS 'The times of a table''s partitions, without the default one.';

CREATE FUNCTION partition_table_make(p_table text, p_partition text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TABLE partitions.%I (LIKE partitions.%I INCLUDING CONSTRAINTS)', p_partition, p_table || '_default');
    -- Of partition_default_replace.
    EXECUTE format('ALTER TABLE partitions.%I DROP CONSTRAINT IF EXISTS gap', p_partition);
    EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', p_partition);
    EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', p_partition);
    EXECUTE format('REVOKE ALL ON partitions.%I FROM causeway_partitioner', p_partition);
END $$;
COMMENT ON FUNCTION partition_table_make IS 'Makes an empty table that can become a partition of a table.';

-- A partition is made as a table and then attached: unlike CREATE TABLE ... PARTITION OF, this locks only the default
-- partition against callers (https://www.postgresql.org/docs/current/sql-altertable.html, ATTACH PARTITION).
CREATE FUNCTION partition_add(p_table text, p_partition text, p_from timestamptz, p_to timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM partition_table_make(p_table, p_partition);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO (%L)', p_table, p_partition, p_from, p_to);
    RETURN true;
EXCEPTION
    WHEN check_violation THEN RETURN false;
END $$;
COMMENT ON FUNCTION partition_add IS
'Gives a table a partition from a time to a time. Returns false without a change if a row of this time has meanwhile come '
'into the default partition.';

CREATE FUNCTION partition_gap(p_table text, p_unit text, OUT lower timestamptz, OUT upper timestamptz)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM partition_ranges(p_table) AS r WHERE r.lower <= now() AND now() < r.upper) THEN
        SELECT max(r.lower) INTO upper FROM partition_ranges(p_table) AS r
        WHERE r.lower <= now() AND NOT EXISTS (SELECT FROM partition_ranges(p_table) AS b WHERE b.upper = r.lower);
    ELSE
        -- The next unit too: rows of the present still come in until the gap is closed.
        SELECT least(
            min(r.lower), (date_trunc(p_unit, now() AT TIME ZONE 'UTC') + 2 * ('1 ' || p_unit)::interval) AT TIME ZONE 'UTC'
        ) INTO upper FROM partition_ranges(p_table) AS r WHERE r.lower > now();
    END IF;
    SELECT coalesce(max(r.upper), '-infinity') INTO lower FROM partition_ranges(p_table) AS r WHERE r.upper < partition_gap.upper;
END $$;
COMMENT ON FUNCTION partition_gap IS
'The last time up to the present that has no partition: rows of this time are in the default partition. upper = lower: '
'there is no such time.';

-- No row is moved: the default partition becomes the partition of the gap. Attaching reads all rows of a table while
-- callers wait, unless a valid CHECK says that all are in the range. VALIDATE reads them too, but callers go on meanwhile
-- (https://www.postgresql.org/docs/current/sql-altertable.html). So there are three steps, each in a short transaction of
-- its own or without a lock against callers. What was done is seen in the catalogue: a later call goes on.
CREATE FUNCTION partition_default_replace(p_table text, p_unit text) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_default text := p_table || '_default';
    v_next text := p_table || '_next';
    v_gap record;
    v_closed text;
    v_valid boolean;
BEGIN
    SELECT * INTO v_gap FROM partition_gap(p_table, p_unit);
    IF pg_relation_size(format('partitions.%I', v_default)) = 0 OR v_gap.lower >= v_gap.upper THEN
        RETURN NULL;
    END IF;
    SELECT convalidated INTO v_valid FROM pg_constraint
    WHERE conrelid = format('partitions.%I', v_default)::regclass AND conname = 'gap';
    IF v_valid IS NULL THEN
        EXECUTE format('ALTER TABLE partitions.%I ADD CONSTRAINT gap CHECK (created_at >= %L AND created_at < %L) NOT VALID',
            v_default, v_gap.lower, v_gap.upper);
        RETURN 'limited';
    END IF;
    IF NOT v_valid THEN
        BEGIN
            EXECUTE format('ALTER TABLE partitions.%I VALIDATE CONSTRAINT gap', v_default);
            RETURN 'checked';
        EXCEPTION
            WHEN check_violation OR query_canceled THEN
                -- Left there, it would refuse rows after the gap.
                EXECUTE format('ALTER TABLE partitions.%I DROP CONSTRAINT gap', v_default);
                RETURN 'refused';
        END;
    END IF;
    v_closed := p_table || to_char(v_gap.upper AT TIME ZONE 'UTC', '_"until"_YYYY_MM_DD');
    PERFORM partition_table_make(p_table, v_next);
    EXECUTE format('ALTER TABLE %I DETACH PARTITION partitions.%I', p_table, v_default);
    EXECUTE format('ALTER TABLE partitions.%I RENAME TO %I', v_default, v_closed);
    EXECUTE format('ALTER TABLE partitions.%I RENAME TO %I', v_next, v_default);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO (%L)',
        p_table, v_closed, v_gap.lower, v_gap.upper);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION partitions.%I DEFAULT', p_table, v_default);
    EXECUTE format('ALTER TABLE partitions.%I DROP CONSTRAINT gap', v_closed);
    EXECUTE format('REVOKE ALL ON partitions.%I FROM causeway_partitioner', v_closed);
    EXECUTE format('GRANT SELECT ON partitions.%I TO causeway_partitioner', v_default);
    RETURN 'replaced';
END $$;
COMMENT ON FUNCTION partition_default_replace IS
'Does the next step to make a default partition with rows the partition of their time, with a new default partition in '
'its place. Returns the step: limited, checked, replaced; refused: it has rows of another time, or too many for the time '
'limit; NULL: it has no rows.';

CREATE FUNCTION partitions_step_v1(OUT table_name text, OUT step text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_now timestamp := now() AT TIME ZONE 'UTC';
    v_parent record;
    v_from timestamp;
BEGIN
    -- One call at a time: two would wait for each other's tables. The other keys are players, which are positive.
    PERFORM pg_advisory_xact_lock(-1);
    FOR v_parent IN
        SELECT * FROM (VALUES
            ('integration_api_logs', 'month', '_YYYY_MM', interval '1 month', interval '2 months'),
            ('integration_api_log_bodies', 'day', '_YYYY_MM_DD', interval '1 day', interval '7 days')
        ) AS p (name, unit, suffix, span, ahead)
    LOOP
        table_name := v_parent.name;
        step := partition_default_replace(v_parent.name, v_parent.unit);
        IF step IS NOT NULL THEN
            RETURN;
        END IF;
        SELECT u.at INTO v_from
        FROM generate_series(date_trunc(v_parent.unit, v_now), v_now + v_parent.ahead, v_parent.span) AS u (at)
        WHERE NOT EXISTS (
            SELECT FROM partition_ranges(v_parent.name) AS r
            WHERE r.lower <= u.at AT TIME ZONE 'UTC' AND u.at AT TIME ZONE 'UTC' < r.upper
        )
        ORDER BY u.at LIMIT 1;
        IF v_from IS NOT NULL THEN
            step := CASE WHEN partition_add(
                v_parent.name, v_parent.name || to_char(v_from, v_parent.suffix),
                v_from AT TIME ZONE 'UTC', (v_from + v_parent.span) AT TIME ZONE 'UTC'
            ) THEN 'made' ELSE 'overtaken' END;
            RETURN;
        END IF;
    END LOOP;
    table_name := NULL;
END $$;
COMMENT ON FUNCTION partitions_step_v1 IS
'Does the next step to the partitions of the present and of the time ahead (UTC): two months of calls, seven days of '
'bodies. Returns the table and the step: made (a partition), overtaken (a row came into the default partition meanwhile), '
'or one of partition_default_replace. NULL: nothing is missing.';

CREATE FUNCTION partitions_limits_v1() RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    -- Callers queue behind a step that waits for a lock. Their own lock_timeout is 1.5 s.
    PERFORM set_config('lock_timeout', '200ms', true);
    -- Reading a default partition with many rows takes long.
    PERFORM set_config('statement_timeout', '60s', true);
END $$;
COMMENT ON FUNCTION partitions_limits_v1 IS
'Sets the time limits of a transaction that calls partitions_step_v1 in its next statement.';

REVOKE ALL ON FUNCTION partition_ranges, partition_table_make, partition_add, partition_gap, partition_default_replace,
partitions_step_v1, partitions_limits_v1 FROM public;
ALTER FUNCTION partition_ranges OWNER TO causeway_partitioner;
ALTER FUNCTION partition_table_make OWNER TO causeway_partitioner;
ALTER FUNCTION partition_add OWNER TO causeway_partitioner;
ALTER FUNCTION partition_gap OWNER TO causeway_partitioner;
ALTER FUNCTION partition_default_replace OWNER TO causeway_partitioner;
ALTER FUNCTION partitions_step_v1 OWNER TO causeway_partitioner;
REVOKE CREATE ON SCHEMA public FROM causeway_partitioner;
GRANT EXECUTE ON FUNCTION partitions_step_v1, partitions_limits_v1 TO causeway_hub;

DO $$
BEGIN
    WHILE (SELECT step IS NOT NULL FROM partitions_step_v1()) LOOP
    END LOOP;
END $$;
