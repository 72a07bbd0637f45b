-- name: journals_sum_to_zero
-- The entries of every journal sum to zero in each currency.
SELECT journal_id, currency, sum(amount) AS excess
FROM entry GROUP BY journal_id, currency HAVING sum(amount) <> 0;

-- name: currencies_sum_to_zero
-- All wallets of a currency sum to zero: money moves, it is never made.
SELECT currency, sum(amount) AS excess FROM balance GROUP BY currency HAVING sum(amount) <> 0;

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
-- Every journal has exactly the entries it announced, and every entry its journal and its wallet.
SELECT coalesce(journal.id, arrived.journal_id) AS journal_id, journal.entry_count, arrived.entries
FROM journal
FULL JOIN (
    SELECT entry.journal_id, count(wallet.id) AS entries
    FROM entry LEFT JOIN wallet ON wallet.id = entry.wallet_id GROUP BY entry.journal_id
) AS arrived ON arrived.journal_id = journal.id
WHERE journal.entry_count IS DISTINCT FROM arrived.entries;

-- name: journals_say_what_they_said
-- The hash taken when a journal was posted is the hash of what it says today.
SELECT journal.id AS journal_id, journal.source
FROM journal
JOIN (
    SELECT entry.journal_id, array_agg(entry_line(wallet.address, entry.currency, entry.amount)) AS lines
    FROM entry JOIN wallet ON wallet.id = entry.wallet_id GROUP BY entry.journal_id
) AS said ON said.journal_id = journal.id
WHERE journal.content_hash <> journal_content_hash(
    journal.source, journal.event_type, journal.occurred_at, said.lines);
