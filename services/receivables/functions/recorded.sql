-- What nobody may do to a payment that was recorded, not even the service itself.

-- Trigger: what was recorded stands; its state goes forward only, as domain/recorded_payments.py says.
CREATE OR REPLACE FUNCTION guard_recorded_payment()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (OLD.id, OLD.student, OLD.method, OLD.number, OLD.paid_on, OLD.amount, OLD.currency, OLD.when_cleared,
            OLD.needs_second, OLD.recorded_by, OLD.recorded_at)
        IS DISTINCT FROM
       (NEW.id, NEW.student, NEW.method, NEW.number, NEW.paid_on, NEW.amount, NEW.currency, NEW.when_cleared,
            NEW.needs_second, NEW.recorded_by, NEW.recorded_at) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'what_was_recorded_stands',
            MESSAGE = 'payment ' || OLD.id || ' was recorded: revert it, and record it again';
    END IF;
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
            ('waits', 'held'), ('waits', 'received'), ('waits', 'reverted'), ('held', 'received'), ('held', 'bounced'),
            ('held', 'reverted'), ('received', 'bounced'), ('received', 'reverted')) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'recorded_payment_moves_as_it_may',
            MESSAGE = 'payment ' || OLD.id || ' is ' || OLD.state || ', which does not become ' || NEW.state;
    END IF;
    RETURN NEW;
END $$;
GRANT EXECUTE ON FUNCTION guard_recorded_payment() TO hobbs_receivables;
