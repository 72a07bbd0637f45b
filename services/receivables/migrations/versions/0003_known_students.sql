-- `named`: what Stripe's metadata calls the student while the school knows nobody of that name.
ALTER TABLE charge ADD COLUMN named text;
CREATE INDEX charge_named ON charge (named) WHERE student IS NULL AND named IS NOT NULL;

-- `closest`: the student whose name is nearest to it.
ALTER TABLE unallocated_payment ADD COLUMN closest text;

CREATE TABLE payment_move (
    charge_id    text NOT NULL REFERENCES charge,
    number       integer NOT NULL,
    from_student text NOT NULL,
    to_student   text NOT NULL,
    amount       bigint NOT NULL,
    currency     text NOT NULL,
    moved_at     timestamptz NOT NULL,
    moved_by     text NOT NULL,
    why          text NOT NULL,
    CONSTRAINT payment_move_is_numbered_once PRIMARY KEY (charge_id, number),
    CONSTRAINT payment_move_changes_the_student CHECK (from_student <> to_student),
    CONSTRAINT payment_move_is_positive CHECK (amount > 0)
);

CREATE INDEX payment_move_to_student ON payment_move (to_student);

GRANT SELECT, INSERT ON payment_move TO hobbs_receivables;

CREATE OR REPLACE VIEW receivables_public.unallocated_payments AS
    SELECT queue.charge_id, charge.amount, charge.currency, charge.received_at, queue.queued_at,
           coalesce(held.balance, 0)::bigint AS balance,
           queue.student, queue.allocated_at, queue.allocated_by, charge.named, queue.closest
    FROM unallocated_payment AS queue
    JOIN charge USING (charge_id)
    LEFT JOIN LATERAL (
        SELECT sum(entry.amount) AS balance
        FROM posting, jsonb_to_recordset(posting.entries) AS entry (wallet text, amount bigint)
        WHERE posting.charge_id = queue.charge_id AND entry.wallet = 'liability:unallocated'
    ) AS held ON true;

CREATE VIEW receivables_public.payment_moves AS
    SELECT charge_id, number, from_student, to_student, amount, currency, moved_at, moved_by, why
    FROM payment_move;

GRANT SELECT ON receivables_public.payment_moves TO hobbs_reader;
