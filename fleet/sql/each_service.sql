-- Invariants of the tables that every service has. Run as each service's role, beside its own.

-- name: outbox_rows_reach_their_topic
-- No event waits in the outbox for more than ten minutes.
SELECT id, topic, staged_at FROM outbox WHERE staged_at < now() - interval '10 minutes';

-- name: sent_rows_are_forgotten
-- The log of what Kafka has reaches back eight days at most: it may hold addresses of people.
SELECT id, topic, sent_at FROM (SELECT id, topic, sent_at FROM outbox_sent ORDER BY id LIMIT 1) AS first
WHERE sent_at < now() - interval '8 days';

-- name: dead_letters_tell_their_attempts
-- Every dead letter's history names each of its refusals, and a closed one says who closed it.
SELECT id, topic, state, attempts
FROM dead_letter
WHERE attempts <> (SELECT count(*) FROM jsonb_array_elements(history) AS step WHERE step ->> 'what' = 'refused')
   OR (state <> 'open' AND history -> -1 ->> 'who' IS NULL);

-- name: letters_are_guarded
-- The triggers that keep a dead letter's history are there, and fire in every session.
SELECT guard.name FROM (VALUES ('dead_letter_is_only_added_to'), ('dead_letter_is_not_emptied')) AS guard (name)
WHERE NOT EXISTS (SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
                  WHERE tgrelid = 'dead_letter'::regclass AND tgname = guard.name AND tgenabled = 'A'
                    AND proname = 'refuse_rewritten_letter');
