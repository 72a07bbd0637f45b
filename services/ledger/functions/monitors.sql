-- Thresholds on balances: setting and removing them, for the command line and for DBAs alike.

-- Says once when a wallet's balance goes beyond `threshold`, and once when it is back: below, at_most, above or
-- at_least it. `recovers_at` asks for more before it counts as back (500 below, back at 600), so that a balance
-- around the threshold is not told of all day. Again under the same name it changes threshold, recovers_at and
-- memo; what a monitor watches never changes. True: it is new; false: it stood already.
CREATE OR REPLACE FUNCTION set_monitor(
    monitor text, wallet text, currency text, comparison text, threshold bigint,
    watches text DEFAULT 'available', recovers_at bigint DEFAULT NULL, memo text DEFAULT '')
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    there record;
    its_id bigint;
    back_at CONSTANT bigint := coalesce(set_monitor.recovers_at, set_monitor.threshold);
BEGIN
    IF monitor IS NULL OR wallet IS NULL OR set_monitor.currency IS NULL OR set_monitor.comparison IS NULL
       OR set_monitor.threshold IS NULL OR set_monitor.watches IS NULL THEN
        PERFORM refuse('monitor_is_complete',
                       'monitor, wallet, currency, comparison, threshold and watches are required');
    END IF;
    PERFORM open_balances(ARRAY[wallet], ARRAY[set_monitor.currency]);
    PERFORM lock_balances(ARRAY[wallet], ARRAY[set_monitor.currency]);
    SELECT monitor.*, wallet.address INTO there
      FROM monitor JOIN wallet ON wallet.id = monitor.wallet_id
     WHERE monitor.name = set_monitor.monitor COLLATE "C" AND monitor.threshold IS NOT NULL;
    its_id := there.id;
    IF its_id IS NULL THEN
        INSERT INTO monitor (name, wallet_id, currency, watches, comparison)
        SELECT set_monitor.monitor, wallet.id, set_monitor.currency, set_monitor.watches,
               set_monitor.comparison
          FROM wallet WHERE wallet.address = set_monitor.wallet COLLATE "C"
        RETURNING id INTO its_id;
    ELSIF (there.address, there.currency, there.watches, there.comparison) IS DISTINCT FROM
          (wallet, set_monitor.currency, set_monitor.watches, set_monitor.comparison) THEN
        PERFORM refuse('monitor_keeps_what_it_watches', format(
            'monitor %s tells when the %s balance of %s in %s is %s a threshold; remove it first, or take '
            'another name', set_monitor.monitor, there.watches, there.address, there.currency,
            replace(there.comparison, '_', ' ')));
    ELSIF (there.threshold, there.recovers_at, there.memo)
          IS NOT DISTINCT FROM (set_monitor.threshold, back_at, set_monitor.memo) THEN
        RETURN false;
    END IF;
    INSERT INTO monitor_setting (monitor_id, threshold, recovers_at, memo)
    VALUES (its_id, set_monitor.threshold, back_at, set_monitor.memo);
    RETURN true;
END $$;
GRANT EXECUTE ON FUNCTION set_monitor(text, text, text, text, bigint, text, bigint, text) TO hobbs_ledger;

-- Stops a monitor; its name is free again. True: it was removed now; false: there is none of this name.
CREATE OR REPLACE FUNCTION remove_monitor(monitor text, memo text DEFAULT '')
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    there record;
BEGIN
    SELECT wallet.address, monitor.currency INTO there
      FROM monitor JOIN wallet ON wallet.id = monitor.wallet_id
     WHERE monitor.name = remove_monitor.monitor COLLATE "C" AND monitor.threshold IS NOT NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM lock_balances(ARRAY[there.address], ARRAY[there.currency]);
    INSERT INTO monitor_setting (monitor_id, memo)
    SELECT id, remove_monitor.memo FROM monitor
     WHERE monitor.name = remove_monitor.monitor COLLATE "C" AND monitor.threshold IS NOT NULL;
    RETURN FOUND;
END $$;
GRANT EXECUTE ON FUNCTION remove_monitor(text, text) TO hobbs_ledger;

-- Trigger on monitor_setting: a threshold counts from the balance as it is. What is beyond it already is said at
-- once, and what is no longer beyond it. A removed monitor that was beyond says so, or whoever was told would
-- wait for ever.
CREATE OR REPLACE FUNCTION apply_monitor_setting()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    now_is balance_step;
BEGIN
    -- Written, not only locked: a repeatable read that began before and would not see the monitor fails.
    UPDATE balance SET pending = balance.pending
      FROM monitor
     WHERE monitor.id = NEW.monitor_id
       AND balance.wallet_id = monitor.wallet_id AND balance.currency = monitor.currency
    RETURNING monitor.id, balance.amount, balance.pending, balance.version, NULL::uuid, NULL::text
      INTO now_is;
    IF NEW.threshold IS NULL THEN
        PERFORM tell_crossings(ARRAY[now_is], 'removal');
    END IF;
    UPDATE monitor SET threshold = NEW.threshold, recovers_at = NEW.recovers_at, memo = NEW.memo
     WHERE monitor.id = NEW.monitor_id;
    IF NEW.threshold IS NOT NULL THEN
        PERFORM tell_crossings(ARRAY[now_is], 'setting');
    END IF;
    RETURN NULL;
END $$;

-- Trigger on monitor: it starts without a threshold and changes by its settings only.
CREATE OR REPLACE FUNCTION refuse_unset_monitor()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.threshold IS NOT NULL THEN
        PERFORM ledger.refuse('monitor_starts_without_threshold', 'a monitor starts unset: call set_monitor()');
    ELSIF TG_OP = 'UPDATE' AND pg_trigger_depth() < 2 THEN
        PERFORM ledger.refuse('monitor_follows_its_settings', 'a monitor changes by settings: call set_monitor()');
    END IF;
    RETURN NEW;
END $$;

-- Trigger on crossing: only other triggers write one.
CREATE OR REPLACE FUNCTION refuse_untrue_crossing()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        PERFORM ledger.refuse('crossing_follows_the_balance', 'a crossing is written when a balance crosses');
    END IF;
    RETURN NULL;
END $$;
