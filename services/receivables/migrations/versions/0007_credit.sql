-- One row. The versions are those of the school's book that named zone and currency, and as far as it was read.
CREATE TABLE school (
    only_row      boolean PRIMARY KEY DEFAULT true,
    time_zone     text NOT NULL DEFAULT 'UTC',
    currency      text,
    named_version integer NOT NULL DEFAULT 0,
    read_version  integer NOT NULL DEFAULT 0,
    CONSTRAINT there_is_one_school CHECK (only_row)
);
INSERT INTO school DEFAULT VALUES;

-- The book's policy on credit, and students' own limits. A card's newest version stands, in whatever order they
-- are read; so a withdrawn card keeps its row.
CREATE TABLE credit_policy (
    effective_from date PRIMARY KEY,
    version        integer NOT NULL,
    policy         jsonb,
    CONSTRAINT policy_is_an_object CHECK (policy IS NULL OR jsonb_typeof(policy) = 'object')
);

CREATE TABLE credit_limit (
    student        text NOT NULL,
    effective_from date NOT NULL,
    version        integer NOT NULL,
    withdrawn      boolean NOT NULL,
    amount         bigint,
    until          date,
    frozen         boolean NOT NULL,
    CONSTRAINT credit_limit_is_dated_once PRIMARY KEY (student, effective_from),
    CONSTRAINT credit_limit_is_not_negative CHECK (amount >= 0)
);

CREATE INDEX dispute_is_open ON dispute (charge_id) WHERE withdrawn AND outcome IS NULL;

GRANT SELECT, UPDATE ON school TO hobbs_receivables;
GRANT SELECT, INSERT, UPDATE ON credit_policy, credit_limit TO hobbs_receivables;

CREATE VIEW receivables_public.school AS SELECT time_zone, currency, read_version FROM receivables.school;
CREATE VIEW receivables_public.credit_limits AS
SELECT student, effective_from, version, withdrawn, amount, until, frozen FROM receivables.credit_limit;

GRANT SELECT ON receivables_public.school, receivables_public.credit_limits TO hobbs_reader;
