-- Opening, locking and acquiring wallets and their balances.
--
-- The order of locks, for everybody: new wallets by address, then balances by wallet id,
-- then the table journal when a period is closed. Who calls several functions in one transaction cannot keep it
-- by himself: each function notes how far the transaction has locked, and what comes before that is taken only
-- if nobody else has it, without waiting in line. So nobody waits in a circle; lock_wallets() avoids the refusal.

-- The highest wallet id that this transaction has locked, 0 for none. It is noted in the transaction's settings,
-- so it is forgotten with the locks when a savepoint is undone.
CREATE OR REPLACE FUNCTION locked_to()
    RETURNS bigint
    LANGUAGE sql STABLE
    AS $$ SELECT coalesce(nullif(current_setting('ledger.locked_to', true), '')::bigint, 0) $$;

-- Notes that this transaction has locked as far as this wallet.
CREATE OR REPLACE FUNCTION note_locked_to(wallet_id bigint)
    RETURNS void
    LANGUAGE sql
    AS $$ SELECT set_config('ledger.locked_to', greatest(wallet_id, ledger.locked_to())::text, true) $$;

-- Refuses a lock out of order that another transaction has kept for a second. It is not the journal's fault: the
-- worker reads its batch again.
CREATE OR REPLACE FUNCTION refuse_lock_out_of_order(what text)
    RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'lock_not_available',
        MESSAGE = format('%s is locked by another transaction, and this one has locked wallets that come after it; '
                         'roll back, and begin with lock_wallets() for all wallets of the transaction', what),
        HINT = 'SELECT ledger.lock_wallets(ARRAY[''student:s-1'', ''platform:school''], ''USD'');';
END $$;

-- Locks a balance that comes before one that this transaction has locked: when it is free, without waiting in
-- line for it. Tried for a second.
CREATE OR REPLACE FUNCTION take_balance(held_id bigint, held_currency text)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    until CONSTANT timestamptz := clock_timestamp() + interval '1 second';
BEGIN
    LOOP
        PERFORM FROM balance
          WHERE wallet_id = held_id AND currency = held_currency COLLATE "C" FOR NO KEY UPDATE SKIP LOCKED;
        EXIT WHEN FOUND;
        IF clock_timestamp() > until THEN
            PERFORM refuse_lock_out_of_order((SELECT 'wallet ' || address FROM wallet WHERE id = held_id));
        END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;

-- Who opens a wallet keeps others from opening it until the transaction ends, by locks that can be tried: one of
-- 256, by its address. They are taken in their order; who has locked balances does not wait in line for them.
CREATE OR REPLACE FUNCTION begin_opening(addresses text[])
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    until CONSTANT timestamptz := clock_timestamp() + interval '1 second';
    family CONSTANT integer := hashtext('hobbs.ledger.open_balances');
    bucket integer;
BEGIN
    FOR bucket IN SELECT DISTINCT hashtext(address) & 255 FROM unnest(addresses) AS asked (address) ORDER BY 1 LOOP
        IF locked_to() = 0 THEN
            PERFORM pg_advisory_xact_lock(family, bucket);
            CONTINUE;
        END IF;
        WHILE NOT pg_try_advisory_xact_lock(family, bucket) LOOP
            IF clock_timestamp() > until THEN
                PERFORM refuse_lock_out_of_order('a wallet that is opened');
            END IF;
            PERFORM pg_sleep(0.01);
        END LOOP;
    END LOOP;
END $$;

-- Opens wallets in a currency and locks them all, in their order, until the transaction ends: the first call of
-- a transaction that posts several journals, or a journal and a hold.
CREATE OR REPLACE FUNCTION lock_wallets(addresses text[], currency text)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    currencies CONSTANT text[] := array_fill(currency, ARRAY[cardinality(addresses)]);
BEGIN
    IF currency IS NULL OR coalesce(cardinality(addresses), 0) = 0 OR array_position(addresses, NULL) IS NOT NULL THEN
        PERFORM refuse('locked_wallets_are_named', 'name the wallets to lock, and their currency');
    END IF;
    PERFORM open_balances(addresses, currencies);
    PERFORM lock_balances(addresses, currencies);
END $$;
GRANT EXECUTE ON FUNCTION lock_wallets(text[], text) TO hobbs_ledger;

-- Opens wallets and their balances on first use. Where nothing is missing it writes nothing. Each statement begins with what is asked for and looks it up by key, so that a plan
-- which was made for an empty ledger is right for the life of a session.
CREATE OR REPLACE FUNCTION open_balances(addresses text[], currencies text[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET plan_cache_mode = force_generic_plan
    AS $$
DECLARE
    missing text[];             -- addresses of wallets that lack a balance
    missing_currencies text[];  -- and its currency
    unknown record;
BEGIN
    SELECT array_agg(line.address), array_agg(line.currency) INTO missing, missing_currencies
      FROM (SELECT asked.address, asked.currency,
                   (SELECT wallet_id FROM balance
                     WHERE wallet_id = (SELECT id FROM wallet WHERE wallet.address = asked.address COLLATE "C")
                       AND balance.currency = asked.currency COLLATE "C") AS opened
              FROM unnest(addresses, currencies) AS asked (address, currency) OFFSET 0) AS line
     WHERE line.opened IS NULL;
    IF missing IS NULL THEN
        RETURN;
    END IF;
    SELECT asked.currency INTO unknown FROM unnest(missing_currencies) AS asked (currency)
     WHERE NOT EXISTS (SELECT FROM iso_currency WHERE code = asked.currency COLLATE "C") LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('balance_currency_is_iso_4217', format(
            '%L is not an ISO 4217 code such as USD', unknown.currency));
    END IF;

    PERFORM begin_opening(missing);
    INSERT INTO wallet (address)
    SELECT DISTINCT asked.address FROM unnest(missing) AS asked (address)
     ORDER BY asked.address
        ON CONFLICT ON CONSTRAINT wallet_address_is_unique DO NOTHING;

    -- Who has acquired a wallet keeps it from being opened in another currency, too.
    PERFORM FROM wallet
      WHERE id = ANY (ARRAY(
            SELECT line.id
              FROM (SELECT (SELECT id FROM wallet WHERE wallet.address = asked.address COLLATE "C") AS id, asked.currency
                      FROM unnest(missing, missing_currencies) AS asked (address, currency) OFFSET 0) AS line
             WHERE NOT EXISTS (SELECT FROM balance
                                WHERE wallet_id = line.id AND balance.currency = line.currency COLLATE "C")))
      ORDER BY id FOR SHARE;

    INSERT INTO balance (wallet_id, currency)
    SELECT DISTINCT line.id, line.currency
      FROM (SELECT (SELECT id FROM wallet WHERE wallet.address = asked.address COLLATE "C") AS id, asked.currency
              FROM unnest(missing, missing_currencies) AS asked (address, currency) OFFSET 0) AS line
     ORDER BY line.id, line.currency
        ON CONFLICT (wallet_id, currency) DO NOTHING;
END $$;
GRANT EXECUTE ON FUNCTION open_balances(text[], text[]) TO hobbs_ledger;

-- Locks balances in wallet order and reads what they are once the locks are held. `floor` is the limit that
-- binds journals; one that binds only holds is checked where a hold is placed.
CREATE OR REPLACE FUNCTION lock_balances(addresses text[], currencies text[])
    RETURNS TABLE (wallet_id bigint, address text, currency text, amount bigint, version bigint,
                   pending bigint, floor bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
#variable_conflict use_column
DECLARE
    held_to CONSTANT bigint := locked_to();
BEGIN
    IF held_to > 0 THEN
        PERFORM take_balance(early.wallet_id, early.currency)
          FROM (SELECT balance.wallet_id, balance.currency
                  FROM unnest(addresses, currencies) AS asked (address, currency)
                  JOIN wallet ON wallet.address = asked.address COLLATE "C"
                  JOIN balance ON balance.wallet_id = wallet.id AND balance.currency = asked.currency COLLATE "C"
                 WHERE wallet.id <= held_to ORDER BY 1, 2) AS early;
    END IF;
    RETURN QUERY
    SELECT balance.wallet_id, wallet.address, balance.currency, balance.amount, balance.version,
           balance.pending, CASE WHEN balance.floor_binds = 'all' THEN balance.floor END
      FROM unnest(addresses, currencies) AS asked (address, currency)
      JOIN wallet ON wallet.address = asked.address COLLATE "C"
      JOIN balance ON balance.wallet_id = wallet.id AND balance.currency = asked.currency COLLATE "C"
     ORDER BY balance.wallet_id, balance.currency
       FOR NO KEY UPDATE OF balance;
    PERFORM note_locked_to((SELECT max(wallet.id) FROM unnest(addresses) AS asked (address)
                              JOIN wallet ON wallet.address = asked.address COLLATE "C"));
END $$;
GRANT EXECUTE ON FUNCTION lock_balances(text[], text[]) TO hobbs_ledger;

-- The row of a wallet that comes before one that this transaction has locked, as take_balance takes a balance.
CREATE OR REPLACE FUNCTION take_wallet(held_id bigint)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    until CONSTANT timestamptz := clock_timestamp() + interval '1 second';
BEGIN
    LOOP
        PERFORM FROM wallet WHERE id = held_id FOR NO KEY UPDATE SKIP LOCKED;
        EXIT WHEN FOUND;
        IF clock_timestamp() > until THEN
            PERFORM refuse_lock_out_of_order((SELECT 'wallet ' || address FROM wallet WHERE id = held_id));
        END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;

-- Keeps everybody else from posting to a wallet, in any currency, until the transaction ends. Holds, limits
-- and monitors that refer to the wallet while they have its balance locked do not wait for the wallet's row.
CREATE OR REPLACE FUNCTION acquire_wallet_lock(wallet_id bigint)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM wallet WHERE id = acquire_wallet_lock.wallet_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'no_data_found',
            MESSAGE = format('wallet %s does not exist', acquire_wallet_lock.wallet_id);
    END IF;
    IF acquire_wallet_lock.wallet_id <= locked_to() THEN
        PERFORM take_wallet(acquire_wallet_lock.wallet_id);
        PERFORM take_balance(balance.wallet_id, balance.currency) FROM balance
          WHERE balance.wallet_id = acquire_wallet_lock.wallet_id;
    END IF;
    PERFORM FROM wallet WHERE id = acquire_wallet_lock.wallet_id FOR NO KEY UPDATE;
    PERFORM FROM balance WHERE balance.wallet_id = acquire_wallet_lock.wallet_id
      ORDER BY balance.currency FOR NO KEY UPDATE;
    PERFORM note_locked_to(acquire_wallet_lock.wallet_id);
END $$;
GRANT EXECUTE ON FUNCTION acquire_wallet_lock(bigint) TO hobbs_ledger;
