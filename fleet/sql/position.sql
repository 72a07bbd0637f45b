-- The place behind the last record that this database handled, of each partition. It is written with what the
-- record caused, so that after a restore it says where to read again (fleet/positions.py).
CREATE TABLE IF NOT EXISTS topic_position (
    topic       text        NOT NULL,
    partition   integer     NOT NULL,
    next_offset bigint      NOT NULL,
    written_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_position_for_each_partition PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
