-- What its relay would publish, whoever wrote the row: the topics that are its own in schemas/topics.py, and no other.
ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_takes_own_topics_only;
ALTER TABLE outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK (topic IN (
           'charge.answered', 'charge.settled', 'decision.taken', 'journal.requested',
           'notification.requested', 'payout.settled', 'payouts.dead', 'payouts.redrive',
           'refund.settled', 'reversal.settled', 'stripe.balance', 'stripe.transaction',
           'stripe.webhook', 'transfer.parked', 'transfer.refused', 'transfer.reversed',
           'transfer.sent'
)) NOT VALID;  -- rows of the release before may be of other topics still
