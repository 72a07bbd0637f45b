-- Corrections of bills that stand in the ledger. Lock order: flight, then its adjustments.

-- One row. The versions are those of the school's book that named the zone, and as far as it was read.
CREATE TABLE school (
    only_row          boolean PRIMARY KEY DEFAULT true,
    time_zone         text NOT NULL DEFAULT 'UTC',
    time_zone_version integer NOT NULL DEFAULT 0,
    read_version      integer NOT NULL DEFAULT 0,
    CONSTRAINT there_is_one_school CHECK (only_row)
);
INSERT INTO school DEFAULT VALUES;

-- A card's newest version stands, in whatever order they are read; so a withdrawn card keeps its row.
CREATE TABLE policy_card (
    effective_from date PRIMARY KEY,
    version        integer NOT NULL,
    policy         jsonb,
    CONSTRAINT policy_is_an_object CHECK (policy IS NULL OR jsonb_typeof(policy) = 'object')
);

-- A flight that was corrected, and what the journal of its first bill put on each wallet: {wallet: minor units}.
CREATE TABLE flight (
    flight_id     text PRIMARY KEY,
    currency      text NOT NULL,
    first_source  text NOT NULL,
    first_entries jsonb NOT NULL
);

-- The ledger's journals of adjustments, whatever this service knows of them: after a restore they come first.
CREATE TABLE posted_journal (
    source      text PRIMARY KEY,
    journal_id  uuid NOT NULL,
    currency    text NOT NULL,
    entries     jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT posted_journal_is_of_one_source UNIQUE (journal_id),
    CONSTRAINT posted_journal_is_an_adjustments CHECK (source LIKE 'adjustment:%')
);

-- entries: what the whole revision leaves on each wallet. differences: against what stood in the ledger when they
-- were computed. paid_by: the sources of the journals that stood then. makers: whoever made a revision that this one
-- covers. needs: why a person must approve. content_hash and largest are computed by the database.
CREATE TABLE adjustment (
    id                    uuid PRIMARY KEY,
    flight_id             text NOT NULL REFERENCES flight,
    revision              integer NOT NULL,
    kind                  text NOT NULL,
    bill_id               uuid NOT NULL,
    currency              text NOT NULL,
    entries               jsonb NOT NULL,
    differences           jsonb NOT NULL,
    largest               bigint NOT NULL,
    paid_by               text[] NOT NULL,
    student_before        text NOT NULL,
    student               text NOT NULL,
    flown_on              date NOT NULL,
    occurred_at           timestamptz NOT NULL,
    priced_by             text NOT NULL,
    reason                text NOT NULL,
    made_by               text NOT NULL,
    makers                text[] NOT NULL,
    state                 text NOT NULL,
    sentence              text NOT NULL,
    needs                 text[] NOT NULL,
    approvals_needed      smallint NOT NULL,
    approve_above         bigint NOT NULL,
    second_approver_above bigint NOT NULL,
    content_hash          bytea NOT NULL,
    proposed_at           timestamptz NOT NULL,
    expires_at            timestamptz NOT NULL,
    changed_at            timestamptz NOT NULL,
    journal_id            uuid REFERENCES posted_journal (journal_id),
    trace                 jsonb NOT NULL,
    CONSTRAINT one_adjustment_for_each_revision UNIQUE (flight_id, revision),
    CONSTRAINT adjustment_follows_a_first_bill CHECK (revision >= 2),
    CONSTRAINT adjustment_kind_is_known CHECK (kind IN ('corrected', 'cancelled')),
    CONSTRAINT adjustment_state_is_known CHECK (state IN ('proposed', 'waiting', 'approved', 'rejected', 'expired',
        'superseded', 'posted', 'settling', 'settled', 'failed')),
    CONSTRAINT maker_is_among_the_makers CHECK (made_by = ANY (makers)),
    CONSTRAINT approvals_needed_are_none_one_or_two CHECK (approvals_needed BETWEEN 0 AND 2),
    CONSTRAINT needed_approval_says_why CHECK ((approvals_needed = 0) = (needs = '{}')),
    CONSTRAINT amount_above_the_limit_needs_approval CHECK (state IN ('posted', 'settling', 'settled')
        OR approvals_needed >=
            CASE WHEN largest > second_approver_above THEN 2 WHEN largest > approve_above THEN 1 ELSE 0 END),
    CONSTRAINT changed_student_needs_approval CHECK (student = student_before OR approvals_needed > 0),
    CONSTRAINT expiry_is_after_the_proposal CHECK (expires_at > proposed_at),
    CONSTRAINT posted_adjustment_has_a_journal CHECK (
        (state IN ('posted', 'settling') OR state = 'settled' AND differences <> '{}') = (journal_id IS NOT NULL)),
    CONSTRAINT adjustment_of_nothing_asks_nobody CHECK (
        differences <> '{}' OR state IN ('proposed', 'superseded', 'settled'))
);
CREATE INDEX adjustment_by_state ON adjustment (state, proposed_at, id);
CREATE INDEX adjustment_by_age ON adjustment (proposed_at, id);
CREATE INDEX adjustment_of_a_maker ON adjustment (made_by, proposed_at);
CREATE INDEX adjustment_to_expire ON adjustment (expires_at) WHERE state = 'waiting';

CREATE TABLE adjustment_history (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    adjustment_id uuid NOT NULL REFERENCES adjustment,
    at            timestamptz NOT NULL,
    from_state    text,
    to_state      text NOT NULL,
    who           text NOT NULL,
    why           text NOT NULL,
    content_hash  bytea NOT NULL,
    CONSTRAINT step_says_by_whom CHECK (who <> ''),
    CONSTRAINT adjustment_step_is_in_the_table CHECK (coalesce(from_state, 'new') || '>' || to_state IN (
        'new>proposed', 'new>waiting', 'new>approved', 'new>posted', 'new>settled', 'new>superseded',
        'proposed>waiting', 'proposed>approved', 'proposed>posted', 'proposed>settled', 'proposed>superseded',
        'waiting>proposed', 'waiting>approved', 'waiting>rejected', 'waiting>expired', 'waiting>superseded',
        'waiting>posted',
        'approved>posted', 'approved>failed',
        'failed>approved', 'failed>rejected', 'failed>posted', 'failed>superseded',
        'rejected>posted', 'expired>posted', 'superseded>posted',
        'posted>settling', 'posted>settled', 'settling>settled', 'settled>settling'))
);
CREATE INDEX adjustment_history_of_an_adjustment ON adjustment_history (adjustment_id, id);

-- What a person approved: the content that this hash names. An approval of other content counts for nothing.
CREATE TABLE approval (
    decision_id   uuid PRIMARY KEY,
    adjustment_id uuid NOT NULL REFERENCES adjustment,
    content_hash  bytea NOT NULL,
    approver      text NOT NULL,
    why           text NOT NULL,
    approved_at   timestamptz NOT NULL
);
-- A name in other letters is the same person's.
CREATE UNIQUE INDEX two_approvers_are_two_persons
    ON approval (adjustment_id, content_hash, lower(normalize(btrim(approver), NFKC)));

-- Bodies are in functions/guards.sql.
CREATE OR REPLACE FUNCTION guard_adjustment() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_approval() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;

CREATE TRIGGER adjustment_keeps_the_rules BEFORE INSERT OR UPDATE ON adjustment
    FOR EACH ROW EXECUTE FUNCTION guard_adjustment();
CREATE TRIGGER maker_is_not_checker BEFORE INSERT ON approval
    FOR EACH ROW EXECUTE FUNCTION guard_approval();
ALTER TABLE adjustment ENABLE ALWAYS TRIGGER adjustment_keeps_the_rules;
ALTER TABLE approval ENABLE ALWAYS TRIGGER maker_is_not_checker;

GRANT SELECT, UPDATE ON school TO hobbs_adjustments;
GRANT SELECT, INSERT, UPDATE ON policy_card, flight, adjustment TO hobbs_adjustments;
GRANT SELECT, INSERT ON posted_journal, adjustment_history, approval TO hobbs_adjustments;
