-- The ledger: every answered money call is one row, written in the same transaction as the balance it explains.
--
-- Postgres parses a table's CHECKs anew for every statement, part by part, and fires a trigger for every foreign key: a
-- dozen of them halved the rate of debits. So one CHECK asks one function, which is compiled once per connection and says
-- what a row of each type may hold. The auditor looks for rows whose wallet is gone.

CREATE TYPE casino_transaction_type AS ENUM ('bet', 'win', 'promo', 'jackpot', 'rollback', 'tombstone', 'deposit');

-- The accounts of the house that a wallet's money comes from and goes to.
CREATE TYPE casino_house_account AS ENUM ('game', 'promotion', 'jackpot', 'cashier');

CREATE TABLE casino_transactions (
    tenant_id uuid NOT NULL,
    wallet_id bigint NOT NULL,
    -- The row's place in its wallet's chain: 1, 2, 3, without a gap.
    entry bigint NOT NULL,
    type casino_transaction_type NOT NULL,
    -- 'OK', or the code of the decline.
    outcome text NOT NULL,
    -- 0 is the house itself (deposits).
    game_provider_id bigint NOT NULL,
    -- 0 where ids are unique per game provider, the player where they are unique per player.
    id_scope bigint NOT NULL,
    external_transaction_id text COLLATE "C" NOT NULL,
    session_id bigint,
    round_id text COLLATE "C",
    -- The bet a win pays for, or the transaction a rollback takes back.
    reference_id text COLLATE "C",
    -- Minor units the wallet was to gain: negative for a bet.
    amount bigint NOT NULL,
    balance_before bigint NOT NULL,
    balance_after bigint NOT NULL,
    -- Double entry: what the wallet gains, this account of the house loses.
    counter_account casino_house_account NOT NULL,
    -- SHA-256 of the tenant and the business fields the caller sent: the same id with other fields is a conflict, not a
    -- replay.
    request_hash bytea NOT NULL,
    -- The call that made the row. A statement sent again after a lost answer carries the same one, and so finds its own
    -- row; a call that a game provider repeats has another.
    request_id text COLLATE "C" NOT NULL,
    -- The answer's body as first sent, for a replay to send the same bytes; NULL where casino_response_v1 makes them
    -- from the row: a fifth less to write.
    response text,
    -- When the call's transaction began. The order of a wallet's rows is their entry, not their time.
    created_at timestamptz NOT NULL,
    -- SHA-256 over the previous row's hash and this row: no row can be changed, removed or put between unseen.
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, wallet_id, entry)
);

-- What a row may hold, by its type: the sign of its amount, the account and the rows it refers to; and that the balance
-- moves by the whole amount where the outcome is OK, and by nothing where it is a decline. (Below zero the wallet's own
-- domain lets no balance go.) Bets are tested first: Postgres prepares each expression again in each transaction.
CREATE FUNCTION casino_is_sound(p_row casino_transactions) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_row.type = 'bet' THEN
        RETURN p_row.amount <= 0 AND p_row.counter_account = 'game'
            AND CASE WHEN p_row.outcome = 'OK'
                THEN p_row.response IS NULL AND p_row.balance_after - p_row.balance_before = p_row.amount
                ELSE p_row.response IS NOT NULL AND p_row.balance_after = p_row.balance_before
            END
            AND p_row.session_id IS NOT NULL AND p_row.round_id IS NOT NULL AND p_row.reference_id IS NULL;
    ELSIF p_row.amount < 0
        OR p_row.balance_after - p_row.balance_before <> (CASE p_row.outcome WHEN 'OK' THEN p_row.amount ELSE 0 END)
        -- Only a rollback that laid a tombstone is accepted with another answer than the usual.
        OR (p_row.outcome <> 'OK' AND p_row.response IS NULL)
        OR (p_row.outcome = 'OK' AND p_row.response IS NOT NULL AND p_row.type <> 'rollback')
        OR (p_row.type = 'deposit') <> (p_row.session_id IS NULL)
    THEN
        RETURN false;
    END IF;
    RETURN CASE p_row.type
        WHEN 'win' THEN
            p_row.counter_account = 'game' AND p_row.round_id IS NOT NULL AND p_row.reference_id IS NOT NULL
        WHEN 'promo' THEN p_row.counter_account = 'promotion' AND p_row.round_id IS NOT NULL
        WHEN 'jackpot' THEN p_row.counter_account = 'jackpot' AND p_row.round_id IS NOT NULL
        WHEN 'rollback' THEN p_row.counter_account = 'game' AND p_row.reference_id IS NOT NULL
        WHEN 'tombstone' THEN
            p_row.counter_account = 'game' AND p_row.reference_id IS NOT NULL AND p_row.amount = 0
            AND p_row.outcome = 'OK'
        ELSE
            p_row.counter_account = 'cashier' AND p_row.outcome = 'OK' AND p_row.game_provider_id = 0
            AND p_row.round_id IS NULL AND p_row.reference_id IS NULL
    END;
END $$;

-- The table is as new as this: there are no rows to be checked.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE casino_transactions ADD CONSTRAINT casino_transactions_sound CHECK (casino_is_sound(casino_transactions));

-- One row per id of a game provider (or of its player), whatever the type: what makes a retry safe.
CREATE UNIQUE INDEX casino_transactions_external_id
ON casino_transactions (tenant_id, game_provider_id, id_scope, external_transaction_id);

-- A transaction is rolled back at most once, tombstones included.
CREATE UNIQUE INDEX casino_transactions_rollback
ON casino_transactions (tenant_id, wallet_id, game_provider_id, reference_id)
WHERE type = 'rollback' AND outcome = 'OK';

-- Finds the payouts of a round, and those of a bet; the simplest predicate that keeps bets out, as each of them asks it.
CREATE INDEX casino_transactions_payout
ON casino_transactions (tenant_id, wallet_id, game_provider_id, round_id, reference_id)
WHERE type <> 'bet';

-- Append-only: nobody holds the privilege to change or remove a row, and this trigger stops even those who own the table.
CREATE FUNCTION casino_transactions_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'casino_transactions is append-only: % refused', tg_op
        USING ERRCODE = 'CW001', HINT = 'Correct a mistake with a new row.';
END $$;

CREATE TRIGGER casino_transactions_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON casino_transactions
FOR EACH STATEMENT EXECUTE FUNCTION casino_transactions_refuse_change();

-- What a provider's ids mean is settled when its row is made: whose they are (tenant, id, code) and how far they are unique
-- (id_scope). Changed or made anew, the ids before would be forgotten, and a retry would move money again. A trigger that
-- looked for the provider's transactions would miss those under way, which no other transaction can see; this one looks
-- at its own row alone, so there is nothing to miss and nothing to lock.
CREATE FUNCTION casino_game_providers_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'game provider %: tenant_id, game_provider_id, code and id_scope are settled: % refused', old.code, tg_op
        USING ERRCODE = 'CW003', HINT = 'Make another game provider; set this one to inactive.';
END $$;

CREATE TRIGGER casino_game_providers_settled
BEFORE UPDATE ON casino_game_providers
FOR EACH ROW WHEN (
    (old.tenant_id, old.game_provider_id, old.code, old.id_scope)
    IS DISTINCT FROM (new.tenant_id, new.game_provider_id, new.code, new.id_scope)
) EXECUTE FUNCTION casino_game_providers_refuse_change();

CREATE TRIGGER casino_game_providers_stay
BEFORE DELETE ON casino_game_providers
FOR EACH ROW EXECUTE FUNCTION casino_game_providers_refuse_change();

ALTER TABLE casino_transactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE casino_transactions FORCE ROW LEVEL SECURITY;
CREATE POLICY casino_transactions_own ON casino_transactions FOR SELECT TO causeway_casino
USING (tenant_id = current_tenant());
CREATE POLICY casino_transactions_ledger ON casino_transactions FOR SELECT TO causeway_ledger
USING (tenant_id = ledger_tenant());
CREATE POLICY casino_transactions_audit ON casino_transactions FOR SELECT TO causeway_auditor USING (true);
CREATE POLICY casino_transactions_append ON casino_transactions FOR INSERT TO causeway_ledger
WITH CHECK (tenant_id = ledger_tenant());
GRANT SELECT ON casino_transactions TO causeway_casino, causeway_ledger, causeway_auditor;
GRANT INSERT ON casino_transactions TO causeway_ledger;

-- The two postings of each row that moved money: what the wallet gained and what the house's account lost.
CREATE VIEW casino_postings WITH (security_invoker = true) AS
SELECT t.tenant_id, t.wallet_id, t.entry, p.account, p.amount, w.currency, t.created_at
FROM casino_transactions AS t
INNER JOIN casino_wallets AS w USING (tenant_id, wallet_id)
CROSS JOIN LATERAL (VALUES
    ('wallet:' || t.wallet_id, t.balance_after - t.balance_before),
    ('house:' || t.counter_account || ':' || t.game_provider_id, t.balance_before - t.balance_after)
) AS p (account, amount)
WHERE t.balance_after <> t.balance_before;
GRANT SELECT ON casino_postings TO causeway_casino, causeway_auditor;

-- What the auditor has signed: after each run, every chain that grew and held, so that a chain computed anew or cut short
-- is found at the next; and what is settled and in no chain. The signatures are HMACs under a key that the database does
-- not hold. Not tenants' tables: the auditor alone reads and writes them, and reads every tenant.
CREATE TABLE ledger_audit_runs (
    -- Made of the key: the runs that one key signed.
    series bytea NOT NULL,
    -- 1, 2, 3, without a gap.
    run bigint NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    -- SHA-256 over the newest signed head of every wallet: none can be taken away unseen.
    heads bytea NOT NULL,
    -- SHA-256 over all settled facts.
    facts bytea NOT NULL,
    -- HMAC over the run, its heads and facts, and the signature of the run before.
    signature bytea NOT NULL,
    -- Two runs at once: one of them fails here.
    PRIMARY KEY (series, run)
);

-- A run adds the wallets that grew since the run before it, so there are never more of a series than ledger rows.
CREATE TABLE ledger_audit_heads (
    tenant_id uuid NOT NULL,
    wallet_id bigint NOT NULL,
    series bytea NOT NULL,
    run bigint NOT NULL,
    -- The wallet's newest row at that run, and its hash.
    entry bigint NOT NULL,
    hash bytea NOT NULL,
    -- HMAC over all of these.
    signature bytea NOT NULL,
    -- Finds the newest of a wallet.
    PRIMARY KEY (tenant_id, wallet_id, series, run)
);

-- Finds those of runs that have not been.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ledger_audit_heads_run ON ledger_audit_heads (series, run);

-- Written once, at the first run that sees the subject: a game provider with its code and id_scope, a currency with its
-- decimals.
CREATE TABLE ledger_audit_facts (
    series bytea NOT NULL,
    subject text COLLATE "C" NOT NULL,
    value text NOT NULL,
    run bigint NOT NULL,
    -- HMAC over all of these.
    signature bytea NOT NULL,
    PRIMARY KEY (series, subject)
);

CREATE FUNCTION ledger_audit_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op USING ERRCODE = 'CW001';
END $$;

CREATE TRIGGER ledger_audit_runs_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_audit_runs
FOR EACH STATEMENT EXECUTE FUNCTION ledger_audit_refuse_change();

CREATE TRIGGER ledger_audit_heads_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_audit_heads
FOR EACH STATEMENT EXECUTE FUNCTION ledger_audit_refuse_change();

CREATE TRIGGER ledger_audit_facts_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_audit_facts
FOR EACH STATEMENT EXECUTE FUNCTION ledger_audit_refuse_change();

ALTER TABLE ledger_audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY ledger_audit_heads_audit ON ledger_audit_heads FOR SELECT TO causeway_auditor USING (true);
CREATE POLICY ledger_audit_heads_sign ON ledger_audit_heads FOR INSERT TO causeway_auditor WITH CHECK (true);
GRANT SELECT, INSERT ON ledger_audit_heads TO causeway_auditor;
GRANT SELECT, INSERT ON ledger_audit_facts TO causeway_auditor;
GRANT SELECT, INSERT (series, run, heads, facts, signature) ON ledger_audit_runs TO causeway_auditor;
