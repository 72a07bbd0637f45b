-- How far down a wallet may go, holds counted.

-- Sets a limit: `binds` 'holds' stops new holds only, 'all' journals too. A null floor lifts the limit. True:
-- it is new; false: it stood already.
CREATE OR REPLACE FUNCTION set_limit(wallet text, currency text, floor bigint, binds text DEFAULT 'all')
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    there record;
    new_binds CONSTANT text := CASE WHEN set_limit.floor IS NOT NULL THEN coalesce(binds, 'all') END;
BEGIN
    PERFORM open_balances(ARRAY[wallet], ARRAY[set_limit.currency]);
    PERFORM lock_balances(ARRAY[wallet], ARRAY[set_limit.currency]);
    SELECT balance.wallet_id, balance.floor, balance.floor_binds INTO there
      FROM balance JOIN wallet ON wallet.id = balance.wallet_id
     WHERE wallet.address = set_limit.wallet COLLATE "C" AND balance.currency = set_limit.currency;
    IF (there.floor, there.floor_binds) IS NOT DISTINCT FROM (set_limit.floor, new_binds) THEN
        RETURN false;
    END IF;
    INSERT INTO wallet_limit (wallet_id, currency, floor, binds)
    VALUES (there.wallet_id, set_limit.currency, set_limit.floor, new_binds);
    RETURN true;
END $$;
GRANT EXECUTE ON FUNCTION set_limit(text, text, bigint, text) TO hobbs_ledger;

-- Trigger on wallet_limit: the newest limit stands on its balance.
CREATE OR REPLACE FUNCTION apply_limit()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
BEGIN
    UPDATE balance SET floor = NEW.floor, floor_binds = NEW.binds
     WHERE balance.wallet_id = NEW.wallet_id AND balance.currency = NEW.currency;
    IF NOT FOUND THEN
        PERFORM refuse('limit_is_on_a_balance', format(
            'wallet %s has no balance in %s', NEW.wallet_id, NEW.currency));
    END IF;
    RETURN NULL;
END $$;

-- Refuses what goes below a limit. The shortfall travels as the error's detail, so that the worker need not
-- read it from the sentence.
CREATE OR REPLACE FUNCTION refuse_below_limit(
    what text, wallet text, currency text, available bigint, floor bigint, taken bigint)
    RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation', CONSTRAINT = 'limit_exceeded',
        DETAIL = (floor - (available - taken))::text,
        MESSAGE = format(
            '%s takes %s %s from %s, which has %s available and may not go below %s: short by %s',
            what, taken, currency, wallet, available, floor, floor - (available - taken));
END $$;

-- Called when entries were not applied to a balance: refuses if its limit is why.
CREATE OR REPLACE FUNCTION refuse_entries_below_limit(wallet_id bigint, currency text, total numeric)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    there record;
BEGIN
    SELECT balance.amount - balance.pending AS available, balance.floor, wallet.address INTO there
      FROM balance JOIN wallet ON wallet.id = balance.wallet_id
     WHERE balance.wallet_id = refuse_entries_below_limit.wallet_id
       AND balance.currency = refuse_entries_below_limit.currency AND balance.floor_binds = 'all';
    IF total < 0 AND there.available + total < there.floor THEN
        PERFORM refuse_below_limit('the journal', there.address, refuse_entries_below_limit.currency,
                                   there.available, there.floor, -total::bigint);
    END IF;
END $$;
