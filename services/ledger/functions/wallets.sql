-- Opening, locking and acquiring wallets and their balances.

-- Opens wallets and their balances on first use. Where nothing is missing it writes nothing. Both inserts run
-- in one order everywhere, before any balance is locked, so that two sessions that open the same wallets wait
-- for each other and never deadlock. Planned anew in each call: a plan made for an empty ledger would be kept
-- for the life of a session.
CREATE OR REPLACE FUNCTION open_balances(addresses text[], currencies text[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET plan_cache_mode = force_custom_plan
    AS $$
DECLARE
    unknown record;
BEGIN
    IF NOT EXISTS (
        SELECT FROM unnest(addresses, currencies) AS asked (address, currency)
          LEFT JOIN wallet ON wallet.address = asked.address COLLATE "C"
          LEFT JOIN balance ON balance.wallet_id = wallet.id AND balance.currency = asked.currency COLLATE "C"
         WHERE balance.wallet_id IS NULL) THEN
        RETURN;
    END IF;
    SELECT asked.currency INTO unknown FROM unnest(currencies) AS asked (currency)
     WHERE NOT EXISTS (SELECT FROM iso_currency WHERE code = asked.currency COLLATE "C") LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('balance_currency_is_iso_4217', format(
            '%L is not an ISO 4217 code such as USD', unknown.currency));
    END IF;

    INSERT INTO wallet (address)
    SELECT DISTINCT asked.address FROM unnest(addresses) AS asked (address)
     ORDER BY asked.address
        ON CONFLICT ON CONSTRAINT wallet_address_is_unique DO NOTHING;

    -- Who has acquired a wallet keeps it from being opened in another currency, too.
    PERFORM FROM wallet
      WHERE id IN (SELECT wallet.id
                     FROM unnest(addresses, currencies) AS asked (address, currency)
                     JOIN wallet ON wallet.address = asked.address COLLATE "C"
                     LEFT JOIN balance ON balance.wallet_id = wallet.id
                                      AND balance.currency = asked.currency COLLATE "C"
                    WHERE balance.wallet_id IS NULL)
      ORDER BY id FOR SHARE;

    INSERT INTO balance (wallet_id, currency)
    SELECT DISTINCT wallet.id, asked.currency
      FROM unnest(addresses, currencies) AS asked (address, currency)
      JOIN wallet ON wallet.address = asked.address COLLATE "C"
     ORDER BY wallet.id, asked.currency
        ON CONFLICT (wallet_id, currency) DO NOTHING;
END $$;
GRANT EXECUTE ON FUNCTION open_balances(text[], text[]) TO hobbs_ledger;

-- Locks balances in wallet order and reads what they are once the locks are held. `floor` is the limit that
-- binds journals; one that binds only holds is checked where a hold is placed.
CREATE OR REPLACE FUNCTION lock_balances(addresses text[], currencies text[])
    RETURNS TABLE (wallet_id bigint, address text, currency text, amount bigint, version bigint,
                   pending bigint, floor bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
    SELECT balance.wallet_id, wallet.address, balance.currency, balance.amount, balance.version,
           balance.pending, CASE WHEN balance.floor_binds = 'all' THEN balance.floor END
      FROM unnest(addresses, currencies) AS asked (address, currency)
      JOIN wallet ON wallet.address = asked.address COLLATE "C"
      JOIN balance ON balance.wallet_id = wallet.id AND balance.currency = asked.currency COLLATE "C"
     ORDER BY balance.wallet_id, balance.currency
       FOR NO KEY UPDATE OF balance;
$$;
GRANT EXECUTE ON FUNCTION lock_balances(text[], text[]) TO hobbs_ledger;

-- Keeps everybody else from posting to a wallet, in any currency, until the transaction ends. Holds, limits
-- and monitors that refer to the wallet while they have its balance locked do not wait for the wallet's row.
CREATE OR REPLACE FUNCTION acquire_wallet_lock(wallet_id bigint)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
BEGIN
    PERFORM FROM wallet WHERE id = acquire_wallet_lock.wallet_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'no_data_found',
            MESSAGE = format('wallet %s does not exist', acquire_wallet_lock.wallet_id);
    END IF;
    PERFORM FROM balance WHERE balance.wallet_id = acquire_wallet_lock.wallet_id
      ORDER BY balance.currency FOR NO KEY UPDATE;
END $$;
GRANT EXECUTE ON FUNCTION acquire_wallet_lock(bigint) TO hobbs_ledger;
