-- The school's time zone was in two tables: what only `calendar` had goes to `school`. Lock order: school, then lines.
ALTER TABLE school ADD COLUMN frozen_until date;
UPDATE school SET frozen_until = (SELECT frozen_until FROM calendar);
DROP TABLE calendar;
DROP FUNCTION guard_calendar();
-- The body is in functions/reconciliation.sql.
CREATE OR REPLACE FUNCTION guard_frozen_until() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER signed_days_stay_signed BEFORE UPDATE ON school
    FOR EACH ROW EXECUTE FUNCTION guard_frozen_until();
ALTER TABLE school ENABLE ALWAYS TRIGGER signed_days_stay_signed;

-- When a date was last compared with Stripe, also one on which nothing moved and which has no row for that.
CREATE TABLE comparison (
    only_row     boolean PRIMARY KEY DEFAULT true,
    completed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT there_is_one_last_comparison CHECK (only_row)
);
INSERT INTO comparison DEFAULT VALUES;

-- Why the ledger refused what was accepted; empty again when it is accepted again.
ALTER TABLE break ADD COLUMN refused text;

-- Refunds that Hobbs ordered itself; the others were made in Stripe's dashboard.
CREATE TABLE own_refund (
    refund_id text PRIMARY KEY
);

-- Accepted journals that stood in for another one, which came after all; each is taken back once.
CREATE TABLE taken_back (
    journal_id uuid PRIMARY KEY REFERENCES book_line,
    asked_at   timestamptz NOT NULL
);

GRANT SELECT, UPDATE ON comparison TO hobbs_reserves;
GRANT SELECT, INSERT ON own_refund, taken_back TO hobbs_reserves;

CREATE OR REPLACE VIEW reserves_public.breaks AS
SELECT id, subject, class, currency, amount, day, sentence, proposal, accepted_by_one_up_to, state, opened_at,
       classed_at, accepted_at, closed_at,
       ARRAY(SELECT who FROM reserves.acceptance
             WHERE acceptance.break_id = break.id AND acceptance.content_hash = break.content_hash
             ORDER BY acceptance.accepted_at, decision_id) AS accepted_by,
       refused
FROM reserves.break;
