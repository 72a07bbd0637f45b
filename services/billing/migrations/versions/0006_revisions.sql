-- A bill is of a completed flight, of a correction or of a cancellation. `corrects` names the flight's first bill;
-- the first bill of a flight that was refused may be of a correction itself.
ALTER TABLE bill
    ADD COLUMN kind      text NOT NULL DEFAULT 'completed',
    ADD COLUMN reason    text,
    ADD COLUMN made_by   text,
    ADD COLUMN priced_by text,
    ADD CONSTRAINT bill_kind_is_known CHECK (kind IN ('completed', 'corrected', 'cancelled')),
    ADD CONSTRAINT revision_says_why_and_by_whom CHECK
        ((kind = 'completed') = (reason IS NULL) AND (kind = 'completed') = (made_by IS NULL)
         AND (kind = 'completed') = (priced_by IS NULL)),
    ADD CONSTRAINT completed_flight_corrects_nothing CHECK (kind <> 'completed' OR corrects IS NULL),
    ADD CONSTRAINT cancellation_corrects_a_bill CHECK (kind <> 'cancelled' OR corrects IS NOT NULL),
    ADD CONSTRAINT nobody_owes_for_a_cancelled_flight CHECK (kind <> 'cancelled' OR (charge = 0 AND legs_total = 0)),
    ADD CONSTRAINT revision_is_priced_by_a_known_book CHECK (priced_by IN ('bill', 'book')),
    ADD CONSTRAINT correction_is_a_later_revision CHECK (corrects IS NULL OR revision >= 2),
    ADD CONSTRAINT bill_corrects_another_bill CHECK (corrects <> id);
CREATE INDEX bill_correction_of_flight ON bill (flight_id, revision) WHERE corrects IS NOT NULL;

-- A flight that was refused and then cancelled: it has no bill, and gets none of an earlier revision.
CREATE TABLE cancelled_flight (
    flight_id    text        NOT NULL,
    revision     integer     NOT NULL,
    fingerprint  text        NOT NULL,
    reason       text        NOT NULL,
    made_by      text        NOT NULL,
    cancelled_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT flight_is_cancelled_once_in_a_revision PRIMARY KEY (flight_id, revision)
);

-- Corrections and cancellations that came before their flight, or before the revision ahead of them. Each keeps
-- its record, so that it can still become a dead letter.
CREATE TABLE waiting_revision (
    flight_id    text        NOT NULL,
    revision     integer     NOT NULL,
    fingerprint  text        NOT NULL,
    reason       text        NOT NULL,
    made_by      text        NOT NULL,
    topic        text        NOT NULL,
    partition    integer     NOT NULL,
    "offset"     bigint      NOT NULL,
    key          bytea,
    value        bytea       NOT NULL,
    headers      jsonb       NOT NULL,
    published_at timestamptz NOT NULL,
    event_key    uuid        NOT NULL,
    cause        jsonb       NOT NULL,
    kept_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT revision_waits_once PRIMARY KEY (flight_id, revision),
    CONSTRAINT only_revisions_wait CHECK (topic IN ('flight.corrected', 'flight.cancelled')),
    CONSTRAINT waiting_revision_follows_another CHECK (revision >= 2)
);

-- By the flight that a dead letter is about.
CREATE INDEX dead_letter_by_flight ON dead_letter (substring(subject FROM '^flight:(.*):[0-9]+$'))
    WHERE topic IN ('flight.completed', 'flight.corrected', 'flight.cancelled');

-- The bill that counts: of each flight the one of its latest revision.
CREATE VIEW bill_in_force AS
    SELECT bill.*
    FROM bill
    WHERE NOT EXISTS (SELECT FROM bill AS later
                      WHERE later.flight_id = bill.flight_id AND later.revision > bill.revision
                        AND later.corrects IS NOT NULL);

CREATE OR REPLACE VIEW billing_public.bills AS
    SELECT id AS bill_id, flight_id, revision, corrects, student, instructor, aircraft, billed_on, occurred_at,
           currency, charge, legs_total, margin, hours_from, billed_tenths, facts, rates, school_version, billed_at,
           lines, legs, kind, reason, made_by, priced_by,
           NOT EXISTS (SELECT FROM bill AS later
                       WHERE later.flight_id = bill.flight_id AND later.revision > bill.revision
                         AND later.corrects IS NOT NULL) AS in_force
    FROM bill;

-- As in revision 0003, of the bills in force.
CREATE OR REPLACE VIEW billing_public.meter_chain AS
    WITH reading AS (
        SELECT aircraft, 'hobbs' AS meter, id AS bill_id, flight_id, revision, student, billed_on, occurred_at,
               hobbs_out AS out_tenths, hobbs_in AS in_tenths,
               CASE WHEN length(hobbs_in::text) > length(hobbs_out::text)
                    THEN hobbs_in - (facts ->> 'hobbs_in')::integer ELSE 0 END AS turn
        FROM bill_in_force
        WHERE hobbs_out IS NOT NULL AND hobbs_in IS NOT NULL AND (hobbs_out, hobbs_in) <> (0, 0)
        UNION ALL
        SELECT aircraft, 'tach', id, flight_id, revision, student, billed_on, occurred_at, tach_out, tach_in,
               CASE WHEN length(tach_in::text) > length(tach_out::text)
                    THEN tach_in - (facts ->> 'tach_in')::integer ELSE 0 END
        FROM bill_in_force
        WHERE tach_out IS NOT NULL AND tach_in IS NOT NULL AND (tach_out, tach_in) <> (0, 0)
    ), placed AS (
        SELECT reading.*, coalesce(sum(turn) OVER (PARTITION BY aircraft, meter
                                                   ORDER BY occurred_at, flight_id, revision
                                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::integer
                          AS before
        FROM reading
    )
    SELECT aircraft, meter, bill_id, flight_id, revision, student, billed_on, out_tenths,
           in_tenths - turn AS in_tenths,
           lag(flight_id) OVER earlier AS previous_flight_id,
           max(before + in_tenths) OVER (earlier ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) - before
               AS reached_tenths
    FROM placed
    WINDOW earlier AS (PARTITION BY aircraft, meter
                       ORDER BY before + out_tenths, before + in_tenths, flight_id, revision);

-- As in revision 0001, of the bills in force.
CREATE OR REPLACE VIEW billing_public.flags AS
    SELECT bill.id AS bill_id, bill.flight_id, bill.revision, bill.aircraft, bill.student, bill.billed_on,
           flag.kind, flag.sentence, NULL::text AS meter, NULL::integer AS tenths,
           NULL::text AS previous_flight_id
    FROM bill_in_force AS bill
    CROSS JOIN LATERAL jsonb_to_recordset(bill.flags) AS flag (kind text, sentence text)
    UNION ALL
    SELECT bill_id, flight_id, revision, aircraft, student, billed_on,
           CASE WHEN out_tenths > reached_tenths THEN 'meter_gap' ELSE 'meter_overlap' END,
           format('%s of %s was at %s after flight %s, flight %s starts at %s: %s',
                  CASE meter WHEN 'hobbs' THEN 'Hobbs' ELSE meter END, aircraft,
                  round(reached_tenths / 10.0, 1), previous_flight_id, flight_id, round(out_tenths / 10.0, 1),
                  CASE WHEN out_tenths > reached_tenths
                       THEN 'a flight in between is not billed, or a reading is wrong'
                       ELSE 'the same time is billed twice, or a reading is wrong' END),
           meter, out_tenths - reached_tenths, previous_flight_id
    FROM billing_public.meter_chain
    WHERE out_tenths <> reached_tenths;

CREATE OR REPLACE VIEW billing_public.refused_flights AS
    SELECT id AS dead_letter_id, topic,
           CASE WHEN subject LIKE 'flight:%' THEN regexp_replace(substr(subject, 8), ':[0-9]+$', '') END
               AS flight_id,
           CASE WHEN subject LIKE 'flight:%' THEN substring(subject FROM ':([0-9]+)$')::bigint END AS revision,
           reason, sentence, attempts, first_seen_at, last_seen_at
    FROM dead_letter
    WHERE topic IN ('flight.completed', 'flight.corrected', 'flight.cancelled') AND state = 'open';

-- Revisions that wait: `billed_revision` is the one in force, NULL when the flight has no bill.
CREATE VIEW billing_public.waiting_revisions AS
    SELECT flight_id, revision, CASE topic WHEN 'flight.cancelled' THEN 'cancelled' ELSE 'corrected' END AS kind,
           reason, made_by, kept_at,
           (SELECT max(bill.revision) FROM bill WHERE bill.flight_id = waiting_revision.flight_id)
               AS billed_revision
    FROM waiting_revision;

-- Flights without a bill that were cancelled.
CREATE VIEW billing_public.cancelled_flights AS
    SELECT flight_id, revision, reason, made_by, cancelled_at FROM cancelled_flight;

-- The school's policy on corrections is a card of the book as every other (decision 0204).
ALTER TABLE card_version DROP CONSTRAINT card_kind_is_known;
ALTER TABLE card_version ADD CONSTRAINT card_kind_is_known CHECK
    (kind IN ('school', 'tax', 'aircraft', 'instructor', 'owner', 'student', 'student_rate', 'adjustments'));

GRANT SELECT, INSERT ON cancelled_flight TO hobbs_billing;
GRANT SELECT, INSERT, UPDATE (kept_at), DELETE ON waiting_revision TO hobbs_billing;  -- to lock rows takes UPDATE
GRANT SELECT ON bill_in_force TO hobbs_billing;
GRANT SELECT ON billing_public.waiting_revisions, billing_public.cancelled_flights TO hobbs_reader;
