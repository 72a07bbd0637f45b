-- The level of their limit at which students were found last. stale: something happened since that may change it.
CREATE TABLE credit_level (
    student text PRIMARY KEY,
    level   text NOT NULL DEFAULT 'ok'
            CONSTRAINT credit_level_is_known CHECK (level IN ('ok', 'near', 'close', 'exceeded')),
    changes integer NOT NULL DEFAULT 0,
    stale   boolean NOT NULL DEFAULT true
);
CREATE INDEX credit_level_is_stale ON credit_level (student) WHERE stale;

-- Each crossing, as it was said.
CREATE TABLE credit_level_change (
    student      text NOT NULL REFERENCES credit_level,
    number       integer NOT NULL CONSTRAINT crossings_are_counted_from_one CHECK (number > 0),
    from_level   text NOT NULL,
    to_level     text NOT NULL,
    currency     text NOT NULL,
    posted       bigint NOT NULL,
    pending      bigint NOT NULL,
    disputed     bigint NOT NULL,
    credit_limit bigint,
    sentence     text NOT NULL,
    changed_at   timestamptz NOT NULL,
    CONSTRAINT a_crossing_is_said_once PRIMARY KEY (student, number),
    CONSTRAINT a_crossing_changes_the_level CHECK (from_level <> to_level)
);

-- The school's date and the version of the book by which everybody was looked at last.
ALTER TABLE school ADD COLUMN levels_on date, ADD COLUMN levels_version integer NOT NULL DEFAULT 0;

GRANT SELECT, INSERT, UPDATE ON credit_level TO hobbs_receivables;
GRANT SELECT, INSERT ON credit_level_change TO hobbs_receivables;

CREATE VIEW receivables_public.credit_level_changes AS
SELECT student, number, from_level, to_level, currency, posted, pending, disputed, credit_limit, sentence, changed_at
FROM receivables.credit_level_change;
GRANT SELECT ON receivables_public.credit_level_changes TO hobbs_reader;
