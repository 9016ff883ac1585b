-- Functions that change the casino registry: the columns of each table that may change after a row was added.
--
-- As in 0016, row-level security applies to the tables' owner: its UPDATE finds no row. These functions change rows as
-- causeway_registrar, and causeway_operator may call them. An argument that is left out, or is NULL, leaves its column
-- unchanged. Nothing is deleted, because the ledger refers to it: block a player, set a game or game provider to
-- inactive.

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY[
        'casino_players', 'casino_wallets', 'casino_game_providers', 'casino_games', 'provider_casinos', 'provider_games'
    ] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR UPDATE TO causeway_registrar '
            'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())',
            v_table || '_revise', v_table
        );
    END LOOP;
END $$;

GRANT UPDATE (status) ON casino_players TO causeway_registrar;
GRANT UPDATE (balance_cap) ON casino_wallets TO causeway_registrar;
GRANT UPDATE (
    display_name, api_url, status, allow_bare_signature, unknown_rollback, late_bet, rollback_until, duplicate
) ON casino_game_providers TO causeway_registrar;
GRANT UPDATE (display_name, status) ON casino_games TO causeway_registrar;
GRANT UPDATE (api_url, provider_code) ON provider_casinos TO causeway_registrar;
GRANT UPDATE (min_bet, max_bet) ON provider_games TO causeway_registrar;

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

-- It locks the player's turn (0004) before the wallet's row, in the same order as a money call.
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

CREATE FUNCTION provider_change_casino_v1(
    p_tenant_id uuid, p_casino_code text, p_api_url text DEFAULT NULL, p_provider_code text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    UPDATE provider_casinos AS c
    SET api_url = coalesce(p_api_url, c.api_url), provider_code = coalesce(p_provider_code, c.provider_code)
    WHERE c.tenant_id = p_tenant_id AND c.casino_code = p_casino_code;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % has no casino %', p_tenant_id, p_casino_code USING ERRCODE = 'CW010';
    END IF;
END $$;
COMMENT ON FUNCTION provider_change_casino_v1 IS
'Changes a casino of the demo provider, found by its code: the URL of its wallet, and its code for the provider.';

CREATE FUNCTION provider_change_game_v1(
    p_tenant_id uuid, p_code text, p_min_bet bigint DEFAULT NULL, p_max_bet bigint DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    UPDATE provider_games AS g SET min_bet = coalesce(p_min_bet, g.min_bet), max_bet = coalesce(p_max_bet, g.max_bet)
    WHERE g.tenant_id = p_tenant_id AND g.code = p_code;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % has no game % of the demo provider', p_tenant_id, p_code USING ERRCODE = 'CW010';
    END IF;
END $$;
COMMENT ON FUNCTION provider_change_game_v1 IS
'Changes a game of the demo provider, found by its code. Bets are in minor units.';

GRANT CREATE ON SCHEMA public TO causeway_registrar;
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname ~ '^(casino|provider)_change_'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM public', v_function);
        EXECUTE format('ALTER FUNCTION %s OWNER TO causeway_registrar', v_function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO causeway_operator', v_function);
    END LOOP;
END $$;
REVOKE CREATE ON SCHEMA public FROM causeway_registrar;
