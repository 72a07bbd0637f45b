-- What its relay would publish, whoever wrote the row: the topics that are its own in schemas/topics.py, and no other.
ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_takes_own_topics_only;
ALTER TABLE outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK (topic IN (
           'billing.dead', 'billing.redrive', 'contact.changed', 'decision.taken', 'flight.billed',
           'flight.completed', 'flight.corrected', 'flight.estimated', 'flight.revised',
           'journal.requested', 'school.accepted', 'school.configured'
)) NOT VALID;  -- rows of the release before may be of other topics still
