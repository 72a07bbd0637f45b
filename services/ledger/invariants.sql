-- name: journals_sum_to_zero
-- The entries of every journal sum to zero in each currency.
SELECT journal_id, currency, sum(amount) AS excess
FROM entry GROUP BY journal_id, currency HAVING sum(amount) <> 0;

-- name: currencies_sum_to_zero
-- All wallets of a currency sum to zero.
SELECT currency, sum(amount) AS excess FROM balance GROUP BY currency HAVING sum(amount) <> 0;

-- name: no_more_is_allocated_than_was_received
-- The unallocated wallet gives students no money that it did not get.
SELECT balance.currency, balance.amount AS balance
FROM balance JOIN wallet ON wallet.id = balance.wallet_id
WHERE wallet.address = 'liability:unallocated' AND balance.amount < 0;

-- name: balances_equal_their_entries
-- Every balance is the sum of its entries, and its version their number.
SELECT coalesce(balance.wallet_id, moved.wallet_id) AS wallet_id,
       coalesce(balance.currency, moved.currency) AS currency,
       balance.amount AS balance, moved.total, balance.version, moved.entries
FROM balance
FULL JOIN (
    SELECT wallet_id, currency, sum(amount) AS total, count(*) AS entries FROM entry GROUP BY wallet_id, currency
) AS moved ON moved.wallet_id = balance.wallet_id AND moved.currency = balance.currency
WHERE balance.amount IS DISTINCT FROM coalesce(moved.total, 0)
   OR balance.version IS DISTINCT FROM coalesce(moved.entries, 0);

-- name: running_balances_are_unbroken
-- Along a wallet's versions each running balance is the one before it plus the amount, from zero to the balance.
SELECT wallet_id, currency, version, balance_after
FROM (
    SELECT entry.wallet_id, entry.currency, entry.version, entry.amount, entry.balance_after,
           lag(entry.balance_after, 1, 0::bigint) OVER along AS balance_before,
           lag(entry.version, 1, 0::bigint) OVER along AS version_before,
           lead(entry.version) OVER along IS NULL AS is_last, balance.amount AS balance
    FROM entry
    LEFT JOIN balance ON balance.wallet_id = entry.wallet_id AND balance.currency = entry.currency
    WINDOW along AS (PARTITION BY entry.wallet_id, entry.currency ORDER BY entry.version)
) AS line
WHERE balance_after <> balance_before + amount OR version <> version_before + 1
   OR (is_last AND balance_after IS DISTINCT FROM balance);

-- name: journals_have_their_entries
-- Every journal has as many entries as its entry_count, and every entry has its journal and its wallet.
SELECT coalesce(journal.id, arrived.journal_id) AS journal_id, journal.entry_count, arrived.entries
FROM journal
FULL JOIN (
    SELECT entry.journal_id, count(wallet.id) AS entries
    FROM entry LEFT JOIN wallet ON wallet.id = entry.wallet_id GROUP BY entry.journal_id
) AS arrived ON arrived.journal_id = journal.id
WHERE journal.entry_count IS DISTINCT FROM arrived.entries;

-- name: journals_match_their_hash
-- The content of every journal has the hash that was recorded when it was posted.
SELECT journal.id AS journal_id, journal.source
FROM journal
JOIN (
    SELECT entry.journal_id, array_agg(entry_line(wallet.address, entry.currency, entry.amount)) AS lines
    FROM entry JOIN wallet ON wallet.id = entry.wallet_id GROUP BY entry.journal_id
) AS said ON said.journal_id = journal.id
LEFT JOIN late_journal ON late_journal.journal_id = journal.id
WHERE journal.content_hash <> journal_content_hash(
    journal.source, journal.event_type, coalesce(late_journal.belongs_at, journal.occurred_at), said.lines);

-- name: pending_balances_equal_their_holds
-- Every balance's pending amount is the sum of its open holds.
SELECT balance.wallet_id, balance.currency, balance.pending, held.total
FROM balance
LEFT JOIN (
    SELECT wallet_id, currency, sum(amount) AS total FROM hold WHERE state = 'open' GROUP BY wallet_id, currency
) AS held ON held.wallet_id = balance.wallet_id AND held.currency = balance.currency
WHERE balance.pending <> coalesce(held.total, 0);

-- name: posted_holds_have_moved_their_amount
-- A posted hold's journal took the posted amount from the hold's wallet.
SELECT hold.name, hold.posted_amount, entry.amount
FROM hold
LEFT JOIN entry ON entry.journal_id = hold.journal_id AND entry.wallet_id = hold.wallet_id
               AND entry.currency = hold.currency
WHERE hold.state = 'posted' AND entry.amount IS DISTINCT FROM -hold.posted_amount;

-- name: holds_are_closed_in_time
-- No hold is open for more than ten minutes after it expired.
SELECT name, expires_at FROM hold WHERE state = 'open' AND expires_at < clock_timestamp() - interval '10 minutes';

-- name: balances_carry_their_newest_limit
-- The limit on a balance is the one that was set last.
SELECT balance.wallet_id, balance.currency, balance.floor, balance.floor_binds, newest.floor AS set_floor, newest.binds
FROM balance
LEFT JOIN LATERAL (
    SELECT floor, binds FROM wallet_limit
    WHERE wallet_limit.wallet_id = balance.wallet_id AND wallet_limit.currency = balance.currency
    ORDER BY id DESC LIMIT 1
) AS newest ON true
WHERE (balance.floor, balance.floor_binds) IS DISTINCT FROM (newest.floor, newest.binds);

-- name: closed_periods_took_no_more
-- No journal that was recorded after a period was closed is dated in it.
SELECT journal.source, journal.occurred_at, journal.recorded_at, closed_period.until, closed_period.closed_at
FROM closed_period
JOIN journal ON journal.occurred_at < closed_period.until
            AND journal.recorded_at > closed_period.closed_at + interval '1 minute';

-- name: entries_have_their_journals_instants
-- An entry's recorded_at and occurred_at are its journal's.
SELECT journal.source, entry.position, entry.occurred_at, entry.recorded_at,
       journal.occurred_at AS journal_occurred_at, journal.recorded_at AS journal_recorded_at
FROM entry JOIN journal ON journal.id = entry.journal_id
WHERE entry.recorded_at <> journal.recorded_at OR entry.occurred_at <> journal.occurred_at;

-- name: displaced_entries_are_listed
-- Every entry that was recorded over an hour late, or dated ahead, is in displaced_entry with its own values.
SELECT coalesce(entry.wallet_id, listed.wallet_id) AS wallet_id, coalesce(entry.version, listed.version) AS version
FROM (
    SELECT entry.wallet_id, entry.currency, entry.version, entry.amount, journal.occurred_at, journal.recorded_at
    FROM journal JOIN entry ON entry.journal_id = journal.id
    WHERE journal.recorded_at - journal.occurred_at > interval '1 hour'
       OR journal.occurred_at > journal.recorded_at
) AS entry
FULL JOIN displaced_entry AS listed
       ON listed.wallet_id = entry.wallet_id AND listed.currency = entry.currency
      AND listed.version = entry.version
WHERE listed.amount IS DISTINCT FROM entry.amount
   OR listed.occurred_at IS DISTINCT FROM entry.occurred_at
   OR listed.recorded_at IS DISTINCT FROM entry.recorded_at;

-- name: late_journals_are_dated_where_a_period_opens
-- A late journal is dated at the end of a closed period, and belongs before it.
SELECT late_journal.journal_id, late_journal.belongs_at, journal.occurred_at
FROM late_journal
LEFT JOIN journal ON journal.id = late_journal.journal_id
LEFT JOIN closed_period ON closed_period.until = journal.occurred_at
WHERE closed_period.until IS NULL OR late_journal.belongs_at >= journal.occurred_at;

-- name: references_name_journals
-- Every revert, group and late date refers to journals that exist.
SELECT link.what, link.journal_id
FROM (
    SELECT 'revert' AS what, journal_id FROM revert
    UNION ALL SELECT 'reverted', reverted_id FROM revert
    UNION ALL SELECT 'group', journal_id FROM journal_group
    UNION ALL SELECT 'late', journal_id FROM late_journal
) AS link
LEFT JOIN journal ON journal.id = link.journal_id
WHERE journal.id IS NULL;

-- name: reverts_are_linked
-- Every journal whose source says that it reverts another is linked to it.
SELECT journal_id, source
FROM (
    SELECT id AS journal_id, source,
           CASE WHEN source ~ '^revert:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                THEN CAST(substring(source from 8) AS uuid) END AS reverted_id
    FROM journal WHERE source >= 'revert:' AND source < 'revert;' AND event_type = 'revert'
) AS made
WHERE reverted_id IN (SELECT id FROM journal)
  AND NOT EXISTS (SELECT FROM revert WHERE revert.journal_id = made.journal_id);

-- name: guards_are_on
-- No trigger of the ledger is disabled, and each fires in a replica's session too.
SELECT pg_class.relname AS table_name, pg_trigger.tgname AS trigger_name
FROM pg_trigger JOIN pg_class ON pg_class.oid = pg_trigger.tgrelid
WHERE pg_class.relnamespace = to_regnamespace('ledger') AND NOT pg_trigger.tgisinternal
  AND pg_trigger.tgenabled <> 'A';

-- name: journals_by_hand_above_the_limit_were_agreed
-- A journal by hand that is more than one login may post was agreed by it, after another one asked for it.
SELECT hand.journal_id, hand.login, hand.alone, hand.by_one_up_to
FROM by_hand_journal AS hand LEFT JOIN by_hand_word AS word ON word.id = hand.word_id
WHERE hand.alone > hand.by_one_up_to
  AND (word.agreed_by IS DISTINCT FROM hand.login OR word.asked_by = hand.login
       OR word.source IS DISTINCT FROM (SELECT source FROM journal WHERE journal.id = hand.journal_id));

-- name: monitors_agree_with_their_balance
-- A monitor's last crossing (none: not beyond) agrees with its balance.
SELECT monitor, address, currency, watches, comparison, threshold, recovers_at, balance, beyond
FROM ledger_public.monitors
WHERE CASE comparison
    WHEN 'below' THEN (balance < threshold AND NOT beyond) OR (balance >= recovers_at AND beyond)
    WHEN 'at_most' THEN (balance <= threshold AND NOT beyond) OR (balance > recovers_at AND beyond)
    WHEN 'above' THEN (balance > threshold AND NOT beyond) OR (balance <= recovers_at AND beyond)
    ELSE (balance >= threshold AND NOT beyond) OR (balance < recovers_at AND beyond) END;

-- name: monitors_carry_their_newest_setting
-- A monitor's threshold is the one that was set last, and a removed monitor's last crossing is back.
SELECT monitor.name, monitor.threshold, newest.threshold AS set_threshold, said.beyond
FROM monitor
LEFT JOIN LATERAL (
    SELECT threshold, recovers_at, memo FROM monitor_setting
    WHERE monitor_setting.monitor_id = monitor.id ORDER BY id DESC LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT beyond FROM crossing WHERE crossing.monitor_id = monitor.id ORDER BY nr DESC LIMIT 1
) AS said ON true
WHERE (monitor.threshold, monitor.recovers_at, monitor.memo)
      IS DISTINCT FROM (newest.threshold, newest.recovers_at, newest.memo)
   OR (monitor.threshold IS NULL AND said.beyond);

-- name: crossings_are_numbered_without_a_gap
-- The crossings of a monitor are numbered 1, 2, 3 …, beyond and back in turn, on one balance.
SELECT monitor_id, nr, version
FROM (
    SELECT monitor_id, nr, version, lag(nr, 1, 0::bigint) OVER along AS nr_before,
           lag(version, 1, 0::bigint) OVER along AS version_before
    FROM crossing WINDOW along AS (PARTITION BY monitor_id ORDER BY nr)
) AS line
WHERE nr <> nr_before + 1 OR version < version_before;

-- name: crossings_have_the_balance_of_their_version
-- A crossing's posted balance is the one after its version; if a journal caused it, the entry is that journal's.
SELECT crossing.monitor_id, crossing.nr, crossing.posted, entry.balance_after, crossing.journal_id
FROM crossing
JOIN monitor ON monitor.id = crossing.monitor_id
LEFT JOIN entry ON entry.wallet_id = monitor.wallet_id AND entry.currency = monitor.currency
               AND entry.version = crossing.version
WHERE crossing.posted <> coalesce(entry.balance_after, 0)
   OR (crossing.version > 0 AND entry.journal_id IS NULL)
   OR (crossing.because = 'journal' AND crossing.journal_id IS DISTINCT FROM entry.journal_id);

-- name: external_opening_is_its_lines
-- What is on external:opening is what the opening lines that stand put there: nothing else moves it.
SELECT currency, balance.amount AS balance, -coalesce(standing.amount, 0) AS of_lines
FROM (SELECT balance.currency, balance.amount FROM balance JOIN wallet ON wallet.id = balance.wallet_id
       WHERE wallet.address = 'external:opening') AS balance
LEFT JOIN (SELECT currency, sum(amount) AS amount FROM ledger_public.opening_lines WHERE stands GROUP BY currency)
     AS standing USING (currency)
WHERE balance.amount <> -coalesce(standing.amount, 0);

-- name: signed_openings_are_at_zero
-- The lines of an opening that is signed sum to zero in each currency, also those that were loaded afterwards.
SELECT line.as_of, line.currency, sum(line.amount) AS excess
FROM ledger_public.opening_lines AS line
JOIN (SELECT DISTINCT ON (as_of) as_of, action FROM opening_signature ORDER BY as_of, id DESC) AS newest
     ON newest.as_of = line.as_of AND newest.action = 'signed'
WHERE line.stands
GROUP BY line.as_of, line.currency HAVING sum(line.amount) <> 0;

-- name: openings_have_their_line
-- Every journal of the type opening is a line of the books kept before, and every line is such a journal.
SELECT journal.source, line.as_of, line.kind
FROM (SELECT id, source FROM journal WHERE event_type = 'opening') AS journal
FULL JOIN opening_line AS line ON line.journal_id = journal.id
WHERE journal.id IS NULL OR line.journal_id IS NULL;
