-- Which transfers took a part of a debt off, and not its last cent (decision 0216); amount: minor units.
CREATE TABLE partly_carried (
    source      text NOT NULL,
    wallet      text NOT NULL,
    transfer_id uuid NOT NULL,
    amount      bigint NOT NULL CONSTRAINT a_part_is_above_zero CHECK (amount > 0),
    sent_at     timestamptz NOT NULL,
    PRIMARY KEY (source, wallet, transfer_id)
);
GRANT SELECT, INSERT ON partly_carried TO hobbs_adjustments;
