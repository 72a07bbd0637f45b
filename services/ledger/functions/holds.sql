-- Placing, posting, voiding and expiring holds, for the worker and for DBAs alike. Each is idempotent: asked
-- again with the same content it changes nothing, other content is refused.

-- A hold that is known, with its wallet's balance locked: while it is, nobody closes the hold.
CREATE OR REPLACE FUNCTION lock_hold(hold text, also_wallet text DEFAULT NULL)
    RETURNS hold
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    there hold;
    address text;
BEGIN
    SELECT * INTO there FROM hold WHERE name = lock_hold.hold;
    IF NOT FOUND THEN
        PERFORM refuse('hold_is_known', format('hold %s is not known; place it first', lock_hold.hold));
    END IF;
    SELECT wallet.address INTO address FROM wallet WHERE id = there.wallet_id;
    IF also_wallet IS NOT NULL THEN
        PERFORM open_balances(ARRAY[also_wallet], ARRAY[there.currency]);
    END IF;
    PERFORM lock_balances(array_remove(ARRAY[address, also_wallet], NULL),
                          array_fill(there.currency, ARRAY[2]));
    SELECT * INTO there FROM hold WHERE name = lock_hold.hold;
    RETURN there;
END $$;

-- Keeps `amount` (positive) on a wallet until it is posted, voided or expires. True: it was placed now; false:
-- the same hold was placed before.
CREATE OR REPLACE FUNCTION place_hold(
    hold text, wallet text, amount bigint, currency text, expires_at timestamptz, memo text DEFAULT '')
    RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
SELECT NOT repeated FROM place_holds(ARRAY[hold], ARRAY[wallet], ARRAY[amount], ARRAY[currency], ARRAY[expires_at],
                                     ARRAY[memo])
$$;
GRANT EXECUTE ON FUNCTION place_hold(text, text, bigint, text, timestamptz, text) TO hobbs_ledger;

-- Places holds, each under another name, in their order, as place_hold does: all of them, or none. For each, whether
-- the same hold was placed before.
CREATE OR REPLACE FUNCTION place_holds(
    holds text[], wallets text[], amounts bigint[], currencies text[], ends timestamptz[], memos text[])
    RETURNS TABLE (hold text, repeated boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
#variable_conflict use_column
DECLARE
    there record;
BEGIN
    IF array_position(holds, NULL) IS NOT NULL OR array_position(wallets, NULL) IS NOT NULL
       OR array_position(amounts, NULL) IS NOT NULL OR array_position(currencies, NULL) IS NOT NULL
       OR array_position(ends, NULL) IS NOT NULL THEN
        PERFORM refuse('hold_is_complete', 'hold, wallet, amount, currency and expires_at are required');
    END IF;
    PERFORM open_balances(wallets, currencies);
    PERFORM lock_balances(wallets, currencies);
    SELECT held.name, held.amount, held.currency, held.expires_at, wallet.address INTO there
      FROM unnest(holds, wallets, amounts, currencies, ends) AS asked (name, address, amount, currency, expires_at)
      JOIN hold AS held ON held.name = asked.name
      JOIN wallet ON wallet.id = held.wallet_id
     WHERE (wallet.address, held.amount, held.currency, held.expires_at)
           IS DISTINCT FROM (asked.address, asked.amount, asked.currency, asked.expires_at)
     LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('hold_repeats_with_the_same_content', format(
            'hold %s is already placed with other content: %s %s on %s until %s',
            there.name, there.amount, there.currency, there.address, there.expires_at));
    END IF;
    SELECT asked.name, asked.expires_at INTO there
      FROM unnest(holds, ends) AS asked (name, expires_at)
     WHERE asked.expires_at <= clock_timestamp() AND NOT EXISTS (SELECT FROM hold WHERE hold.name = asked.name)
     LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('hold_expires_later', format(
            'hold %s would expire at %s, which is past', there.name, there.expires_at));
    END IF;
    RETURN QUERY
    WITH new AS (
        INSERT INTO hold (name, wallet_id, currency, amount, expires_at, memo)
        SELECT asked.name, wallet.id, asked.currency, asked.amount, asked.expires_at, asked.memo
          FROM unnest(holds, wallets, amounts, currencies, ends, memos)
               WITH ORDINALITY AS asked (name, address, amount, currency, expires_at, memo, place)
          JOIN wallet ON wallet.address = asked.address COLLATE "C"
         WHERE NOT EXISTS (SELECT FROM hold WHERE hold.name = asked.name)
         ORDER BY asked.place
        RETURNING name)
    SELECT asked.name, new.name IS NULL FROM unnest(holds) AS asked (name) LEFT JOIN new ON new.name = asked.name;
END $$;
GRANT EXECUTE ON FUNCTION place_holds(text[], text[], bigint[], text[], timestamptz[], text[]) TO hobbs_ledger;

-- Moves a hold's amount, or part of it, to a wallet; the rest is available again. The journal's source is
-- hold:<hold>. Its id comes back, also when asked again with the same amount and wallet.
CREATE OR REPLACE FUNCTION post_hold(
    hold text, to_wallet text, amount bigint DEFAULT NULL, occurred_at timestamptz DEFAULT NULL,
    memo text DEFAULT '')
    RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    there CONSTANT hold := lock_hold(hold, to_wallet);
    moved CONSTANT bigint := coalesce(post_hold.amount, there.amount);
    address CONSTANT text := (SELECT wallet.address FROM wallet WHERE id = there.wallet_id);
    new_id uuid := uuidv7();
BEGIN
    IF to_wallet IS NULL OR address = to_wallet THEN
        PERFORM refuse('hold_posts_to_another_wallet', format('hold %s: name the wallet it goes to', hold));
    END IF;
    IF there.state = 'posted' AND moved = there.posted_amount AND EXISTS (
        SELECT FROM entry JOIN wallet ON wallet.id = entry.wallet_id
         WHERE entry.journal_id = there.journal_id AND wallet.address = to_wallet) THEN
        RETURN there.journal_id;
    END IF;
    IF there.state <> 'open' THEN
        PERFORM refuse('hold_is_open', format('hold %s was %s at %s', hold, there.state, there.closed_at));
    END IF;
    IF there.expires_at <= clock_timestamp() THEN
        PERFORM refuse('hold_is_open', format('hold %s expired at %s', hold, there.expires_at));
    END IF;
    IF moved NOT BETWEEN 1 AND there.amount THEN
        PERFORM refuse('hold_posts_at_most_its_amount', format(
            'hold %s keeps %s %s: it cannot post %s', hold, there.amount, there.currency, moved));
    END IF;
    UPDATE hold SET state = 'posted', closed_at = clock_timestamp(), posted_amount = moved,
                    journal_id = new_id
     WHERE id = there.id;
    IF post_with_locks(
           new_id, 'hold', hold, there.currency, jsonb_build_array(
               jsonb_build_object('wallet', address, 'amount', -moved),
               jsonb_build_object('wallet', to_wallet, 'amount', moved)),
           post_hold.occurred_at, post_hold.memo) <> new_id THEN
        PERFORM refuse('journal_source_is_posted_once', format('a journal hold:%s stands already', hold));
    END IF;
    RETURN new_id;
END $$;
GRANT EXECUTE ON FUNCTION post_hold(text, text, bigint, timestamptz, text) TO hobbs_ledger;

-- Gives a hold's amount back. True: it was voided now; false: before, or it had expired.
CREATE OR REPLACE FUNCTION void_hold(hold text)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    there CONSTANT hold := lock_hold(hold);
BEGIN
    IF there.state = 'posted' THEN
        PERFORM refuse('hold_is_open', format(
            'hold %s was posted at %s; revert journal hold:%s instead',
            void_hold.hold, there.closed_at, void_hold.hold));
    END IF;
    IF there.state = 'open' THEN
        UPDATE hold SET state = 'voided', closed_at = clock_timestamp() WHERE id = there.id;
    END IF;
    RETURN there.state = 'open';
END $$;
GRANT EXECUTE ON FUNCTION void_hold(text) TO hobbs_ledger;

-- Closes holds whose time is over, at most so many, and names them. Balances are locked in their order.
CREATE OR REPLACE FUNCTION expire_holds(most integer DEFAULT 500)
    RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    due bigint[];
BEGIN
    SELECT array_agg(id) INTO due FROM (
        SELECT id FROM hold WHERE state = 'open' AND expires_at <= clock_timestamp()
         ORDER BY expires_at LIMIT most) AS over;
    IF due IS NULL THEN
        RETURN;
    END IF;
    PERFORM lock_balances(array_agg(address), array_agg(currency))
      FROM (SELECT DISTINCT wallet.address, hold.currency
              FROM hold JOIN wallet ON wallet.id = hold.wallet_id WHERE hold.id = ANY (due)) AS held;
    RETURN QUERY UPDATE hold SET state = 'expired', closed_at = clock_timestamp()
                  WHERE id = ANY (due) AND state = 'open' RETURNING name;
END $$;
GRANT EXECUTE ON FUNCTION expire_holds(integer) TO hobbs_ledger;

-- Trigger on hold: a new one is counted on its balance, if its limit leaves it; a closed one no longer is. A
-- hold is closed once and otherwise never changed.
CREATE OR REPLACE FUNCTION move_pending()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    there record;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.state <> 'open' OR NEW.state = 'open'
           OR (NEW.id, NEW.name, NEW.wallet_id, NEW.currency, NEW.amount, NEW.expires_at, NEW.memo,
               NEW.placed_at, NEW.placed_by)
              IS DISTINCT FROM
              (OLD.id, OLD.name, OLD.wallet_id, OLD.currency, OLD.amount, OLD.expires_at, OLD.memo,
               OLD.placed_at, OLD.placed_by) THEN
            PERFORM refuse('hold_closes_once', format(
                'hold %s is %s: a hold is closed once and otherwise never changed', OLD.name, OLD.state));
        END IF;
        UPDATE balance SET pending = pending - OLD.amount
         WHERE balance.wallet_id = OLD.wallet_id AND balance.currency = OLD.currency;
        RETURN NULL;
    END IF;
    IF NEW.state <> 'open' THEN
        PERFORM refuse('hold_starts_open', format('hold %s is placed open, not %s', NEW.name, NEW.state));
    END IF;
    SELECT balance.amount - balance.pending AS available, balance.floor, wallet.address INTO there
      FROM balance JOIN wallet ON wallet.id = balance.wallet_id
     WHERE balance.wallet_id = NEW.wallet_id AND balance.currency = NEW.currency
       FOR NO KEY UPDATE OF balance;
    IF NOT FOUND THEN
        PERFORM refuse('hold_is_on_a_balance', format(
            'hold %s: wallet %s has no balance in %s', NEW.name, NEW.wallet_id, NEW.currency));
    END IF;
    IF there.available - NEW.amount < there.floor THEN
        PERFORM refuse_below_limit('hold ' || NEW.name, there.address, NEW.currency, there.available,
                                   there.floor, NEW.amount);
    END IF;
    UPDATE balance SET pending = pending + NEW.amount
     WHERE balance.wallet_id = NEW.wallet_id AND balance.currency = NEW.currency;
    RETURN NULL;
END $$;
