-- The database's roles, and what a transaction knows about its caller: the basis of row-level security.
--
-- Migrations run as the owner (any role that may create roles). Functions log in as the role of their trust zone, which
-- owns no table. A role that cannot log in owns functions that run with its rights: a login has these rights through
-- the functions only. What a role may do stands in the file of each table and function.
--
-- COMMENT ON statements say what a table, column, constraint, index, function or role is for. docs/schema.md is made
-- from them.

DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY[
        'causeway_casino', 'causeway_provider', 'causeway_hub', 'causeway_credentials', 'causeway_operator',
        'causeway_auditor'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', v_role);
        END IF;
        -- On Aurora a login authenticates with an IAM token. Elsewhere the role rds_iam does not exist.
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
            EXECUTE format('GRANT rds_iam TO %I', v_role);
        END IF;
    END LOOP;
    FOREACH v_role IN ARRAY ARRAY[
        'causeway_ledger', 'causeway_registrar', 'causeway_directory', 'causeway_auditlog', 'causeway_keeper',
        'causeway_partitioner'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
        END IF;
        -- The owner gives functions to it.
        EXECUTE format('GRANT %I TO %I', v_role, current_user);
    END LOOP;
    -- The owner may run the audit. It loads the catalogue, and passes its policies as causeway_hub.
    EXECUTE format('GRANT causeway_auditor, causeway_hub TO %I', current_user);
END $$;

GRANT causeway_hub TO causeway_credentials;

COMMENT ON ROLE causeway_casino IS 'The login of the wallet and of game launches.';
COMMENT ON ROLE causeway_provider IS 'The login of the demo game provider.';
COMMENT ON ROLE causeway_hub IS 'The login of the hub''s functions.';
COMMENT ON ROLE causeway_credentials IS
'The login of the few functions that decrypt credentials. It has all rights of causeway_hub, and is the only login '
'that reads keys and ciphertexts.';
COMMENT ON ROLE causeway_operator IS
'The login of the people who set up a casino. It may call the functions of causeway_registrar, and reads no table.';
COMMENT ON ROLE causeway_auditor IS 'The login of the audits of ledger and audit log. It reads every tenant.';
COMMENT ON ROLE causeway_ledger IS
'Owns the functions that move money. No other role may write balances and ledger rows.';
COMMENT ON ROLE causeway_registrar IS
'Owns the functions that add and change what a wallet call needs, for the tenant that the call names. It sees no '
'ledger row and no session.';
COMMENT ON ROLE causeway_directory IS
'Owns the functions that answer a question about a call before its tenant is known, or for a login that may not read '
'the table.';
COMMENT ON ROLE causeway_auditlog IS 'Owns the functions that write the audit log. No other role can write it.';
COMMENT ON ROLE causeway_keeper IS 'Owns the functions that list or sweep rows of all tenants for jobs.';
COMMENT ON ROLE causeway_partitioner IS
'Owns the tables that are partitioned by time, and the functions that make their partitions. It reads and writes no row.';

-- Time limits are set on the role, not on the session: a proxied connection keeps no session state.
DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY[
        'causeway_casino', 'causeway_provider', 'causeway_hub', 'causeway_credentials', 'causeway_operator'
    ] LOOP
        EXECUTE format('ALTER ROLE %I SET lock_timeout = ''1500ms''', v_role);
    END LOOP;
    FOREACH v_role IN ARRAY ARRAY['causeway_casino', 'causeway_provider', 'causeway_hub', 'causeway_credentials'] LOOP
        EXECUTE format('ALTER ROLE %I SET statement_timeout = ''2s''', v_role);
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''5s''', v_role);
        EXECUTE format('ALTER ROLE %I SET jit = off', v_role);
    END LOOP;
END $$;

ALTER ROLE causeway_operator SET statement_timeout = '5s';
-- A new wallet, a block and a new cap hold the player's turn until their transaction ends. The player's money calls
-- wait for it, up to lock_timeout. So a session that is idle inside BEGIN is ended before money calls fail.
ALTER ROLE causeway_operator SET idle_in_transaction_session_timeout = '1s';

-- The casino's statements look rows up by key. Without the first two settings, a plan made while a table was empty would
-- use a sequential scan, stay cached, and stay slow until the next ANALYZE.
ALTER ROLE causeway_casino SET enable_seqscan = off;
ALTER ROLE causeway_casino SET plan_cache_mode = force_generic_plan;

REVOKE CREATE ON SCHEMA public FROM public;
GRANT USAGE ON SCHEMA public TO causeway_casino, causeway_provider, causeway_hub, causeway_operator, causeway_auditor,
causeway_ledger, causeway_registrar, causeway_directory, causeway_auditlog, causeway_keeper, causeway_partitioner;

CREATE FUNCTION current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('causeway.tenant_id', true), '')::uuid;
COMMENT ON FUNCTION current_tenant IS
'The tenant of the current transaction, which enter_tenant_v1 and others set. NULL if it is not set: NULL equals no '
'row''s tenant, so no row is visible.';

CREATE FUNCTION current_subject() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('causeway.subject', true), '');
COMMENT ON FUNCTION current_subject IS
'The caller of the current transaction: a person''s subject or an API key''s id. NULL if it is not set.';

CREATE FUNCTION current_caller_role() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('causeway.role', true), '');
COMMENT ON FUNCTION current_caller_role IS 'The role of the caller of the current transaction. NULL if it is not set.';

CREATE FUNCTION ledger_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN current_setting('causeway.tenant_id')::uuid;
COMMENT ON FUNCTION ledger_tenant IS
'The same as current_tenant(), for the functions of causeway_ledger, which always set the tenant. Raises an error if '
'it is not set. It is faster.';

-- The next two are functions because RDS Proxy pins a connection on which it sees a statement with set_config, but not
-- a connection that calls a stored function
-- (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-pinning.html).
CREATE FUNCTION enter_tenant_v1(p_tenant_id uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('causeway.tenant_id', p_tenant_id::text, true);
END $$;
COMMENT ON FUNCTION enter_tenant_v1 IS 'Sets the tenant of the current transaction.';

CREATE FUNCTION enter_deployment_v1(p_subject text, p_role text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('causeway.tenant_id', '00000000-0000-0000-0000-000000000000', true);
    PERFORM set_config('causeway.subject', p_subject, true);
    PERFORM set_config('causeway.role', p_role, true);
END $$;
COMMENT ON FUNCTION enter_deployment_v1 IS
'Sets subject and role for a transaction of the deployment. Its tenant is the nil UUID, so it sees no tenant''s rows.';

REVOKE ALL ON FUNCTION enter_tenant_v1, enter_deployment_v1 FROM public;
GRANT EXECUTE ON FUNCTION enter_tenant_v1 TO causeway_casino, causeway_provider, causeway_auditor, causeway_hub;
GRANT EXECUTE ON FUNCTION enter_deployment_v1 TO causeway_hub;
