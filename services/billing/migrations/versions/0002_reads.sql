-- What the command line and the console ask, as views: they read no table of billing.

-- The version of the school's book that is in force; 0 before the first.
CREATE VIEW billing_public.book AS
    SELECT version FROM book;

-- A bill with everything that pricing it again is compared with.
CREATE OR REPLACE VIEW billing_public.bills AS
    SELECT id AS bill_id, flight_id, revision, corrects, student, instructor, aircraft, billed_on, occurred_at,
           currency, charge, legs_total, margin, hours_from, billed_tenths, facts, rates, school_version, billed_at,
           lines, legs
    FROM bill;

-- Flights that were refused and that nobody has redriven or discarded. A record that could not be read at all
-- names no flight.
CREATE VIEW billing_public.refused_flights AS
    SELECT id AS dead_letter_id, topic,
           CASE WHEN subject LIKE 'flight:%' THEN regexp_replace(substr(subject, 8), ':[0-9]+$', '') END
               AS flight_id,
           CASE WHEN subject LIKE 'flight:%' THEN substring(subject FROM ':([0-9]+)$')::bigint END AS revision,
           reason, sentence, attempts, first_seen_at, last_seen_at
    FROM dead_letter
    WHERE topic IN ('flight.completed', 'flight.corrected') AND state = 'open';

GRANT SELECT ON billing_public.book, billing_public.refused_flights TO hobbs_reader;
