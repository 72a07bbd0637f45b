-- Rows of the outbox that Kafka has, for some days (HOBBS_OUTBOX_KEPT_DAYS): when Kafka is lost they are put back and sent
-- again, under the same ids. The relay moves them here and prunes them, the oldest first (fleet/outbox.py). `<service>`
-- stands for the service's name; fleet.migrate runs it after the newest revision each time.

CREATE TABLE IF NOT EXISTS outbox_sent (
    id             bigint      NOT NULL CONSTRAINT sent_row_has_its_place PRIMARY KEY,
    topic          text        NOT NULL,
    key            bytea,
    value          bytea,
    event_id       uuid,
    source         text,
    correlation_id text,
    traceparent    text,
    raw_headers    jsonb,
    staged_at      timestamptz NOT NULL,
    sent_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT, DELETE ON outbox_sent TO hobbs_<service>;
