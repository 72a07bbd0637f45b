-- What a revert takes from (or gives back to) a payee, while the journal that it reverts has no payable here: it
-- is on its way through Kafka, or it never owed the payee anything and the row stays.

CREATE TABLE revert_without_payable (
    journal_id uuid NOT NULL,
    wallet text NOT NULL REFERENCES payee (wallet),
    reverted_id uuid NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL CONSTRAINT kept_revert_is_not_zero CHECK (amount <> 0),
    source text NOT NULL,
    occurred_at timestamptz NOT NULL,
    trace jsonb NOT NULL,
    CONSTRAINT one_kept_revert_per_journal_and_wallet PRIMARY KEY (journal_id, wallet)
);
CREATE INDEX revert_of_a_journal ON revert_without_payable (reverted_id);

GRANT SELECT, INSERT, DELETE ON revert_without_payable TO hobbs_payouts;
