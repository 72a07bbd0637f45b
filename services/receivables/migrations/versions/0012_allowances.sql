-- How much further a student's balance may go for one flight, until an instant. Above the policy's amount a second
-- person agrees.
CREATE TABLE credit_allowance (
    id           uuid PRIMARY KEY,
    flight_id    text NOT NULL,
    student      text NOT NULL,
    currency     text NOT NULL,
    amount       bigint NOT NULL CONSTRAINT allowance_is_positive CHECK (amount > 0),
    until        timestamptz NOT NULL,
    asked_by     text NOT NULL,
    asked_at     timestamptz NOT NULL,
    why          text NOT NULL CONSTRAINT allowance_has_a_reason CHECK (trim(why) <> ''),
    needs_second boolean NOT NULL,
    approved_by  text,
    approved_at  timestamptz,
    closed_by    text,
    closed_at    timestamptz,
    CONSTRAINT allowance_ends CHECK (until > asked_at),
    CONSTRAINT approved_allowance_says_when CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT closed_allowance_says_when CHECK ((closed_by IS NULL) = (closed_at IS NULL)),
    CONSTRAINT a_second_person_approves
        CHECK (approved_by IS NULL OR lower(normalize(trim(approved_by), NFKC)) <> lower(normalize(trim(asked_by), NFKC)))
);
CREATE INDEX allowance_of_flight ON credit_allowance (flight_id);
CREATE INDEX allowance_of_student ON credit_allowance (student, until);

-- How much beyond the limit the hold of a dispatch was asked for, by allowances that stood then.
ALTER TABLE dispatch ADD COLUMN allowed bigint NOT NULL DEFAULT 0 CONSTRAINT allowed_is_not_negative CHECK (allowed >= 0);

GRANT SELECT, INSERT, UPDATE (approved_by, approved_at, closed_by, closed_at) ON credit_allowance TO hobbs_receivables;

CREATE VIEW receivables_public.credit_allowances AS
SELECT id, flight_id, student, currency, amount, until, asked_by, asked_at, why, needs_second, approved_by, approved_at,
       closed_by, closed_at
FROM receivables.credit_allowance;
GRANT SELECT ON receivables_public.credit_allowances TO hobbs_reader;

CREATE OR REPLACE VIEW receivables_public.dispatches AS
SELECT dispatch.flight_id, revision, student, currency, estimate, held, ends_at, expires_at, state, reason, sentence,
       shortfall, estimated_at, answered_at, closed_at, ended, allowed
FROM receivables.dispatch JOIN receivables.dispatched_flight USING (flight_id);
