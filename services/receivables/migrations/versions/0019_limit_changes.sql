-- Changes of a student's limit by the book's policy, as they were found. They stand instead of what the book says as long
-- as the book says what it said then: card_from and card_version are the student's own card, NULL: the school's limit
-- was in force. evidence: what the policy was decided by. effective_from: a day of the school's calendar.
CREATE TABLE limit_change (
    id             uuid PRIMARY KEY,
    student        text NOT NULL,
    number         integer NOT NULL CONSTRAINT limit_changes_are_counted_from_one CHECK (number > 0),
    cause          text NOT NULL,
    currency       text NOT NULL,
    from_limit     bigint NOT NULL CONSTRAINT limit_before_is_not_negative CHECK (from_limit >= 0),
    to_limit       bigint NOT NULL CONSTRAINT limit_after_is_not_negative CHECK (to_limit >= 0),
    book_limit     bigint NOT NULL,
    card_from      date,
    card_version   integer,
    policy_from    date NOT NULL,
    policy_version integer NOT NULL,
    evidence       jsonb NOT NULL CONSTRAINT evidence_is_an_object CHECK (jsonb_typeof(evidence) = 'object'),
    sentence       text NOT NULL,
    state          text NOT NULL
        CONSTRAINT limit_change_state_is_known CHECK (state IN ('proposed', 'waits', 'in_force', 'refused', 'lapsed')),
    needs_second   boolean NOT NULL,
    proposed_at    timestamptz NOT NULL,
    accepted_by    text,
    approved_by    text,
    decided_by     text,
    decided_at     timestamptz,
    effective_from date,
    why            text NOT NULL DEFAULT '',
    CONSTRAINT limit_changes_are_counted UNIQUE (student, number),
    CONSTRAINT a_limit_changes CHECK (from_limit <> to_limit),
    CONSTRAINT own_card_is_named_whole CHECK ((card_from IS NULL) = (card_version IS NULL)),
    CONSTRAINT decided_change_says_when CHECK ((state IN ('proposed', 'waits')) = (decided_at IS NULL)),
    CONSTRAINT changed_limit_says_from_when CHECK ((state IN ('in_force', 'refused')) = (effective_from IS NOT NULL)),
    CONSTRAINT waiting_change_was_accepted CHECK (state <> 'waits' OR needs_second AND accepted_by IS NOT NULL),
    CONSTRAINT refused_change_says_who_and_why CHECK (state <> 'refused' OR decided_by IS NOT NULL AND trim(why) <> ''),
    CONSTRAINT a_second_person_accepts CHECK (
        NOT needs_second OR state <> 'in_force'
        OR lower(normalize(trim(approved_by), NFKC)) <> lower(normalize(trim(accepted_by), NFKC))
           AND num_nulls(approved_by, accepted_by) = 0)
);
CREATE UNIQUE INDEX a_limit_changes_once_for_a_cause ON limit_change (student, cause) WHERE state <> 'lapsed';
CREATE UNIQUE INDEX one_change_of_a_limit_is_open ON limit_change (student) WHERE state IN ('proposed', 'waits');

-- The school's date on which a student's limit was looked at last.
ALTER TABLE credit_level ADD COLUMN reviewed_on date NOT NULL DEFAULT '1900-01-01';
CREATE INDEX credit_level_to_review ON credit_level (reviewed_on, student);

-- What may lower a limit, by when it happened.
CREATE INDEX auto_charge_declined ON auto_charge (answered_at) WHERE state = 'declined';
CREATE INDEX charge_failed ON charge (failed_at) WHERE failed_at IS NOT NULL;
CREATE INDEX dispute_opened ON dispute (opened_at) WHERE withdrawn;
CREATE INDEX cheque_bounced ON recorded_change (at) WHERE what = 'bounced';

-- Its body is in functions/limits.sql.
CREATE FUNCTION guard_limit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER limit_change_moves_as_it_may BEFORE UPDATE ON limit_change
    FOR EACH ROW EXECUTE FUNCTION guard_limit_change();
ALTER TABLE limit_change ENABLE ALWAYS TRIGGER limit_change_moves_as_it_may;

GRANT SELECT, INSERT, UPDATE (state, accepted_by, approved_by, decided_by, decided_at, effective_from, why, needs_second)
    ON limit_change TO hobbs_receivables;

CREATE VIEW receivables_public.limit_changes AS
SELECT id, student, number, cause, currency, from_limit, to_limit, book_limit, card_from, card_version, policy_from,
       policy_version, evidence, sentence, state, needs_second, proposed_at, accepted_by, approved_by, decided_by, decided_at,
       effective_from, why
FROM receivables.limit_change;
GRANT SELECT ON receivables_public.limit_changes TO hobbs_reader;
