-- The console lists transfers by the time they were made: console/reads/transfers.py.
CREATE INDEX transfer_by_time ON transfer (created_at, id);
CREATE INDEX transfer_of_a_wallet ON transfer (wallet, created_at);
-- What one payee earned: payouts_public.payee_totals.
CREATE INDEX payable_of_a_wallet ON payable (wallet, currency) INCLUDE (amount);
