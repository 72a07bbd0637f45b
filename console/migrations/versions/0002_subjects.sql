ALTER TABLE session ADD COLUMN subject text;
CREATE INDEX session_by_subject ON session (subject) WHERE ended_at IS NULL;
