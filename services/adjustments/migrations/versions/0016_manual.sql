-- Amounts by hand of flights that other software billed (decision 0322): never without a person.
ALTER TABLE adjustment
    DROP CONSTRAINT adjustment_kind_is_known,
    ADD CONSTRAINT adjustment_kind_is_known CHECK (kind IN ('corrected', 'cancelled', 'recovered', 'manual')),
    ADD CONSTRAINT amount_by_hand_needs_approval CHECK (kind <> 'manual' OR approvals_needed > 0
        OR state IN ('posted', 'settling', 'settled'));
