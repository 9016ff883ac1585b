-- Tenants, the database roles, and the basis of row-level security.
--
-- Roles. Migrations run as the owner (any role that may create roles). Functions log in as the role of their trust
-- zone, which owns no table. causeway_ledger cannot log in. It owns the functions that move money, and is the only
-- role that may write balances and ledger rows. So a login can move money through those functions only.
-- Time limits are set on the role, not on the session: a proxied connection keeps no session state.

DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['causeway_ledger', 'causeway_casino', 'causeway_provider', 'causeway_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            EXECUTE format('CREATE ROLE %I %s', v_role, CASE v_role WHEN 'causeway_ledger' THEN 'NOLOGIN' ELSE 'LOGIN' END);
        END IF;
    END LOOP;
    -- On Aurora a login authenticates with an IAM token. Elsewhere the role rds_iam does not exist.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
        GRANT rds_iam TO causeway_casino, causeway_provider, causeway_auditor;
    END IF;
    -- The owner gives functions to causeway_ledger, and may run the audit.
    EXECUTE format('GRANT causeway_ledger, causeway_auditor TO %I', current_user);
END $$;

ALTER ROLE causeway_casino SET lock_timeout = '1500ms';
ALTER ROLE causeway_casino SET statement_timeout = '2s';
ALTER ROLE causeway_casino SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE causeway_provider SET lock_timeout = '1500ms';
ALTER ROLE causeway_provider SET statement_timeout = '2s';
ALTER ROLE causeway_provider SET idle_in_transaction_session_timeout = '5s';

-- Every statement of these roles looks rows up by key. Without these settings, a plan made while a table was empty
-- would use a sequential scan, stay cached, and stay slow until the next ANALYZE.
ALTER ROLE causeway_casino SET enable_seqscan = off;
ALTER ROLE causeway_casino SET plan_cache_mode = force_generic_plan;
ALTER ROLE causeway_casino SET jit = off;
ALTER ROLE causeway_provider SET jit = off;

REVOKE CREATE ON SCHEMA public FROM public;
GRANT USAGE ON SCHEMA public TO causeway_ledger, causeway_casino, causeway_provider, causeway_auditor;

-- The tenant of the current transaction, set by set_config('causeway.tenant_id', ..., true). NULL if it is not set:
-- NULL equals no row's tenant, so no row is visible.
CREATE FUNCTION current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('causeway.tenant_id', true), '')::uuid;

-- The same for the functions of causeway_ledger, which always set the tenant. Raises an error if it is not set;
-- cheaper.
CREATE FUNCTION ledger_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN current_setting('causeway.tenant_id')::uuid;

-- Whether a text is a name in normal form, so that two names that look alike are equal: NFC, no space at either end, no
-- two spaces in a row, no other white space, no invisible character. causeway.wire.names converts a name to this form.
CREATE FUNCTION is_name(p_text text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_text IS NFC NORMALIZED AND p_text <> '' AND p_text !~ '^ |  | $'
AND p_text !~ '[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]'
AND p_text !~ ('[\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160'
|| '\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ue000-\uf8ff\ufe00-\ufe0f'
|| '\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3'
|| '\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]');

-- Sets the tenant of the current transaction. It is a function because RDS Proxy pins a connection on which it sees a
-- statement with set_config, but not a connection that calls a stored function
-- (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-pinning.html).
CREATE FUNCTION enter_tenant_v1(p_tenant_id uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('causeway.tenant_id', p_tenant_id::text, true);
END $$;

REVOKE ALL ON FUNCTION enter_tenant_v1 FROM public;
GRANT EXECUTE ON FUNCTION enter_tenant_v1 TO causeway_casino, causeway_provider, causeway_auditor;

CREATE TABLE tenants (
    tenant_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Game providers know the casino by this code (casinoCode).
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9_]{1,64}$'),
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200 AND is_name(display_name)),
    -- The number of changes: the ETag.
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants_own ON tenants FOR SELECT TO causeway_casino, causeway_provider
USING (tenant_id = current_tenant());
CREATE POLICY tenants_audit ON tenants FOR SELECT TO causeway_auditor USING (true);
GRANT SELECT ON tenants TO causeway_casino, causeway_provider, causeway_auditor;

-- Money is in whole minor units. The exponent says how many decimals one unit has (ISO 4217; BTC in satoshi).
CREATE TABLE currencies (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{3,5}$'),
    exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 8)
);

INSERT INTO currencies (code, exponent)
SELECT c.code, e.exponent
FROM (VALUES
    (0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'),
    (2, 'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY'),
    (2, 'COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS'),
    (2, 'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR'),
    (2, 'MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD'),
    (2, 'SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW'),
    (3, 'BHD IQD JOD KWD LYD OMR TND'),
    (8, 'BTC')
) AS e (exponent, codes)
CROSS JOIN LATERAL string_to_table(e.codes, ' ') AS c (code);

GRANT SELECT ON currencies TO causeway_ledger, causeway_casino, causeway_provider, causeway_auditor;
