-- A statement is a question to the ledger (0308). What it answered when it was issued is kept here, so that everybody
-- can see that it still answers the same (0346).
CREATE TABLE issued_statement (
    wallet       text        NOT NULL,
    month        text        NOT NULL CONSTRAINT month_is_written_as_a_month CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    currency     text        NOT NULL,
    ends_at      timestamptz NOT NULL,
    known_at     timestamptz NOT NULL,
    opening      bigint      NOT NULL,
    closing      bigint      NOT NULL,
    lines        integer     NOT NULL CONSTRAINT lines_are_not_negative CHECK (lines >= 0),
    content_hash text        NOT NULL CONSTRAINT content_hash_is_sha256 CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    issued_at    timestamptz NOT NULL,
    CONSTRAINT statement_is_issued_once PRIMARY KEY (wallet, month, currency),
    CONSTRAINT statement_is_issued_after_what_it_knows CHECK (ends_at < known_at AND known_at < issued_at)
);
CREATE INDEX issued_statement_by_time ON issued_statement (issued_at);

-- How far the issue of a month came: the last wallet, and when it was done.
CREATE TABLE issue (
    month       text        NOT NULL CONSTRAINT month_is_issued_once PRIMARY KEY,
    last_wallet text        NOT NULL DEFAULT '',
    done_at     timestamptz
);
GRANT SELECT, INSERT ON issued_statement TO hobbs_console;
GRANT SELECT, INSERT, UPDATE ON issue TO hobbs_console;

CREATE VIEW console_public.issued_statements AS
SELECT wallet, month, currency, ends_at, known_at, opening, closing, lines, content_hash, issued_at FROM issued_statement;
GRANT SELECT ON console_public.issued_statements TO hobbs_reader;
