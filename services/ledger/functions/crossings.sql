-- Judging balances against thresholds, in the transaction that moved them (docs/decisions/0125). Whoever judges
-- a monitor has its balance locked; the same lock orders its crossings and their events.

-- Whether an amount is on the far side of a threshold.
CREATE OR REPLACE FUNCTION is_beyond(comparison text, amount bigint, threshold bigint)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE comparison
        WHEN 'below' THEN amount < threshold
        WHEN 'at_most' THEN amount <= threshold
        WHEN 'above' THEN amount > threshold
        WHEN 'at_least' THEN amount >= threshold END;
$$;

-- Whether a balance is beyond (true) or back (false). Null: between threshold and recovers_at, as it was before.
CREATE OR REPLACE FUNCTION monitor_verdict(
    comparison text, amount bigint, threshold bigint, recovers_at bigint)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE WHEN ledger.is_beyond(comparison, amount, threshold) THEN true
                WHEN NOT ledger.is_beyond(comparison, amount, recovers_at) THEN false END;
$$;

-- Trigger on entry; its name puts it behind entries_are_posted, which checks the set and moves the balances.
-- Each journal is one step, however many of its entries are on the wallet, and each is judged after the one
-- before: what is said does not depend on which journals were posted together. First the lowest and the highest
-- balance tell whether anything crossed at all: mostly nothing did, and that costs one pass.
CREATE OR REPLACE FUNCTION judge_entries()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off
    AS $$
DECLARE
    watched bigint[];
    crossed bigint[];
    steps balance_step[];
BEGIN
    IF NOT EXISTS (SELECT FROM monitor WHERE threshold IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(DISTINCT wallet_id) INTO watched FROM monitor
     WHERE threshold IS NOT NULL AND wallet_id = ANY (ARRAY(SELECT wallet_id FROM new_entry));
    IF watched IS NULL THEN
        RETURN NULL;
    END IF;

    WITH moved AS (
        SELECT wallet_id, currency, min(balance_after) AS lowest, max(balance_after) AS highest
          FROM new_entry WHERE wallet_id = ANY (watched) GROUP BY wallet_id, currency
    ), there AS MATERIALIZED (
        SELECT monitor.id, watches, comparison, threshold, recovers_at, lowest, highest,
               (SELECT pending FROM balance WHERE balance.wallet_id = monitor.wallet_id
                   AND balance.currency = monitor.currency) AS pending,
               coalesce((SELECT crossing.beyond FROM crossing WHERE crossing.monitor_id = monitor.id
                          ORDER BY crossing.nr DESC LIMIT 1), false) AS beyond
          FROM monitor JOIN moved ON moved.wallet_id = monitor.wallet_id
                                 AND moved.currency = monitor.currency
         WHERE monitor.wallet_id = ANY (watched) AND monitor.threshold IS NOT NULL
    ), furthest AS (
        SELECT id, comparison, threshold, recovers_at, beyond,
               CASE watches WHEN 'posted' THEN lowest WHEN 'pending' THEN pending
                            ELSE lowest - pending END AS low,
               CASE watches WHEN 'posted' THEN highest WHEN 'pending' THEN pending
                            ELSE highest - pending END AS high
          FROM there
    )
    SELECT array_agg(id) INTO crossed FROM furthest
     WHERE monitor_verdict(comparison, low, threshold, recovers_at) <> beyond
        OR monitor_verdict(comparison, high, threshold, recovers_at) <> beyond;
    IF crossed IS NULL THEN
        RETURN NULL;
    END IF;

    SELECT array_agg(ROW(id, balance_after, NULL, version, journal_id, NULL)::balance_step
                     ORDER BY wallet_id, currency, version, id) INTO steps
      FROM (SELECT monitor.id, monitor.wallet_id, monitor.currency, new_entry.journal_id,
                   new_entry.version, new_entry.balance_after,
                   lead(new_entry.journal_id) OVER (PARTITION BY monitor.id ORDER BY new_entry.version)
                       IS DISTINCT FROM new_entry.journal_id AS ends_journal
              FROM new_entry
              JOIN monitor ON monitor.wallet_id = new_entry.wallet_id
                          AND monitor.currency = new_entry.currency AND monitor.id = ANY (crossed)
           ) AS line
     WHERE ends_journal;
    PERFORM tell_crossings(steps, 'journal');
    RETURN NULL;
END $$;

-- Trigger on hold, for each statement, so behind hold_moves_pending, which is for each row. A hold that is posted
-- is judged with its journal, as one step: in between nobody can see the balance.
CREATE OR REPLACE FUNCTION judge_holds()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
DECLARE
    steps balance_step[];
BEGIN
    IF NOT EXISTS (SELECT FROM monitor WHERE threshold IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(ROW(monitor.id, balance.amount, balance.pending - later, balance.version, NULL,
                         moved.name)::balance_step ORDER BY moved.id, monitor.id) INTO steps
      FROM (SELECT id, name, wallet_id, currency, state,
                   coalesce(sum(CASE state WHEN 'open' THEN amount ELSE -amount END) OVER (
                       PARTITION BY wallet_id, currency ORDER BY id
                       ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0)::bigint AS later
              FROM new_hold) AS moved
      JOIN monitor ON monitor.wallet_id = moved.wallet_id AND monitor.currency = moved.currency
                  AND monitor.threshold IS NOT NULL AND monitor.watches <> 'posted'
      JOIN balance ON balance.wallet_id = moved.wallet_id AND balance.currency = moved.currency
     WHERE moved.state <> 'posted';
    IF steps IS NOT NULL THEN
        PERFORM tell_crossings(steps, 'hold');
    END IF;
    RETURN NULL;
END $$;

-- Takes what happened to balances in its order, writes and tells what crossed. One pass for all monitors: hash
-- joins, since nobody knows how many steps come; what is looked up by key is a sub-select.
CREATE OR REPLACE FUNCTION tell_crossings(steps balance_step[], because text)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off
    AS $$
DECLARE
    happened_at CONSTANT timestamptz := clock_timestamp();
BEGIN
    WITH watching AS MATERIALIZED (
        SELECT monitor.*,
               (SELECT address FROM wallet WHERE wallet.id = monitor.wallet_id) AS address,
               (SELECT pending FROM balance WHERE balance.wallet_id = monitor.wallet_id
                   AND balance.currency = monitor.currency) AS pending,
               coalesce((SELECT crossing.nr FROM crossing WHERE crossing.monitor_id = monitor.id
                          ORDER BY crossing.nr DESC LIMIT 1), 0) AS said
          FROM monitor WHERE monitor.id = ANY (ARRAY(SELECT step.monitor_id FROM unnest(steps) AS step))
    ), seen AS (
        SELECT watching.id, watching.name, watching.address, watching.currency, watching.watches,
               watching.comparison, watching.threshold, watching.recovers_at, watching.memo, watching.said,
               step.posted, coalesce(step.pending, watching.pending) AS pending, step.version,
               step.journal_id, step.hold, step.nr AS place,
               CASE watching.watches
                   WHEN 'posted' THEN step.posted
                   WHEN 'pending' THEN coalesce(step.pending, watching.pending)
                   ELSE step.posted - coalesce(step.pending, watching.pending) END AS amount
          FROM unnest(steps) WITH ORDINALITY
               AS step (monitor_id, posted, pending, version, journal_id, hold, nr)
          JOIN watching ON watching.id = step.monitor_id
    ), judged AS (
        SELECT *, CASE WHEN tell_crossings.because = 'removal' THEN false
                       ELSE monitor_verdict(comparison, amount, threshold, recovers_at) END AS beyond
          FROM seen
    ), compared AS (
        SELECT *, beyond <> lag(beyond, 1, said % 2 = 1) OVER (PARTITION BY id ORDER BY place) AS crosses
          FROM judged WHERE beyond IS NOT NULL
    ), crossed AS MATERIALIZED (
        SELECT *, said + row_number() OVER (PARTITION BY id ORDER BY place) AS nr, uuidv7() AS event_id
          FROM compared WHERE crosses
    ), written AS (
        INSERT INTO crossing (monitor_id, nr, beyond, because, threshold, recovers_at, posted, pending,
                              version, journal_id, hold, event_id, crossed_at)
        SELECT id, nr, beyond, tell_crossings.because, threshold, recovers_at, posted, pending, version,
               journal_id, hold, event_id, happened_at
          FROM crossed
    )
    INSERT INTO outbox (topic, key, value, event_id, source, correlation_id, traceparent)
    SELECT 'balance.crossed', convert_to(address, 'UTF8'),
           convert_to(json_build_object(
               'monitor', name, 'crossing', nr, 'wallet', address, 'currency', currency,
               'watches', watches, 'comparison', comparison, 'threshold', threshold,
               'recovers_at', recovers_at, 'beyond', beyond,
               'direction', CASE WHEN tell_crossings.because IN ('journal', 'hold') THEN
                   CASE WHEN beyond = (comparison IN ('below', 'at_most')) THEN 'fell' ELSE 'rose' END END,
               'because', tell_crossings.because, 'balance', amount, 'posted_balance', posted,
               'pending_balance', pending, 'available_balance', posted - pending, 'version', version,
               'journal_id', journal_id, 'hold', hold, 'memo', memo,
               'crossed_at', to_char(happened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
           )::text, 'UTF8'),
           event_id, 'hobbs/ledger', event_id::text,
           format('00-%s-%s-01', left(trace, 32), substr(trace, 33, 16))
      FROM crossed, LATERAL (SELECT encode(sha256(uuid_send(event_id)), 'hex') AS trace) AS traced
     ORDER BY place, id;
END $$;
