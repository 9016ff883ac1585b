-- The casino side: players, wallets, game providers with their dialects, games and sessions.

-- The last protection against an overdraft, independent of all code. It is a domain because Postgres caches the CHECK
-- of a domain across statements, but parses the CHECK of a table again for each statement.
CREATE DOMAIN wallet_balance AS bigint CONSTRAINT wallet_balance_covered CHECK (value >= 0);

-- The most that wins and deposits may bring a wallet to, in minor units. Refunds may exceed it. It is less than half of
-- a bigint's range, which leaves room for refunds.
CREATE DOMAIN balance_cap AS bigint CHECK (value BETWEEN 0 AND 4000000000000000000);

CREATE TABLE casino_players (
    tenant_id uuid NOT NULL REFERENCES tenants,
    player_id bigint GENERATED ALWAYS AS IDENTITY,
    -- A blocked player cannot bet. Wins and refunds of earlier bets are still paid. casino_wallets.takes_bets follows
    -- it.
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'blocked')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, player_id)
);

-- The differences between game providers (their dialect) are columns of this table. The ledger's functions read them
-- and never branch on a provider's name.
CREATE TABLE casino_game_providers (
    tenant_id uuid NOT NULL REFERENCES tenants,
    game_provider_id bigint GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL CHECK (code ~ '^[A-Z0-9_]{1,64}$'),
    display_name text NOT NULL,
    api_url text NOT NULL CHECK (api_url ~ '^https?://'),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive')),
    -- Whether a signature over the body alone, without a time stamp, is accepted.
    allow_bare_signature boolean NOT NULL DEFAULT false,
    -- Rollback of an unknown id: 'accept' answers OK, 'refuse' answers an error. Both leave a tombstone.
    unknown_rollback text NOT NULL DEFAULT 'accept' CHECK (unknown_rollback IN ('accept', 'refuse')),
    -- A bet that arrives after its tombstone: 'refuse' answers an error, 'swallow' answers OK. Neither moves money.
    late_bet text NOT NULL DEFAULT 'refuse' CHECK (late_bet IN ('refuse', 'swallow')),
    -- The scope in which transaction ids are unique: the whole provider, or each player.
    id_scope text NOT NULL DEFAULT 'provider' CHECK (id_scope IN ('provider', 'player')),
    -- A bet can be rolled back until its round has a payout ('round_paid') or until a payout names the bet
    -- ('bet_settled').
    rollback_until text NOT NULL DEFAULT 'round_paid' CHECK (rollback_until IN ('round_paid', 'bet_settled')),
    -- A transaction that is sent again: 'replay' answers the first answer, 'refuse' answers an error.
    duplicate text NOT NULL DEFAULT 'replay' CHECK (duplicate IN ('replay', 'refuse')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, game_provider_id),
    UNIQUE (tenant_id, code)
);

CREATE TABLE casino_games (
    tenant_id uuid NOT NULL,
    game_id bigint GENERATED ALWAYS AS IDENTITY,
    game_provider_id bigint NOT NULL,
    -- The game's name at its provider (gameId in calls between casino and provider).
    code text NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    display_name text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive')),
    PRIMARY KEY (tenant_id, game_id),
    UNIQUE (tenant_id, game_provider_id, code),
    -- The target of casino_sessions' foreign key: a session's game belongs to the session's provider.
    UNIQUE (tenant_id, game_id, game_provider_id),
    FOREIGN KEY (tenant_id, game_provider_id) REFERENCES casino_game_providers
);

-- Only the ledger's functions write a balance, together with the ledger row that explains it.
CREATE TABLE casino_wallets (
    tenant_id uuid NOT NULL,
    wallet_id bigint GENERATED ALWAYS AS IDENTITY,
    player_id bigint NOT NULL,
    currency text NOT NULL REFERENCES currencies,
    balance wallet_balance NOT NULL DEFAULT 0,
    -- Whether the player may bet: a copy of the player's status. With the copy a bet reads one row less, and blocking a
    -- player waits for a bet in progress.
    takes_bets boolean NOT NULL DEFAULT true,
    -- Wins and deposits above this are declined. Refunds are not.
    balance_cap balance_cap NOT NULL DEFAULT 1000000000000000,
    -- The head of the wallet's hash chain: the number of ledger rows, and the hash of the newest ('' before the first).
    entries bigint NOT NULL DEFAULT 0,
    head bytea NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, wallet_id),
    -- A player has at most one wallet per currency.
    UNIQUE (tenant_id, player_id, currency),
    -- The target of casino_sessions' foreign key: a session's wallet belongs to the session's player.
    UNIQUE (tenant_id, wallet_id, player_id),
    FOREIGN KEY (tenant_id, player_id) REFERENCES casino_players
) WITH (fillfactor = 60); -- room for the next version of a row on its own page: updates touch no index

CREATE TABLE casino_sessions (
    tenant_id uuid NOT NULL,
    session_id bigint GENERATED ALWAYS AS IDENTITY,
    session_token varchar(255) COLLATE "C" NOT NULL,
    player_id bigint NOT NULL,
    wallet_id bigint NOT NULL,
    game_id bigint NOT NULL,
    game_provider_id bigint NOT NULL,
    -- The provider's own id of the session. NULL until the launch call has answered.
    provider_session_id varchar(255) COLLATE "C",
    status text NOT NULL DEFAULT 'launching' CHECK (status IN ('launching', 'active', 'closed')),
    -- While the launch call is running the provider may already bet, for one minute at most. Only a launch that is
    -- known to have succeeded extends the session.
    expires_at timestamptz NOT NULL DEFAULT now() + interval '1 minute',
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The caller that opened the session (a person's subject or an API key's id), its address and request. The only
    -- trace of a launch by a key: such a launch has no audit log entry. NULL on a laptop, where callers are not
    -- authenticated.
    opener_kind text CHECK (opener_kind IN ('person', 'machine')),
    opener text,
    source_ip text,
    request_id text,
    CHECK (num_nulls(opener_kind, opener, source_ip, request_id) IN (0, 4)),
    CHECK (status <> 'launching' OR expires_at <= created_at + interval '1 minute'),
    PRIMARY KEY (tenant_id, session_id),
    UNIQUE (tenant_id, session_token),
    FOREIGN KEY (tenant_id, wallet_id, player_id) REFERENCES casino_wallets (tenant_id, wallet_id, player_id),
    FOREIGN KEY (tenant_id, game_id, game_provider_id)
    REFERENCES casino_games (tenant_id, game_id, game_provider_id)
);

-- Row-level security: one policy per table, command and group of roles. A command without a policy finds no row.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['casino_players', 'casino_game_providers', 'casino_games', 'casino_wallets', 'casino_sessions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_casino USING (tenant_id = current_tenant())',
            v_table || '_own', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_ledger USING (tenant_id = ledger_tenant())',
            v_table || '_ledger', v_table);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO causeway_auditor USING (true)', v_table || '_audit', v_table);
        EXECUTE format('GRANT SELECT ON %I TO causeway_casino, causeway_ledger, causeway_auditor', v_table);
    END LOOP;
END $$;

CREATE POLICY casino_sessions_open ON casino_sessions FOR INSERT TO causeway_casino
WITH CHECK (tenant_id = current_tenant());
CREATE POLICY casino_sessions_change ON casino_sessions FOR UPDATE TO causeway_casino
USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
GRANT INSERT, UPDATE (status, provider_session_id, expires_at) ON casino_sessions TO causeway_casino;

CREATE POLICY casino_wallets_move ON casino_wallets FOR UPDATE TO causeway_ledger
USING (tenant_id = ledger_tenant()) WITH CHECK (tenant_id = ledger_tenant());
GRANT UPDATE (balance, takes_bets, entries, head) ON casino_wallets TO causeway_ledger;
