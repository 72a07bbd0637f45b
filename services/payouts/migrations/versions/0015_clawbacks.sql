-- A request to take back what a payee owes, of transfers that were sent (decision 0211). Amounts are minor units.
-- claimed: how much of the debt it keeps out of what is paid next; refusals: rounds in which Stripe refused
-- something; due_at: when it is looked at next, null while reversals are under way.
CREATE TABLE clawback (
    settlement_id uuid        PRIMARY KEY,
    wallet        text        NOT NULL REFERENCES payee (wallet),
    currency      text        NOT NULL,
    source        text        NOT NULL,
    asked         bigint      NOT NULL CONSTRAINT clawback_asks_for_a_positive_amount CHECK (asked > 0),
    paid_by       text[]      NOT NULL,
    state         text        NOT NULL DEFAULT 'waiting',
    claimed       bigint,
    refusals      integer     NOT NULL DEFAULT 0,
    due_at        timestamptz,
    sentence      text        NOT NULL,
    reversed      bigint,
    reason        text,
    requested_at  timestamptz NOT NULL,
    claimed_at    timestamptz,
    settled_at    timestamptz,
    trace         jsonb       NOT NULL,
    CONSTRAINT clawback_state_is_known CHECK (state IN ('waiting', 'claimed', 'reversing', 'settled')),
    CONSTRAINT clawback_reason_is_known CHECK (reason IN (
        'done', 'window_closed', 'nothing_sent', 'refused', 'short', 'already_deducted', 'unknown_debt')),
    CONSTRAINT clawback_under_way_has_a_claim CHECK (state NOT IN ('claimed', 'reversing') OR claimed > 0),
    CONSTRAINT claim_has_a_time CHECK ((claimed IS NULL) = (claimed_at IS NULL)),
    CONSTRAINT claim_is_no_more_than_was_asked CHECK (claimed <= asked),
    CONSTRAINT settled_clawback_has_an_answer
        CHECK (num_nulls(reversed, reason, settled_at) = CASE state WHEN 'settled' THEN 0 ELSE 3 END),
    CONSTRAINT no_more_comes_back_than_was_claimed CHECK (reversed BETWEEN 0 AND coalesce(claimed, 0)),
    CONSTRAINT done_is_all_that_was_asked CHECK ((reason = 'done') = (reversed = asked)),
    CONSTRAINT clawback_that_waits_is_looked_at CHECK ((due_at IS NOT NULL) = (state IN ('waiting', 'claimed')))
);
CREATE INDEX clawback_under_way ON clawback (wallet) WHERE state <> 'settled';
CREATE INDEX clawback_due ON clawback (due_at) WHERE due_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON clawback TO hobbs_payouts;

-- An answer is given once; functions/operations.sql has the function's text.
CREATE FUNCTION refuse_change_of_settled_clawback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'claw-back % is answered', OLD.settlement_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'clawback_is_answered_once';
END $$;
CREATE TRIGGER clawback_is_answered_once BEFORE UPDATE ON clawback FOR EACH ROW
    WHEN (OLD.state = 'settled') EXECUTE FUNCTION refuse_change_of_settled_clawback();

-- The reversals that a request led to, and what of Stripe's reversals closed its debt.
CREATE TABLE clawback_part (
    operation_id  uuid PRIMARY KEY REFERENCES operation (id),
    settlement_id uuid NOT NULL REFERENCES clawback (settlement_id)
);
CREATE INDEX clawback_part_of_a_request ON clawback_part (settlement_id);
CREATE TABLE clawback_return (
    stripe_reversal_id text   NOT NULL REFERENCES reversal (stripe_reversal_id),
    settlement_id      uuid   NOT NULL REFERENCES clawback (settlement_id),
    amount             bigint NOT NULL CONSTRAINT returned_amount_is_positive CHECK (amount > 0),
    PRIMARY KEY (stripe_reversal_id, settlement_id)
);
CREATE INDEX clawback_return_of_a_request ON clawback_return (settlement_id);
GRANT SELECT, INSERT ON clawback_part, clawback_return TO hobbs_payouts;

-- A payable in a claw-back is deducted from no transfer. Two payables that add up to nothing, of type `clawback`,
-- leave out of it what is not taken back: one in the claw-back, one that `stands_for` the debt beside it.
ALTER TABLE payable
    ADD COLUMN clawback_id uuid REFERENCES clawback (settlement_id),
    ADD COLUMN stands_for  text,
    ADD CONSTRAINT claimed_payable_is_in_no_transfer CHECK (clawback_id IS NULL OR transfer_id IS NULL),
    ADD CONSTRAINT only_a_rest_stands_for_a_debt CHECK (stands_for IS NULL OR event_type = 'clawback'),
    DROP CONSTRAINT carried_payable_has_no_journal,
    ADD CONSTRAINT carried_payable_has_no_journal
        CHECK ((event_type IN ('carried', 'clawback')) = (journal_id IS NULL));
CREATE INDEX payable_in_a_clawback ON payable (clawback_id) WHERE clawback_id IS NOT NULL;
CREATE INDEX payable_that_stands_for_a_debt ON payable (wallet, stands_for) WHERE stands_for IS NOT NULL;

-- cause: of the operation that a reversal's metadata names, also of one that a restored database does not know;
-- null: somebody made it in Stripe's dashboard.
ALTER TABLE reversal ADD COLUMN cause text;
UPDATE reversal SET cause = operation.cause FROM operation WHERE operation.id = reversal.operation_id;

-- not_after: from then on an operation is not sent; whether an earlier request had an effect is looked up.
ALTER TABLE operation ADD COLUMN not_after timestamptz;
CREATE INDEX operation_that_may_be_too_late ON operation (not_after)
    WHERE not_after IS NOT NULL AND state = 'due';
DROP TRIGGER operation_parameters_are_frozen ON operation;
CREATE TRIGGER operation_parameters_are_frozen BEFORE UPDATE ON operation FOR EACH ROW
    WHEN ((OLD.kind, OLD.wallet, OLD.transfer_id, OLD.cause, OLD.params, OLD.amount, OLD.currency,
           OLD.stripe_account, OLD.parent_id, OLD.not_after) IS DISTINCT FROM
          (NEW.kind, NEW.wallet, NEW.transfer_id, NEW.cause, NEW.params, NEW.amount, NEW.currency,
           NEW.stripe_account, NEW.parent_id, NEW.not_after))
    EXECUTE FUNCTION refuse_change_of_frozen_operation();

-- What is published.
CREATE VIEW payouts_public.clawbacks AS
SELECT settlement_id, wallet, currency, source, asked, state, claimed, sentence, reversed, reason, requested_at,
       claimed_at, settled_at,
       (SELECT coalesce(sum(amount), 0)::bigint FROM payouts.clawback_return AS back
        WHERE back.settlement_id = clawback.settlement_id) AS came_back,
       (SELECT min(operation.not_after) FROM payouts.clawback_part AS part
        JOIN payouts.operation ON operation.id = part.operation_id
        WHERE part.settlement_id = clawback.settlement_id
          AND operation.state NOT IN ('succeeded', 'cancelled')) AS not_after
FROM payouts.clawback;
CREATE VIEW payouts_public.clawback_parts AS
SELECT part.settlement_id, operation.id AS operation_id, operation.transfer_id, operation.amount, operation.state,
       operation.reason, operation.sentence, operation.stripe_id, operation.created_at, operation.not_after
FROM payouts.clawback_part AS part JOIN payouts.operation ON operation.id = part.operation_id;
CREATE VIEW payouts_public.reversals AS
SELECT stripe_reversal_id, transfer_id, operation_id, amount, reversed_at, cause FROM payouts.reversal;
CREATE OR REPLACE VIEW payouts_public.payables AS
SELECT id, journal_id, wallet, currency, amount, source, event_type, occurred_at, accrued_at, transfer_id, clawback_id,
       stands_for
FROM payouts.payable;
GRANT SELECT ON payouts_public.clawbacks, payouts_public.clawback_parts, payouts_public.reversals TO hobbs_reader;
