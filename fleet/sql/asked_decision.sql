-- Which login of the database asked for a decision (fleet/vouches.py). `<service>` stands for the service's name.
-- Only added to, by a function: a row has the session's own login, whatever role the session took on.
-- fleet.migrate runs it after the newest revision each time, before the functions.

CREATE TABLE IF NOT EXISTS asked_decision (
    decision_id uuid        NOT NULL CONSTRAINT decision_is_asked_once PRIMARY KEY,
    body_sha256 bytea       NOT NULL CONSTRAINT asked_body_is_sha256 CHECK (octet_length(body_sha256) = 32),
    login       text        NOT NULL,
    roles       text[]      NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT ON asked_decision TO hobbs_<service>;
