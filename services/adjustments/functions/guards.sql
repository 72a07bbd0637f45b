-- What nobody may do to an adjustment, not even the service itself. A refusal is a check violation that carries the
-- broken rule's name as its constraint.

-- Refuses with the rule's name and a sentence.
CREATE OR REPLACE FUNCTION refuse(rule text, sentence text)
    RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = rule, MESSAGE = sentence;
END $$;
GRANT EXECUTE ON FUNCTION refuse(text, text) TO hobbs_adjustments;

-- A person's name, the same in whatever letters it is written.
CREATE OR REPLACE FUNCTION person(name text)
    RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT lower(normalize(btrim(name), NFKC))
$$;
GRANT EXECUTE ON FUNCTION person(text) TO hobbs_adjustments;

-- Trigger on adjustment: its differences sum to zero; hash and largest amount are what its content says; what was
-- proposed is frozen; approved is only what enough persons approved; posted is only what the ledger posted.
CREATE OR REPLACE FUNCTION guard_adjustment()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    name text := NEW.flight_id || ':' || NEW.revision;
    total numeric;
    is_new boolean := TG_OP = 'INSERT';
BEGIN
    IF is_new OR (NEW.differences, NEW.needs, NEW.approvals_needed, NEW.makers, NEW.content_hash, NEW.largest)
            IS DISTINCT FROM
            (OLD.differences, OLD.needs, OLD.approvals_needed, OLD.makers, OLD.content_hash, OLD.largest) THEN
        SELECT coalesce(sum(value::bigint), 0), coalesce(max(abs(value::bigint)), 0) INTO total, NEW.largest
        FROM jsonb_each_text(NEW.differences);
        IF total <> 0 THEN
            PERFORM refuse('differences_sum_to_zero', 'adjustment ' || name || ': differences sum to ' || total);
        END IF;
        NEW.content_hash := sha256(convert_to(jsonb_build_array(NEW.flight_id, NEW.revision, NEW.currency,
            NEW.entries, NEW.differences, NEW.needs, NEW.approvals_needed, NEW.makers)::text, 'UTF8'));
    END IF;
    IF NOT is_new THEN
        IF (NEW.id, NEW.flight_id, NEW.revision, NEW.kind, NEW.bill_id, NEW.currency, NEW.entries, NEW.made_by,
                NEW.student_before, NEW.student, NEW.flown_on, NEW.occurred_at, NEW.proposed_at)
            IS DISTINCT FROM
           (OLD.id, OLD.flight_id, OLD.revision, OLD.kind, OLD.bill_id, OLD.currency, OLD.entries, OLD.made_by,
                OLD.student_before, OLD.student, OLD.flown_on, OLD.occurred_at, OLD.proposed_at) THEN
            PERFORM refuse('proposed_content_is_frozen', 'adjustment ' || name || ' is another revision''s to change');
        END IF;
        IF NEW.content_hash <> OLD.content_hash
                AND OLD.state NOT IN ('proposed', 'waiting') AND NEW.state <> 'posted' THEN
            PERFORM refuse('decided_content_is_frozen', 'adjustment ' || name || ' is ' || OLD.state
                || ': what was decided about stands');
        END IF;
        IF NOT OLD.makers <@ NEW.makers THEN
            PERFORM refuse('makers_stay_makers', 'adjustment ' || name || ' loses one of its makers');
        END IF;
    END IF;
    IF NEW.state = 'approved' AND (is_new OR OLD.state <> 'approved') AND NEW.approvals_needed > 0
            AND NEW.approvals_needed > (SELECT count(DISTINCT person(approver)) FROM approval
                                        WHERE adjustment_id = NEW.id AND content_hash = NEW.content_hash) THEN
        PERFORM refuse('approved_by_enough_persons', 'adjustment ' || name || ' needs ' || NEW.approvals_needed
            || ' approvals of this content');
    END IF;
    IF NEW.state IN ('posted', 'settling', 'settled') AND NEW.differences <> '{}'
            AND (is_new OR OLD.state NOT IN ('posted', 'settling', 'settled')) AND NOT EXISTS (
            SELECT FROM posted_journal WHERE source = 'adjustment:' || name AND journal_id = NEW.journal_id
                AND entries = NEW.differences) THEN
        PERFORM refuse('posted_is_what_the_ledger_posted', 'adjustment ' || name || ' is not what the ledger posted');
    END IF;
    RETURN NEW;
END $$;

-- Trigger on approval: it is of the content that waits now, by nobody who made it. The row lock keeps the content
-- from changing meanwhile.
CREATE OR REPLACE FUNCTION guard_approval()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    asked adjustment%ROWTYPE;
BEGIN
    SELECT * INTO asked FROM adjustment WHERE id = NEW.adjustment_id FOR UPDATE;
    IF asked.state IS DISTINCT FROM 'waiting' THEN
        PERFORM refuse('approval_is_of_what_waits', 'this adjustment is ' || coalesce(asked.state, 'unknown'));
    END IF;
    IF NEW.content_hash <> asked.content_hash THEN
        PERFORM refuse('approval_is_of_this_content', 'the adjustment changed since it was shown');
    END IF;
    IF EXISTS (SELECT FROM unnest(asked.makers) AS maker (name) WHERE person(maker.name) = person(NEW.approver)) THEN
        PERFORM refuse('maker_is_not_checker', 'whoever made a correction cannot approve it');
    END IF;
    RETURN NEW;
END $$;
