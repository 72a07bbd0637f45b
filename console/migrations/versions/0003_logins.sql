-- Of decisions that releases before copied neither is known; `hobbs audit export` reads both topics.
ALTER TABLE decision ADD COLUMN taken_as text, ADD COLUMN login text;
CREATE OR REPLACE VIEW console_public.decisions AS
SELECT decision_id, service, action, object, parameters, person, roles, channel, why, preview_hash, dry_run,
       requested_at, outcome, sentence, effects, taken_at, coalesce(requested_at, taken_at) AS at, taken_as, login
FROM console.decision;
