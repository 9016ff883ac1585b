-- The log of calls to platforms.

CREATE TABLE integration_api_logs (
    tenant_id uuid NOT NULL,
    log_id bigint GENERATED ALWAYS AS IDENTITY CHECK (log_id > 0),
    connection_id uuid NOT NULL,
    method text NOT NULL,
    url text NOT NULL,
    status bigint,
    milliseconds bigint NOT NULL CHECK (milliseconds >= 0),
    error text,
    request_body text,
    response_body text,
    request_id text NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'machine', 'system')),
    actor text NOT NULL,
    source_ip text,
    credential_version bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id, log_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES integration_connections
);
COMMENT ON TABLE integration_api_logs IS
'The log of calls: one row per attempt of a call to a provider. Bodies and URLs are redacted before they are stored.';
COMMENT ON COLUMN integration_api_logs.log_id IS 'The row''s number. A later row has a higher one.';
COMMENT ON COLUMN integration_api_logs.method IS 'The HTTP method.';
COMMENT ON COLUMN integration_api_logs.url IS 'The redacted URL.';
COMMENT ON COLUMN integration_api_logs.status IS 'The HTTP status of the answer. NULL: there was no answer.';
COMMENT ON COLUMN integration_api_logs.milliseconds IS 'How long the attempt took.';
COMMENT ON COLUMN integration_api_logs.error IS
'The name of the failure, such as ReadTimeout. NULL: there was an answer.';
COMMENT ON COLUMN integration_api_logs.request_body IS 'The redacted body that we sent.';
COMMENT ON COLUMN integration_api_logs.response_body IS 'The redacted body that the platform answered.';
COMMENT ON COLUMN integration_api_logs.actor_kind IS
'The kind of user of the credential: a person, a machine (an API key), or the system (a job).';
COMMENT ON COLUMN integration_api_logs.actor IS
'A person''s subject, an API key''s id or a job''s name. A job has no source_ip.';
COMMENT ON COLUMN integration_api_logs.credential_version IS
'The version of the credential that was used. NULL: a candidate that was tested and is not stored.';

ALTER TABLE integration_api_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE integration_api_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY integration_api_logs_own ON integration_api_logs FOR SELECT TO causeway_hub
USING (tenant_id = current_tenant());
CREATE POLICY integration_api_logs_add ON integration_api_logs FOR INSERT TO causeway_hub
WITH CHECK (tenant_id = current_tenant());
GRANT SELECT, INSERT ON integration_api_logs TO causeway_hub;
