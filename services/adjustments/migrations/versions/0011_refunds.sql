-- What a student is owed may go back to the card it was paid with (decision 0215).
ALTER TABLE settlement
    DROP CONSTRAINT settlement_method_is_known,
    ADD CONSTRAINT settlement_method_is_known CHECK (method IN ('books', 'credit', 'charge', 'payout', 'refund',
        'future_payout_offset', 'stripe_reversal', 'manual_check', 'forgiven', 'written_off')),
    DROP CONSTRAINT method_is_one_of_its_party,
    ADD CONSTRAINT method_is_one_of_its_party CHECK (CASE split_part(wallet, ':', 1)
        WHEN 'student' THEN method IN ('credit', 'charge', 'refund', 'manual_check', 'forgiven', 'written_off')
        WHEN 'instructor' THEN method NOT IN ('books', 'credit', 'charge', 'refund')
        WHEN 'aircraft_owner' THEN method NOT IN ('books', 'credit', 'charge', 'refund')
        ELSE method = 'books' END),
    DROP CONSTRAINT method_goes_the_way_of_the_money,
    ADD CONSTRAINT method_goes_the_way_of_the_money CHECK (CASE
        WHEN method IN ('credit', 'payout', 'refund') THEN amount > 0
        WHEN method IN ('charge', 'future_payout_offset', 'stripe_reversal', 'forgiven', 'written_off') THEN amount < 0
        ELSE true END),
    DROP CONSTRAINT costly_settlement_says_who_decided,
    ADD CONSTRAINT costly_settlement_says_who_decided CHECK (
        method NOT IN ('stripe_reversal', 'refund', 'manual_check', 'forgiven', 'written_off')
        OR decided_by IS NOT NULL);
CREATE INDEX settlement_by_its_refunds ON settlement USING gin (string_to_array(proof, ', '))
    WHERE method = 'refund' AND state = 'settled';

-- Refunds at Stripe that settle something, or that a bank sent back; returned: how much of it, minor units.
CREATE TABLE refund_heard (
    refund   text   PRIMARY KEY,
    returned bigint NOT NULL DEFAULT 0,
    CONSTRAINT a_bank_returns_no_less_than_nothing CHECK (returned >= 0)
);
GRANT SELECT, INSERT, UPDATE ON refund_heard TO hobbs_adjustments;
