-- What of a flight does not agree: meters with bills, bills with the books, the books with what payees get (decision 0260).
CREATE TABLE mismatch (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject      text        NOT NULL,
    kind         text        NOT NULL,
    flight_id    text        NOT NULL,
    aircraft     text,
    wallet       text,
    day          date        NOT NULL,
    tenths       integer,
    amount       bigint      NOT NULL,
    currency     text        NOT NULL,
    sentence     text        NOT NULL,
    content_hash text        NOT NULL GENERATED ALWAYS AS (
        md5(kind || ' ' || amount::text || ' ' || currency || ' ' || coalesce(tenths::text, ''))) STORED,
    found_at     timestamptz NOT NULL,
    closed_at    timestamptz,
    CONSTRAINT mismatch_kind_is_known CHECK (kind IN (
        'unbilled', 'billed_twice', 'not_in_the_books', 'not_billed', 'books_differ', 'not_owed', 'paid_twice',
        'not_paid')),
    CONSTRAINT mismatch_has_no_sign CHECK (amount >= 0 AND tenths > 0)
);
CREATE UNIQUE INDEX one_open_mismatch_per_subject ON mismatch (subject) WHERE closed_at IS NULL;
CREATE INDEX mismatch_of_an_aircraft ON mismatch (aircraft, day);

-- Why a mismatch is as it should be. It stands while the mismatch is as it was explained; kept for ever.
CREATE TABLE mismatch_reason (
    decision_id  uuid        PRIMARY KEY,
    mismatch_id  bigint      NOT NULL REFERENCES mismatch,
    content_hash text        NOT NULL,
    who          text        NOT NULL,
    why          text        NOT NULL,
    given_at     timestamptz NOT NULL
);
CREATE INDEX mismatch_reason_of_a_mismatch ON mismatch_reason (mismatch_id, given_at);

GRANT SELECT, INSERT, UPDATE (day, tenths, amount, sentence, closed_at) ON mismatch TO hobbs_reserves;
GRANT SELECT, INSERT ON mismatch_reason TO hobbs_reserves;

CREATE VIEW reserves_public.mismatches AS
SELECT mismatch.id, kind, flight_id, aircraft, wallet, day, tenths, amount, currency, sentence, found_at, closed_at,
       CASE WHEN closed_at IS NOT NULL THEN 'closed' WHEN reason.why IS NOT NULL THEN 'explained' ELSE 'open' END AS state,
       reason.why AS reason, reason.who AS reason_by, reason.given_at AS reason_at
FROM reserves.mismatch
LEFT JOIN LATERAL (
    SELECT why, who, given_at FROM reserves.mismatch_reason AS given
    WHERE given.mismatch_id = mismatch.id AND given.content_hash = mismatch.content_hash
    ORDER BY given_at DESC, decision_id DESC LIMIT 1) AS reason ON true;
GRANT SELECT ON reserves_public.mismatches TO hobbs_reader;
