-- What share of each payment is taken off for debts of corrections (decision 0216). percent null: withdrawn.
CREATE TABLE offset_policy (
    effective_from date    PRIMARY KEY,
    version        integer NOT NULL,
    percent        integer CONSTRAINT share_is_a_percentage CHECK (percent BETWEEN 1 AND 100)
);
GRANT SELECT, INSERT, UPDATE ON offset_policy TO hobbs_payouts;

-- Of a debt of which a transfer takes a part, two payables of type `offset` that add up to nothing stand for the
-- rest: one in the transfer, one open or in the transfer that takes it.
ALTER TABLE payable
    DROP CONSTRAINT only_a_rest_stands_for_a_debt,
    ADD CONSTRAINT only_a_rest_stands_for_a_debt
        CHECK (stands_for IS NULL OR event_type IN ('clawback', 'offset')),
    DROP CONSTRAINT carried_payable_has_no_journal,
    ADD CONSTRAINT carried_payable_has_no_journal
        CHECK ((event_type IN ('carried', 'clawback', 'offset')) = (journal_id IS NULL));

CREATE VIEW payouts_public.offset_policies AS SELECT effective_from, version, percent FROM payouts.offset_policy;
GRANT SELECT ON payouts_public.offset_policies TO hobbs_reader;
