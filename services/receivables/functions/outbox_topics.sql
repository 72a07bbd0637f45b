-- What its relay would publish, whoever wrote the row: the topics that are its own in schemas/topics.py, and no other.
ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_takes_own_topics_only;
ALTER TABLE outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK (topic IN (
           'charge.requested', 'credit.level_changed', 'decision.taken', 'dispatch.cleared', 'dispatch.refused',
           'dunning.requested', 'hold.requested', 'journal.requested', 'notification.requested', 'payment.received',
           'receivables.dead', 'receivables.redrive', 'refund.requested'
)) NOT VALID;  -- rows of the release before may be of other topics still
