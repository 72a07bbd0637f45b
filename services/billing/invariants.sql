-- name: bills_add_up
-- Of every bill, the lines sum to the charge, the legs to their total, and charge - legs = margin.
SELECT id, flight_id, charge, margin
FROM bill
WHERE charge <> (SELECT coalesce(sum(line.amount), 0) FROM jsonb_to_recordset(lines) AS line (amount bigint))
   OR legs_total <> (SELECT coalesce(sum(leg.amount), 0) FROM jsonb_to_recordset(legs) AS leg (amount bigint))
   OR charge - legs_total <> margin;

-- name: bills_name_versions_there_are
-- Every card version a bill names is in the book's history.
SELECT bill.id, named.kind, named.key, named.effective_from, named.version
FROM bill
CROSS JOIN LATERAL jsonb_to_recordset(bill.rates)
    AS named (kind text, key text, effective_from date, version integer)
LEFT JOIN card_version USING (kind, key, effective_from, version)
WHERE card_version.new IS NULL;

-- name: bills_name_nothing_newer_than_their_version
-- No bill was priced by a card that is newer than the book's version it says it was priced at.
SELECT bill.id, named.kind, named.key, named.version
FROM bill
CROSS JOIN LATERAL jsonb_to_recordset(bill.rates) AS named (kind text, key text, version integer)
WHERE named.version > bill.school_version;

-- name: book_is_at_its_newest_version
-- The version in force is the newest one, and no version is missing before it.
SELECT book.version, count(school_version.version) AS versions, max(school_version.version) AS newest
FROM book CROSS JOIN school_version
GROUP BY book.version
HAVING book.version <> max(school_version.version) OR book.version <> count(*);

-- name: card_history_has_no_hole
-- What a card was before a change is what the change before it made of it.
SELECT kind, key, effective_from, version
FROM (SELECT kind, key, effective_from, version, old,
             lag(new) OVER (PARTITION BY kind, key, effective_from ORDER BY version) AS made_before
      FROM card_version) AS change
WHERE old IS DISTINCT FROM made_before;

-- name: billed_hours_are_the_meters_difference
-- A bill by a meter is for that meter's difference.
SELECT id, flight_id, hours_from, billed_tenths
FROM bill
WHERE (hours_from = 'hobbs' AND billed_tenths IS DISTINCT FROM hobbs_in - hobbs_out)
   OR (hours_from = 'tach' AND billed_tenths IS DISTINCT FROM tach_in - tach_out);
