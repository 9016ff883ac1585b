-- Functions that add what a wallet call needs: players, wallets, game providers, games, and the demo provider's side.
--
-- Row-level security applies to the tables' owner too. Switching it off needs an exclusive lock, which would block
-- every money call. So these functions add rows as causeway_registrar, which cannot log in.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'causeway_registrar') THEN
        CREATE ROLE causeway_registrar NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'causeway_operator') THEN
        CREATE ROLE causeway_operator LOGIN;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
        GRANT rds_iam TO causeway_operator;
    END IF;
    EXECUTE format('GRANT causeway_registrar TO %I', current_user);
END $$;

COMMENT ON ROLE causeway_registrar IS
'Owns the functions that add and change what a wallet call needs, for the tenant that the call names. It sees no '
'ledger row and no session.';
COMMENT ON ROLE causeway_operator IS
'The login of the people who set up a casino. It may call the functions of causeway_registrar, and reads no table.';

ALTER ROLE causeway_operator SET lock_timeout = '1500ms';
ALTER ROLE causeway_operator SET statement_timeout = '5s';
-- A new wallet, a block and a new cap hold the player's turn until their transaction ends. The player's money calls
-- wait for it, up to lock_timeout. So a session that is idle inside BEGIN is ended before money calls fail.
ALTER ROLE causeway_operator SET idle_in_transaction_session_timeout = '1s';

GRANT USAGE ON SCHEMA public TO causeway_registrar, causeway_operator;

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY[
        'casino_players', 'casino_wallets', 'casino_game_providers', 'casino_games', 'provider_casinos', 'provider_games'
    ] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_registrar USING (tenant_id = current_tenant())',
            v_table || '_registered', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO causeway_registrar WITH CHECK (tenant_id = current_tenant())',
            v_table || '_register', v_table);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO causeway_registrar', v_table);
    END LOOP;
END $$;

CREATE FUNCTION casino_add_player_v1(p_tenant_id uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
    v_player_id bigint;
BEGIN
    INSERT INTO casino_players (tenant_id) VALUES (p_tenant_id) RETURNING player_id INTO v_player_id;
    RETURN v_player_id;
EXCEPTION
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'there is no tenant %', p_tenant_id USING ERRCODE = 'foreign_key_violation';
END $$;
COMMENT ON FUNCTION casino_add_player_v1 IS 'Adds a player without a wallet. Returns the player''s id.';

CREATE FUNCTION casino_add_wallet_v1(p_tenant_id uuid, p_player_id bigint, p_currency text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
    v_wallet_id bigint;
BEGIN
    INSERT INTO casino_wallets (tenant_id, player_id, currency) VALUES (p_tenant_id, p_player_id, p_currency)
    RETURNING wallet_id INTO v_wallet_id;
    RETURN v_wallet_id;
EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'player % has a wallet in % already: a player has at most one per currency; use it',
            p_player_id, p_currency USING ERRCODE = 'unique_violation';
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'tenant % has no player %, or there is no currency %', p_tenant_id, p_player_id, p_currency
            USING ERRCODE = 'foreign_key_violation';
END $$;
COMMENT ON FUNCTION casino_add_wallet_v1 IS
'Adds an empty wallet for a player, one per currency (ISO 4217). Returns its id. Waits for the player''s running money '
'call.';

CREATE FUNCTION casino_add_game_provider_v1(
    p_tenant_id uuid, p_code text, p_display_name text, p_api_url text, p_allow_bare_signature boolean DEFAULT false,
    p_unknown_rollback text DEFAULT 'accept', p_late_bet text DEFAULT 'refuse', p_id_scope text DEFAULT 'provider',
    p_rollback_until text DEFAULT 'round_paid', p_duplicate text DEFAULT 'replay'
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
    v_game_provider_id bigint;
BEGIN
    INSERT INTO casino_game_providers (
        tenant_id, code, display_name, api_url, allow_bare_signature, unknown_rollback, late_bet, id_scope,
        rollback_until, duplicate
    ) VALUES (
        p_tenant_id, p_code, p_display_name, p_api_url, p_allow_bare_signature, p_unknown_rollback, p_late_bet, p_id_scope,
        p_rollback_until, p_duplicate
    ) RETURNING game_provider_id INTO v_game_provider_id;
    RETURN v_game_provider_id;
EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'the code % is taken: a game provider''s code is unique in the deployment; '
            'choose another code, or change your own with casino_change_game_provider_v1',
            p_code USING ERRCODE = 'unique_violation';
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'there is no tenant %', p_tenant_id USING ERRCODE = 'foreign_key_violation';
END $$;
COMMENT ON FUNCTION casino_add_game_provider_v1 IS
'Adds a game provider with its dialect. p_code and p_id_scope cannot be changed later. Returns its id.';

CREATE FUNCTION casino_add_game_v1(p_tenant_id uuid, p_game_provider text, p_code text, p_display_name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
    v_game_id bigint;
BEGIN
    INSERT INTO casino_games (tenant_id, game_provider_id, code, display_name)
    SELECT p_tenant_id, g.game_provider_id, p_code, p_display_name
    FROM casino_game_providers AS g WHERE g.tenant_id = p_tenant_id AND g.code = p_game_provider
    RETURNING game_id INTO v_game_id;
    IF v_game_id IS NULL THEN
        RAISE EXCEPTION 'tenant % has no game provider %', p_tenant_id, p_game_provider USING ERRCODE = 'CW010';
    END IF;
    RETURN v_game_id;
EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'game provider % has a game % already: '
            'choose another code, or change the game with casino_change_game_v1',
            p_game_provider, p_code USING ERRCODE = 'unique_violation';
END $$;
COMMENT ON FUNCTION casino_add_game_v1 IS
'Adds a game of the game provider with the code p_game_provider. Returns its id.';

CREATE FUNCTION provider_add_casino_v1(p_tenant_id uuid, p_casino_code text, p_api_url text, p_provider_code text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    INSERT INTO provider_casinos (tenant_id, casino_code, api_url, provider_code)
    VALUES (p_tenant_id, p_casino_code, p_api_url, p_provider_code);
EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'tenant % has a casino % already: '
            'choose another code, or change the casino with provider_change_casino_v1',
            p_tenant_id, p_casino_code USING ERRCODE = 'unique_violation';
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'there is no tenant %', p_tenant_id USING ERRCODE = 'foreign_key_violation';
END $$;
COMMENT ON FUNCTION provider_add_casino_v1 IS
'Adds a casino to the demo provider: its code, the URL of its wallet, and the code by which it knows the provider.';

CREATE FUNCTION provider_add_game_v1(p_tenant_id uuid, p_code text, p_min_bet bigint, p_max_bet bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    INSERT INTO provider_games (tenant_id, code, min_bet, max_bet) VALUES (p_tenant_id, p_code, p_min_bet, p_max_bet);
EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'tenant % has a game % of the demo provider already: '
            'choose another code, or change the game with provider_change_game_v1',
            p_tenant_id, p_code USING ERRCODE = 'unique_violation';
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'there is no tenant %', p_tenant_id USING ERRCODE = 'foreign_key_violation';
END $$;
COMMENT ON FUNCTION provider_add_game_v1 IS 'Adds a game to the demo provider. Bets are in minor units.';

GRANT CREATE ON SCHEMA public TO causeway_registrar;
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname ~ '^(casino|provider)_add_'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM public', v_function);
        EXECUTE format('ALTER FUNCTION %s OWNER TO causeway_registrar', v_function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO causeway_operator', v_function);
    END LOOP;
END $$;
REVOKE CREATE ON SCHEMA public FROM causeway_registrar;
