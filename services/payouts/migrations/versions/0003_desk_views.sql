-- What people are shown of transfers and payees. The views of revision 0001 gain columns at their end.

CREATE OR REPLACE VIEW payouts_public.transfers AS
SELECT transfer.id, transfer.wallet, payee.kind AS payee_kind, payee.key AS payee, transfer.amount,
       transfer.currency, transfer.cause, transfer.state, transfer.reason, transfer.sentence, transfer.due_at,
       transfer.stripe_transfer_id, transfer.stripe_account, transfer.sent_at, transfer.clawback_until,
       transfer.in_bank_at, transfer.amount_reversed, transfer.created_at, transfer.changed_at,
       ARRAY(SELECT source FROM payouts.payable WHERE transfer_id = transfer.id ORDER BY id) AS sources,
       transfer.trace ->> 'correlation_id' AS correlation_id
FROM payouts.transfer JOIN payouts.payee USING (wallet);

-- status: "ready", or what keeps the payee from being paid. parked: an operation waits for a person's decision.
CREATE OR REPLACE VIEW payouts_public.payees AS
SELECT payee.wallet, payee.kind, payee.key, payee.schedule, payee.minimum_amount, payee.hold_hours,
       payee.instant, payee.stripe_account, payee.ready, payee.details_submitted, payee.charges_enabled,
       payee.payouts_enabled, payee.requirements, payee.disabled_reason, payee.balance_negative,
       payee.configured_at, payee.removed_at, payee.checked_at,
       CASE WHEN configured_at IS NULL THEN 'not configured' WHEN removed_at IS NOT NULL THEN 'removed'
            WHEN stripe_account IS NULL THEN 'account is being made'
            WHEN NOT ready THEN coalesce(disabled_reason, 'onboarding')
            WHEN balance_negative THEN 'negative balance' ELSE 'ready' END AS status,
       EXISTS (SELECT FROM payouts.operation WHERE operation.wallet = payee.wallet AND state = 'parked')
           AS parked
FROM payouts.payee;

CREATE OR REPLACE VIEW payouts_public.payouts AS
SELECT stripe_payout_id, stripe_account, wallet, amount, currency, status, instant, fee, failure, seen_at, made_at
FROM payouts.payout;

-- Every request to Stripe that an operation caused. transfer_id is null for a payee's account.
CREATE VIEW payouts_public.attempts AS
SELECT operation.transfer_id, operation.id AS operation_id, operation.kind, operation.wallet,
       attempt.generation, attempt.phase, attempt.idempotency_key, attempt.started_at, attempt.finished_at,
       attempt.verdict, attempt.http_status, attempt.code, attempt.request_id, attempt.sentence
FROM payouts.attempt JOIN payouts.operation ON operation.id = attempt.operation_id;

-- What journals owe payees. transfer_id is null until a transfer pays it.
CREATE VIEW payouts_public.payables AS
SELECT id, journal_id, wallet, currency, amount, source, event_type, occurred_at, accrued_at, transfer_id
FROM payouts.payable;

-- Which transfers a payout carried, and how much of each.
CREATE VIEW payouts_public.payout_parts AS
SELECT stripe_payout_id, transfer_id, amount FROM payouts.payout_part;

-- A link's URL is a secret: whoever has it acts as the payee at Stripe. A link to the dashboard has no time of
-- expiry; Stripe lets it be used once, within minutes.
CREATE VIEW payouts_public.links AS
SELECT id, wallet, kind, requested_at, answered_at, url, expires_at, problem
FROM payouts.link_request
WHERE coalesce(expires_at, answered_at + interval '5 minutes') > now();

GRANT SELECT ON payouts_public.attempts, payouts_public.payables, payouts_public.payout_parts TO hobbs_reader;
GRANT SELECT ON payouts_public.links TO hobbs_operator;
