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
LEFT JOIN card_version AS there ON (there.kind, there.key, there.effective_from, there.version)
    = (named.kind, named.key, named.effective_from, named.version)
WHERE there.new IS NULL;

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

-- name: corrections_correct_the_first_bill_of_their_flight
-- A bill that corrects another names an earlier bill of its flight that corrects none, in the same currency.
SELECT bill.id, bill.flight_id, bill.revision, bill.corrects
FROM bill JOIN bill AS first ON first.id = bill.corrects
WHERE first.flight_id <> bill.flight_id OR first.corrects IS NOT NULL OR first.revision >= bill.revision
   OR first.currency <> bill.currency;

-- name: approved_rates_are_in_the_book
-- Every proposal of rates that was approved is what its version of the book made of the card.
SELECT proposal.id, proposal.kind, proposal.key, proposal.effective_from, proposal.version
FROM rate_proposal AS proposal
LEFT JOIN card_version AS made ON (made.kind, made.key, made.effective_from, made.version)
    = (proposal.kind, proposal.key, proposal.effective_from, proposal.version)
WHERE proposal.state = 'approved' AND made.new IS DISTINCT FROM proposal.new;

-- name: no_decided_revision_waits
-- A revision that waits has no bill and no later one, and its flight was not cancelled after it.
SELECT flight_id, waiting.revision
FROM waiting_revision AS waiting
WHERE EXISTS (SELECT FROM bill WHERE bill.flight_id = waiting.flight_id AND bill.revision >= waiting.revision)
   OR EXISTS (SELECT FROM cancelled_flight AS cancelled
              WHERE cancelled.flight_id = waiting.flight_id AND cancelled.revision >= waiting.revision);

-- name: cancelled_flights_have_no_earlier_bill
-- A flight that was cancelled before it had a bill has none of an earlier revision.
SELECT flight_id, cancelled.revision, bill.revision AS billed
FROM cancelled_flight AS cancelled JOIN bill USING (flight_id)
WHERE bill.revision <= cancelled.revision;
