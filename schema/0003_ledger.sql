-- The ledger: every answered money call is one row, written in the same transaction as the balance it explains.
--
-- Postgres parses a table's CHECKs anew for every statement and fires a trigger for every foreign key: a dozen of them
-- halved the rate of debits. Here stands what guards money; the rest of a row's shape is its types', and the functions'
-- that alone may write it. The auditor looks for rows whose wallet is gone.

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
    -- SHA-256 of the business fields the caller sent: the same id with other fields is a conflict, not a replay.
    request_hash bytea NOT NULL,
    -- The answer's body as first sent, for a replay to send the same bytes; NULL where casino_response_v1 makes them
    -- from the row: a fifth less to write.
    response text,
    -- When the call's transaction began. The order of a wallet's rows is their entry, not their time.
    created_at timestamptz NOT NULL,
    -- SHA-256 over the previous row's hash and this row: no row can be changed, removed or put between unseen.
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, wallet_id, entry),
    -- The balance changes by the whole amount or not at all; below zero the wallet's own CHECK lets it not go. A
    -- subtraction, as a sum could leave a bigint.
    CONSTRAINT casino_transactions_balance CHECK (balance_after - balance_before IN (0, amount))
);

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

-- Whose ids are unique is settled with a provider's first transaction: with another scope, the ids before it would be
-- forgotten, and a retry would move money again.
CREATE FUNCTION casino_game_providers_keep_scope() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM casino_transactions AS t
        WHERE t.tenant_id = old.tenant_id AND t.game_provider_id = old.game_provider_id
    ) THEN
        RAISE EXCEPTION 'game provider % has transactions: its id_scope is settled', old.code USING ERRCODE = 'CW003';
    END IF;
    RETURN new;
END $$;

CREATE TRIGGER casino_game_providers_scope
BEFORE UPDATE ON casino_game_providers
FOR EACH ROW WHEN (old.id_scope <> new.id_scope) EXECUTE FUNCTION casino_game_providers_keep_scope();

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
