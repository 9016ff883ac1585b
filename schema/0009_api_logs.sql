-- The log of calls to platforms, partitioned by time: a month of calls, or a day of their bodies, is dropped as a whole.
--
-- The partitions are tables of the schema partitions. No login may use that schema, so a partition is reached through
-- its parent only, under the parent's grants and policies. They are made ahead. A row without a partition of its time
-- goes to the default partition: no call fails, and no row is lost, while nothing makes partitions.

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
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, created_at, log_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE integration_api_logs IS
'The log of calls: one row per attempt of a call to a provider. URLs are redacted before they are stored.';
COMMENT ON COLUMN integration_api_logs.log_id IS 'The row''s number. A later row has a higher one.';
COMMENT ON COLUMN integration_api_logs.method IS 'The HTTP method.';
COMMENT ON COLUMN integration_api_logs.url IS 'The redacted URL.';
COMMENT ON COLUMN integration_api_logs.status IS 'The HTTP status of the answer. NULL: there was no answer.';
COMMENT ON COLUMN integration_api_logs.milliseconds IS 'How long the attempt took.';
COMMENT ON COLUMN integration_api_logs.error IS
'The name of the failure, such as ReadTimeout. NULL: there was an answer.';
COMMENT ON COLUMN integration_api_logs.actor_kind IS
'The kind of user of the credential: a person, a machine (an API key), or the system (a job).';
COMMENT ON COLUMN integration_api_logs.actor IS
'A person''s subject, an API key''s id or a job''s name. A job has no source_ip.';
COMMENT ON COLUMN integration_api_logs.credential_version IS
'The version of the credential that was used. NULL: a candidate that was tested and is not stored.';
CREATE INDEX integration_api_logs_page ON integration_api_logs (tenant_id, connection_id, created_at, log_id);
COMMENT ON INDEX integration_api_logs_page IS 'Pages of a connection''s calls, newest first.';
CREATE INDEX integration_api_logs_request ON integration_api_logs (tenant_id, request_id);
COMMENT ON INDEX integration_api_logs_request IS 'Finds the calls of a request.';
-- Few calls fail, so these two are small.
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
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO causeway_hub WITH CHECK (tenant_id = current_tenant())',
            v_table || '_add', v_table);
    END LOOP;
END $$;

GRANT SELECT ON integration_api_logs, integration_api_log_bodies TO causeway_hub;
-- Not created_at and log_id of a call: no call can be backdated, and none is stored outside today's partitions.
GRANT INSERT (
    tenant_id, connection_id, method, url, status, milliseconds, error, request_id, actor_kind, actor, source_ip,
    credential_version
) ON integration_api_logs TO causeway_hub;
GRANT INSERT (tenant_id, log_id, request_body, response_body) ON integration_api_log_bodies TO causeway_hub;

-- Only the owner of a table can give it partitions. The owner needs no right to the rows.
CREATE SCHEMA partitions AUTHORIZATION causeway_partitioner;
COMMENT ON SCHEMA partitions IS 'The partitions of the tables in public.';
GRANT CREATE ON SCHEMA public TO causeway_partitioner;
ALTER TABLE integration_api_logs OWNER TO causeway_partitioner;
ALTER TABLE integration_api_log_bodies OWNER TO causeway_partitioner;
REVOKE ALL ON integration_api_logs, integration_api_log_bodies FROM causeway_partitioner;

-- A row without a partition of its time. Making a partition copies the columns of the default one: it may read them, but
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

-- A partition is made as a table and then attached: unlike CREATE TABLE ... PARTITION OF, this lets callers read and
-- write the parent meanwhile (https://www.postgresql.org/docs/current/ddl-partitioning.html).
CREATE FUNCTION partition_add(p_table text, p_partition text, p_from timestamptz, p_to timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF to_regclass(format('partitions.%I', p_partition)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE partitions.%I (LIKE partitions.%I INCLUDING CONSTRAINTS)', p_partition, p_table || '_default');
    EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', p_partition);
    EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', p_partition);
    EXECUTE format('REVOKE ALL ON partitions.%I FROM causeway_partitioner', p_partition);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO (%L)', p_table, p_partition, p_from, p_to);
    RETURN true;
EXCEPTION
    -- Another call has made it meanwhile; or the default partition has rows of its time, and they stay there.
    WHEN duplicate_table OR unique_violation OR check_violation THEN
        RETURN false;
END $$;
COMMENT ON FUNCTION partition_add IS
'Gives a table a partition from a time to a time. Returns false without a change if the partition exists, or if the '
'default partition has rows of this time.';

CREATE FUNCTION partitions_make_v1(OUT made bigint, OUT overflowed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_now timestamp := now() AT TIME ZONE 'UTC';
    v_parent record;
    v_from timestamp;
BEGIN
    made := 0;
    overflowed := 0;
    FOR v_parent IN
        SELECT * FROM (VALUES
            ('integration_api_logs', 'month', '_YYYY_MM', interval '1 month', interval '2 months'),
            ('integration_api_log_bodies', 'day', '_YYYY_MM_DD', interval '1 day', interval '7 days')
        ) AS p (name, unit, suffix, span, ahead)
    LOOP
        FOR v_from IN SELECT generate_series(date_trunc(v_parent.unit, v_now), v_now + v_parent.ahead, v_parent.span) LOOP
            IF partition_add(
                v_parent.name, v_parent.name || to_char(v_from, v_parent.suffix),
                v_from AT TIME ZONE 'UTC', (v_from + v_parent.span) AT TIME ZONE 'UTC'
            ) THEN
                made := made + 1;
            END IF;
        END LOOP;
        IF pg_relation_size(format('partitions.%I', v_parent.name || '_default')) > 0 THEN
            overflowed := overflowed + 1;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION partitions_make_v1 IS
'Makes the partitions of the present and of the time ahead (UTC): two months of calls, seven days of bodies. Returns how '
'many were made, and how many tables have rows in their default partition.';

REVOKE ALL ON FUNCTION partition_add, partitions_make_v1 FROM public;
ALTER FUNCTION partition_add OWNER TO causeway_partitioner;
ALTER FUNCTION partitions_make_v1 OWNER TO causeway_partitioner;
REVOKE CREATE ON SCHEMA public FROM causeway_partitioner;
GRANT EXECUTE ON FUNCTION partitions_make_v1 TO causeway_hub;

DO $$ BEGIN PERFORM partitions_make_v1(); END $$;
