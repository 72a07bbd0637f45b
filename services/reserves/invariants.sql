-- name: lines_are_open_or_matched
-- Every line of Stripe's balance and every journal at Stripe is open or in one match, never both, never neither.
SELECT line.transaction_id AS name FROM stripe_line AS line
LEFT JOIN open_line USING (transaction_id) LEFT JOIN line_match AS match USING (transaction_id)
WHERE (open_line.transaction_id IS NULL) = (match.transaction_id IS NULL)
UNION ALL
SELECT journal.source FROM book_line AS journal
LEFT JOIN open_journal USING (journal_id) LEFT JOIN book_match AS match USING (journal_id)
WHERE (open_journal.journal_id IS NULL) = (match.journal_id IS NULL);

-- name: day_totals_are_their_lines
-- What moved on a day is the sum of the day's lines and journals.
SELECT currency, day, sum(stripe) AS stripe, sum(books) AS books FROM (
    SELECT currency, day, counted AS stripe, 0 AS books FROM stripe_line
    UNION ALL SELECT currency, day, amount, 0 FROM line_change
    UNION ALL SELECT currency, day, 0, -amount FROM book_line
    UNION ALL SELECT currency, day, -stripe, -books FROM day_total
) AS part GROUP BY currency, day HAVING sum(stripe) <> 0 OR sum(books) <> 0;
