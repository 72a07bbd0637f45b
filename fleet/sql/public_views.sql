-- What every service publishes of the tables that every service has: `<service>` stands for its name.
-- fleet.migrate runs it after the newest revision each time, so it may only add columns at the end of a view.

CREATE OR REPLACE VIEW <service>_public.dead_letters AS
SELECT id, topic, partition, "offset", subject, reason, sentence, attempts, state, first_seen_at, last_seen_at,
       correlation_id, event_key
FROM <service>.dead_letter;

GRANT SELECT ON <service>_public.dead_letters TO hobbs_reader, hobbs_operations;

-- Which events a service has taken in: whoever published one sees that it arrived. Old ones are forgotten.
CREATE OR REPLACE VIEW <service>_public.admitted_events AS
SELECT event_key, admitted_at FROM <service>.inbox;

GRANT SELECT ON <service>_public.admitted_events TO hobbs_reader;

-- How far each topic is handled, for `hobbs restore check`.
CREATE OR REPLACE VIEW <service>_public.positions AS
SELECT topic, partition, next_offset, written_at FROM <service>.topic_position;

GRANT SELECT ON <service>_public.positions TO hobbs_reader, hobbs_operations;
