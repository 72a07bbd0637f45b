-- name: lines_are_open_or_matched
-- Every line of Stripe's balance and every journal at Stripe is open or in one match, never both, never neither.
SELECT line.transaction_id AS name FROM stripe_line AS line
LEFT JOIN open_line USING (transaction_id) LEFT JOIN line_match AS match USING (transaction_id)
WHERE (open_line.transaction_id IS NULL) = (match.transaction_id IS NULL)
UNION ALL
SELECT match.transaction_id FROM line_match AS match LEFT JOIN stripe_line AS line USING (transaction_id)
WHERE line.transaction_id IS NULL
UNION ALL
SELECT match.journal_id::text FROM book_match AS match LEFT JOIN book_line AS journal USING (journal_id)
WHERE journal.journal_id IS NULL
UNION ALL
SELECT journal.source FROM book_line AS journal
LEFT JOIN open_journal USING (journal_id) LEFT JOIN book_match AS match USING (journal_id)
WHERE (open_journal.journal_id IS NULL) = (match.journal_id IS NULL);

-- name: matches_add_up_or_are_named
-- The parts of a match add up to nothing in each currency, or the difference is what `spread` says of it without an end.
SELECT match_id, currency, sum(amount) AS amount FROM (
    SELECT match.match_id, line.currency, line.counted AS amount
    FROM line_match AS match JOIN stripe_line AS line USING (transaction_id)
    UNION ALL
    SELECT match.match_id, change.currency, change.amount
    FROM line_match AS match JOIN line_change AS change USING (transaction_id)
    UNION ALL
    SELECT match.match_id, journal.currency, journal.amount
    FROM book_match AS match JOIN book_line AS journal USING (journal_id)
    UNION ALL
    SELECT match_id, currency, -amount FROM spread WHERE until_day IS NULL
) AS part GROUP BY match_id, currency HAVING sum(amount) <> 0;

-- name: nothing_of_a_day_is_unexplained
-- What Stripe has more or less than the books on a compared date has names, to the cent.
SELECT business_date, currency, stripe_closing - books_closing - explained AS unexplained FROM day
WHERE stripe_closing - books_closing <> explained;

-- name: accepted_breaks_were_agreed_to
-- Whatever was accepted was agreed to by as many persons as its amount needs.
SELECT break.id, break.amount FROM break
WHERE accepted_at IS NOT NULL AND state = 'accepted' AND
    (SELECT count(DISTINCT person(who)) FROM acceptance
     WHERE break_id = break.id AND acceptance.content_hash = break.content_hash)
    < (CASE WHEN abs(amount) > accepted_by_one_up_to THEN 2 ELSE 1 END);

-- name: day_totals_are_their_lines
-- What moved on a day is the sum of the day's lines and journals.
SELECT currency, day, sum(stripe) AS stripe, sum(books) AS books FROM (
    SELECT currency, day, counted AS stripe, 0 AS books FROM stripe_line
    UNION ALL SELECT currency, day, amount, 0 FROM line_change
    UNION ALL SELECT currency, day, 0, -amount FROM book_line
    UNION ALL SELECT currency, day, -stripe, -books FROM day_total
) AS part GROUP BY currency, day HAVING sum(stripe) <> 0 OR sum(books) <> 0;

-- name: alerts_stand_as_judged
-- The alert that stands is the one that the last judgement calls for, and no other.
SELECT currency, judgement.health, alert.kind FROM judgement
FULL JOIN (SELECT currency, kind FROM alert WHERE resolved_at IS NULL) AS alert USING (currency)
LEFT JOIN balance USING (currency)
WHERE alert.kind IS DISTINCT FROM CASE WHEN judgement.gate = 'off' THEN NULL
    WHEN judgement.health = 'warning' THEN 'low' WHEN judgement.health = 'critical' THEN 'short'
    WHEN judgement.health = 'unknown' AND balance.currency IS NOT NULL THEN 'stale' END;
