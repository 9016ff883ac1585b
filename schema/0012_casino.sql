-- The casino side: players, wallets, game providers with their dialects, games and sessions.

-- It is a domain because Postgres caches the CHECK of a domain across statements, but parses the CHECK of a table again
-- for each statement.
CREATE DOMAIN wallet_balance AS bigint CONSTRAINT wallet_balance_covered CHECK (value >= 0);
COMMENT ON DOMAIN wallet_balance IS
'A balance in minor units. The last protection against an overdraft, independent of all code.';

CREATE DOMAIN balance_cap AS bigint CHECK (value BETWEEN 0 AND 4000000000000000000);
COMMENT ON DOMAIN balance_cap IS
'The most that wins and deposits may bring a wallet to, in minor units. Refunds may exceed it. It is less than half of '
'a bigint''s range, which leaves room for refunds.';

CREATE TABLE casino_players (
    tenant_id uuid NOT NULL REFERENCES tenants,
    player_id bigint GENERATED ALWAYS AS IDENTITY,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'blocked')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, player_id)
);
COMMENT ON TABLE casino_players IS 'A casino''s players.';
COMMENT ON COLUMN casino_players.status IS
'A blocked player cannot bet. Wins and refunds of earlier bets are still paid. casino_wallets.takes_bets follows it.';

CREATE TABLE casino_game_providers (
    tenant_id uuid NOT NULL REFERENCES tenants,
    game_provider_id bigint GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL CHECK (code ~ '^[A-Z0-9_]{1,64}$'),
    display_name text NOT NULL,
    api_url text NOT NULL CHECK (api_url ~ '^https?://'),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive')),
    allow_bare_signature boolean NOT NULL DEFAULT false,
    unknown_rollback text NOT NULL DEFAULT 'accept' CHECK (unknown_rollback IN ('accept', 'refuse')),
    late_bet text NOT NULL DEFAULT 'refuse' CHECK (late_bet IN ('refuse', 'swallow')),
    id_scope text NOT NULL DEFAULT 'provider' CHECK (id_scope IN ('provider', 'player')),
    rollback_until text NOT NULL DEFAULT 'round_paid' CHECK (rollback_until IN ('round_paid', 'bet_settled')),
    duplicate text NOT NULL DEFAULT 'replay' CHECK (duplicate IN ('replay', 'refuse')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, game_provider_id),
    CONSTRAINT casino_game_providers_code UNIQUE (tenant_id, code)
);
COMMENT ON TABLE casino_game_providers IS
'The game providers that may call a casino''s wallet. The differences between them (their dialect) are columns: the '
'ledger''s functions read them and never branch on a provider''s name.';
COMMENT ON COLUMN casino_game_providers.code IS
'The provider''s code in its calls (x-provider-code). It never changes.';
COMMENT ON COLUMN casino_game_providers.api_url IS 'Where the casino calls the provider to launch a game.';
COMMENT ON COLUMN casino_game_providers.status IS
'Bets of an inactive provider are refused. Its wins and rollbacks of earlier bets are still accepted.';
COMMENT ON COLUMN casino_game_providers.allow_bare_signature IS
'Whether a signature over the body alone, without a time stamp, is accepted.';
COMMENT ON COLUMN casino_game_providers.unknown_rollback IS
'Rollback of an unknown id: ''accept'' answers OK, ''refuse'' answers an error. Both leave a tombstone.';
COMMENT ON COLUMN casino_game_providers.late_bet IS
'A bet that arrives after its tombstone: ''refuse'' answers an error, ''swallow'' answers OK. Neither moves money.';
COMMENT ON COLUMN casino_game_providers.id_scope IS
'The scope in which transaction ids are unique: the whole provider, or each player. It never changes.';
COMMENT ON COLUMN casino_game_providers.rollback_until IS
'A bet can be rolled back until its round has a payout (''round_paid'') or until a payout names the bet '
'(''bet_settled'').';
COMMENT ON COLUMN casino_game_providers.duplicate IS
'A transaction that is sent again: ''replay'' answers the first answer, ''refuse'' answers an error.';
COMMENT ON CONSTRAINT casino_game_providers_code ON casino_game_providers IS
'Two game providers of a casino have different codes. casino_game_providers_by_code extends this to the whole '
'deployment.';
-- A caller's code is looked up before its tenant is known.
CREATE UNIQUE INDEX casino_game_providers_by_code ON casino_game_providers (code);
COMMENT ON INDEX casino_game_providers_by_code IS
'A code has one secret, which belongs to one tenant, so no other tenant may have a game provider with that code.';

CREATE TABLE casino_games (
    tenant_id uuid NOT NULL,
    game_id bigint GENERATED ALWAYS AS IDENTITY,
    game_provider_id bigint NOT NULL,
    code text NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    display_name text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive')),
    PRIMARY KEY (tenant_id, game_id),
    CONSTRAINT casino_games_code UNIQUE (tenant_id, game_provider_id, code),
    CONSTRAINT casino_games_with_provider UNIQUE (tenant_id, game_id, game_provider_id),
    FOREIGN KEY (tenant_id, game_provider_id) REFERENCES casino_game_providers
);
COMMENT ON TABLE casino_games IS 'The games that a casino offers, each of one game provider.';
COMMENT ON COLUMN casino_games.code IS
'The game''s name at its provider (gameId in calls between casino and provider).';
COMMENT ON COLUMN casino_games.status IS 'An inactive game cannot be launched. Open sessions go on.';
COMMENT ON CONSTRAINT casino_games_code ON casino_games IS 'Two games of a provider have different codes.';
COMMENT ON CONSTRAINT casino_games_with_provider ON casino_games IS
'The target of casino_sessions'' foreign key: a session''s game belongs to the session''s provider.';

CREATE TABLE casino_wallets (
    tenant_id uuid NOT NULL,
    wallet_id bigint GENERATED ALWAYS AS IDENTITY,
    player_id bigint NOT NULL,
    currency text NOT NULL REFERENCES currencies,
    balance wallet_balance NOT NULL DEFAULT 0,
    takes_bets boolean NOT NULL DEFAULT true,
    balance_cap balance_cap NOT NULL DEFAULT 1000000000000000,
    entries bigint NOT NULL DEFAULT 0,
    head bytea NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, wallet_id),
    CONSTRAINT casino_wallets_one_per_currency UNIQUE (tenant_id, player_id, currency),
    CONSTRAINT casino_wallets_with_player UNIQUE (tenant_id, wallet_id, player_id),
    FOREIGN KEY (tenant_id, player_id) REFERENCES casino_players
) WITH (fillfactor = 60); -- room for the next version of a row on its own page: updates touch no index
COMMENT ON TABLE casino_wallets IS
'A player''s money in one currency. Only the ledger''s functions write a balance, together with the ledger row that '
'explains it.';
COMMENT ON COLUMN casino_wallets.balance IS 'Minor units.';
COMMENT ON COLUMN casino_wallets.takes_bets IS
'Whether the player may bet: a copy of the player''s status. With the copy a bet reads one row less, and blocking a '
'player waits for a bet in progress.';
COMMENT ON COLUMN casino_wallets.balance_cap IS
'Wins and deposits that would bring the balance above this are declined. Refunds are not. Minor units.';
COMMENT ON COLUMN casino_wallets.entries IS
'The number of ledger rows of the wallet, which is the length of its hash chain.';
COMMENT ON COLUMN casino_wallets.head IS
'The head of the wallet''s hash chain: the hash of the newest ledger row, empty before the first.';
COMMENT ON CONSTRAINT casino_wallets_one_per_currency ON casino_wallets IS
'A player has at most one wallet per currency.';
COMMENT ON CONSTRAINT casino_wallets_with_player ON casino_wallets IS
'The target of casino_sessions'' foreign key: a session''s wallet belongs to the session''s player.';

CREATE TABLE casino_sessions (
    tenant_id uuid NOT NULL,
    session_id bigint GENERATED ALWAYS AS IDENTITY,
    session_token varchar(255) COLLATE "C" NOT NULL,
    player_id bigint NOT NULL,
    wallet_id bigint NOT NULL,
    game_id bigint NOT NULL,
    game_provider_id bigint NOT NULL,
    provider_session_id varchar(255) COLLATE "C",
    status text NOT NULL DEFAULT 'launching' CHECK (status IN ('launching', 'active', 'closed')),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '1 minute',
    created_at timestamptz NOT NULL DEFAULT now(),
    opener_kind text CHECK (opener_kind IN ('person', 'machine')),
    opener text,
    source_ip text,
    request_id text,
    CONSTRAINT casino_sessions_opener_complete CHECK (num_nulls(opener_kind, opener, source_ip, request_id) IN (0, 4)),
    CONSTRAINT casino_sessions_launch_ends CHECK (
        status <> 'launching' OR expires_at <= created_at + interval '1 minute'
    ),
    PRIMARY KEY (tenant_id, session_id),
    CONSTRAINT casino_sessions_token UNIQUE (tenant_id, session_token),
    FOREIGN KEY (tenant_id, wallet_id, player_id) REFERENCES casino_wallets (tenant_id, wallet_id, player_id),
    FOREIGN KEY (tenant_id, game_id, game_provider_id)
    REFERENCES casino_games (tenant_id, game_id, game_provider_id)
);
COMMENT ON TABLE casino_sessions IS
'A player''s sessions at a game: a game provider names the session in each call to the wallet. The columns opener_kind '
'to request_id are the only trace of a launch by an API key: such a launch has no audit log entry.';
COMMENT ON COLUMN casino_sessions.session_token IS
'The session''s name in calls between casino and provider. It is of no use without the provider''s signature.';
COMMENT ON COLUMN casino_sessions.provider_session_id IS
'The provider''s own id of the session. NULL until the launch call has answered.';
COMMENT ON COLUMN casino_sessions.status IS
'A session is launching until the launch call has answered. A closed session takes no bets.';
COMMENT ON COLUMN casino_sessions.expires_at IS
'While the launch call is running the provider may already bet, for one minute at most. Only a launch that is known to '
'have succeeded extends the session.';
COMMENT ON COLUMN casino_sessions.opener_kind IS
'The kind of caller that opened the session. On a laptop, where callers are not authenticated, this column and opener, '
'source_ip and request_id are NULL.';
COMMENT ON COLUMN casino_sessions.opener IS 'A person''s subject or an API key''s id.';
COMMENT ON CONSTRAINT casino_sessions_opener_complete ON casino_sessions IS
'The four columns about the opener are all set, or all NULL.';
COMMENT ON CONSTRAINT casino_sessions_launch_ends ON casino_sessions IS
'A session whose launch has not answered ends within a minute.';
COMMENT ON CONSTRAINT casino_sessions_token ON casino_sessions IS 'A token finds one session.';

CREATE FUNCTION casino_game_providers_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'game provider %: tenant_id, game_provider_id, code and id_scope cannot change: % refused', old.code, tg_op
        USING ERRCODE = 'CW003', HINT = 'Make another game provider; set this one to inactive.';
END $$;
COMMENT ON FUNCTION casino_game_providers_refuse_change IS 'Raises CW003: the game provider cannot change in this way.';

-- This trigger compares the row's old and new values only. A trigger that searched for the provider's transactions would
-- miss uncommitted ones; this one misses nothing and needs no lock.
CREATE TRIGGER casino_game_providers_settled
BEFORE UPDATE ON casino_game_providers
FOR EACH ROW WHEN (
    (old.tenant_id, old.game_provider_id, old.code, old.id_scope)
    IS DISTINCT FROM (new.tenant_id, new.game_provider_id, new.code, new.id_scope)
) EXECUTE FUNCTION casino_game_providers_refuse_change();
COMMENT ON TRIGGER casino_game_providers_settled ON casino_game_providers IS
'Forbids changing what a provider''s ids mean: their owner (tenant, id, code) and the scope in which they are unique '
'(id_scope). After such a change the earlier ids would not be found, and a retry would move money again.';

CREATE TRIGGER casino_game_providers_stay
BEFORE DELETE ON casino_game_providers
FOR EACH ROW EXECUTE FUNCTION casino_game_providers_refuse_change();
COMMENT ON TRIGGER casino_game_providers_stay ON casino_game_providers IS
'Forbids deleting a provider: its ids would lose their meaning.';

-- Both this and blocking a player take the player's turn, so neither can miss the other.
CREATE FUNCTION casino_wallets_ask_player() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(new.player_id);
    new.takes_bets := coalesce((
        SELECT p.status = 'active' FROM casino_players AS p
        WHERE p.tenant_id = new.tenant_id AND p.player_id = new.player_id
    ), false);
    RETURN new;
END $$;
COMMENT ON FUNCTION casino_wallets_ask_player IS
'A new wallet copies from its player''s status whether the player may bet.';

CREATE TRIGGER casino_wallets_of_player
BEFORE INSERT ON casino_wallets
FOR EACH ROW EXECUTE FUNCTION casino_wallets_ask_player();

CREATE FUNCTION casino_players_tell_wallets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := current_setting('causeway.tenant_id', true);
BEGIN
    PERFORM set_config('causeway.tenant_id', new.tenant_id::text, true), pg_advisory_xact_lock(new.player_id);
    UPDATE casino_wallets AS w SET takes_bets = (new.status = 'active')
    WHERE w.tenant_id = new.tenant_id AND w.player_id = new.player_id;
    PERFORM set_config('causeway.tenant_id', coalesce(v_tenant, ''), true);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION casino_players_tell_wallets IS
'A changed status of a player is copied to the player''s wallets (takes_bets).';

CREATE TRIGGER casino_players_status
AFTER UPDATE ON casino_players
FOR EACH ROW WHEN (old.status <> new.status) EXECUTE FUNCTION casino_players_tell_wallets();

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

-- Operators add and change rows with the functions of causeway_registrar. Nothing is deleted, because the ledger refers
-- to it: block a player, set a game or game provider to inactive.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['casino_players', 'casino_wallets', 'casino_game_providers', 'casino_games'] LOOP
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

GRANT UPDATE (status) ON casino_players TO causeway_registrar;
GRANT UPDATE (balance_cap) ON casino_wallets TO causeway_registrar;
GRANT UPDATE (
    display_name, api_url, status, allow_bare_signature, unknown_rollback, late_bet, rollback_until, duplicate
) ON casino_game_providers TO causeway_registrar;
GRANT UPDATE (display_name, status) ON casino_games TO causeway_registrar;

CREATE POLICY casino_game_providers_directory ON casino_game_providers FOR SELECT TO causeway_directory USING (true);
GRANT SELECT (code) ON casino_game_providers TO causeway_directory;

CREATE FUNCTION game_provider_known_v1(p_code text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM casino_game_providers AS p WHERE p.code = p_code);
COMMENT ON FUNCTION game_provider_known_v1 IS
'Whether any casino has a game provider with this code. Checked before the provider''s secret is first read, so that '
'an invented code costs one index lookup here and no request to the secret store.';

REVOKE ALL ON FUNCTION game_provider_known_v1, casino_players_tell_wallets FROM public;
GRANT CREATE ON SCHEMA public TO causeway_directory, causeway_ledger;
ALTER FUNCTION game_provider_known_v1 OWNER TO causeway_directory;
ALTER FUNCTION casino_players_tell_wallets OWNER TO causeway_ledger;
REVOKE CREATE ON SCHEMA public FROM causeway_directory, causeway_ledger;
GRANT EXECUTE ON FUNCTION game_provider_known_v1 TO causeway_casino;
