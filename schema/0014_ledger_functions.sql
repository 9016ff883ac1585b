-- The functions that move money: one call per operation, executed as causeway_ledger. A function's version is part of
-- its name. A changed function is added beside the old one, so that old and new code both work during a deployment.
--
-- Concurrent calls. Calls on one player queue at the player's advisory lock before they read anything, and hold it to
-- the end of the transaction. So each call sees what the previous one committed, and a hot wallet passes from one
-- caller to the next without many callers contending for its row. Correctness does not depend on the lock: a wallet is
-- updated only if its entry count is still the count that was read, and ids, chain positions and refunds have unique
-- indexes. If they meet a writer that did not queue here (one id sent for two players), the whole statement fails and
-- the caller retries. pg_advisory_xact_lock with one argument is the player's turn; with two arguments it is a slot in
-- the queue before it (casino_wait_turn).

-- STABLE, because array_send is STABLE and Postgres would not inline the function otherwise; the same holds for to_json
-- below. Arrays, because each function call costs.
CREATE FUNCTION casino_entry_hash(
    p_previous bytea, p_request_hash bytea, p_wallet_id bigint, p_entry bigint, p_outcome text, p_currency text,
    p_request_id text, p_game_provider_id bigint, p_id_scope bigint, p_session_id bigint, p_balance_before bigint,
    p_balance_after bigint, p_created_at timestamptz
) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(
    p_previous || p_request_hash || array_send(ARRAY[
        p_wallet_id, p_entry, p_game_provider_id, p_id_scope, coalesce(p_session_id, 0), p_balance_before, p_balance_after
    ]) || timestamptz_send(p_created_at) || array_send(ARRAY[p_outcome, p_currency, p_request_id])
);
COMMENT ON FUNCTION casino_entry_hash IS
'The hash of a ledger row, chained to the hash of the row before it (empty before the first). p_request_hash covers '
'tenant, type, ids and amount; the auditor computes it again from the columns.';

CREATE FUNCTION casino_decline_sentence(p_code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_code
    WHEN 'INSUFFICIENT_FUNDS' THEN 'The balance is too low for this bet'
    WHEN 'SESSION_CLOSED' THEN 'The game session is closed'
    WHEN 'SESSION_EXPIRED' THEN 'The game session has expired'
    WHEN 'PLAYER_BLOCKED' THEN 'The player is blocked from betting'
    WHEN 'BALANCE_LIMIT_EXCEEDED' THEN 'The credit would exceed the balance the wallet may hold'
    WHEN 'TRANSACTION_ROLLED_BACK' THEN 'The transaction has been rolled back'
    WHEN 'INVALID_REFERENCE' THEN 'The credit does not fit the transaction it names'
    WHEN 'NOT_REVERSIBLE' THEN 'Only bets can be rolled back'
    WHEN 'ALREADY_ROLLED_BACK' THEN 'The transaction was already rolled back'
    WHEN 'ROUND_HAS_PAYOUT' THEN 'Cannot rollback: round already has a payout'
    WHEN 'TRANSACTION_NOT_FOUND' THEN 'No such transaction'
END;
COMMENT ON FUNCTION casino_decline_sentence IS 'The sentence of a decline''s answer.';

CREATE FUNCTION casino_response_v1(
    p_outcome text, p_transaction_id text, p_balance bigint, p_currency text, p_tombstone boolean, p_request_id text
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN p_outcome = 'OK' THEN
    format(
        CASE WHEN p_tombstone
            THEN '{"transactionId":%s,"balance":"%s","currency":"%s","status":"ok","tombstone":true}'
            ELSE '{"transactionId":%s,"balance":"%s","currency":"%s","status":"ok"}'
        END, to_json(p_transaction_id), p_balance, p_currency
    )
ELSE
    '{"error":' || to_json(casino_decline_sentence(p_outcome)) || ',"code":"' || p_outcome
    || '","requestId":' || to_json(p_request_id) || ',"balance":"' || p_balance || '"}'
END;
COMMENT ON FUNCTION casino_response_v1 IS
'The body of the answer to a money call. An accepted call''s answer is not stored: a replay makes it again. So this '
'version never changes.';

CREATE FUNCTION casino_is_rolled_back(
    p_tenant_id uuid, p_wallet_id bigint, p_game_provider_id bigint, p_transaction_id text
) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM casino_transactions AS r
    WHERE r.tenant_id = p_tenant_id AND r.wallet_id = p_wallet_id AND r.game_provider_id = p_game_provider_id
        AND r.reference_id = p_transaction_id AND r.type = 'rollback' AND r.outcome = 'OK'
);
COMMENT ON FUNCTION casino_is_rolled_back IS 'Whether a transaction was rolled back or has a tombstone.';

CREATE FUNCTION casino_find_transaction(
    p_tenant_id uuid, p_game_provider_id bigint, p_id_scope bigint, p_transaction_id text
) RETURNS SETOF casino_transactions
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT * FROM casino_transactions AS t
    WHERE t.tenant_id = p_tenant_id AND t.game_provider_id = p_game_provider_id AND t.id_scope = p_id_scope
        AND t.external_transaction_id = p_transaction_id;
END;
COMMENT ON FUNCTION casino_find_transaction IS 'The row that has an id, on any wallet.';

CREATE FUNCTION casino_judge_credit(
    p_wallet casino_wallets, p_game_provider_id bigint, p_id_scope bigint, p_round_id text, p_bet_id text,
    p_amount bigint
) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_bet casino_transactions;
BEGIN
    IF p_bet_id IS NOT NULL THEN
        SELECT * INTO v_bet
        FROM casino_find_transaction(p_wallet.tenant_id, p_game_provider_id, p_id_scope, p_bet_id);
        IF NOT FOUND OR v_bet.wallet_id <> p_wallet.wallet_id THEN
            RETURN 'TRANSACTION_NOT_FOUND';
        ELSIF v_bet.type = 'tombstone'
            OR casino_is_rolled_back(p_wallet.tenant_id, p_wallet.wallet_id, p_game_provider_id, p_bet_id)
        THEN
            RETURN 'TRANSACTION_ROLLED_BACK';
        ELSIF v_bet.type <> 'bet' OR v_bet.outcome <> 'OK' OR v_bet.round_id <> p_round_id THEN
            RETURN 'INVALID_REFERENCE';
        END IF;
    END IF;
    RETURN CASE WHEN p_amount > 0 AND p_amount > p_wallet.balance_cap - p_wallet.balance
        THEN 'BALANCE_LIMIT_EXCEEDED' ELSE 'OK' END;
END $$;
COMMENT ON FUNCTION casino_judge_credit IS
'Whether a win, promo or jackpot may be paid: ''OK'' or the code of the decline. A win must name its bet; a promo or a '
'jackpot may.';

CREATE FUNCTION casino_judge_rollback(
    p_wallet casino_wallets, p_provider casino_game_providers, p_id_scope bigint, p_original_id text,
    OUT outcome text, OUT refund bigint, OUT unseen boolean
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_original casino_transactions;
BEGIN
    refund := 0;
    SELECT * INTO v_original
    FROM casino_find_transaction(p_wallet.tenant_id, p_provider.game_provider_id, p_id_scope, p_original_id);
    unseen := NOT FOUND;
    IF unseen THEN
        outcome := CASE p_provider.unknown_rollback WHEN 'accept' THEN 'OK' ELSE 'TRANSACTION_NOT_FOUND' END;
    ELSIF v_original.wallet_id <> p_wallet.wallet_id
        OR (v_original.type = 'tombstone' AND p_provider.unknown_rollback = 'refuse')
    THEN
        outcome := 'TRANSACTION_NOT_FOUND';
    ELSIF v_original.type NOT IN ('bet', 'tombstone') THEN
        outcome := 'NOT_REVERSIBLE';
    ELSIF casino_is_rolled_back(p_wallet.tenant_id, p_wallet.wallet_id, p_provider.game_provider_id, p_original_id) THEN
        outcome := 'ALREADY_ROLLED_BACK';
    ELSIF v_original.outcome <> 'OK' THEN
        outcome := 'OK';
    ELSIF p_wallet.balance > 9223372036854775807 + v_original.amount THEN
        outcome := 'BALANCE_LIMIT_EXCEEDED';
    ELSIF EXISTS (
        SELECT FROM casino_transactions AS w
        WHERE w.tenant_id = p_wallet.tenant_id AND w.wallet_id = p_wallet.wallet_id
            AND w.game_provider_id = p_provider.game_provider_id AND w.round_id = v_original.round_id
            AND (p_provider.rollback_until = 'round_paid' OR w.reference_id = p_original_id)
            AND w.type IN ('win', 'jackpot') AND w.outcome = 'OK'
    ) THEN
        outcome := 'ROUND_HAS_PAYOUT';
    ELSE
        outcome := 'OK';
        refund := -v_original.amount;
    END IF;
END $$;
COMMENT ON FUNCTION casino_judge_rollback IS
'Whether a transaction may be rolled back, the refund (minor units), and whether the id is unknown, so that a '
'tombstone must be left.';

CREATE FUNCTION casino_append(p_head bytea, p_currency text, p_row casino_transactions) RETURNS bytea
LANGUAGE plpgsql AS $$
BEGIN
    p_row.created_at := now();
    p_row.hash := casino_entry_hash(
        p_head, p_row.request_hash, p_row.wallet_id, p_row.entry, p_row.outcome, p_currency,
        p_row.request_id, p_row.game_provider_id, p_row.id_scope, p_row.session_id, p_row.balance_before,
        p_row.balance_after, p_row.created_at
    );
    UPDATE casino_wallets AS w
    SET balance = p_row.balance_after, entries = p_row.entry, head = p_row.hash
    WHERE w.tenant_id = p_row.tenant_id AND w.wallet_id = p_row.wallet_id AND w.entries = p_row.entry - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'wallet % was changed by another transaction', p_row.wallet_id USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO casino_transactions SELECT p_row.*;
    RETURN p_row.hash;
END $$;
COMMENT ON FUNCTION casino_append IS
'Appends a row to its wallet''s chain, in the wallet''s currency, and sets the balance to the row''s balance_after. '
'Returns the new head of the chain. The row''s entry and balance_before come from the wallet as it was read. If '
'another writer has changed the wallet since, raises serialization_failure.';

-- At most six calls hold a slot and wait at the player's lock. All others queue for slot 0; the call that gets it waits at
-- the player's lock too. With a single queue, 32 callers on one wallet had a quarter less throughput than 8: each call
-- took longer. The most likely cause, by what was measured, is that after a long wait the processor's caches no longer
-- hold a caller's data.
CREATE FUNCTION casino_wait_turn(p_player_id bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_key integer := p_player_id % 2147483647;
    v_door integer := 1;
BEGIN
    WHILE v_door <= 6 AND NOT pg_try_advisory_xact_lock(v_key, v_door) LOOP
        v_door := v_door + 1;
    END LOOP;
    IF v_door > 6 THEN
        PERFORM pg_advisory_xact_lock(v_key, 0);
    END IF;
    PERFORM pg_advisory_xact_lock(p_player_id);
END $$;
COMMENT ON FUNCTION casino_wait_turn IS 'Waits for a player''s turn while another call has it.';

-- The steps of casino_transact_v1, in their order: resolve, known, judge, store. p_row is the ledger row of the call. At
-- first it has what the caller sent, the amount in minor units. The later steps complete it.
--
-- Postgres prepares each expression again in each transaction. So a step calls a function by assignment: PERFORM and
-- SELECT would prepare a plan too. The answer of an accepted call is made with the literal 'OK': then Postgres does not
-- prepare the sentences of the declines.
CREATE FUNCTION casino_resolve(
    p_tenant_id uuid, p_game_provider text, p_bare_signature boolean, p_session_token text, p_player_id bigint,
    p_currency text,
    OUT refusal text, OUT provider casino_game_providers, OUT session casino_sessions, OUT wallet casino_wallets
)
LANGUAGE plpgsql AS $$
DECLARE
    v_found record;
BEGIN
    -- Lock the session's player: a caller without such a session cannot block others. After a wait, read everything
    -- again.
    LOOP
        SELECT
            g AS provider, s AS session,
            CASE WHEN s.player_id = p_player_id THEN pg_try_advisory_xact_lock(p_player_id) END AS has_turn
        INTO v_found
        FROM casino_game_providers AS g
        LEFT JOIN casino_sessions AS s
            ON s.tenant_id = p_tenant_id AND s.session_token = p_session_token
            AND s.game_provider_id = g.game_provider_id
        WHERE g.tenant_id = p_tenant_id AND g.code = p_game_provider
            AND (g.allow_bare_signature OR NOT p_bare_signature);
        IF NOT FOUND THEN
            refusal := 'SIGNATURE_INVALID';
            RETURN;
        ELSIF v_found.session IS NULL THEN
            refusal := 'SESSION_NOT_FOUND';
            RETURN;
        END IF;
        -- has_turn is NULL if the session is another player's.
        EXIT WHEN coalesce(v_found.has_turn, true);
        PERFORM casino_wait_turn(p_player_id);
    END LOOP;
    provider := v_found.provider;
    session := v_found.session;
    IF v_found.has_turn THEN
        SELECT * INTO wallet FROM casino_wallets AS w
        WHERE w.tenant_id = p_tenant_id AND w.wallet_id = session.wallet_id;
        IF p_currency <> wallet.currency THEN
            refusal := 'WRONG_CURRENCY';
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION casino_resolve IS
'Finds the game provider, the session and the wallet of a money call, and takes the player''s turn. If the session is '
'another player''s, there is no wallet and no turn. refusal: the code of the refusal that ends the call, or NULL.';

CREATE FUNCTION casino_known(
    p_provider casino_game_providers, p_wallet casino_wallets, p_row casino_transactions
) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_known casino_transactions;
    v_replayed boolean := false;
    v_outcome text;
    v_response text;
BEGIN
    SELECT * INTO v_known FROM casino_find_transaction(
        p_row.tenant_id, p_row.game_provider_id, p_row.id_scope, p_row.external_transaction_id
    );
    IF NOT FOUND THEN
        RETURN CASE
            WHEN p_wallet.wallet_id IS NULL THEN ARRAY['PLAYER_NOT_FOUND', NULL, 'false', NULL]
            -- A bet and its rollback cannot share one id, even if the bet was never seen.
            WHEN p_row.type = 'rollback' AND p_row.reference_id = p_row.external_transaction_id
                THEN ARRAY['DUPLICATE_TRANSACTION', NULL, 'false', p_wallet.balance::text]
        END;
    ELSIF v_known.type = 'tombstone' AND v_known.wallet_id = p_row.wallet_id AND p_row.type <> 'rollback' THEN
        v_outcome := CASE
            WHEN p_wallet.wallet_id IS NULL THEN 'PLAYER_NOT_FOUND'
            WHEN p_row.type = 'bet' AND p_provider.late_bet = 'swallow' THEN 'OK'
            ELSE 'TRANSACTION_ROLLED_BACK'
        END;
        IF v_outcome = 'OK' THEN
            v_response := casino_response_v1(
                'OK', v_known.external_transaction_id, p_wallet.balance, p_wallet.currency, false, p_row.request_id
            );
        END IF;
    ELSE
        v_replayed := v_known.request_id <> p_row.request_id;
        -- A retry must be for the same wallet: the player may have another wallet in another currency.
        IF v_known.request_hash <> p_row.request_hash OR v_known.wallet_id IS DISTINCT FROM p_wallet.wallet_id THEN
            v_outcome := 'DUPLICATE_TRANSACTION';
        ELSIF v_replayed AND p_provider.duplicate = 'refuse' AND v_known.outcome = 'OK' THEN
            v_outcome := 'TRANSACTION_ALREADY_PROCESSED';
        ELSE
            v_outcome := v_known.outcome;
            v_response := coalesce(v_known.response, casino_response_v1(
                'OK', v_known.external_transaction_id, v_known.balance_after, p_wallet.currency, false, NULL
            ));
        END IF;
    END IF;
    RETURN ARRAY[v_outcome, v_response, v_replayed::text, p_wallet.balance::text];
END $$;
COMMENT ON FUNCTION casino_known IS
'The answer to a money call whose id is known, as casino_transact_v1 returns it: a retry gets the same answer whatever '
'has happened since. NULL if the id is new. A call without a wallet is refused.';

CREATE FUNCTION casino_judge(
    p_provider casino_game_providers, p_session casino_sessions, p_wallet casino_wallets, p_row casino_transactions,
    OUT outcome text, OUT change bigint, OUT unseen boolean, OUT stored boolean
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_rollback record;
BEGIN
    change := p_row.amount;
    unseen := false;
    IF p_row.type = 'bet' THEN
        change := -p_row.amount;
        outcome := CASE
            -- Wins and rollbacks of earlier bets are still accepted.
            WHEN p_provider.status <> 'active' THEN 'GAME_PROVIDER_INACTIVE'
            WHEN p_session.status = 'closed' THEN 'SESSION_CLOSED'
            WHEN p_session.expires_at <= now() THEN 'SESSION_EXPIRED'
            WHEN NOT p_wallet.takes_bets THEN 'PLAYER_BLOCKED'
            WHEN p_row.amount > p_wallet.balance THEN 'INSUFFICIENT_FUNDS'
            ELSE 'OK'
        END;
    ELSIF p_row.type = 'rollback' THEN
        v_rollback := casino_judge_rollback(p_wallet, p_provider, p_row.id_scope, p_row.reference_id);
        outcome := v_rollback.outcome;
        change := v_rollback.refund;
        unseen := v_rollback.unseen;
    ELSE
        outcome := casino_judge_credit(
            p_wallet, p_row.game_provider_id, p_row.id_scope, p_row.round_id, p_row.reference_id, p_row.amount
        );
    END IF;
    -- Store nothing about an id that is unknown or belongs to another player: the same call may be valid a moment
    -- later.
    stored := outcome <> 'GAME_PROVIDER_INACTIVE' AND (outcome <> 'TRANSACTION_NOT_FOUND' OR unseen);
END $$;
COMMENT ON FUNCTION casino_judge IS
'Judges a new money call: its outcome, the intended change of the balance in minor units, whether it rolls back an '
'unseen id (so that a tombstone must be left), and whether the outcome is stored.';

CREATE FUNCTION casino_store(
    p_wallet casino_wallets, p_row casino_transactions, p_unseen boolean, p_tombstone_hash bytea
) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_head bytea := p_wallet.head;
    v_tombstone casino_transactions;
    v_response text;
BEGIN
    p_row.entry := p_wallet.entries + 1;
    p_row.balance_before := p_wallet.balance;
    p_row.balance_after := p_wallet.balance;
    p_row.counter_account := CASE p_row.type WHEN 'promo' THEN 'promotion' WHEN 'jackpot' THEN 'jackpot' ELSE 'game' END;
    IF p_unseen THEN
        v_tombstone := p_row;
        v_tombstone.type := 'tombstone';
        v_tombstone.outcome := 'OK';
        v_tombstone.external_transaction_id := p_row.reference_id;
        v_tombstone.reference_id := p_row.external_transaction_id;
        v_tombstone.amount := 0;
        v_tombstone.request_hash := p_tombstone_hash;
        v_head := casino_append(v_head, p_wallet.currency, v_tombstone);
        p_row.entry := p_row.entry + 1;
    END IF;
    IF p_row.outcome = 'OK' THEN
        p_row.balance_after := p_wallet.balance + p_row.amount;
        v_response := casino_response_v1(
            'OK', p_row.external_transaction_id, p_row.balance_after, p_wallet.currency, p_unseen, p_row.request_id
        );
    ELSE
        v_response := casino_response_v1(
            p_row.outcome, p_row.external_transaction_id, p_wallet.balance, p_wallet.currency, false, p_row.request_id
        );
    END IF;
    IF p_unseen OR p_row.outcome <> 'OK' THEN
        p_row.response := v_response;
    END IF;
    v_head := casino_append(v_head, p_wallet.currency, p_row);
    RETURN ARRAY[p_row.outcome, v_response, 'false', p_row.balance_after::text];
END $$;
COMMENT ON FUNCTION casino_store IS
'Stores a judged money call as the wallet''s next row, after the tombstone of an unseen id, and returns its answer.';

-- p_type: bet, win, promo, jackpot or rollback. p_amount: minor units, 0 for a rollback (the refund is the stored bet's
-- amount). p_reference_id: the bet that a credit pays for, or the transaction that a rollback reverses. p_request_hash
-- and p_tombstone_hash: the hashes of this call's business fields, and of those of the tombstone that it may leave.
-- p_currency: the wallet's currency as the caller states it, NULL if not stated. p_request_id: the id of this call; a
-- statement that is retried with the same request id gets its first answer, in every dialect.
--
-- Returns an array, because a function that returns a table costs a tenth of a debit. outcome: 'OK', the code of a decline
-- (stored, and replayed for ever) or the code of a refusal (leaves no row). response: the answer's body, NULL for a
-- refusal. balance: minor units, NULL if the player is unknown.
CREATE FUNCTION casino_transact_v1(
    p_tenant_id uuid, p_game_provider text, p_bare_signature boolean, p_type casino_transaction_type,
    p_session_token text, p_player_id bigint, p_transaction_id text, p_round_id text, p_amount bigint,
    p_reference_id text, p_currency text, p_request_hash bytea, p_tombstone_hash bytea, p_request_id text
) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
    v_call record;
    v_row casino_transactions;
    v_answer text[];
    v_verdict record;
BEGIN
    IF p_amount IS NULL OR p_amount < 0 OR p_type IN ('deposit', 'tombstone')
        OR (p_type = 'rollback' AND p_amount <> 0) OR (p_type IN ('win', 'rollback') AND p_reference_id IS NULL)
    THEN
        RAISE EXCEPTION 'a game provider cannot send a % of %', p_type, p_amount USING ERRCODE = 'CW002';
    END IF;

    v_call := casino_resolve(
        p_tenant_id, p_game_provider, p_bare_signature, p_session_token, p_player_id, p_currency
    );
    IF v_call.refusal IS NOT NULL THEN
        RETURN ARRAY[v_call.refusal, NULL, 'false', (v_call.wallet).balance::text];
    END IF;

    v_row.tenant_id := p_tenant_id;
    v_row.type := p_type;
    v_row.game_provider_id := (v_call.provider).game_provider_id;
    v_row.id_scope := CASE (v_call.provider).id_scope WHEN 'player' THEN p_player_id ELSE 0 END;
    v_row.external_transaction_id := p_transaction_id;
    v_row.session_id := (v_call.session).session_id;
    v_row.wallet_id := (v_call.session).wallet_id;
    v_row.round_id := p_round_id;
    v_row.reference_id := p_reference_id;
    v_row.amount := p_amount;
    v_row.request_hash := p_request_hash;
    v_row.request_id := p_request_id;

    v_answer := casino_known(v_call.provider, v_call.wallet, v_row);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;

    v_verdict := casino_judge(v_call.provider, v_call.session, v_call.wallet, v_row);
    IF NOT v_verdict.stored THEN
        RETURN ARRAY[v_verdict.outcome, NULL, 'false', (v_call.wallet).balance::text];
    END IF;

    v_row.outcome := v_verdict.outcome;
    v_row.amount := v_verdict.change;
    RETURN casino_store(v_call.wallet, v_row, v_verdict.unseen, p_tombstone_hash);
END $$;
COMMENT ON FUNCTION casino_transact_v1 IS
'Any money call, from claiming its id to storing its answer. Returns outcome, response, replayed and balance.';

-- Nearly every bet is new, covered and allowed, and takes the fast path of two statements: the first authenticates the
-- caller and takes the player's turn, the second takes the money. All other bets go through casino_transact_v1.
CREATE FUNCTION casino_debit_v1(
    p_tenant_id uuid, p_game_provider text, p_bare_signature boolean, p_session_token text, p_player_id bigint,
    p_transaction_id text, p_round_id text, p_amount bigint, p_currency text, p_request_hash bytea, p_request_id text
) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
    v_caller record;
    v_taken record;
BEGIN
    LOOP
        SELECT
            s.session_id, s.wallet_id, s.game_provider_id,
            CASE g.id_scope WHEN 'player' THEN p_player_id ELSE 0 END AS id_scope,
            pg_try_advisory_xact_lock(p_player_id) AS has_turn
        INTO v_caller
        FROM casino_sessions AS s
        INNER JOIN casino_game_providers AS g ON g.tenant_id = p_tenant_id AND g.game_provider_id = s.game_provider_id
        WHERE s.tenant_id = p_tenant_id AND s.session_token = p_session_token AND s.player_id = p_player_id
            AND s.status <> 'closed' AND s.expires_at > now()
            AND g.code = p_game_provider AND g.status = 'active' AND (g.allow_bare_signature OR NOT p_bare_signature);
        EXIT WHEN NOT FOUND;
        EXIT WHEN v_caller.has_turn;
        PERFORM casino_wait_turn(p_player_id);
    END LOOP;

    UPDATE casino_wallets AS w
    SET balance = w.balance - p_amount,
        entries = w.entries + 1,
        head = casino_entry_hash(
            w.head, p_request_hash, w.wallet_id, w.entries + 1, 'OK', w.currency, p_request_id,
            v_caller.game_provider_id, v_caller.id_scope, v_caller.session_id, w.balance, w.balance - p_amount, now()
        )
    WHERE w.tenant_id = p_tenant_id AND w.wallet_id = v_caller.wallet_id AND w.takes_bets AND w.balance >= p_amount
        AND p_amount >= 0 AND (p_currency IS NULL OR w.currency = p_currency)
        AND NOT EXISTS (
            SELECT FROM casino_transactions AS t
            WHERE t.tenant_id = p_tenant_id AND t.game_provider_id = v_caller.game_provider_id
                AND t.id_scope = v_caller.id_scope AND t.external_transaction_id = p_transaction_id
        )
    RETURNING w.entries, w.balance, w.currency, w.head
    INTO v_taken;

    IF NOT FOUND THEN
        RETURN casino_transact_v1(
            p_tenant_id, p_game_provider, p_bare_signature, 'bet', p_session_token, p_player_id, p_transaction_id,
            p_round_id, p_amount, NULL, p_currency, p_request_hash, NULL, p_request_id
        );
    END IF;
    INSERT INTO casino_transactions (
        tenant_id, wallet_id, entry, type, outcome, game_provider_id, id_scope, external_transaction_id,
        session_id, round_id, amount, balance_before, balance_after, counter_account, request_hash, request_id,
        created_at, hash
    ) VALUES (
        p_tenant_id, v_caller.wallet_id, v_taken.entries, 'bet', 'OK', v_caller.game_provider_id, v_caller.id_scope,
        p_transaction_id, v_caller.session_id, p_round_id, -p_amount, v_taken.balance + p_amount, v_taken.balance, 'game',
        p_request_hash, p_request_id, now(), v_taken.head
    );
    RETURN ARRAY[
        'OK', casino_response_v1('OK', p_transaction_id, v_taken.balance, v_taken.currency, false, p_request_id), 'false',
        v_taken.balance::text
    ];
END $$;
COMMENT ON FUNCTION casino_debit_v1 IS 'A debit. Returns the same as casino_transact_v1.';

CREATE FUNCTION casino_balance_v1(
    p_tenant_id uuid, p_game_provider text, p_bare_signature boolean, p_session_token text, p_player_id bigint,
    p_currency text, OUT outcome text, OUT balance bigint, OUT currency text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
BEGIN
    SELECT
        CASE
            WHEN p_bare_signature AND NOT g.allow_bare_signature THEN 'SIGNATURE_INVALID'
            WHEN s.session_id IS NULL THEN 'SESSION_NOT_FOUND'
            WHEN s.player_id <> p_player_id THEN 'PLAYER_NOT_FOUND'
            WHEN w.currency <> p_currency THEN 'WRONG_CURRENCY'
            ELSE 'OK'
        END, w.balance, w.currency
    INTO outcome, balance, currency
    FROM casino_game_providers AS g
    LEFT JOIN casino_sessions AS s
        ON s.tenant_id = p_tenant_id AND s.session_token = p_session_token AND s.game_provider_id = g.game_provider_id
    LEFT JOIN casino_wallets AS w ON w.tenant_id = p_tenant_id AND w.wallet_id = s.wallet_id
    WHERE g.tenant_id = p_tenant_id AND g.code = p_game_provider;
    IF NOT FOUND THEN
        outcome := 'SIGNATURE_INVALID';
    END IF;
END $$;
COMMENT ON FUNCTION casino_balance_v1 IS
'A player''s balance (minor units), for the game provider of the session. SESSION_NOT_FOUND if the session is another '
'provider''s.';

CREATE FUNCTION casino_deposit_v1(
    p_tenant_id uuid, p_wallet_id bigint, p_transaction_id text, p_amount bigint, p_request_hash bytea, p_request_id text,
    OUT outcome text, OUT balance bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_tenant text := set_config('causeway.tenant_id', p_tenant_id::text, true);
    v_wallet casino_wallets;
    v_row casino_transactions;
BEGIN
    IF p_amount IS NULL OR p_amount < 0 THEN
        outcome := 'INVALID_AMOUNT';
        RETURN;
    END IF;
    PERFORM casino_wait_turn(w.player_id) FROM casino_wallets AS w
    WHERE w.tenant_id = p_tenant_id AND w.wallet_id = p_wallet_id;
    SELECT * INTO v_wallet FROM casino_wallets AS w WHERE w.tenant_id = p_tenant_id AND w.wallet_id = p_wallet_id;
    IF NOT FOUND THEN
        outcome := 'PLAYER_NOT_FOUND';
        RETURN;
    END IF;
    balance := v_wallet.balance;
    SELECT * INTO v_row FROM casino_find_transaction(p_tenant_id, 0, 0, p_transaction_id);
    IF FOUND THEN
        outcome := CASE WHEN v_row.request_hash = p_request_hash AND v_row.wallet_id = p_wallet_id
            THEN 'OK' ELSE 'DUPLICATE_TRANSACTION' END;
        RETURN;
    END IF;
    outcome := casino_judge_credit(v_wallet, 0, 0, NULL, NULL, p_amount);
    IF outcome = 'OK' THEN
        balance := balance + p_amount;
        PERFORM casino_append(v_wallet.head, v_wallet.currency, ROW(
            p_tenant_id, p_wallet_id, v_wallet.entries + 1, 'deposit', 'OK', 0, 0, p_transaction_id, NULL, NULL, NULL,
            p_amount, v_wallet.balance, balance, 'cashier', p_request_hash,
            p_request_id, NULL, NULL, NULL
        )::casino_transactions);
    END IF;
END $$;
COMMENT ON FUNCTION casino_deposit_v1 IS
'A deposit by the cashier: 0 or more minor units. The same id again moves nothing and answers the current balance.';

-- Ownership and execution: money moves as causeway_ledger, which cannot log in. The casino's login may call the
-- functions for game providers and no others.
GRANT CREATE ON SCHEMA public TO causeway_ledger;
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'casino\_%' AND (p.prorettype <> 'trigger'::regtype OR p.prosecdef)
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM public', v_function);
        EXECUTE format('ALTER FUNCTION %s OWNER TO causeway_ledger', v_function);
    END LOOP;
END $$;
REVOKE CREATE ON SCHEMA public FROM causeway_ledger;
GRANT EXECUTE ON FUNCTION casino_transact_v1, casino_debit_v1, casino_balance_v1 TO causeway_casino;
