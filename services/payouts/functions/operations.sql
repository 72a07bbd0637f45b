-- What was decided about an operation stands.

-- Trigger on operation: what was decided is never changed, only where an operation stands.
CREATE OR REPLACE FUNCTION refuse_change_of_frozen_operation()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'operation %: what was decided is frozen; decide anew with another cause', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'operation_parameters_are_frozen';
END $$;

-- Trigger on clawback: a request has one answer.
CREATE OR REPLACE FUNCTION refuse_change_of_settled_clawback()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'claw-back % is answered', OLD.settlement_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'clawback_is_answered_once';
END $$;

-- Trigger on refund_request: a request has one answer.
CREATE OR REPLACE FUNCTION refuse_change_of_settled_refund()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'refund % is answered', OLD.settlement_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_is_answered_once';
END $$;

-- Trigger on charge_request: a request has one answer.
CREATE OR REPLACE FUNCTION refuse_change_of_answered_charge()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'charge % is answered', OLD.request_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'charge_is_answered_once';
END $$;
