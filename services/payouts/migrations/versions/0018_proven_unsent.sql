-- A transfer whose request is proven to have had no effect is pending again: until the next request it can be
-- merged with what its payee owes (decision 0223).
ALTER TABLE transfer_history
    DROP CONSTRAINT transition_is_in_the_table,
    ADD CONSTRAINT transition_is_in_the_table CHECK (coalesce(from_state, 'new') || '>' || to_state IN (
        'new>pending', 'new>held', 'pending>held', 'pending>sending', 'pending>cancelled', 'held>held',
        'held>pending', 'held>cancelled', 'sending>pending', 'sending>sent', 'sending>held', 'sending>refused',
        'sending>parked', 'refused>pending', 'refused>held', 'refused>sent', 'refused>cancelled', 'parked>sent',
        'parked>pending', 'parked>held', 'parked>cancelled', 'held>sent', 'pending>sent', 'sent>in_bank',
        'sent>partly_reversed', 'sent>reversed', 'in_bank>sent', 'in_bank>partly_reversed', 'in_bank>reversed',
        'partly_reversed>partly_reversed', 'partly_reversed>reversed'));

WITH unsent AS (
    UPDATE transfer SET state = 'pending', changed_at = now()
    FROM operation
    WHERE operation.transfer_id = transfer.id AND operation.kind = 'transfer' AND transfer.state = 'sending'
      AND operation.state = 'due' AND operation.first_sent_at IS NULL
    RETURNING transfer.id
)
INSERT INTO transfer_history (transfer_id, at, from_state, to_state, actor)
SELECT id, now(), 'sending', 'pending', 'payouts' FROM unsent;
