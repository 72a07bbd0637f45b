-- Which cards are in force depends on the school's date, and the date is computed where time zones have one
-- source: it is handed to the function billing_public.current_rates (functions/rates.sql).
DROP VIEW billing_public.current_rates;

-- As in revision 0001, and: 0.0 twice is no reading; after a meter rolled over the chain goes on. A bill's columns
-- have the reading after such a flight as if the meter had one figure more; `turn` is what it is ahead of the meter.
CREATE OR REPLACE VIEW billing_public.meter_chain AS
    WITH reading AS (
        SELECT aircraft, 'hobbs' AS meter, id AS bill_id, flight_id, revision, student, billed_on, occurred_at,
               hobbs_out AS out_tenths, hobbs_in AS in_tenths,
               CASE WHEN length(hobbs_in::text) > length(hobbs_out::text)
                    THEN hobbs_in - (facts ->> 'hobbs_in')::integer ELSE 0 END AS turn
        FROM bill
        WHERE hobbs_out IS NOT NULL AND hobbs_in IS NOT NULL AND (hobbs_out, hobbs_in) <> (0, 0)
        UNION ALL
        SELECT aircraft, 'tach', id, flight_id, revision, student, billed_on, occurred_at, tach_out, tach_in,
               CASE WHEN length(tach_in::text) > length(tach_out::text)
                    THEN tach_in - (facts ->> 'tach_in')::integer ELSE 0 END
        FROM bill
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
