-- The ledger.
--
-- Its table has one CHECK, which calls one function, and no foreign key. Postgres parses each CHECK of a table again for
-- every statement, and fires a trigger for every foreign key; a dozen of them halved the rate of debits. The function
-- is compiled once per database connection. The auditor finds rows whose wallet does not exist.

CREATE TYPE casino_transaction_type AS ENUM ('bet', 'win', 'promo', 'jackpot', 'rollback', 'tombstone', 'deposit');
COMMENT ON TYPE casino_transaction_type IS
'What a ledger row does. A tombstone is left by a rollback of an unknown id: it keeps the id from being used later.';

CREATE TYPE casino_house_account AS ENUM ('game', 'promotion', 'jackpot', 'cashier');
COMMENT ON TYPE casino_house_account IS 'The accounts of the house: the other side of every movement of a wallet.';

CREATE TABLE casino_transactions (
    tenant_id uuid NOT NULL,
    wallet_id bigint NOT NULL,
    entry bigint NOT NULL,
    type casino_transaction_type NOT NULL,
    outcome text NOT NULL,
    game_provider_id bigint NOT NULL,
    id_scope bigint NOT NULL,
    external_transaction_id text COLLATE "C" NOT NULL,
    session_id bigint,
    round_id text COLLATE "C",
    reference_id text COLLATE "C",
    amount bigint NOT NULL,
    balance_before bigint NOT NULL,
    balance_after bigint NOT NULL,
    counter_account casino_house_account NOT NULL,
    request_hash bytea NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    response text,
    created_at timestamptz NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, wallet_id, entry)
);
COMMENT ON TABLE casino_transactions IS
'The ledger: every answered money call is one row, written in the same transaction as the balance that it explains. '
'Append-only; the rows of a wallet are a hash chain.';
COMMENT ON COLUMN casino_transactions.entry IS 'The row''s position in the wallet''s chain: 1, 2, 3, without a gap.';
COMMENT ON COLUMN casino_transactions.type IS 'What the row does.';
COMMENT ON COLUMN casino_transactions.outcome IS '''OK'', or the code of the decline.';
COMMENT ON COLUMN casino_transactions.game_provider_id IS
'The game provider that called. 0 means the house itself (deposits).';
COMMENT ON COLUMN casino_transactions.id_scope IS
'0 if ids are unique per game provider; the player''s id if they are unique per player.';
COMMENT ON COLUMN casino_transactions.external_transaction_id IS 'The transaction''s id, which its caller chose.';
COMMENT ON COLUMN casino_transactions.session_id IS 'The game session. NULL for a deposit.';
COMMENT ON COLUMN casino_transactions.round_id IS
'The game provider''s id of the round. NULL for a deposit, and for a rollback that names no round.';
COMMENT ON COLUMN casino_transactions.reference_id IS
'The bet that a credit pays for, the transaction that a rollback reverses, or the rollback that left a tombstone.';
COMMENT ON COLUMN casino_transactions.amount IS
'The intended change of the balance in minor units: negative for a bet.';
COMMENT ON COLUMN casino_transactions.balance_before IS 'The balance before the call, in minor units.';
COMMENT ON COLUMN casino_transactions.balance_after IS
'The balance after the call, in minor units. After a decline it is the same as before.';
COMMENT ON COLUMN casino_transactions.counter_account IS
'Double entry: this account of the house loses the amount that the wallet gains.';
COMMENT ON COLUMN casino_transactions.request_hash IS
'SHA-256 of the tenant and the business fields that the caller sent. The same id with another hash is a conflict, not '
'a replay.';
COMMENT ON COLUMN casino_transactions.request_id IS
'The call that wrote the row. When our code retries a statement after a lost answer, it sends the same request id and '
'so finds its own row. When a game provider repeats a call, the request id is another.';
COMMENT ON COLUMN casino_transactions.response IS
'The body of the first answer, so that a replay sends the same bytes. NULL if casino_response_v1 can make the body '
'from the row, which saves a fifth of the bytes written.';
COMMENT ON COLUMN casino_transactions.created_at IS
'The start of the call''s transaction. A wallet''s rows are ordered by entry, not by time.';
COMMENT ON COLUMN casino_transactions.hash IS
'SHA-256 over the previous row''s hash and this row: changing, removing or inserting a row breaks the chain.';

-- Bets are tested first, because Postgres prepares each expression again in each transaction.
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
        -- An accepted row stores its answer only if it is a rollback that left a tombstone.
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
COMMENT ON FUNCTION casino_is_sound IS
'Whether a row is valid for its type: the sign of the amount, the account, and the rows it refers to. The balance '
'changes by the whole amount if the outcome is OK, and not at all if it is a decline. (The domain wallet_balance keeps '
'the balance at zero or above.)';

-- The table is created in this file, so there are no rows to check.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE casino_transactions ADD CONSTRAINT casino_transactions_sound CHECK (casino_is_sound(casino_transactions));
COMMENT ON CONSTRAINT casino_transactions_sound ON casino_transactions IS 'A row is valid for its type.';

CREATE UNIQUE INDEX casino_transactions_external_id
ON casino_transactions (tenant_id, game_provider_id, id_scope, external_transaction_id);
COMMENT ON INDEX casino_transactions_external_id IS
'One row per id of a game provider (or of its player), whatever the type: this makes a retry safe.';

CREATE UNIQUE INDEX casino_transactions_rollback
ON casino_transactions (tenant_id, wallet_id, game_provider_id, reference_id)
WHERE type = 'rollback' AND outcome = 'OK';
COMMENT ON INDEX casino_transactions_rollback IS 'A transaction is rolled back at most once, tombstones included.';

-- The predicate excludes bets, and is as simple as possible: each bet checks it.
CREATE INDEX casino_transactions_payout
ON casino_transactions (tenant_id, wallet_id, game_provider_id, round_id, reference_id)
WHERE type <> 'bet';
COMMENT ON INDEX casino_transactions_payout IS 'Finds the payouts of a round or of a bet.';

CREATE FUNCTION casino_transactions_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'casino_transactions is append-only: % refused', tg_op
        USING ERRCODE = 'CW001', HINT = 'Correct a mistake with a new row.';
END $$;
COMMENT ON FUNCTION casino_transactions_refuse_change IS 'Raises CW001: the ledger is append-only.';

CREATE TRIGGER casino_transactions_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON casino_transactions
FOR EACH STATEMENT EXECUTE FUNCTION casino_transactions_refuse_change();
COMMENT ON TRIGGER casino_transactions_append_only ON casino_transactions IS
'No role has the privilege to change or remove a row, and this trigger stops even the owner of the table.';

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

CREATE VIEW casino_postings WITH (security_invoker = true) AS
SELECT t.tenant_id, t.wallet_id, t.entry, p.account, p.amount, w.currency, t.created_at
FROM casino_transactions AS t
INNER JOIN casino_wallets AS w USING (tenant_id, wallet_id)
CROSS JOIN LATERAL (VALUES
    ('wallet:' || t.wallet_id, t.balance_after - t.balance_before),
    ('house:' || t.counter_account || ':' || t.game_provider_id, t.balance_before - t.balance_after)
) AS p (account, amount)
WHERE t.balance_after <> t.balance_before;
COMMENT ON VIEW casino_postings IS
'The two postings of each ledger row that moved money: the wallet''s gain and the house account''s loss.';
COMMENT ON COLUMN casino_postings.account IS
'The account: wallet:<wallet_id>, or house:<counter_account>:<game_provider_id>.';
COMMENT ON COLUMN casino_postings.amount IS
'What the account gains, in minor units. The postings of a row are zero together.';
COMMENT ON COLUMN casino_postings.entry IS 'The position of the ledger row in the wallet''s chain.';
GRANT SELECT ON casino_postings TO causeway_casino, causeway_auditor;

-- The three tables of audits are not tenants' tables: only the auditor reads and writes them, and it reads every tenant.
CREATE TABLE ledger_audit_runs (
    series bytea NOT NULL,
    run bigint NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    heads bytea NOT NULL,
    facts bytea NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (series, run)
);
COMMENT ON TABLE ledger_audit_runs IS
'The audits of the ledger, and what each has signed. After each run the auditor signs the head of every chain that '
'grew and has no finding: the next run then detects a recomputed or shortened chain. It also signs fixed facts that no '
'chain covers. The signatures are HMACs with a key that the database does not hold.';
COMMENT ON COLUMN ledger_audit_runs.series IS 'Derived from the key: the runs signed with one key are one series.';
COMMENT ON COLUMN ledger_audit_runs.run IS 'The number of the run in its series: 1, 2, 3, without a gap.';
COMMENT ON COLUMN ledger_audit_runs.ended_at IS 'When the run ended.';
COMMENT ON COLUMN ledger_audit_runs.heads IS
'SHA-256 over the newest signed head of every wallet: removing a head changes it.';
COMMENT ON COLUMN ledger_audit_runs.facts IS 'SHA-256 over all fixed facts.';
COMMENT ON COLUMN ledger_audit_runs.signature IS
'HMAC over the run, its heads and facts, and the signature of the run before.';
COMMENT ON CONSTRAINT ledger_audit_runs_pkey ON ledger_audit_runs IS 'Of two runs at the same time, one fails here.';

CREATE TABLE ledger_audit_heads (
    tenant_id uuid NOT NULL,
    wallet_id bigint NOT NULL,
    series bytea NOT NULL,
    run bigint NOT NULL,
    entry bigint NOT NULL,
    hash bytea NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (tenant_id, wallet_id, series, run)
);
COMMENT ON TABLE ledger_audit_heads IS
'The signed heads of the wallets'' hash chains. A run adds the wallets that grew since the run before, so a series '
'never has more heads than the ledger has rows.';
COMMENT ON COLUMN ledger_audit_heads.series IS 'The series of the run.';
COMMENT ON COLUMN ledger_audit_heads.run IS 'The run that signed this head.';
COMMENT ON COLUMN ledger_audit_heads.entry IS 'The wallet''s newest row at the time of the run.';
COMMENT ON COLUMN ledger_audit_heads.hash IS 'The hash of that row.';
COMMENT ON COLUMN ledger_audit_heads.signature IS 'HMAC over all the columns above.';
COMMENT ON CONSTRAINT ledger_audit_heads_pkey ON ledger_audit_heads IS 'Also finds the newest head of a wallet.';

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ledger_audit_heads_run ON ledger_audit_heads (series, run);
COMMENT ON INDEX ledger_audit_heads_run IS 'Finds heads whose run does not exist.';

CREATE TABLE ledger_audit_facts (
    series bytea NOT NULL,
    subject text COLLATE "C" NOT NULL,
    value text NOT NULL,
    run bigint NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (series, subject)
);
COMMENT ON TABLE ledger_audit_facts IS
'Facts that must never change. Each is written by the first run that sees its subject.';
COMMENT ON COLUMN ledger_audit_facts.series IS 'The series of the run.';
COMMENT ON COLUMN ledger_audit_facts.subject IS 'A game provider or a currency.';
COMMENT ON COLUMN ledger_audit_facts.value IS 'Of a game provider its code and id_scope, of a currency its exponent.';
COMMENT ON COLUMN ledger_audit_facts.run IS 'The run that signed this fact.';
COMMENT ON COLUMN ledger_audit_facts.signature IS 'HMAC over all the columns above.';

CREATE FUNCTION ledger_audit_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op USING ERRCODE = 'CW001';
END $$;
COMMENT ON FUNCTION ledger_audit_refuse_change IS 'Raises CW001: the table is append-only.';

CREATE TRIGGER ledger_audit_runs_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_audit_runs
FOR EACH STATEMENT EXECUTE FUNCTION ledger_audit_refuse_change();
COMMENT ON TRIGGER ledger_audit_runs_append_only ON ledger_audit_runs IS
'What was signed cannot be changed or removed.';

CREATE TRIGGER ledger_audit_heads_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_audit_heads
FOR EACH STATEMENT EXECUTE FUNCTION ledger_audit_refuse_change();
COMMENT ON TRIGGER ledger_audit_heads_append_only ON ledger_audit_heads IS
'What was signed cannot be changed or removed.';

CREATE TRIGGER ledger_audit_facts_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_audit_facts
FOR EACH STATEMENT EXECUTE FUNCTION ledger_audit_refuse_change();
COMMENT ON TRIGGER ledger_audit_facts_append_only ON ledger_audit_facts IS
'What was signed cannot be changed or removed.';

ALTER TABLE ledger_audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY ledger_audit_heads_audit ON ledger_audit_heads FOR SELECT TO causeway_auditor USING (true);
CREATE POLICY ledger_audit_heads_sign ON ledger_audit_heads FOR INSERT TO causeway_auditor WITH CHECK (true);
GRANT SELECT, INSERT ON ledger_audit_heads TO causeway_auditor;
GRANT SELECT, INSERT ON ledger_audit_facts TO causeway_auditor;
GRANT SELECT, INSERT (series, run, heads, facts, signature) ON ledger_audit_runs TO causeway_auditor;
