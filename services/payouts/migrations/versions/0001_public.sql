-- What others may read, and what this service's role may do to its own tables.

CREATE VIEW payouts_public.transfers AS
SELECT transfer.id, transfer.wallet, payee.kind AS payee_kind, payee.key AS payee, transfer.amount,
       transfer.currency, transfer.cause, transfer.state, transfer.reason, transfer.sentence, transfer.due_at,
       transfer.stripe_transfer_id, transfer.stripe_account, transfer.sent_at, transfer.clawback_until,
       transfer.in_bank_at, transfer.amount_reversed, transfer.created_at, transfer.changed_at,
       ARRAY(SELECT source FROM payouts.payable WHERE transfer_id = transfer.id ORDER BY id) AS sources
FROM payouts.transfer JOIN payouts.payee USING (wallet);

CREATE VIEW payouts_public.payees AS
SELECT payee.wallet, payee.kind, payee.key, payee.schedule, payee.minimum_amount, payee.hold_hours,
       payee.instant, payee.stripe_account, payee.ready, payee.details_submitted, payee.charges_enabled,
       payee.payouts_enabled, payee.requirements, payee.disabled_reason, payee.balance_negative,
       payee.configured_at, payee.removed_at, payee.checked_at
FROM payouts.payee;

-- Per payee and currency: earned, in transfers that wait, on the way, transferred, in the bank.
CREATE VIEW payouts_public.payee_totals AS
SELECT payee.wallet, money.currency,
       coalesce(sum(money.earned), 0)::bigint AS earned,
       coalesce(sum(money.waiting), 0)::bigint AS waiting,
       coalesce(sum(money.transferred), 0)::bigint AS transferred,
       coalesce(sum(money.in_bank), 0)::bigint AS in_bank
FROM payouts.payee JOIN (
    SELECT wallet, currency, amount AS earned, 0 AS waiting, 0 AS transferred, 0 AS in_bank FROM payouts.payable
    UNION ALL
    SELECT wallet, currency, 0,
           CASE WHEN state IN ('pending', 'held', 'sending', 'refused', 'parked') THEN amount ELSE 0 END,
           CASE WHEN stripe_transfer_id IS NOT NULL THEN amount - amount_reversed ELSE 0 END,
           CASE WHEN in_bank_at IS NOT NULL THEN amount - amount_reversed ELSE 0 END
    FROM payouts.transfer
) AS money USING (wallet)
GROUP BY payee.wallet, money.currency;

CREATE VIEW payouts_public.transfer_history AS
SELECT transfer_id, id AS step, at, from_state, to_state, reason, sentence, actor FROM payouts.transfer_history;

CREATE VIEW payouts_public.payouts AS
SELECT stripe_payout_id, stripe_account, wallet, amount, currency, status, instant, fee, failure, seen_at
FROM payouts.payout;

GRANT SELECT ON ALL TABLES IN SCHEMA payouts_public TO hobbs_reader;

GRANT SELECT, INSERT, UPDATE ON payee, transfer, payable, operation, attempt, payout, inquiry, link_request
    TO hobbs_payouts;
GRANT SELECT, INSERT, UPDATE, DELETE ON payee_card TO hobbs_payouts;
GRANT SELECT, INSERT, DELETE ON payout_part TO hobbs_payouts;
GRANT SELECT, INSERT ON transfer_history, reversal, webhook_kept TO hobbs_payouts;
GRANT SELECT, UPDATE ON school, relay_stop TO hobbs_payouts;
GRANT USAGE ON SEQUENCE operation_order TO hobbs_payouts;
