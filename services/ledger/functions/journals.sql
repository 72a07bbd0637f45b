-- What every journal goes through, whoever posts it: its content hash, and the triggers of journal and entry.
-- Sequential scans, hash and merge joins are off in the triggers because a plan is made on a small table and
-- kept: it must stay an index lookup when the table has grown.

-- sha256 of a journal's canonical text: one line for the request, then one line for each entry (wallet,
-- currency, amount; tabs between), lines of entries in byte order. domain.content_hash writes the same text.
CREATE OR REPLACE FUNCTION journal_content_hash(
    source text, event_type text, occurred_at timestamptz, lines text[])
    RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT sha256(convert_to(
        concat_ws(E'\t', 'journal 1', source, event_type,
                  to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))
        || E'\n' || (SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM unnest(lines) AS line),
        'UTF8'));
$$;
GRANT EXECUTE ON FUNCTION journal_content_hash(text, text, timestamptz, text[]) TO hobbs_ledger;

-- The line of an entry in that text, in a form that is inlined into the statements that ask for it.
CREATE OR REPLACE FUNCTION entry_line(wallet text, currency text, amount bigint)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT wallet || E'\t' || currency || E'\t' || amount::text $$;
GRANT EXECUTE ON FUNCTION entry_line(text, text, bigint) TO hobbs_ledger;

-- The calendar of the ledger: the first instant in it, and the first that is too late.
CREATE OR REPLACE FUNCTION first_instant()
    RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '1900-01-01 00:00:00+00'::timestamptz $$;

CREATE OR REPLACE FUNCTION last_instant()
    RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '2201-01-01 00:00:00+00'::timestamptz $$;

-- Trigger on journal: a journal has entries and is dated in an open period. Who posts in a snapshot of his own
-- may not see the newest closed period; then locking the row of open_period fails, because each close changes it.
CREATE OR REPLACE FUNCTION refuse_empty_journals()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
DECLARE
    closed CONSTANT timestamptz := (SELECT max(until) FROM closed_period);
    broken record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM FROM open_period FOR SHARE;  -- fails when a period was closed since the snapshot, which cannot show it
    END IF;
    SELECT source INTO broken FROM new_journal
     WHERE NOT EXISTS (SELECT FROM entry WHERE journal_id = new_journal.id AND position = 1) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('journal_has_entries', format(
            'journal %s has no entries: insert both in one statement', broken.source));
    END IF;
    IF closed IS NOT NULL THEN
        SELECT source, occurred_at INTO broken FROM new_journal WHERE occurred_at < closed LIMIT 1;
        IF FOUND THEN
            PERFORM refuse('journal_is_dated_in_an_open_period', format(
                'journal %s occurred at %s, but everything before %s is closed: date it then',
                broken.source, broken.occurred_at, closed));
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- Trigger on entry: checks what one statement inserted, as a set, and moves the balances. It holds that
--   * the journal exists and has exactly the entries it announced: since positions 1..n are taken once, nobody
--     can add to a journal that is complete, and journal and entries need one statement;
--   * an entry that says when it occurred or was recorded says what its journal says;
--   * each journal sums to zero in each currency;
--   * each wallet's versions and running balances continue from its balance row;
--   * no journal takes a balance below a limit that binds journals. A wallet that is below already may still be
--     paid into: only what takes is refused.
CREATE OR REPLACE FUNCTION post_entries()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
DECLARE
    broken record;
BEGIN
    SELECT n.journal_id, n.entries, journal.entry_count, journal.recorded_at, journal.occurred_at,
           journal.entry_count = n.entries AND n.lowest = 1 AND n.highest = n.entries AS complete INTO broken
      FROM (SELECT journal_id, count(*) AS entries, min(position) AS lowest, max(position) AS highest,
                   min(recorded_at) AS first_at, max(recorded_at) AS last_at,
                   min(occurred_at) AS first_occurred, max(occurred_at) AS last_occurred
              FROM new_entry GROUP BY journal_id) AS n
      LEFT JOIN journal ON journal.id = n.journal_id
     WHERE journal.entry_count IS DISTINCT FROM n.entries OR n.lowest <> 1 OR n.highest <> n.entries
        OR n.first_at <> journal.recorded_at OR n.last_at <> journal.recorded_at
        OR n.first_occurred <> journal.occurred_at OR n.last_occurred <> journal.occurred_at
     LIMIT 1;
    IF broken.complete THEN
        PERFORM refuse('entries_have_their_journals_instants', format(
            'journal %s occurred at %s and was recorded at %s: its entries have these instants',
            broken.journal_id, broken.occurred_at, broken.recorded_at));
    ELSIF FOUND THEN
        PERFORM refuse('journal_and_entries_arrive_together', format(
            'journal %s announced %s entries, %s arrived: insert a journal with all its entries, once',
            broken.journal_id, coalesce(broken.entry_count::text, 'no'), broken.entries));
    END IF;

    SELECT journal_id, currency, sum(amount) AS excess INTO broken
      FROM new_entry GROUP BY journal_id, currency HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('journal_sums_to_zero', format(
            'journal %s: entries in %s sum to %s, not zero',
            broken.journal_id, broken.currency, broken.excess));
    END IF;

    WITH step AS (
        SELECT wallet_id, currency, version, amount, balance_after,
               lag(balance_after) OVER (PARTITION BY wallet_id, currency ORDER BY version) AS balance_before
          FROM new_entry
    ), moved AS (
        SELECT wallet_id, currency, min(version) AS first_version, max(version) AS last_version,
               count(*) AS entries, sum(amount) AS total,
               max(balance_after - amount) FILTER (WHERE balance_before IS NULL) AS opening,
               bool_and(balance_after = balance_before + amount) IS NOT false AS runs
          FROM step GROUP BY wallet_id, currency
    ), applied AS (
        UPDATE balance
           SET amount = balance.amount + moved.total, version = moved.last_version
          FROM moved
         WHERE balance.wallet_id = moved.wallet_id AND balance.currency = moved.currency
           AND balance.amount = moved.opening AND balance.version = moved.first_version - 1
           AND moved.last_version - moved.first_version + 1 = moved.entries AND moved.runs
           AND (balance.floor IS NULL OR balance.floor_binds = 'holds' OR moved.total >= 0
                OR balance.amount - balance.pending + moved.total >= balance.floor)
        RETURNING balance.wallet_id, balance.currency
    )
    SELECT wallet_id, currency, total INTO broken
      FROM moved WHERE (wallet_id, currency) NOT IN (SELECT wallet_id, currency FROM applied) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse_entries_below_limit(broken.wallet_id, broken.currency, broken.total);
        PERFORM refuse('entries_continue_their_wallets_balance', format(
            'wallet %s, %s: entries do not continue its balance; lock it, read it, then post',
            broken.wallet_id, broken.currency));
    END IF;
    RETURN NULL;
END $$;
