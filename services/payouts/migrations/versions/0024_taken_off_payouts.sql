-- A payout is smaller by what was taken back of transfers that are in the bank: a negative part of it, decision 0257.
-- A part of 0 was carried and taken back by the same payout.
ALTER TABLE payout_part DROP CONSTRAINT payout_part_is_positive;
GRANT UPDATE (amount) ON payout_part TO hobbs_payouts;
CREATE INDEX transfer_of_which_some_was_taken_back ON transfer (stripe_account, currency) WHERE amount_reversed > 0;
CREATE OR REPLACE VIEW payouts_public.payout_parts AS
SELECT stripe_payout_id, transfer_id, amount FROM payouts.payout_part WHERE amount <> 0;
