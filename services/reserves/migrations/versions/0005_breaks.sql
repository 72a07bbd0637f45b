-- What of the difference between Stripe and the books needs a name, and what is proposed for it: decision 0251.

-- subject: line:<id>, journal:<id>, match:<id>:<currency>, opening:<currency>. amount: what of the difference it is,
-- Stripe less books. proposal: what accepting it asks for; counterpart: the wallet that a person chose for it.
-- accepted_by_one_up_to: as the policy said when it was proposed.
CREATE TABLE break (
    id                    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject               text NOT NULL,
    class                 text NOT NULL,
    currency              text NOT NULL,
    amount                bigint NOT NULL,
    day                   date NOT NULL,
    sentence              text NOT NULL,
    proposal              jsonb NOT NULL,
    counterpart           text,
    accepted_by_one_up_to bigint NOT NULL,
    content_hash          bytea NOT NULL,
    state                 text NOT NULL,
    opened_at             timestamptz NOT NULL,
    classed_at            timestamptz NOT NULL,
    accepted_at           timestamptz,
    closed_at             timestamptz,
    CONSTRAINT break_class_is_known CHECK (class IN ('timing', 'fee', 'missing_journal', 'missing_at_stripe', 'duplicate',
        'amount_differs', 'currency', 'made_by_hand', 'unknown_type', 'opening')),
    CONSTRAINT break_state_is_known CHECK (state IN ('open', 'accepted', 'closed')),
    CONSTRAINT accepted_break_says_when CHECK (state <> 'accepted' OR accepted_at IS NOT NULL),
    CONSTRAINT closed_break_says_when CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_open_break_of_a_subject ON break (subject) WHERE closed_at IS NULL;
CREATE INDEX break_by_age ON break (opened_at, id);

-- A person's agreement to what was proposed. One that is of other content counts for nothing.
CREATE TABLE acceptance (
    decision_id  uuid PRIMARY KEY,
    break_id     bigint NOT NULL REFERENCES break,
    content_hash bytea NOT NULL,
    who          text NOT NULL,
    why          text NOT NULL,
    accepted_at  timestamptz NOT NULL
);
-- A name in other letters is the same person's.
CREATE UNIQUE INDEX acceptors_are_different_persons
    ON acceptance (break_id, content_hash, lower(normalize(btrim(who), NFKC)));

-- A business date that a person signed off: it and all before it stand as they were compared. content_hash: of the
-- rows of the date. What becomes known later counts on a later day.
CREATE TABLE signature (
    business_date date PRIMARY KEY,
    decision_id   uuid NOT NULL,
    signed_by     text NOT NULL,
    why           text NOT NULL,
    signed_at     timestamptz NOT NULL,
    content_hash  bytea NOT NULL,
    CONSTRAINT signature_names_its_content CHECK (octet_length(content_hash) = 32)
);

-- Bodies are in functions/reconciliation.sql.
CREATE OR REPLACE FUNCTION guard_signed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_frozen_total() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_calendar() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER signed_day_stands BEFORE INSERT OR UPDATE ON day
    FOR EACH ROW EXECUTE FUNCTION guard_signed();
CREATE TRIGGER signed_total_stands BEFORE INSERT OR UPDATE ON day_total
    FOR EACH ROW EXECUTE FUNCTION guard_frozen_total();
CREATE TRIGGER signed_days_stay_signed BEFORE UPDATE ON calendar
    FOR EACH ROW EXECUTE FUNCTION guard_calendar();
ALTER TABLE day ENABLE ALWAYS TRIGGER signed_day_stands;
ALTER TABLE day_total ENABLE ALWAYS TRIGGER signed_total_stands;
ALTER TABLE calendar ENABLE ALWAYS TRIGGER signed_days_stay_signed;
CREATE OR REPLACE FUNCTION guard_break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_acceptance() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER break_keeps_the_rules BEFORE INSERT OR UPDATE ON break
    FOR EACH ROW EXECUTE FUNCTION guard_break();
CREATE TRIGGER acceptance_is_of_what_is_open BEFORE INSERT ON acceptance
    FOR EACH ROW EXECUTE FUNCTION guard_acceptance();
ALTER TABLE break ENABLE ALWAYS TRIGGER break_keeps_the_rules;
ALTER TABLE acceptance ENABLE ALWAYS TRIGGER acceptance_is_of_what_is_open;

GRANT SELECT, INSERT, UPDATE ON break TO hobbs_reserves;
GRANT SELECT, INSERT ON acceptance, signature TO hobbs_reserves;

CREATE VIEW reserves_public.breaks AS
SELECT id, subject, class, currency, amount, day, sentence, proposal, accepted_by_one_up_to, state, opened_at,
       classed_at, accepted_at, closed_at,
       ARRAY(SELECT who FROM reserves.acceptance
             WHERE acceptance.break_id = break.id AND acceptance.content_hash = break.content_hash
             ORDER BY acceptance.accepted_at, decision_id) AS accepted_by
FROM reserves.break;
CREATE VIEW reserves_public.acceptances AS
SELECT decision_id, break_id, who, why, accepted_at,
       content_hash = (SELECT break.content_hash FROM reserves.break WHERE break.id = break_id) AS counts
FROM reserves.acceptance;
CREATE VIEW reserves_public.signatures AS
SELECT business_date, decision_id, signed_by, why, signed_at, encode(content_hash, 'hex') AS content_hash
FROM reserves.signature;
-- Lines and journals with what they belong to; match_id is null while they are open.
CREATE VIEW reserves_public.stripe_lines AS
SELECT line.transaction_id, line.version, line.type, line.category, line.balance_type, line.amount, line.fee, line.net,
       line.currency, line.source_id, line.made_at, line.available_at, line.expected, line.is_before, line.noted_at,
       line.day, line.counted, match.match_id, match.how
FROM reserves.stripe_line AS line LEFT JOIN reserves.line_match AS match USING (transaction_id);
CREATE VIEW reserves_public.book_lines AS
SELECT journal.journal_id, journal.source, journal.event_type, journal.currency, journal.amount, journal.at_stripe,
       journal.parties, journal.occurred_at, journal.recorded_at, journal.day, match.match_id, match.how
FROM reserves.book_line AS journal LEFT JOIN reserves.book_match AS match USING (journal_id);
GRANT SELECT ON reserves_public.breaks, reserves_public.acceptances, reserves_public.signatures,
    reserves_public.stripe_lines, reserves_public.book_lines TO hobbs_reader;
