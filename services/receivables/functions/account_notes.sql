-- What nobody may do to an act on a student's account, not even the service itself.

-- Trigger: what was asked for stands; its state goes forward only, as domain/account_notes.py says.
CREATE OR REPLACE FUNCTION guard_account_note()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (OLD.id, OLD.kind, OLD.student, OLD.currency, OLD.amount, OLD.bill, OLD.way, OLD.number, OLD.paid_on,
            OLD.payment_id, OLD.needs_second, OLD.asked_by, OLD.asked_at, OLD.why)
        IS DISTINCT FROM
       (NEW.id, NEW.kind, NEW.student, NEW.currency, NEW.amount, NEW.bill, NEW.way, NEW.number, NEW.paid_on,
            NEW.payment_id, NEW.needs_second, NEW.asked_by, NEW.asked_at, NEW.why) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'what_was_asked_for_stands',
            MESSAGE = OLD.kind || ' ' || OLD.id || ' was asked for so';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
            ('waits', 'asked'), ('waits', 'posted'), ('waits', 'refused'), ('asked', 'settled'), ('posted', 'reverted')) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'account_note_moves_as_it_may',
            MESSAGE = OLD.kind || ' ' || OLD.id || ' is ' || OLD.state || ', which does not become ' || NEW.state;
    END IF;
    RETURN NEW;
END $$;
GRANT EXECUTE ON FUNCTION guard_account_note() TO hobbs_receivables;
