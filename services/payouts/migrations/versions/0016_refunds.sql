-- Refunds to students' cards (decision 0215). Amounts are minor units.

-- Card payments as receivables tells them, and whose they are now; wallet null: nobody's yet.
CREATE TABLE card_payment (
    charge_id   text        PRIMARY KEY,
    wallet      text,
    currency    text        NOT NULL,
    amount      bigint      NOT NULL CONSTRAINT card_payment_is_positive CHECK (amount > 0),
    received_at timestamptz NOT NULL,
    CONSTRAINT card_payment_is_a_students CHECK (wallet LIKE 'student:%')
);
CREATE INDEX card_payment_of_a_student ON card_payment (wallet, currency, received_at);
GRANT SELECT, INSERT, UPDATE ON card_payment TO hobbs_payouts;

-- An operation's line is its wallet's. Refunds go to students, who are no payees.
ALTER TABLE operation
    DROP CONSTRAINT operation_wallet_fkey,
    ADD COLUMN payee text GENERATED ALWAYS AS (CASE WHEN kind <> 'refund' THEN wallet END) STORED,
    ADD CONSTRAINT operation_is_of_a_known_payee FOREIGN KEY (payee) REFERENCES payee (wallet),
    ADD CONSTRAINT refund_is_of_a_students_payment
        CHECK (kind <> 'refund' OR wallet LIKE 'student:%' AND parent_id IS NOT NULL AND transfer_id IS NULL),
    DROP CONSTRAINT money_operation_belongs_to_a_transfer,
    ADD CONSTRAINT money_operation_belongs_to_a_transfer
        CHECK (kind IN ('account', 'refund') OR transfer_id IS NOT NULL),
    DROP CONSTRAINT operation_kind_is_known,
    ADD CONSTRAINT operation_kind_is_known
        CHECK (kind IN ('account', 'transfer', 'reversal', 'instant_payout', 'refund'));
CREATE INDEX operation_refunds_a_payment ON operation (parent_id) WHERE kind = 'refund';

-- A request to refund. due_at: when Stripe is looked at next, null while refunds are under way.
CREATE TABLE refund_request (
    settlement_id uuid        PRIMARY KEY,
    wallet        text        NOT NULL CONSTRAINT refund_is_for_a_student CHECK (wallet LIKE 'student:%'),
    currency      text        NOT NULL,
    source        text        NOT NULL,
    asked         bigint      NOT NULL CONSTRAINT refund_asks_for_a_positive_amount CHECK (asked > 0),
    state         text        NOT NULL DEFAULT 'looking',
    due_at        timestamptz,
    sentence      text        NOT NULL,
    refunded      bigint,
    reason        text,
    requested_at  timestamptz NOT NULL,
    settled_at    timestamptz,
    trace         jsonb       NOT NULL,
    CONSTRAINT refund_request_state_is_known CHECK (state IN ('looking', 'refunding', 'settled')),
    CONSTRAINT refund_reason_is_known CHECK (reason IN ('done', 'nothing_paid', 'short', 'refused')),
    CONSTRAINT settled_refund_request_has_an_answer
        CHECK (num_nulls(refunded, reason, settled_at) = CASE state WHEN 'settled' THEN 0 ELSE 3 END),
    CONSTRAINT no_more_is_refunded_than_was_asked CHECK (refunded BETWEEN 0 AND asked),
    CONSTRAINT done_refund_is_all_that_was_asked CHECK ((reason = 'done') = (refunded = asked)),
    CONSTRAINT refund_request_that_looks_has_a_time CHECK ((due_at IS NOT NULL) = (state = 'looking'))
);
CREATE INDEX refund_request_under_way ON refund_request (wallet) WHERE state <> 'settled';
CREATE INDEX refund_request_due ON refund_request (due_at) WHERE due_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON refund_request TO hobbs_payouts;

-- An answer is given once; functions/operations.sql has the function's text.
CREATE FUNCTION refuse_change_of_settled_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refund % is answered', OLD.settlement_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_is_answered_once';
END $$;
CREATE TRIGGER refund_is_answered_once BEFORE UPDATE ON refund_request FOR EACH ROW
    WHEN (OLD.state = 'settled') EXECUTE FUNCTION refuse_change_of_settled_refund();

-- The operations that a request led to, and the refunds at Stripe that name it, as they were seen last.
CREATE TABLE refund_part (
    operation_id  uuid PRIMARY KEY REFERENCES operation (id),
    settlement_id uuid NOT NULL REFERENCES refund_request (settlement_id)
);
CREATE INDEX refund_part_of_a_request ON refund_part (settlement_id);
CREATE TABLE refund_made (
    stripe_refund_id text   PRIMARY KEY,
    settlement_id    uuid   NOT NULL REFERENCES refund_request (settlement_id),
    charge_id        text   NOT NULL REFERENCES card_payment (charge_id),
    amount           bigint NOT NULL CONSTRAINT refunded_amount_is_positive CHECK (amount > 0),
    standing         text   NOT NULL,
    CONSTRAINT standing_of_a_refund_is_known CHECK (standing IN ('succeeded', 'pending', 'failed'))
);
CREATE INDEX refund_made_for_a_request ON refund_made (settlement_id);
CREATE INDEX refund_made_of_a_payment ON refund_made (charge_id);
GRANT SELECT, INSERT ON refund_part TO hobbs_payouts;
GRANT SELECT, INSERT, UPDATE ON refund_made TO hobbs_payouts;

CREATE VIEW payouts_public.refund_requests AS
SELECT settlement_id, wallet, currency, source, asked, state, due_at, sentence, refunded, reason, requested_at,
       settled_at
FROM payouts.refund_request;
CREATE VIEW payouts_public.refunds_made AS
SELECT stripe_refund_id, settlement_id, charge_id, amount, standing FROM payouts.refund_made;
GRANT SELECT ON payouts_public.refund_requests, payouts_public.refunds_made TO hobbs_reader;
