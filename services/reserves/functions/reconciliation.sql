-- What nobody may do to the comparison with Stripe, not even the service itself. A refusal is a check violation that
-- carries the broken rule's name as its constraint.

-- Refuses with the rule's name and a sentence.
CREATE OR REPLACE FUNCTION refuse(rule text, sentence text)
    RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = rule, MESSAGE = sentence;
END $$;
GRANT EXECUTE ON FUNCTION refuse(text, text) TO hobbs_reserves;

-- A person's name, the same in whatever letters it is written.
CREATE OR REPLACE FUNCTION person(name text)
    RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT lower(normalize(btrim(name), NFKC))
$$;
GRANT EXECUTE ON FUNCTION person(text) TO hobbs_reserves;

-- Trigger on break: the hash is what its content says; accepted is only what enough persons accepted.
CREATE OR REPLACE FUNCTION guard_break()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.content_hash := sha256(convert_to(jsonb_build_array(NEW.subject, NEW.currency, NEW.amount, NEW.proposal,
        NEW.accepted_by_one_up_to)::text, 'UTF8'));
    IF NEW.state = 'accepted' AND (TG_OP = 'INSERT' OR OLD.state <> 'accepted')
            AND (SELECT count(DISTINCT person(who)) FROM acceptance
                 WHERE break_id = NEW.id AND content_hash = NEW.content_hash)
                < (CASE WHEN abs(NEW.amount) > NEW.accepted_by_one_up_to THEN 2 ELSE 1 END) THEN
        PERFORM refuse('accepted_by_enough_persons', 'break ' || NEW.id || ' is not accepted by enough persons');
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'closed' THEN
        PERFORM refuse('closed_break_stays_closed', 'break ' || NEW.id || ' is closed');
    END IF;
    RETURN NEW;
END $$;

-- Trigger on acceptance: it is of what is proposed now. The row lock keeps that from changing meanwhile.
CREATE OR REPLACE FUNCTION guard_acceptance()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    asked break%ROWTYPE;
BEGIN
    SELECT * INTO asked FROM break WHERE id = NEW.break_id FOR UPDATE;
    IF asked.state IS NULL OR asked.state = 'closed' THEN
        PERFORM refuse('acceptance_is_of_what_is_open', 'this break is ' || coalesce(asked.state, 'unknown'));
    END IF;
    IF NEW.content_hash <> asked.content_hash THEN
        PERFORM refuse('acceptance_is_of_this_content', 'what is proposed changed since it was shown');
    END IF;
    RETURN NEW;
END $$;

-- Trigger on day: a date that was signed off, or is before one that was, stands as it was compared.
CREATE OR REPLACE FUNCTION guard_signed()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.business_date <= (SELECT frozen_until FROM school) THEN
        PERFORM refuse('signed_day_is_frozen', NEW.business_date || ' is signed off: what is known now is of a later day');
    END IF;
    RETURN NEW;
END $$;

-- Trigger on day_total: the same of what moved on a day.
CREATE OR REPLACE FUNCTION guard_frozen_total()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.day <= (SELECT frozen_until FROM school) THEN
        PERFORM refuse('signed_total_is_frozen', NEW.day || ' is signed off: what is known now is of a later day');
    END IF;
    RETURN NEW;
END $$;

-- Trigger on school: what was signed off stays so.
CREATE OR REPLACE FUNCTION guard_frozen_until()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF OLD.frozen_until IS NOT NULL AND (NEW.frozen_until IS NULL OR NEW.frozen_until < OLD.frozen_until) THEN
        PERFORM refuse('signed_days_stay_signed', OLD.frozen_until || ' is signed off');
    END IF;
    IF NEW.frozen_until IS DISTINCT FROM OLD.frozen_until
            AND NOT EXISTS (SELECT FROM signature WHERE business_date = NEW.frozen_until) THEN
        PERFORM refuse('frozen_day_is_signed', NEW.frozen_until || ' is not signed off by anybody');
    END IF;
    RETURN NEW;
END $$;
