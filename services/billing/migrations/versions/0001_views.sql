-- What others may read: bills with their lines, legs and flags, the book as it stands, its versions.

CREATE VIEW billing_public.bills AS
    SELECT id AS bill_id, flight_id, revision, corrects, student, instructor, aircraft, billed_on, occurred_at,
           currency, charge, legs_total, margin, hours_from, billed_tenths, facts, rates, school_version, billed_at
    FROM bill;

CREATE VIEW billing_public.bill_lines AS
    SELECT bill.id AS bill_id, bill.flight_id, bill.revision, bill.student, bill.billed_on, bill.currency,
           line.position, line.kind, line.description, line.amount, line.tenths, line.rate, line.parts
    FROM bill
    CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(bill.lines)
        AS (kind text, description text, amount bigint, tenths integer, rate bigint, parts jsonb))
        WITH ORDINALITY AS line (kind, description, amount, tenths, rate, parts, position);

CREATE VIEW billing_public.bill_legs AS
    SELECT bill.id AS bill_id, bill.flight_id, bill.revision, bill.billed_on, bill.currency,
           leg.wallet, leg.kind, leg.amount
    FROM bill
    CROSS JOIN LATERAL jsonb_to_recordset(bill.legs) AS leg (wallet text, kind text, amount bigint);

-- The meter chain, from neighbours in the order of the readings (not of arrival, nor of the clock: many
-- flights have no time of day). Being a view it is the same whatever order the flights arrived in, and a
-- finding goes by itself when the missing flight is billed.
CREATE VIEW billing_public.meter_chain AS
    SELECT aircraft, meter, bill_id, flight_id, revision, student, billed_on, out_tenths, in_tenths,
           lag(flight_id) OVER earlier AS previous_flight_id,
           max(in_tenths) OVER (earlier ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached_tenths
    FROM (SELECT aircraft, 'hobbs' AS meter, id AS bill_id, flight_id, revision, student, billed_on,
                 hobbs_out AS out_tenths, hobbs_in AS in_tenths
          FROM bill
          WHERE hobbs_out IS NOT NULL AND hobbs_in IS NOT NULL
          UNION ALL
          SELECT aircraft, 'tach', id, flight_id, revision, student, billed_on, tach_out, tach_in
          FROM bill
          WHERE tach_out IS NOT NULL AND tach_in IS NOT NULL) AS reading
    WINDOW earlier AS (PARTITION BY aircraft, meter ORDER BY out_tenths, in_tenths, flight_id, revision);

CREATE VIEW billing_public.flags AS
    SELECT bill.id AS bill_id, bill.flight_id, bill.revision, bill.aircraft, bill.student, bill.billed_on,
           flag.kind, flag.sentence, NULL::text AS meter, NULL::integer AS tenths,
           NULL::text AS previous_flight_id
    FROM bill
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

CREATE VIEW billing_public.cards AS
    SELECT kind, key, effective_from, version, document FROM card;

-- The cards in force on the school's today.
CREATE VIEW billing_public.current_rates AS
    SELECT DISTINCT ON (kind, key) kind, key, effective_from, version, document
    FROM card
    WHERE effective_from <= (SELECT (now() AT TIME ZONE coalesce(min(document ->> 'time_zone'), 'UTC'))::date
                             FROM card WHERE kind = 'school')
    ORDER BY kind, key, effective_from DESC;

CREATE VIEW billing_public.card_history AS
    SELECT card_version.version, school_version.at, school_version.who, school_version.why,
           card_version.kind, card_version.key, card_version.effective_from, card_version.old, card_version.new
    FROM card_version JOIN school_version USING (version);

CREATE VIEW billing_public.school_versions AS
    SELECT version, base_version, who, why, at, applied_at FROM school_version;

GRANT SELECT ON ALL TABLES IN SCHEMA billing_public TO hobbs_reader;
