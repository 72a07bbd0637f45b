-- The four tables every service has in its own schema. Run by fleet.migrate.create_fleet_tables.

CREATE TABLE inbox (
    event_key    uuid        NOT NULL,
    payload_hash bytea       NOT NULL,
    admitted_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT event_is_admitted_once PRIMARY KEY (event_key),
    CONSTRAINT payload_hash_is_sha256 CHECK (octet_length(payload_hash) = 32)
);

CREATE TABLE outbox (
    id             bigint      GENERATED ALWAYS AS IDENTITY,
    topic          text        NOT NULL,
    key            bytea,
    value          bytea,
    event_id       uuid,
    source         text,
    correlation_id text,
    traceparent    text,
    raw_headers    jsonb,
    staged_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT outbox_row_has_one_place PRIMARY KEY (id),
    CONSTRAINT outbox_row_is_an_event_or_a_raw_record
        CHECK ((event_id IS NOT NULL AND value IS NOT NULL AND raw_headers IS NULL)
            OR (event_id IS NULL AND raw_headers IS NOT NULL))
);

CREATE TABLE dead_letter (
    id             uuid        NOT NULL DEFAULT uuidv7(),
    topic          text        NOT NULL,
    partition      integer     NOT NULL,
    "offset"       bigint      NOT NULL,
    identity       text        NOT NULL,
    subject        text,
    key            bytea,
    value          bytea,
    headers        jsonb       NOT NULL,
    payload_hash   bytea       NOT NULL,
    event_key      uuid,
    correlation_id text        NOT NULL,
    reason         text        NOT NULL,
    sentence       text        NOT NULL,
    attempts       integer     NOT NULL DEFAULT 1,
    state          text        NOT NULL DEFAULT 'open',
    first_seen_at  timestamptz NOT NULL DEFAULT now(),
    last_seen_at   timestamptz NOT NULL DEFAULT now(),
    history        jsonb       NOT NULL,
    CONSTRAINT dead_letter_has_an_id PRIMARY KEY (id),
    CONSTRAINT one_dead_letter_for_each_subject UNIQUE (topic, identity),
    CONSTRAINT dead_letter_state_is_known CHECK (state IN ('open', 'redriven', 'discarded')),
    CONSTRAINT dead_letter_was_attempted CHECK (attempts > 0)
);
CREATE INDEX dead_letter_open ON dead_letter (last_seen_at) WHERE state = 'open';

CREATE TABLE timer (
    name        text        NOT NULL,
    due_at      timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    last_run    date,
    CONSTRAINT timer_runs_in_one_place PRIMARY KEY (name)
);
