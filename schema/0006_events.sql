-- The outbox.

-- It has no foreign key to tenants: every event would lock the tenant's row, and the row-level security below admits the
-- tenant of the transaction only.
CREATE TABLE events_out (
    tenant_id uuid NOT NULL,
    event_id uuid NOT NULL DEFAULT gen_random_uuid(),
    type text COLLATE "C" NOT NULL CHECK (
        type ~ ('^(connection|sync|payment|message|shipment|webhook|sms_payment|player|lead|booking|wallet|issue)'
        || '[.][a-z][a-z_]{0,62}$')
    ),
    object_kind text COLLATE "C" NOT NULL CHECK (object_kind ~ '^[a-z][a-z_]{0,62}$'),
    object_id text COLLATE "C" NOT NULL CHECK (length(object_id) BETWEEN 1 AND 255),
    version bigint NOT NULL CHECK (version > 0),
    payload jsonb NOT NULL CHECK (jsonb_typeof(payload) = 'object' AND octet_length(payload::text) <= 65536),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, event_id)
);
COMMENT ON TABLE events_out IS
'The outbox: events about a tenant''s objects, each written in the transaction of the change that it describes: both '
'are committed, or neither. Later a sender will deliver them to the tenant''s subscribers; nothing sends yet.';
COMMENT ON COLUMN events_out.event_id IS 'The event''s id.';
COMMENT ON COLUMN events_out.type IS
'Subscribers choose events by type, so only known kinds of events are stored: <kind>.<what happened>.';
COMMENT ON COLUMN events_out.object_kind IS
'The object of the event, such as a sync_run: a noun in the form of a column''s name.';
COMMENT ON COLUMN events_out.object_id IS
'At least one character, and at most as many as an id that a caller may send.';
COMMENT ON COLUMN events_out.version IS
'The version of the object after the change, counted from 1: it orders the events of one object.';
COMMENT ON COLUMN events_out.payload IS
'What a subscriber gets: a JSON object of at most 64 KiB, because it is sent in one request and passes through a '
'queue.';
COMMENT ON COLUMN events_out.created_at IS
'When the row was inserted, not the start of the transaction, so that two events of one transaction keep their order.';
CREATE INDEX events_out_order ON events_out (tenant_id, created_at, event_id);
COMMENT ON INDEX events_out_order IS 'A tenant''s events in their order.';
CREATE INDEX events_out_created ON events_out (created_at);
COMMENT ON INDEX events_out_created IS 'The sweep deletes the oldest events of all tenants first.';

CREATE FUNCTION events_kept() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '30 days';
COMMENT ON FUNCTION events_kept IS 'How long events are kept. After that they may be swept.';
REVOKE ALL ON FUNCTION events_kept FROM public;
GRANT EXECUTE ON FUNCTION events_kept TO causeway_keeper;

ALTER TABLE events_out ENABLE ROW LEVEL SECURITY;
ALTER TABLE events_out FORCE ROW LEVEL SECURITY;

-- The hub: connections, syncs, payments, messages, shipments, webhooks, SMS payments, leads, bookings, issues
-- (causeway_credentials is a member of it). The casino: players, wallets. No login can set created_at, so no event can be
-- backdated or kept for ever.
CREATE POLICY events_out_write ON events_out FOR INSERT TO causeway_hub, causeway_casino
WITH CHECK (tenant_id = current_tenant());
COMMENT ON POLICY events_out_write ON events_out IS
'The hub and the casino write events about their objects. They cannot read them.';
GRANT INSERT (tenant_id, event_id, type, object_kind, object_id, version, payload) ON events_out
TO causeway_hub, causeway_casino;

-- The sweep works across tenants. It reads ids and ages only.
GRANT SELECT (tenant_id, event_id, created_at), DELETE ON events_out TO causeway_keeper;
CREATE POLICY events_out_old ON events_out FOR SELECT TO causeway_keeper USING (true);
CREATE POLICY events_out_sweep ON events_out FOR DELETE TO causeway_keeper
USING (created_at < now() - events_kept());
COMMENT ON POLICY events_out_sweep ON events_out IS 'No event younger than events_kept() can be deleted.';

CREATE FUNCTION events_sweep_v1() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    WITH swept AS (
        DELETE FROM events_out AS e
        USING (
            SELECT o.tenant_id, o.event_id FROM events_out AS o
            WHERE o.created_at < now() - events_kept()
            ORDER BY o.created_at LIMIT 1000
        ) AS old
        WHERE e.tenant_id = old.tenant_id AND e.event_id = old.event_id
        RETURNING 1
    )
    SELECT count(*) FROM swept;
END;
COMMENT ON FUNCTION events_sweep_v1 IS
'Deletes up to 1000 events that are past events_kept(), the oldest first. Returns the number deleted.';

REVOKE ALL ON FUNCTION events_sweep_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION events_sweep_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION events_sweep_v1 TO causeway_hub;
