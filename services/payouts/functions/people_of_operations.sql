-- What operations sees of money that stands still (hobbs_operations, fleet/logins.py): transfers and why one waits, what is
-- stopped, who cannot be paid, rows at Stripe that nothing explains, the gate, and acts that wait for
-- a second person. Not what people are called.
GRANT SELECT ON payouts_public.transfers, payouts_public.stopped_operations, payouts_public.payees,
    payouts_public.movements, payouts_public.reserve_gates, payouts_public.stripe_mode,
    payouts_public.forced_acts, payouts_public.account_words, payouts_public.transfer_history, payouts_public.operation_history,
    payouts_public.attempts, payouts_public.payables, payouts_public.payouts, payouts_public.payout_parts,
    payouts_public.reversals, payouts_public.clawbacks, payouts_public.payee_accounts TO hobbs_operations;
