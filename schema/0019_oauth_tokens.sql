-- Access tokens: what the platforms' token endpoints have granted to connections.
--
-- A refresh token is a secret field of the connection's credential (api_credentials); a platform that replaces it
-- changes the ciphertext there. An access token that can be got anew is kept here, encrypted, until it ends.

CREATE TABLE oauth_tokens (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    credential_version bigint NOT NULL,
    ciphertext bytea CHECK (octet_length(ciphertext) BETWEEN 33 AND 65536 AND get_byte(ciphertext, 0) = 1),
    key_version bigint GENERATED ALWAYS AS (
        (get_byte(ciphertext, 1) << 24) | (get_byte(ciphertext, 2) << 16)
        | (get_byte(ciphertext, 3) << 8) | get_byte(ciphertext, 4)
    ) STORED,
    terms bytea CHECK (octet_length(terms) = 32),
    renewal text CHECK (renewal IN ('client', 'refresh', 'self', 'none')),
    grants bigint NOT NULL DEFAULT 0 CHECK (grants >= 0),
    by_shared_app boolean NOT NULL DEFAULT false,
    obtained_at timestamptz,
    expires_at timestamptz,
    refresh_expires_at timestamptz,
    scopes text [] CHECK (array_length(scopes, 1) <= 100),
    lease_id uuid,
    leased_until timestamptz,
    failed_status bigint CHECK (failed_status BETWEEN 100 AND 599),
    refusal text CHECK (refusal IN ('ended', 'client')),
    failures bigint NOT NULL DEFAULT 0 CHECK (failures >= 0),
    waits_until timestamptz,
    warned_at timestamptz,
    holds_secrets boolean NOT NULL DEFAULT true CHECK (holds_secrets),
    PRIMARY KEY (tenant_id, connection_id, credential_version),
    CONSTRAINT oauth_tokens_granted CHECK ((grants = 0) = (obtained_at IS NULL) AND (grants = 0) = (renewal IS NULL)),
    CONSTRAINT oauth_tokens_terms CHECK ((ciphertext IS NULL) OR (terms IS NOT NULL)),
    CONSTRAINT oauth_tokens_lease CHECK ((lease_id IS NULL) = (leased_until IS NULL)),
    CONSTRAINT oauth_tokens_refusal CHECK ((refusal IS NULL) OR (failed_status IS NOT NULL)),
    CONSTRAINT oauth_tokens_version FOREIGN KEY (tenant_id, connection_id, credential_version, holds_secrets)
    REFERENCES api_credential_versions (tenant_id, connection_id, version, holds_secrets),
    CONSTRAINT oauth_tokens_key FOREIGN KEY (tenant_id, key_version) REFERENCES tenant_data_keys
);
COMMENT ON TABLE oauth_tokens IS
'The last grant of a platform''s token endpoint to a connection: one row per version of its credential that had one.';
COMMENT ON COLUMN oauth_tokens.credential_version IS
'The version of the credential that the token was got with. A token of another version is never used.';
COMMENT ON COLUMN oauth_tokens.ciphertext IS
'The encrypted access token, in the format of api_credentials.ciphertext. NULL: there is none, or the access token is '
'a secret field of the credential.';
COMMENT ON COLUMN oauth_tokens.key_version IS 'The key version inside the ciphertext.';
COMMENT ON COLUMN oauth_tokens.terms IS
'SHA-256 of the template''s terms, the environment and the settings that the access token was got with. After a change '
'of any of them the token is not used.';
COMMENT ON COLUMN oauth_tokens.renewal IS
'How a new access token is got. client: with the client''s credentials. refresh: with a refresh token. self: with the '
'access token itself, while it is valid. none: a person must connect again.';
COMMENT ON COLUMN oauth_tokens.grants IS
'The number of grants that were stored. A caller that saw a lower number has an old token.';
COMMENT ON COLUMN oauth_tokens.by_shared_app IS
'Whether the deployment''s own OAuth app got the grant: then calls with it count in the limits of that app.';
COMMENT ON COLUMN oauth_tokens.obtained_at IS 'The time of the last grant. NULL: none yet.';
COMMENT ON COLUMN oauth_tokens.expires_at IS 'When the access token ends. NULL: the platform named no end.';
COMMENT ON COLUMN oauth_tokens.refresh_expires_at IS 'When the refresh token ends. NULL: the platform named no end.';
COMMENT ON COLUMN oauth_tokens.scopes IS 'The scopes that were granted. NULL: the platform did not say.';
COMMENT ON COLUMN oauth_tokens.lease_id IS 'The caller that is getting a new token. NULL: nobody is.';
COMMENT ON COLUMN oauth_tokens.leased_until IS
'When the lease ends. A caller that was killed holds it no longer: then others may get the token.';
COMMENT ON COLUMN oauth_tokens.failed_status IS
'The HTTP status of the last failure of the token endpoint, 503 if it gave no answer. NULL: none since the last '
'grant.';
COMMENT ON COLUMN oauth_tokens.refusal IS
'Why the token endpoint refuses for good; nobody but a test asks it again. ended: the grant ended or was revoked. '
'client: the client''s own credentials are not accepted, or not for this call. NULL: it does not refuse for good.';
COMMENT ON COLUMN oauth_tokens.failures IS 'Passing failures in a row: the wait grows with them.';
COMMENT ON COLUMN oauth_tokens.waits_until IS 'The token endpoint is not called before this time. NULL: no wait.';
COMMENT ON COLUMN oauth_tokens.warned_at IS
'When the tenant was told that the connection''s access ends soon. NULL: not since the last grant that moved the end.';
COMMENT ON COLUMN oauth_tokens.holds_secrets IS 'Always true: the foreign key compares it with the version''s.';
COMMENT ON CONSTRAINT oauth_tokens_granted ON oauth_tokens IS
'A row without a grant exists only for the lease of the first one.';
COMMENT ON CONSTRAINT oauth_tokens_terms ON oauth_tokens IS 'A stored access token is bound to its terms.';
COMMENT ON CONSTRAINT oauth_tokens_lease ON oauth_tokens IS 'A lease has a holder and an end.';
COMMENT ON CONSTRAINT oauth_tokens_refusal ON oauth_tokens IS 'A refusal is a failure, whose status is known.';
COMMENT ON CONSTRAINT oauth_tokens_version ON oauth_tokens IS
'A version can be destroyed only after its tokens are deleted.';
COMMENT ON CONSTRAINT oauth_tokens_key ON oauth_tokens IS 'A ciphertext must have a key that decrypts it.';
CREATE INDEX oauth_tokens_renewed ON oauth_tokens (obtained_at) WHERE renewal <> 'client';
COMMENT ON INDEX oauth_tokens_renewed IS 'The schedule looks for the oldest grants of all tenants that would lapse.';

ALTER TABLE oauth_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY oauth_tokens_own ON oauth_tokens FOR SELECT TO causeway_credentials USING (tenant_id = current_tenant());
CREATE POLICY oauth_tokens_add ON oauth_tokens FOR INSERT TO causeway_credentials
WITH CHECK (tenant_id = current_tenant());
CREATE POLICY oauth_tokens_change ON oauth_tokens FOR UPDATE TO causeway_credentials
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY oauth_tokens_destroy ON oauth_tokens FOR DELETE TO causeway_credentials
USING (tenant_id = current_tenant());
GRANT SELECT, INSERT, DELETE ON oauth_tokens TO causeway_credentials;
GRANT UPDATE (
    ciphertext, terms, renewal, grants, by_shared_app, obtained_at, expires_at, refresh_expires_at, scopes, lease_id,
    leased_until, failed_status, refusal, failures, waits_until, warned_at
) ON oauth_tokens TO causeway_credentials;

-- The schedule looks across tenants. It may read only which grants are due.
GRANT SELECT (
    tenant_id, connection_id, credential_version, renewal, obtained_at, expires_at, refresh_expires_at, refusal,
    waits_until, warned_at
) ON oauth_tokens TO causeway_keeper;
GRANT SELECT (tenant_id, connection_id, status, deleted_at) ON integration_connections TO causeway_keeper;
GRANT SELECT (version) ON api_credential_versions TO causeway_keeper;
CREATE POLICY oauth_tokens_due ON oauth_tokens FOR SELECT TO causeway_keeper USING (true);
CREATE POLICY integration_connections_due ON integration_connections FOR SELECT TO causeway_keeper USING (true);

CREATE FUNCTION oauth_tokens_due_v1(p_daily interval, p_weekly interval, p_warning interval)
RETURNS TABLE (tenant_id uuid, connection_id uuid, renew boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT d.tenant_id, d.connection_id, d.renew
    FROM (
        SELECT
            t.tenant_id, t.connection_id, t.obtained_at,
            t.refusal IS NULL AND coalesce(t.waits_until <= now(), true) AND (
                (t.renewal = 'refresh' AND t.obtained_at <= now() - p_daily)
                OR (t.renewal = 'self' AND t.obtained_at <= now() - p_weekly AND coalesce(t.expires_at > now(), true))
            ) AS renew,
            t.warned_at IS NULL
            AND CASE t.renewal WHEN 'refresh' THEN t.refresh_expires_at ELSE t.expires_at END <= now() + p_warning
            AS warn
        FROM oauth_tokens AS t
        INNER JOIN api_credential_versions AS v
            ON v.tenant_id = t.tenant_id AND v.connection_id = t.connection_id AND v.version = t.credential_version
        INNER JOIN integration_connections AS c ON c.tenant_id = t.tenant_id AND c.connection_id = t.connection_id
        WHERE t.renewal <> 'client' AND v.status = 'active' AND c.status = 'active' AND c.deleted_at IS NULL
    ) AS d
    WHERE d.renew OR d.warn
    ORDER BY d.obtained_at, d.tenant_id, d.connection_id;
END;
COMMENT ON FUNCTION oauth_tokens_due_v1 IS
'Active connections whose grant is to be renewed (renew is true), or whose access ends within p_warning without a '
'warning so far. A refresh token is used every p_daily, a token that renews itself every p_weekly.';

REVOKE ALL ON FUNCTION oauth_tokens_due_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_keeper;
ALTER FUNCTION oauth_tokens_due_v1 OWNER TO causeway_keeper;
REVOKE CREATE ON SCHEMA public FROM causeway_keeper;
GRANT EXECUTE ON FUNCTION oauth_tokens_due_v1 TO causeway_credentials;
