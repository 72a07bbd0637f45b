-- What a person gives or takes of a student's account besides payments. bill: the item that a credit note or write-off is
-- against. way, number, paid_on: of a refund; by card Stripe gives it back, and refunded and refunds say what went back.
CREATE TABLE account_note (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL
        CONSTRAINT note_kind_is_known CHECK (kind IN ('refund', 'credit_note', 'write_off', 'cheque_fee')),
    student      text NOT NULL,
    currency     text NOT NULL,
    amount       bigint NOT NULL CONSTRAINT note_is_positive CHECK (amount > 0),
    bill         text,
    way          text CONSTRAINT way_is_known CHECK (way IN ('card', 'cash', 'cheque', 'bank_transfer')),
    number       text,
    paid_on      date,
    payment_id   uuid REFERENCES recorded_payment,
    needs_second boolean NOT NULL,
    state        text NOT NULL
        CONSTRAINT note_state_is_known CHECK (state IN ('waits', 'asked', 'posted', 'settled', 'refused', 'reverted')),
    asked_by     text NOT NULL,
    asked_at     timestamptz NOT NULL,
    why          text NOT NULL CONSTRAINT note_has_a_reason CHECK (trim(why) <> ''),
    approved_by  text,
    decided_by   text,
    decided_at   timestamptz,
    decided_why  text NOT NULL DEFAULT '',
    refunded     bigint CONSTRAINT no_more_is_refunded_than_was_asked_for CHECK (refunded BETWEEN 0 AND amount),
    refunds      text[] NOT NULL DEFAULT '{}',
    sentence     text NOT NULL DEFAULT '',
    settled_at   timestamptz,
    CONSTRAINT a_refund_says_its_way CHECK ((kind = 'refund') = (way IS NOT NULL)),
    CONSTRAINT what_is_paid_out_has_a_number_and_a_day CHECK (
        (way IS NOT NULL AND way <> 'card') = (number IS NOT NULL) AND (number IS NULL) = (paid_on IS NULL)),
    CONSTRAINT a_credit_is_against_a_bill CHECK ((kind IN ('credit_note', 'write_off')) = (bill IS NOT NULL)),
    CONSTRAINT a_fee_is_of_a_cheque CHECK ((kind = 'cheque_fee') = (payment_id IS NOT NULL)),
    CONSTRAINT only_stripe_is_asked CHECK (state NOT IN ('asked', 'settled') OR way = 'card'),
    CONSTRAINT what_stripe_does_is_not_posted_here CHECK (state NOT IN ('posted', 'reverted') OR way IS DISTINCT FROM 'card'),
    CONSTRAINT settled_refund_says_what_went_back CHECK (
        (state = 'settled') = (refunded IS NOT NULL) AND (state = 'settled') = (settled_at IS NOT NULL)),
    CONSTRAINT another_person_agrees CHECK (
        approved_by IS NULL
        OR needs_second AND lower(normalize(trim(approved_by), NFKC)) <> lower(normalize(trim(asked_by), NFKC))),
    CONSTRAINT nothing_is_given_before_the_second_agrees
        CHECK (NOT needs_second OR approved_by IS NOT NULL OR state IN ('waits', 'refused'))
);
CREATE INDEX account_note_of_student ON account_note (student, asked_at);
CREATE INDEX account_note_of_bill ON account_note (bill) WHERE bill IS NOT NULL;
CREATE INDEX account_note_waits ON account_note (state) WHERE state IN ('waits', 'asked');
CREATE UNIQUE INDEX a_bounced_cheque_has_one_fee ON account_note (payment_id) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX what_is_paid_out_is_written_down_once ON account_note (student, way, number)
    WHERE number IS NOT NULL AND state NOT IN ('refused', 'reverted');

ALTER TABLE posting ADD COLUMN note_id uuid REFERENCES account_note;
ALTER TABLE posting DROP CONSTRAINT posting_is_of_one_thing;
ALTER TABLE posting ADD CONSTRAINT posting_is_of_one_thing
    CHECK (num_nonnulls(charge_id, payment_id, deposit_id, note_id) = 1) NOT VALID;
CREATE INDEX posting_of_note ON posting (note_id) WHERE note_id IS NOT NULL;

-- A cheque that bounced is presented again under its number.
DROP INDEX payment_is_recorded_once;
CREATE UNIQUE INDEX payment_is_recorded_once ON recorded_payment (student, method, number)
    WHERE state NOT IN ('reverted', 'bounced');

-- Its body is in functions/account_notes.sql.
CREATE FUNCTION guard_account_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER account_note_moves_as_it_may BEFORE UPDATE ON account_note
    FOR EACH ROW EXECUTE FUNCTION guard_account_note();
ALTER TABLE account_note ENABLE ALWAYS TRIGGER account_note_moves_as_it_may;

GRANT SELECT, INSERT,
    UPDATE (state, approved_by, decided_by, decided_at, decided_why, refunded, refunds, sentence, settled_at)
    ON account_note TO hobbs_receivables;

CREATE VIEW receivables_public.account_notes AS
SELECT id, kind, student, currency, amount, bill, way, number, paid_on, payment_id, needs_second, state, asked_by, asked_at,
       why, approved_by, decided_by, decided_at, decided_why, refunded, refunds, sentence, settled_at
FROM receivables.account_note;
GRANT SELECT ON receivables_public.account_notes TO hobbs_reader;
