-- Rate limits: how much of each window a subject has used, and the function that takes from several subjects at once.

-- Domains: Postgres caches the CHECK of a domain across statements, but parses the CHECK of a table again in each.
CREATE DOMAIN rate_limit_kind AS text
CHECK (value IN ('connection', 'provider', 'tenant', 'api_key', 'oauth_app', 'key'));
COMMENT ON DOMAIN rate_limit_kind IS
'What a limit belongs to. provider and oauth_app: shared by all tenants. key: a name that the tenant chose.';
CREATE DOMAIN rate_limit_subject AS text COLLATE "C" CHECK (length(value) BETWEEN 1 AND 255);
COMMENT ON DOMAIN rate_limit_subject IS 'The id of the subject of a limit, as long as an id that a caller may send.';
CREATE DOMAIN rate_limit_count AS bigint CHECK (value >= 0);
COMMENT ON DOMAIN rate_limit_count IS 'The number of requests in a window.';

-- No foreign keys: every request would lock the row of its tenant or connection. The fill factor leaves room on each page:
-- an UPDATE writes the new row to the same page and no index (HOT), because taken_on changes once a day.
CREATE TABLE rate_limits (
    tenant_id uuid NOT NULL,
    kind rate_limit_kind NOT NULL,
    subject_id rate_limit_subject NOT NULL,
    taken_at timestamptz NOT NULL,
    taken_on date NOT NULL GENERATED ALWAYS AS ((taken_at AT TIME ZONE 'UTC')::date) STORED,
    minute_used rate_limit_count NOT NULL,
    hour_used rate_limit_count NOT NULL,
    day_used rate_limit_count NOT NULL,
    month_used rate_limit_count NOT NULL,
    exceeded smallint NOT NULL DEFAULT 0,
    told_remaining bigint,
    told_until timestamptz,
    PRIMARY KEY (tenant_id, kind, subject_id)
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE rate_limits IS
'What each subject of a rate limit has used of its windows. A window is a minute, an hour, a day or a month of the clock '
'in UTC. The first request of a subject makes its row. The limits are not here: each request names them.';
COMMENT ON COLUMN rate_limits.tenant_id IS 'The tenant''s id; the nil UUID for a subject that tenants share.';
COMMENT ON COLUMN rate_limits.kind IS 'What the limit belongs to.';
COMMENT ON COLUMN rate_limits.subject_id IS 'Which connection, provider, tenant, API key, OAuth app or key.';
COMMENT ON COLUMN rate_limits.taken_at IS
'The time of the last granted request. A count below belongs to the window in which this time lies: in a later window '
'the count is 0.';
COMMENT ON COLUMN rate_limits.taken_on IS 'The day in UTC of taken_at, which the sweep looks for.';
COMMENT ON COLUMN rate_limits.minute_used IS 'Granted requests in the minute of taken_at.';
COMMENT ON COLUMN rate_limits.hour_used IS 'Granted requests in the hour of taken_at.';
COMMENT ON COLUMN rate_limits.day_used IS 'Granted requests in the day of taken_at.';
COMMENT ON COLUMN rate_limits.month_used IS 'Granted requests in the month of taken_at.';
COMMENT ON COLUMN rate_limits.exceeded IS
'Windows whose limit refused a request, each announced by one event: 1 the minute, 2 the hour, 4 the day, 8 the month, '
'16 the window that the platform told, added up.';
COMMENT ON COLUMN rate_limits.told_remaining IS
'The number of requests that the platform still allows until told_until, by its own answer. NULL: it told nothing.';
COMMENT ON COLUMN rate_limits.told_until IS 'When told_remaining ends.';
CREATE INDEX rate_limits_old ON rate_limits (taken_on);
COMMENT ON INDEX rate_limits_old IS 'The sweep deletes the oldest first.';

CREATE FUNCTION rate_limit_owner(p_kind text, p_tenant_id uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_kind IN ('provider', 'oauth_app') THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE p_tenant_id END;
COMMENT ON FUNCTION rate_limit_owner IS
'The tenant_id of the row of a tenant''s subject: the nil UUID for the kinds that tenants share.';
CREATE FUNCTION rate_limit_tenant(p_kind text) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN rate_limit_owner(p_kind, current_tenant());
COMMENT ON FUNCTION rate_limit_tenant IS 'The tenant_id of the row of a subject of the transaction''s tenant.';
REVOKE ALL ON FUNCTION rate_limit_owner, rate_limit_tenant FROM public;
GRANT EXECUTE ON FUNCTION rate_limit_owner, rate_limit_tenant TO causeway_hub;

ALTER TABLE rate_limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE rate_limits FORCE ROW LEVEL SECURITY;
CREATE POLICY rate_limits_own ON rate_limits FOR SELECT TO causeway_hub USING (tenant_id = rate_limit_tenant(kind));
COMMENT ON POLICY rate_limits_own ON rate_limits IS
'Each tenant sees what all tenants together have used of a shared limit, because its own requests depend on it.';
CREATE POLICY rate_limits_add ON rate_limits FOR INSERT TO causeway_hub WITH CHECK (tenant_id = rate_limit_tenant(kind));
CREATE POLICY rate_limits_change ON rate_limits FOR UPDATE TO causeway_hub
USING (tenant_id = rate_limit_tenant(kind)) WITH CHECK (tenant_id = rate_limit_tenant(kind));
COMMENT ON POLICY rate_limits_add ON rate_limits IS 'A tenant adds rows of its own, and rows that tenants share.';
COMMENT ON POLICY rate_limits_change ON rate_limits IS
'A tenant''s request counts in rows of its own, and in rows that tenants share.';
GRANT SELECT ON rate_limits TO causeway_hub;
GRANT INSERT (tenant_id, kind, subject_id, taken_at, minute_used, hour_used, day_used, month_used, told_remaining, told_until)
ON rate_limits TO causeway_hub;
GRANT UPDATE (
    taken_at, minute_used, hour_used, day_used, month_used, exceeded, told_remaining, told_until
) ON rate_limits TO causeway_hub;

-- date_bin counts from an instant, so its windows do not depend on the session's time zone.
CREATE FUNCTION rate_limit_at(p_row rate_limits, p_now timestamptz) RETURNS rate_limits
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
DECLARE
    v_epoch CONSTANT timestamptz := '1970-01-01 00:00:00+00';
BEGIN
    IF p_row.taken_at < date_bin('1 minute', p_now, v_epoch) THEN
        p_row.minute_used := 0;
        p_row.exceeded := p_row.exceeded & ~1;
    END IF;
    IF p_row.taken_at < date_bin('1 hour', p_now, v_epoch) THEN
        p_row.hour_used := 0;
        p_row.exceeded := p_row.exceeded & ~2;
    END IF;
    IF p_row.taken_at < date_bin('1 day', p_now, v_epoch) THEN
        p_row.day_used := 0;
        p_row.exceeded := p_row.exceeded & ~4;
    END IF;
    IF p_row.taken_at < date_trunc('month', p_now, 'UTC') THEN
        p_row.month_used := 0;
        p_row.exceeded := p_row.exceeded & ~8;
    END IF;
    IF p_row.told_until <= p_now THEN
        p_row.told_until := NULL;
        p_row.told_remaining := NULL;
        p_row.exceeded := p_row.exceeded & ~16;
    END IF;
    p_row.taken_at := greatest(p_row.taken_at, p_now);
    RETURN p_row;
END $$;
COMMENT ON FUNCTION rate_limit_at IS
'A row as it stands at a time: the counts of windows that are over are 0, and what a platform told is forgotten after its '
'end. A row whose last request is later than the time, by a clock that was set back, stays in its own windows.';

CREATE FUNCTION rate_limit_refusals(
    p_row rate_limits, p_minute bigint, p_hour bigint, p_day bigint, p_month bigint, p_cost bigint
) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_row.minute_used + p_cost > p_minute THEN 1 ELSE 0 END
+ CASE WHEN p_row.hour_used + p_cost > p_hour THEN 2 ELSE 0 END
+ CASE WHEN p_row.day_used + p_cost > p_day THEN 4 ELSE 0 END
+ CASE WHEN p_row.month_used + p_cost > p_month THEN 8 ELSE 0 END
+ CASE WHEN p_cost > p_row.told_remaining THEN 16 ELSE 0 END;
COMMENT ON FUNCTION rate_limit_refusals IS
'The windows that refuse a request, added up as in rate_limits.exceeded, and 16 if the platform told that no more are '
'left. A limit that is NULL refuses nothing.';

-- The row is locked, so a window is announced once. Shared limits are the operator's concern and no tenant's: they are counted
-- and have no event.
CREATE FUNCTION rate_limit_announce(p_row rate_limits, p_refusals integer, p_limits bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_new integer := p_refusals & ~p_row.exceeded;
BEGIN
    IF v_new = 0 THEN
        RETURN 0;
    END IF;
    UPDATE rate_limits AS r SET exceeded = p_row.exceeded | v_new
    WHERE r.tenant_id = p_row.tenant_id AND r.kind = p_row.kind AND r.subject_id = p_row.subject_id;
    INSERT INTO events_out (tenant_id, type, object_kind, object_id, version, payload)
    SELECT
        p_row.tenant_id,
        CASE p_row.kind WHEN 'connection' THEN 'connection' ELSE 'issue' END || '.rate_limit_exceeded',
        'rate_limit',
        concat_ws(':', p_row.kind, w.name, p_row.subject_id),
        extract(EPOCH FROM p_row.taken_at)::bigint,
        jsonb_strip_nulls(jsonb_build_object(
            'kind', p_row.kind, 'subjectId', p_row.subject_id, 'window', w.name, 'limit', p_limits[w.number],
            'refusedAt', to_char(p_row.taken_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        ))
    FROM (
        VALUES (1, 1, 'minute'), (2, 2, 'hour'), (4, 3, 'day'), (8, 4, 'month'), (16, 5, 'platform')
    ) AS w (bit, number, name)
    WHERE v_new & w.bit > 0 AND p_row.tenant_id = current_tenant();
    RETURN bit_count(v_new::bit(8));
END $$;
COMMENT ON FUNCTION rate_limit_announce IS
'Writes an event into the outbox for each window that refuses its first request. Returns their number. p_row: locked, and '
'as it stands now.';

-- Each row of an array is a subject; the caller sends them in the order of kind and id. So all calls lock rows in one order,
-- and no two calls wait for each other. Not granted: nothing is taken from any subject.
-- p_tenant_id: NULL in a transaction of the tenant. Otherwise the call is a transaction of its own, and its commit does not
-- wait for the disk: a crash of the server may lose the last 0.6 seconds (three times wal_writer_delay) of counts.
-- p_minutes to p_months: limits; NULL: none. p_take: false only reads. p_now: for tests.
-- The answer is one JSON value, because a function in FROM costs more than the UPDATE. used: four counts per subject: minute,
-- hour, day, month. announced: how many windows refused their first request, of limits that the operator sets: a tenant raises
-- its connections' limits itself, and chooses those of its own keys.
CREATE FUNCTION rate_limit_take_v1(
    p_tenant_id uuid, p_kinds text[], p_subject_ids text[], p_minutes bigint[], p_hours bigint[], p_days bigint[],
    p_months bigint[], p_cost bigint, p_take boolean, p_now timestamptz DEFAULT NULL
) RETURNS json
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_last CONSTANT integer := cardinality(p_kinds);
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    -- Of one subject, a full window refuses without a lock.
    v_locks boolean := p_take AND v_last > 1;
    v_granted boolean;
    v_tenant uuid;
    v_row rate_limits;
    v_rows rate_limits[];
    v_refusals integer[];
    v_unannounced boolean;
    v_used bigint[];
    v_told_remaining bigint[];
    v_told_until timestamptz[];
    v_new bigint;
    v_announced bigint := 0;
BEGIN
    IF p_tenant_id IS NOT NULL THEN
        PERFORM set_config('causeway.tenant_id', p_tenant_id::text, true), set_config('synchronous_commit', 'off', true);
    END IF;
    <<deciding>>
    LOOP
        FOR i IN 1 .. v_last LOOP
            v_tenant := rate_limit_tenant(p_kinds[i]);
            IF p_take THEN
                INSERT INTO rate_limits (tenant_id, kind, subject_id, taken_at, minute_used, hour_used, day_used, month_used)
                SELECT v_tenant, p_kinds[i], p_subject_ids[i], v_now, 0, 0, 0, 0
                WHERE NOT EXISTS (
                    SELECT FROM rate_limits AS r
                    WHERE r.tenant_id = v_tenant AND r.kind = p_kinds[i] AND r.subject_id = p_subject_ids[i]
                )
                ON CONFLICT DO NOTHING;
            END IF;
            IF v_locks THEN
                SELECT * INTO v_row FROM rate_limits AS r
                WHERE r.tenant_id = v_tenant AND r.kind = p_kinds[i] AND r.subject_id = p_subject_ids[i]
                FOR NO KEY UPDATE;
            ELSE
                SELECT * INTO v_row FROM rate_limits AS r
                WHERE r.tenant_id = v_tenant AND r.kind = p_kinds[i] AND r.subject_id = p_subject_ids[i];
            END IF;
            -- A sweep may have deleted an old row between the two statements.
            CONTINUE deciding WHEN v_locks AND NOT FOUND;
            IF NOT FOUND THEN
                v_row := ROW(v_tenant, p_kinds[i], p_subject_ids[i], v_now, NULL, 0, 0, 0, 0, 0, NULL, NULL);
            END IF;
            v_rows[i] := v_row;
            v_now := greatest(v_now, v_row.taken_at);
        END LOOP;
        v_granted := true;
        v_unannounced := false;
        FOR i IN 1 .. v_last LOOP
            v_rows[i] := rate_limit_at(v_rows[i], v_now);
            v_refusals[i] := rate_limit_refusals(v_rows[i], p_minutes[i], p_hours[i], p_days[i], p_months[i], p_cost);
            v_granted := v_granted AND v_refusals[i] = 0;
            v_unannounced := v_unannounced OR v_refusals[i] & ~v_rows[i].exceeded > 0;
        END LOOP;
        EXIT WHEN v_locks OR NOT p_take OR NOT (v_granted OR v_unannounced);
        v_locks := true;
    END LOOP;
    FOR i IN 1 .. v_last LOOP
        v_row := v_rows[i];
        IF v_granted AND p_take THEN
            UPDATE rate_limits AS r SET
                taken_at = v_row.taken_at,
                minute_used = v_row.minute_used + p_cost,
                hour_used = v_row.hour_used + p_cost,
                day_used = v_row.day_used + p_cost,
                month_used = v_row.month_used + p_cost,
                exceeded = v_row.exceeded,
                told_remaining = v_row.told_remaining - p_cost,
                told_until = v_row.told_until
            WHERE r.tenant_id = v_row.tenant_id AND r.kind = v_row.kind AND r.subject_id = v_row.subject_id
            RETURNING * INTO v_row;
        ELSIF p_take THEN
            v_new := rate_limit_announce(
                v_row, v_refusals[i], ARRAY[p_minutes[i], p_hours[i], p_days[i], p_months[i]]
            );
            IF v_row.kind NOT IN ('connection', 'key') THEN
                v_announced := v_announced + v_new;
            END IF;
        END IF;
        v_used := v_used || ARRAY[v_row.minute_used, v_row.hour_used, v_row.day_used, v_row.month_used]::bigint[];
        v_told_remaining := array_append(v_told_remaining, v_row.told_remaining);
        v_told_until := array_append(v_told_until, v_row.told_until);
    END LOOP;
    RETURN json_build_object(
        'granted', v_granted, 'decided_at', v_now, 'used', v_used, 'told_remaining', v_told_remaining,
        'told_until', v_told_until, 'announced', v_announced
    );
END $$;
COMMENT ON FUNCTION rate_limit_take_v1 IS
'Takes a request from all windows of all subjects, or from none of them. A subject''s first request makes its row. Returns '
'what the windows have used then.';

-- Nearly all requests are of one subject whose row exists and has room: one UPDATE decides them, and all others take the way
-- above. It writes nothing where the request does not fit: of requests at the same time, each sees what the one before it took.
-- A count of a window that is over may send a request on, which rate_limit_take_v1 then grants. The counts are those of
-- rate_limit_at, written out, because a call of it costs more than the UPDATE.
CREATE FUNCTION rate_limit_take_one_v1(
    p_tenant_id uuid, p_kind text, p_subject_id text, p_minute bigint, p_hour bigint, p_day bigint, p_month bigint,
    p_cost bigint, p_now timestamptz DEFAULT NULL
) RETURNS json
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_epoch CONSTANT timestamptz := '1970-01-01 00:00:00+00';
    v_owner CONSTANT uuid := rate_limit_owner(p_kind, p_tenant_id);
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    v_used bigint[];
BEGIN
    PERFORM set_config('causeway.tenant_id', p_tenant_id::text, true), set_config('synchronous_commit', 'off', true);
    UPDATE rate_limits AS r SET
        taken_at = greatest(r.taken_at, v_now),
        minute_used = p_cost + CASE WHEN r.taken_at >= date_bin('1 minute', v_now, v_epoch) THEN r.minute_used ELSE 0 END,
        hour_used = p_cost + CASE WHEN r.taken_at >= date_bin('1 hour', v_now, v_epoch) THEN r.hour_used ELSE 0 END,
        day_used = p_cost + CASE WHEN r.taken_at >= date_bin('1 day', v_now, v_epoch) THEN r.day_used ELSE 0 END,
        month_used = p_cost + CASE WHEN r.taken_at >= date_trunc('month', v_now, 'UTC') THEN r.month_used ELSE 0 END
    WHERE r.tenant_id = v_owner AND r.kind = p_kind AND r.subject_id = p_subject_id
        AND r.exceeded = 0
        AND r.told_until IS NULL
        AND (r.minute_used + p_cost > p_minute) IS NOT TRUE
        AND (r.hour_used + p_cost > p_hour) IS NOT TRUE
        AND (r.day_used + p_cost > p_day) IS NOT TRUE
        AND (r.month_used + p_cost > p_month) IS NOT TRUE
    RETURNING r.taken_at, ARRAY[r.minute_used, r.hour_used, r.day_used, r.month_used] INTO v_now, v_used;
    IF v_used IS NOT NULL THEN
        RETURN json_build_object('granted', true, 'decided_at', v_now, 'used', v_used);
    END IF;
    RETURN rate_limit_take_v1(
        p_tenant_id, ARRAY[p_kind], ARRAY[p_subject_id], ARRAY[p_minute], ARRAY[p_hour], ARRAY[p_day], ARRAY[p_month],
        p_cost, true, p_now
    );
END $$;
COMMENT ON FUNCTION rate_limit_take_one_v1 IS
'The same as rate_limit_take_v1 for one subject in a transaction of its own, and faster. An answer without told_remaining '
'and told_until: the platform told nothing.';

CREATE FUNCTION rate_limit_correct_v1(
    p_tenant_id uuid, p_kind text, p_subject_id text, p_remaining bigint, p_until timestamptz
) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_now CONSTANT timestamptz := clock_timestamp();
    v_until CONSTANT timestamptz := least(p_until, v_now + interval '1 day');
BEGIN
    IF p_tenant_id IS NOT NULL THEN
        PERFORM set_config('causeway.tenant_id', p_tenant_id::text, true), set_config('synchronous_commit', 'off', true);
    END IF;
    IF v_until <= v_now THEN
        RETURN;
    END IF;
    INSERT INTO rate_limits AS r (
        tenant_id, kind, subject_id, taken_at, minute_used, hour_used, day_used, month_used, told_remaining, told_until
    )
    VALUES (rate_limit_tenant(p_kind), p_kind, p_subject_id, v_now, 0, 0, 0, 0, p_remaining, v_until)
    ON CONFLICT (tenant_id, kind, subject_id) DO UPDATE SET
        told_remaining = CASE
            WHEN r.told_until > v_now AND (r.told_remaining <= 0 OR abs(extract(EPOCH FROM r.told_until - v_until)) <= 1)
                THEN least(r.told_remaining, p_remaining)
            ELSE p_remaining
        END,
        told_until = CASE
            WHEN r.told_until > v_now AND r.told_remaining <= 0 AND p_remaining > 0 THEN r.told_until
            WHEN r.told_until > v_now AND r.told_remaining <= 0 THEN greatest(r.told_until, v_until)
            ELSE v_until
        END,
        exceeded = r.exceeded & CASE WHEN r.told_until > v_now THEN 31 ELSE 15 END;
END $$;
COMMENT ON FUNCTION rate_limit_correct_v1 IS
'Stores how many requests a platform allows until a time, a day from now at most. Once it told that none are left, an '
'answer to an earlier request does not allow more; of two answers about the same window the smaller number counts.';

REVOKE ALL ON FUNCTION rate_limit_at, rate_limit_refusals, rate_limit_announce, rate_limit_take_v1, rate_limit_take_one_v1,
rate_limit_correct_v1 FROM public;
GRANT EXECUTE ON FUNCTION rate_limit_at, rate_limit_refusals, rate_limit_announce, rate_limit_take_v1, rate_limit_take_one_v1,
rate_limit_correct_v1 TO causeway_hub;

-- A schedule sweeps rows of all tenants whose windows are over. A key has a limit per minute alone.
CREATE FUNCTION rate_limits_kept_from(p_kind text) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (now() AT TIME ZONE 'UTC')::date - CASE p_kind WHEN 'key' THEN 1 ELSE 31 END;
COMMENT ON FUNCTION rate_limits_kept_from IS
'The day of the last request from which a row of a kind still counts: a key''s window is a minute, the longest window of '
'the other kinds a month.';
REVOKE ALL ON FUNCTION rate_limits_kept_from FROM public;
GRANT EXECUTE ON FUNCTION rate_limits_kept_from TO causeway_keeper;

GRANT SELECT (tenant_id, kind, subject_id, taken_on, told_until), DELETE ON rate_limits TO causeway_keeper;
CREATE POLICY rate_limits_old ON rate_limits FOR SELECT TO causeway_keeper USING (true);
CREATE POLICY rate_limits_sweep ON rate_limits FOR DELETE TO causeway_keeper
USING (taken_on < rate_limits_kept_from(kind) AND coalesce(told_until <= now(), true));
COMMENT ON POLICY rate_limits_sweep ON rate_limits IS
'No row can be deleted whose windows still count.';

CREATE FUNCTION rate_limits_sweep_v1() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    WITH swept AS (
        DELETE FROM rate_limits AS r
        USING (
            SELECT o.tenant_id, o.kind, o.subject_id FROM rate_limits AS o
            WHERE o.taken_on < rate_limits_kept_from(o.kind)
                AND coalesce(o.told_until <= now(), true)
            ORDER BY o.taken_on LIMIT 1000
        ) AS old
        WHERE r.tenant_id = old.tenant_id AND r.kind = old.kind AND r.subject_id = old.subject_id
        RETURNING 1
    )
    SELECT count(*) FROM swept;
END;
COMMENT ON FUNCTION rate_limits_sweep_v1 IS
'Deletes up to 1000 rows whose windows are over. Returns the number deleted.';

REVOKE ALL ON FUNCTION rate_limits_sweep_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION rate_limits_sweep_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION rate_limits_sweep_v1 TO causeway_hub;
