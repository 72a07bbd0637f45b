-- The book is append-only: a card as it is now is the newest version of it, and nothing is ever overwritten.

CREATE TABLE book (
    there_is_one boolean NOT NULL DEFAULT true,
    version      integer NOT NULL,
    CONSTRAINT there_is_one_book PRIMARY KEY (there_is_one),
    CONSTRAINT the_only_book CHECK (there_is_one),
    CONSTRAINT book_version_counts_from_zero CHECK (version >= 0)
);
INSERT INTO book (version) VALUES (0);

CREATE TABLE school_version (
    version      integer     NOT NULL,
    base_version integer     NOT NULL,
    who          text        NOT NULL,
    why          text        NOT NULL,
    at           timestamptz NOT NULL,
    event_key    uuid        NOT NULL,
    applied_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT school_version_is_made_once PRIMARY KEY (version),
    CONSTRAINT event_makes_one_version UNIQUE (event_key),
    CONSTRAINT school_version_follows_its_base CHECK (version = base_version + 1 AND base_version >= 0)
);

CREATE TABLE card_version (
    kind           text    NOT NULL,
    key            text    NOT NULL,
    effective_from date    NOT NULL,
    version        integer NOT NULL,
    old            jsonb,
    new            jsonb,
    CONSTRAINT card_changes_once_in_a_version PRIMARY KEY (kind, key, effective_from, version),
    CONSTRAINT card_version_is_of_a_school_version FOREIGN KEY (version) REFERENCES school_version (version),
    CONSTRAINT card_kind_is_known CHECK
        (kind IN ('school', 'tax', 'aircraft', 'instructor', 'owner', 'student', 'student_rate')),
    CONSTRAINT card_is_an_object CHECK (new IS NULL OR jsonb_typeof(new) = 'object')
);
CREATE INDEX card_version_by_version ON card_version (version);

-- The book as it stands: the newest version of each dated card, unless that withdrew it.
CREATE VIEW card AS
    SELECT kind, key, effective_from, version, new AS document
    FROM (SELECT DISTINCT ON (kind, key, effective_from) kind, key, effective_from, version, new
          FROM card_version
          ORDER BY kind, key, effective_from, version DESC) AS newest
    WHERE new IS NOT NULL;

CREATE TABLE bill (
    id             uuid        NOT NULL,
    flight_id      text        NOT NULL,
    revision       integer     NOT NULL,
    corrects       uuid,
    fingerprint    text        NOT NULL,
    student        text        NOT NULL,
    instructor     text,
    aircraft       text,
    billed_on      date        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    currency       text        NOT NULL,
    charge         bigint      NOT NULL,
    legs_total     bigint      NOT NULL,
    margin         bigint      NOT NULL,
    hours_from     text        NOT NULL,
    billed_tenths  integer     NOT NULL,
    hobbs_out      integer,
    hobbs_in       integer,
    tach_out       integer,
    tach_in        integer,
    facts          jsonb       NOT NULL,
    rates          jsonb       NOT NULL,
    lines          jsonb       NOT NULL,
    legs           jsonb       NOT NULL,
    flags          jsonb       NOT NULL,
    school_version integer     NOT NULL,
    billed_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bill_has_an_id PRIMARY KEY (id),
    CONSTRAINT flight_revision_is_billed_once UNIQUE (flight_id, revision),
    CONSTRAINT correction_has_an_earlier_bill FOREIGN KEY (corrects) REFERENCES bill (id),
    CONSTRAINT bill_is_of_a_school_version FOREIGN KEY (school_version) REFERENCES school_version (version),
    CONSTRAINT charge_less_legs_is_margin CHECK (charge - legs_total = margin),
    CONSTRAINT charge_is_not_negative CHECK (charge >= 0),
    CONSTRAINT hours_source_is_known CHECK (hours_from IN ('hobbs', 'tach', 'logged', 'none')),
    CONSTRAINT billed_hours_are_of_one_day CHECK (billed_tenths BETWEEN 0 AND 240),
    CONSTRAINT hobbs_does_not_run_backwards CHECK (hobbs_in >= hobbs_out),
    CONSTRAINT tach_does_not_run_backwards CHECK (tach_in >= tach_out),
    CONSTRAINT revision_counts_from_one CHECK (revision >= 1)
);
-- Whatever its revision, a flight is completed once; a later bill of it names the one that it corrects.
CREATE UNIQUE INDEX completed_flight_is_billed_once ON bill (flight_id) WHERE corrects IS NULL;
CREATE INDEX bill_by_student ON bill (student, billed_on);
CREATE INDEX bill_by_day ON bill (billed_on);
CREATE INDEX bill_by_hobbs ON bill (aircraft, hobbs_out) WHERE hobbs_out IS NOT NULL AND hobbs_in IS NOT NULL;
CREATE INDEX bill_by_tach ON bill (aircraft, tach_out) WHERE tach_out IS NOT NULL AND tach_in IS NOT NULL;

GRANT SELECT, INSERT ON school_version, card_version, bill TO hobbs_billing;
GRANT SELECT ON card TO hobbs_billing;
GRANT SELECT, UPDATE (version) ON book TO hobbs_billing;
