-- What operations sees of money that stands still (hobbs_operations, fleet/logins.py): transfers and why one waits, what is
-- stopped, who cannot be paid, rows at Stripe that nothing explains, and the gate. Not what people are called.
GRANT SELECT ON payouts_public.transfers, payouts_public.stopped_operations, payouts_public.payees,
    payouts_public.movements, payouts_public.reserve_gates, payouts_public.stripe_mode TO hobbs_operations;
