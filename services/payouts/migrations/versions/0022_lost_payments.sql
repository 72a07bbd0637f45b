-- A payment of which no webhook told is read from Stripe, and told as the webhook would have: decision 0256.
ALTER TABLE inquiry DROP CONSTRAINT inquiry_kind_is_known,
    ADD CONSTRAINT inquiry_kind_is_known
        CHECK (kind IN ('account', 'charge_fee', 'payment', 'payout_fee', 'reversals'));
