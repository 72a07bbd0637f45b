-- Objects of Stripe's that were not believed: kept and shown, so that the others of their list are written.
CREATE TABLE odd_object (
    kind           text NOT NULL,
    object_id      text NOT NULL,
    stripe_account text NOT NULL,
    sentence       text NOT NULL,
    body           text NOT NULL,
    first_seen_at  timestamptz NOT NULL,
    last_seen_at   timestamptz NOT NULL,
    times          bigint NOT NULL DEFAULT 1,
    closed_at      timestamptz,
    closed_by      text,
    PRIMARY KEY (kind, object_id),
    CONSTRAINT closed_odd_object_says_by_whom CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX odd_object_open ON odd_object (first_seen_at) WHERE closed_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON odd_object TO hobbs_payouts;

CREATE VIEW payouts_public.odd_objects AS
SELECT kind, object_id, stripe_account, sentence, first_seen_at, last_seen_at, times, closed_at, closed_by
FROM payouts.odd_object;
GRANT SELECT ON payouts_public.odd_objects TO hobbs_reader;

-- A negative payout is what Stripe took from a payee's bank; it is kept with its sign and carries no transfer.
ALTER TABLE payout DROP CONSTRAINT payout_amount_is_positive;

-- What Stripe's currency rules keep a transfer from sending goes to the payee's next one: two payables that sum
-- to zero, less in this transfer and more in the next. No journal is behind them.
ALTER TABLE payable ALTER COLUMN journal_id DROP NOT NULL;
ALTER TABLE payable ADD CONSTRAINT carried_payable_has_no_journal
    CHECK ((event_type = 'carried') = (journal_id IS NULL));

-- An instant payout stands next to its transfer in the payee's line, also one that waits already.
UPDATE operation SET sequence = sent.sequence
FROM operation AS sent
WHERE operation.kind = 'instant_payout' AND operation.state IN ('due', 'held', 'parked')
  AND sent.kind = 'transfer' AND sent.transfer_id = operation.transfer_id;
