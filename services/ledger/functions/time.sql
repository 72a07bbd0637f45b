-- Balances at an instant, and closed periods.

-- What had occurred by one instant, as far as it was known by another, in minor units; 0 for a wallet that is
-- not known. What was recorded by then is the running balance of one entry. To it comes what occurred earlier and
-- was recorded later: up to an hour late from the wallet's entries of that hour, later than that from
-- displaced_entry (docs/decisions/0134, 0138, 0140). An entry that does not say when it occurred has its journal
-- asked.
CREATE OR REPLACE FUNCTION balance_at(
    wallet text, currency text, occurred_by timestamptz, known_by timestamptz DEFAULT 'infinity')
    RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
    SET enable_mergejoin = off SET enable_sort = off SET plan_cache_mode = force_generic_plan
    AS $$
#variable_conflict use_column
DECLARE
    soon CONSTANT timestamptz := occurred_by + interval '1 hour';
BEGIN
    IF wallet IS NULL OR currency IS NULL OR occurred_by IS NULL OR known_by IS NULL THEN
        PERFORM refuse('balance_is_asked_for_completely', 'wallet, currency and both instants may not be null');
    END IF;
    RETURN coalesce((
        SELECT coalesce((
            SELECT entry.balance_after FROM entry
             WHERE entry.wallet_id = holder.id AND entry.currency = balance_at.currency
               AND entry.recorded_at <= least(balance_at.occurred_by, balance_at.known_by)
             ORDER BY entry.recorded_at DESC, entry.version DESC LIMIT 1), 0)
        -- Of what was recorded within the hour after the instant: what had occurred by then.
        + coalesce((
            SELECT sum(entry.amount) FROM entry
             WHERE entry.wallet_id = holder.id AND entry.currency = balance_at.currency
               AND entry.recorded_at > balance_at.occurred_by AND entry.recorded_at <= least(soon, known_by)
               AND coalesce(entry.occurred_at, (SELECT occurred_at FROM journal WHERE journal.id = entry.journal_id))
                   <= balance_at.occurred_by), 0)
        -- What had occurred and was recorded later still is added, what was recorded but dated ahead taken out.
        + coalesce((
            SELECT sum(CASE WHEN occurred_at > recorded_at THEN -amount ELSE amount END) FROM displaced_entry
             WHERE int8range(wallet_id, wallet_id, '[]') @> holder.id
               AND tstzrange(least(occurred_at, recorded_at), greatest(occurred_at, recorded_at))
                   @> balance_at.occurred_by
               AND displaced_entry.currency = balance_at.currency AND recorded_at <= known_by
               AND (occurred_at > recorded_at OR recorded_at > soon)), 0)
          FROM wallet AS holder WHERE holder.address = balance_at.wallet COLLATE "C"), 0);
END $$;
GRANT EXECUTE ON FUNCTION balance_at(text, text, timestamptz, timestamptz) TO hobbs_ledger;

-- Trigger on journal: lists the entries that were recorded over an hour after they occurred, or dated ahead.
CREATE OR REPLACE FUNCTION list_displaced_entries()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
BEGIN
    INSERT INTO displaced_entry (wallet_id, currency, version, amount, occurred_at, recorded_at)
    SELECT entry.wallet_id, entry.currency, entry.version, entry.amount,
           new_journal.occurred_at, new_journal.recorded_at
      FROM new_journal JOIN entry ON entry.journal_id = new_journal.id
     WHERE new_journal.recorded_at - new_journal.occurred_at > interval '1 hour'
        OR new_journal.occurred_at > new_journal.recorded_at;
    RETURN NULL;
END $$;

-- Closes everything that occurred before `until`. It waits for who is posting now, and everybody else waits for
-- it: so for five seconds at most. Who posts next is dated by it. A transaction that has locked wallets does not
-- wait in line: whoever posts may be waiting for these.
CREATE OR REPLACE FUNCTION close_period(until timestamptz, memo text DEFAULT '')
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET lock_timeout = '5s'
    AS $$
DECLARE
    closed timestamptz;
    give_up_at CONSTANT timestamptz := clock_timestamp() + interval '1 second';
BEGIN
    IF close_period.until IS NULL OR close_period.until > clock_timestamp() THEN
        PERFORM refuse('closed_period_is_over', format(
            'the period until %s is not over; close it afterwards', close_period.until));
    END IF;
    IF close_period.until < first_instant() THEN
        PERFORM refuse('closed_period_is_within_the_calendar', format(
            'nothing can have occurred before %s', close_period.until));
    END IF;
    WHILE locked_to() > 0 LOOP
        BEGIN
            LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE NOWAIT;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF clock_timestamp() > give_up_at THEN
                PERFORM refuse('nobody_is_posting', 'somebody is posting journals, and this transaction has locked '
                               'wallets; close the period in a transaction of its own');
            END IF;
        END;
        PERFORM pg_sleep(0.01);
    END LOOP;
    BEGIN
        LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE;
    EXCEPTION WHEN lock_not_available THEN
        PERFORM refuse('nobody_is_posting', 'a transaction that posted journals has not ended for five seconds; '
                       'nothing was closed, try again when it has');
    END;
    PERFORM note_locked_to(9223372036854775807);  -- who posts waits for this table with its wallets locked
    closed := (SELECT max(closed_period.until) FROM closed_period);
    IF close_period.until <= closed THEN
        PERFORM refuse('periods_are_closed_in_order', format(
            'closed until %s already, so not until %s', closed, close_period.until));
    END IF;
    UPDATE open_period SET began_at = close_period.until;
    INSERT INTO closed_period (until, memo) VALUES (close_period.until, close_period.memo);
END $$;
GRANT EXECUTE ON FUNCTION close_period(timestamptz, text) TO hobbs_ledger;

-- Links journals that were dated into the open period to the period where they belong.
CREATE OR REPLACE FUNCTION link_late(journal_ids uuid[], belongs timestamptz[])
    RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
    INSERT INTO late_journal (journal_id, belongs_at, period_until)
    SELECT late.id, late.belongs_at,
           (SELECT min(until) FROM closed_period WHERE until > late.belongs_at)
      FROM unnest(journal_ids, belongs) AS late (id, belongs_at);
$$;
GRANT EXECUTE ON FUNCTION link_late(uuid[], timestamptz[]) TO hobbs_ledger;
