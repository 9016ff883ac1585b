-- Functions that add and change what a wallet call needs: players, wallets, game providers and games.
--
-- Row-level security applies to the tables' owner too: its UPDATE finds no row. Switching it off needs an exclusive
-- lock, which would block every money call. So these functions write rows as causeway_registrar, which cannot log in,
-- and causeway_operator may call them. An argument of a change that is left out, or is NULL, leaves its column
-- unchanged.

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

CREATE FUNCTION casino_change_player_v1(p_tenant_id uuid, p_player_id bigint, p_status text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    UPDATE casino_players AS p SET status = coalesce(p_status, p.status)
    WHERE p.tenant_id = p_tenant_id AND p.player_id = p_player_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % has no player %', p_tenant_id, p_player_id USING ERRCODE = 'CW010';
    END IF;
END $$;
COMMENT ON FUNCTION casino_change_player_v1 IS
'Blocks a player (''blocked'') or allows bets again (''active''). Waits for the player''s running money call.';

-- It locks the player's turn (casino_wait_turn) before the wallet's row, in the same order as a money call.
CREATE FUNCTION casino_change_wallet_v1(p_tenant_id uuid, p_wallet_id bigint, p_balance_cap bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    PERFORM pg_advisory_xact_lock(w.player_id) FROM casino_wallets AS w
    WHERE w.tenant_id = p_tenant_id AND w.wallet_id = p_wallet_id;
    UPDATE casino_wallets AS w SET balance_cap = coalesce(p_balance_cap, w.balance_cap)
    WHERE w.tenant_id = p_tenant_id AND w.wallet_id = p_wallet_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % has no wallet %', p_tenant_id, p_wallet_id USING ERRCODE = 'CW010';
    END IF;
END $$;
COMMENT ON FUNCTION casino_change_wallet_v1 IS
'Sets the most that wins and deposits may bring a wallet to, in minor units. Waits for the player''s running money '
'call.';

CREATE FUNCTION casino_change_game_provider_v1(
    p_tenant_id uuid, p_code text, p_display_name text DEFAULT NULL, p_api_url text DEFAULT NULL,
    p_status text DEFAULT NULL, p_allow_bare_signature boolean DEFAULT NULL, p_unknown_rollback text DEFAULT NULL,
    p_late_bet text DEFAULT NULL, p_rollback_until text DEFAULT NULL, p_duplicate text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    UPDATE casino_game_providers AS g
    SET display_name = coalesce(p_display_name, g.display_name),
        api_url = coalesce(p_api_url, g.api_url),
        status = coalesce(p_status, g.status),
        allow_bare_signature = coalesce(p_allow_bare_signature, g.allow_bare_signature),
        unknown_rollback = coalesce(p_unknown_rollback, g.unknown_rollback),
        late_bet = coalesce(p_late_bet, g.late_bet),
        rollback_until = coalesce(p_rollback_until, g.rollback_until),
        duplicate = coalesce(p_duplicate, g.duplicate)
    WHERE g.tenant_id = p_tenant_id AND g.code = p_code;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % has no game provider %', p_tenant_id, p_code USING ERRCODE = 'CW010';
    END IF;
END $$;
COMMENT ON FUNCTION casino_change_game_provider_v1 IS
'Changes a game provider, found by its code: the URL for launches, its status, and its dialect without p_id_scope.';

CREATE FUNCTION casino_change_game_v1(
    p_tenant_id uuid, p_game_provider text, p_code text, p_display_name text DEFAULT NULL, p_status text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    UPDATE casino_games AS g
    SET display_name = coalesce(p_display_name, g.display_name), status = coalesce(p_status, g.status)
    FROM casino_game_providers AS p
    WHERE g.tenant_id = p_tenant_id AND g.code = p_code
        AND p.tenant_id = p_tenant_id AND p.game_provider_id = g.game_provider_id AND p.code = p_game_provider;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % has no game % of a game provider %', p_tenant_id, p_code, p_game_provider
            USING ERRCODE = 'CW010';
    END IF;
END $$;
COMMENT ON FUNCTION casino_change_game_v1 IS
'Changes a game, found by its provider''s code and its own. An inactive game cannot be launched; open sessions go on.';

GRANT CREATE ON SCHEMA public TO causeway_registrar;
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname ~ '^casino_(add|change)_'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM public', v_function);
        EXECUTE format('ALTER FUNCTION %s OWNER TO causeway_registrar', v_function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO causeway_operator', v_function);
    END LOOP;
END $$;
REVOKE CREATE ON SCHEMA public FROM causeway_registrar;
