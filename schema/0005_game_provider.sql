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
