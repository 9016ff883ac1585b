-- Circuit breakers: a connection whose platform fails often is left alone for a while. A connection without a row has a
-- closed breaker. Rows are written on failures, and when a breaker closes: a call that succeeds writes nothing here.

CREATE TABLE circuit_breakers (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'half_open', 'closed')),
    openings bigint NOT NULL DEFAULT 1 CHECK (openings >= 0),
    retry_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections
);
COMMENT ON TABLE circuit_breakers IS
'The circuit breakers of connections whose platform failed often, by the rules of causeway.connections.breaker.';
COMMENT ON COLUMN circuit_breakers.state IS
'open: the platform is not called. half_open: one call tries it. closed: it is called as ever.';
COMMENT ON COLUMN circuit_breakers.openings IS
'How often the breaker opened in a row, without a success between. Each time it stays open for longer.';
COMMENT ON COLUMN circuit_breakers.retry_at IS
'From this time on, one call may try the platform: of an open breaker the first, of a half-open one the next, in case the '
'first never reported.';
COMMENT ON COLUMN circuit_breakers.changed_at IS 'The time of the last change of state.';

ALTER TABLE circuit_breakers ENABLE ROW LEVEL SECURITY;
ALTER TABLE circuit_breakers FORCE ROW LEVEL SECURITY;
CREATE POLICY circuit_breakers_own ON circuit_breakers FOR SELECT TO causeway_hub USING (tenant_id = current_tenant());
CREATE POLICY circuit_breakers_add ON circuit_breakers FOR INSERT TO causeway_hub
WITH CHECK (tenant_id = current_tenant());
CREATE POLICY circuit_breakers_change ON circuit_breakers FOR UPDATE TO causeway_hub
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
GRANT SELECT, INSERT, UPDATE (state, openings, retry_at, changed_at) ON circuit_breakers TO causeway_hub;
