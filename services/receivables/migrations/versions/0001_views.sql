-- What others may read: payments with what became of them, the unallocated, failures, what was kept.

CREATE VIEW receivables_public.payments AS
    SELECT charge.charge_id, charge.payment_intent_id, charge.student, charge.amount, charge.currency,
           charge.received_at, charge.fee, charge.fee_transaction_id, charge.settled_at,
           coalesce(refunded.amount, 0)::bigint AS refunded,
           coalesce(disputed.open, 0)::bigint AS disputed,
           coalesce(disputed.lost, 0)::bigint AS lost
    FROM charge
    LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM refund
                       WHERE refund.charge_id = charge.charge_id AND moved AND NOT failed) AS refunded ON true
    LEFT JOIN LATERAL (SELECT sum(amount) FILTER (WHERE outcome IS NULL) AS open,
                              sum(amount) FILTER (WHERE outcome = 'lost') AS lost
                       FROM dispute WHERE dispute.charge_id = charge.charge_id AND withdrawn) AS disputed ON true
    WHERE charge.amount IS NOT NULL;

CREATE VIEW receivables_public.refunds AS
    SELECT refund_id, charge_id, amount, currency, at, moved, failed FROM refund;

CREATE VIEW receivables_public.disputes AS
    SELECT dispute_id, charge_id, amount, currency, opened_at, withdrawn, outcome, closed_at, fees FROM dispute;

-- `balance`: what liability:unallocated still holds for the payment.
CREATE VIEW receivables_public.unallocated_payments AS
    SELECT queue.charge_id, charge.amount, charge.currency, charge.received_at, queue.queued_at,
           coalesce(held.balance, 0)::bigint AS balance,
           queue.student, queue.allocated_at, queue.allocated_by
    FROM unallocated_payment AS queue
    JOIN charge USING (charge_id)
    LEFT JOIN LATERAL (
        SELECT sum(entry.amount) AS balance
        FROM posting, jsonb_to_recordset(posting.entries) AS entry (wallet text, amount bigint)
        WHERE posting.charge_id = queue.charge_id AND entry.wallet = 'liability:unallocated') AS held ON true;

-- Facts about charges whose payment has not been seen.
CREATE VIEW receivables_public.waiting_charges AS
    SELECT charge_id, first_seen_at, fee, fee_currency,
           (SELECT count(*) FROM refund WHERE refund.charge_id = charge.charge_id) AS refunds,
           (SELECT count(*) FROM dispute WHERE dispute.charge_id = charge.charge_id) AS disputes
    FROM charge WHERE amount IS NULL;

-- Charges of which Stripe says more was refunded than by the refunds it told of: an event was lost.
CREATE VIEW receivables_public.unexplained_refunds AS
    SELECT charge_id, student, currency, told_refunded, coalesce(known.amount, 0)::bigint AS known_refunds
    FROM charge
    LEFT JOIN LATERAL (SELECT sum(refund.amount) AS amount FROM refund
                       WHERE refund.charge_id = charge.charge_id AND (moved OR failed)) AS known ON true
    WHERE told_refunded > coalesce(known.amount, 0);

CREATE VIEW receivables_public.payment_failures AS
    SELECT payment_intent_id, attempt, student, amount, currency, code, failed_at FROM payment_failure;

CREATE VIEW receivables_public.kept_webhooks AS
    SELECT event_id, event_type, received_at FROM kept_webhook;

GRANT SELECT ON ALL TABLES IN SCHEMA receivables_public TO hobbs_reader;
