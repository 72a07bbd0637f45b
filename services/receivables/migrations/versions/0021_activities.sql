-- It is asked about one thing more (functions/credit.sql makes it anew).
DROP FUNCTION IF EXISTS receivables_public.credit_check(text, bigint, date);

-- What is flown, as the estimate says it; of dispatches before this release it is not known.
ALTER TABLE dispatch ADD COLUMN activity text
    CONSTRAINT activity_is_known CHECK (activity IN ('solo', 'dual', 'ground'));

CREATE OR REPLACE VIEW receivables_public.dispatches AS
SELECT dispatch.flight_id, revision, student, currency, estimate, held, ends_at, expires_at, state, reason, sentence,
       shortfall, estimated_at, answered_at, closed_at, ended, allowed, activity
FROM receivables.dispatch JOIN receivables.dispatched_flight USING (flight_id);
