-- Charges of students' saved payment methods (decision 0351). Amounts are minor units.

ALTER TABLE operation
    ALTER COLUMN payee SET EXPRESSION AS (CASE WHEN kind NOT IN ('refund', 'charge') THEN wallet END),
    DROP CONSTRAINT money_operation_belongs_to_a_transfer,
    ADD CONSTRAINT money_operation_belongs_to_a_transfer
        CHECK (kind IN ('account', 'refund', 'charge') OR transfer_id IS NOT NULL),
    ADD CONSTRAINT charge_is_of_a_student CHECK
        (kind <> 'charge' OR wallet LIKE 'student:%' AND amount > 0 AND transfer_id IS NULL AND parent_id IS NULL),
    DROP CONSTRAINT operation_kind_is_known,
    ADD CONSTRAINT operation_kind_is_known
        CHECK (kind IN ('account', 'transfer', 'reversal', 'instant_payout', 'refund', 'charge'));

-- A request to charge, and its answer. outcome null: its operation is under way, or parked.
CREATE TABLE charge_request (
    request_id     uuid        PRIMARY KEY,
    operation_id   uuid        NOT NULL UNIQUE REFERENCES operation (id),
    wallet         text        NOT NULL CONSTRAINT charge_is_for_a_student CHECK (wallet LIKE 'student:%'),
    currency       text        NOT NULL,
    amount         bigint      NOT NULL CONSTRAINT charge_takes_a_positive_amount CHECK (amount > 0),
    cause          text        NOT NULL,
    customer       text        NOT NULL,
    payment_method text        NOT NULL,
    method_type    text        NOT NULL,
    decided_at     timestamptz NOT NULL,
    requested_at   timestamptz NOT NULL,
    outcome        text,
    payment_intent text,
    charge         text,
    code           text,
    advice         text,
    sentence       text,
    answered_at    timestamptz,
    trace          jsonb       NOT NULL,
    CONSTRAINT one_charge_for_one_cause UNIQUE (wallet, cause),
    CONSTRAINT charge_outcome_is_known CHECK (outcome IN ('succeeded', 'processing', 'declined', 'not_made')),
    CONSTRAINT answered_charge_says_what_and_when
        CHECK (num_nulls(outcome, sentence, answered_at) IN (0, 3)),
    CONSTRAINT made_charge_names_its_intent
        CHECK (outcome NOT IN ('succeeded', 'processing') OR payment_intent IS NOT NULL)
);
CREATE INDEX charge_request_under_way ON charge_request (requested_at) WHERE outcome IS NULL;
GRANT SELECT, INSERT, UPDATE ON charge_request TO hobbs_payouts;

-- An answer is given once; functions/operations.sql has the function's text.
CREATE FUNCTION refuse_change_of_answered_charge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'charge % is answered', OLD.request_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'charge_is_answered_once';
END $$;
CREATE TRIGGER charge_is_answered_once BEFORE UPDATE ON charge_request FOR EACH ROW
    WHEN (OLD.outcome IS NOT NULL) EXECUTE FUNCTION refuse_change_of_answered_charge();

CREATE VIEW payouts_public.charge_requests AS
SELECT request_id, operation_id, wallet, currency, amount, cause, method_type, decided_at, requested_at, outcome,
       payment_intent, charge, code, advice, sentence, answered_at
FROM payouts.charge_request;
GRANT SELECT ON payouts_public.charge_requests TO hobbs_reader;
