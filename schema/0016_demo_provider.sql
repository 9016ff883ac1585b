-- The demo game provider's side: its casinos, games, players, sessions and rounds. It holds no money and cannot read
-- the casino's tables. The two sides communicate over HTTP only.

CREATE TABLE provider_casinos (
    tenant_id uuid NOT NULL REFERENCES tenants,
    casino_code text NOT NULL CHECK (casino_code ~ '^[A-Z0-9_]{1,64}$'),
    api_url text NOT NULL CHECK (api_url ~ '^https?://'),
    provider_code text NOT NULL CHECK (provider_code ~ '^[A-Z0-9_]{1,64}$'),
    PRIMARY KEY (tenant_id, casino_code)
);
COMMENT ON TABLE provider_casinos IS 'The casinos that the demo game provider knows.';
COMMENT ON COLUMN provider_casinos.casino_code IS 'The casino''s code (casinoCode).';
COMMENT ON COLUMN provider_casinos.api_url IS 'The URL that takes the provider''s calls: the casino''s wallet.';
COMMENT ON COLUMN provider_casinos.provider_code IS 'The casino knows this provider by this code (x-provider-code).';
CREATE INDEX provider_casinos_by_code ON provider_casinos (provider_code);
COMMENT ON INDEX provider_casinos_by_code IS 'Finds a code before the caller''s tenant is known.';

CREATE TABLE provider_games (
    tenant_id uuid NOT NULL REFERENCES tenants,
    code text NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    min_bet bigint NOT NULL CHECK (min_bet >= 0),
    max_bet bigint NOT NULL,
    PRIMARY KEY (tenant_id, code),
    CONSTRAINT provider_games_bets CHECK (min_bet <= max_bet)
);
COMMENT ON TABLE provider_games IS 'The games of the demo game provider.';
COMMENT ON COLUMN provider_games.code IS 'The game''s name (gameId in calls between casino and provider).';
COMMENT ON COLUMN provider_games.min_bet IS 'The smallest bet, in minor units.';
COMMENT ON COLUMN provider_games.max_bet IS 'The largest bet, in minor units.';
COMMENT ON CONSTRAINT provider_games_bets ON provider_games IS 'The smallest bet is not above the largest.';

CREATE TABLE provider_players (
    tenant_id uuid NOT NULL,
    provider_player_id bigint GENERATED ALWAYS AS IDENTITY,
    casino_code text NOT NULL,
    user_id bigint NOT NULL,
    PRIMARY KEY (tenant_id, provider_player_id),
    CONSTRAINT provider_players_user UNIQUE (tenant_id, casino_code, user_id),
    FOREIGN KEY (tenant_id, casino_code) REFERENCES provider_casinos
);
COMMENT ON TABLE provider_players IS 'The players of the casinos, as the demo game provider knows them.';
COMMENT ON COLUMN provider_players.provider_player_id IS 'The provider''s own id of the player.';
COMMENT ON COLUMN provider_players.casino_code IS 'The casino of the player.';
COMMENT ON COLUMN provider_players.user_id IS 'The player''s id at the casino.';
COMMENT ON CONSTRAINT provider_players_user ON provider_players IS 'The provider knows a player of a casino once.';

CREATE TABLE provider_sessions (
    tenant_id uuid NOT NULL,
    provider_session_id uuid NOT NULL DEFAULT gen_random_uuid(),
    provider_player_id bigint NOT NULL,
    game_code text NOT NULL,
    session_token varchar(255) COLLATE "C" NOT NULL,
    casino_session_id bigint NOT NULL,
    currency text NOT NULL REFERENCES currencies,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, provider_session_id),
    CONSTRAINT provider_sessions_token UNIQUE (tenant_id, session_token),
    FOREIGN KEY (tenant_id, provider_player_id) REFERENCES provider_players,
    FOREIGN KEY (tenant_id, game_code) REFERENCES provider_games
);
COMMENT ON TABLE provider_sessions IS 'The sessions of players at games of the demo game provider.';
COMMENT ON COLUMN provider_sessions.provider_session_id IS 'The provider''s own id of the session.';
COMMENT ON COLUMN provider_sessions.provider_player_id IS 'The player, by the provider''s own id.';
COMMENT ON COLUMN provider_sessions.game_code IS 'The game.';
COMMENT ON COLUMN provider_sessions.session_token IS
'The casino''s token of the session: the provider''s calls to the casino name it.';
COMMENT ON COLUMN provider_sessions.casino_session_id IS 'The casino''s id of the session.';
COMMENT ON CONSTRAINT provider_sessions_token ON provider_sessions IS 'A launch that is sent again finds its session.';

CREATE TABLE provider_rounds (
    tenant_id uuid NOT NULL,
    round_id uuid NOT NULL DEFAULT gen_random_uuid(),
    provider_session_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'settled')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, round_id),
    FOREIGN KEY (tenant_id, provider_session_id) REFERENCES provider_sessions
);
COMMENT ON TABLE provider_rounds IS 'The rounds that were played in a session.';
COMMENT ON COLUMN provider_rounds.round_id IS 'The id of the round in calls to the casino (roundId).';
COMMENT ON COLUMN provider_rounds.provider_session_id IS 'The session, by the provider''s own id.';
COMMENT ON COLUMN provider_rounds.status IS 'A round is settled after the last call of its script to the casino.';

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['provider_casinos', 'provider_games', 'provider_players', 'provider_sessions', 'provider_rounds'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_provider USING (tenant_id = current_tenant())',
            v_table || '_own', v_table);
        EXECUTE format('GRANT SELECT ON %I TO causeway_provider', v_table);
    END LOOP;
    FOREACH v_table IN ARRAY ARRAY['provider_players', 'provider_sessions', 'provider_rounds'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO causeway_provider WITH CHECK (tenant_id = current_tenant())',
            v_table || '_add', v_table);
        EXECUTE format('GRANT INSERT ON %I TO causeway_provider', v_table);
    END LOOP;
END $$;

CREATE POLICY provider_rounds_settle ON provider_rounds FOR UPDATE TO causeway_provider
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
GRANT UPDATE (status) ON provider_rounds TO causeway_provider;

-- Operators add and change casinos and games with the functions of causeway_registrar.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['provider_casinos', 'provider_games'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_registrar USING (tenant_id = current_tenant())',
            v_table || '_registered', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO causeway_registrar WITH CHECK (tenant_id = current_tenant())',
            v_table || '_register', v_table);
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR UPDATE TO causeway_registrar '
            'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())',
            v_table || '_revise', v_table
        );
        EXECUTE format('GRANT SELECT, INSERT ON %I TO causeway_registrar', v_table);
    END LOOP;
END $$;

GRANT UPDATE (api_url, provider_code) ON provider_casinos TO causeway_registrar;
GRANT UPDATE (min_bet, max_bet) ON provider_games TO causeway_registrar;

CREATE POLICY provider_casinos_directory ON provider_casinos FOR SELECT TO causeway_directory USING (true);
GRANT SELECT (provider_code) ON provider_casinos TO causeway_directory;

CREATE FUNCTION provider_code_known_v1(p_code text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM provider_casinos AS c WHERE c.provider_code = p_code);
COMMENT ON FUNCTION provider_code_known_v1 IS
'The same for the demo game provider: whether any casino knows it by this code.';

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

-- As in the casino's registry: an argument that is left out, or is NULL, leaves its column unchanged.
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

REVOKE ALL ON FUNCTION provider_code_known_v1 FROM public;
GRANT CREATE ON SCHEMA public TO causeway_directory, causeway_registrar;
ALTER FUNCTION provider_code_known_v1 OWNER TO causeway_directory;
GRANT EXECUTE ON FUNCTION provider_code_known_v1 TO causeway_provider;
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname ~ '^provider_(add|change)_'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM public', v_function);
        EXECUTE format('ALTER FUNCTION %s OWNER TO causeway_registrar', v_function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO causeway_operator', v_function);
    END LOOP;
END $$;
REVOKE CREATE ON SCHEMA public FROM causeway_directory, causeway_registrar;
