-- It says one thing more (functions/dunning.sql makes it anew).
DROP FUNCTION IF EXISTS receivables_public.dunning_of(date, timestamptz, text[]);

-- A bank debit that failed after its money was on Stripe's balance.
ALTER TABLE charge ADD COLUMN failed_at timestamptz, ADD COLUMN failure_code text;
ALTER TABLE charge ADD CONSTRAINT failed_payment_says_why CHECK ((failed_at IS NULL) = (failure_code IS NULL));
ALTER TABLE charge ADD CONSTRAINT only_a_payment_fails_later CHECK (failed_at IS NULL OR amount IS NOT NULL);

-- Stripe's word for why the money was claimed back; of disputes that were read before, it is not known.
ALTER TABLE dispute ADD COLUMN reason text;

-- A charge that was made and whose money was taken back counts as declined, and says that it was made.
ALTER TABLE auto_charge ADD COLUMN taken_back_at timestamptz;
ALTER TABLE auto_charge ADD CONSTRAINT only_a_made_charge_is_taken_back
    CHECK (taken_back_at IS NULL OR (state = 'declined' AND charge_id IS NOT NULL));
CREATE INDEX auto_charge_of_charge ON auto_charge (charge_id) WHERE state = 'succeeded';

CREATE OR REPLACE VIEW receivables_public.auto_charges AS
SELECT request_id, student, cause, attempt, currency, amount, payment_method, state, decided_at, answered_at,
       payment_intent, charge_id, kind, code, sentence, retry_at, taken_back_at
FROM auto_charge;

CREATE OR REPLACE VIEW receivables_public.disputes AS
SELECT dispute_id, charge_id, amount, currency, opened_at, withdrawn, outcome, closed_at, fees, reason FROM dispute;

-- lost: what a lost dispute or a failed debit took back.
CREATE OR REPLACE VIEW receivables_public.payments AS
SELECT charge.charge_id, payment_intent_id, student, charge.amount, charge.currency, received_at, fee,
       fee_transaction_id, settled_at,
       coalesce(refunded.amount, 0)::bigint AS refunded,
       coalesce(disputed.open, 0)::bigint AS disputed,
       (coalesce(disputed.lost, 0) + CASE WHEN failed_at IS NULL THEN 0 ELSE charge.amount END)::bigint AS lost,
       failed_at, failure_code
FROM charge
LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM refund
                   WHERE refund.charge_id = charge.charge_id AND moved AND NOT failed) AS refunded ON true
LEFT JOIN LATERAL (SELECT sum(amount) FILTER (WHERE outcome IS NULL) AS open,
                          sum(amount) FILTER (WHERE outcome = 'lost') AS lost FROM dispute
                   WHERE dispute.charge_id = charge.charge_id AND withdrawn) AS disputed ON true
WHERE charge.amount IS NOT NULL;
