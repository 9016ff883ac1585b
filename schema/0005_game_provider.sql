-- The demo game provider's side: its casinos, games, players, sessions and rounds. It holds no money and cannot read
-- the casino's tables. The two sides communicate over HTTP only.

-- The casinos, each with the URL that takes the provider's calls.
CREATE TABLE provider_casinos (
    tenant_id uuid NOT NULL REFERENCES tenants,
    casino_code text NOT NULL CHECK (casino_code ~ '^[A-Z0-9_]{1,64}$'),
    api_url text NOT NULL CHECK (api_url ~ '^https?://'),
    -- The casino knows this provider by this code (x-provider-code).
    provider_code text NOT NULL CHECK (provider_code ~ '^[A-Z0-9_]{1,64}$'),
    PRIMARY KEY (tenant_id, casino_code)
);

CREATE TABLE provider_games (
    tenant_id uuid NOT NULL REFERENCES tenants,
    code text NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    -- Minor units.
    min_bet bigint NOT NULL CHECK (min_bet >= 0),
    max_bet bigint NOT NULL,
    PRIMARY KEY (tenant_id, code),
    CHECK (min_bet <= max_bet)
);

CREATE TABLE provider_players (
    tenant_id uuid NOT NULL,
    provider_player_id bigint GENERATED ALWAYS AS IDENTITY,
    casino_code text NOT NULL,
    -- The player's id at the casino.
    user_id bigint NOT NULL,
    PRIMARY KEY (tenant_id, provider_player_id),
    UNIQUE (tenant_id, casino_code, user_id),
    FOREIGN KEY (tenant_id, casino_code) REFERENCES provider_casinos
);

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
    -- A launch that is sent again finds its session.
    UNIQUE (tenant_id, session_token),
    FOREIGN KEY (tenant_id, provider_player_id) REFERENCES provider_players,
    FOREIGN KEY (tenant_id, game_code) REFERENCES provider_games
);

CREATE TABLE provider_rounds (
    tenant_id uuid NOT NULL,
    round_id uuid NOT NULL DEFAULT gen_random_uuid(),
    provider_session_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'settled')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, round_id),
    FOREIGN KEY (tenant_id, provider_session_id) REFERENCES provider_sessions
);

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
