-- The simulator's state. One writer (the event loop), WAL, so a commit is a file write without fsync:
-- it survives kill -9 of this process; a power cut may lose the last moments, which no test needs.

CREATE TABLE IF NOT EXISTS object (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL UNIQUE,
    kind     TEXT NOT NULL,
    account  TEXT NOT NULL,               -- '' is the platform
    created  INTEGER NOT NULL,
    body     BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS object_by_kind ON object (kind, account, seq);

-- What lists filter by, inverted.
CREATE TABLE IF NOT EXISTS attribute (
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (name, value, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS balance (
    account    TEXT NOT NULL,
    currency   TEXT NOT NULL,
    available  INTEGER NOT NULL,
    PRIMARY KEY (account, currency)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS pending_funds (
    transaction_id  TEXT PRIMARY KEY,
    account         TEXT NOT NULL,
    currency        TEXT NOT NULL,
    net             INTEGER NOT NULL,
    available_on    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pending_funds_due ON pending_funds (available_on);

-- Available funds of a connected account that no automatic payout has swept yet.
CREATE TABLE IF NOT EXISTS unswept (
    account         TEXT NOT NULL,
    currency        TEXT NOT NULL,
    transaction_id  TEXT NOT NULL,
    PRIMARY KEY (account, currency, transaction_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS effect (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind             TEXT NOT NULL,
    object_id        TEXT NOT NULL UNIQUE,
    operation_id     TEXT,
    idempotency_key  TEXT,
    account          TEXT NOT NULL,
    amount           INTEGER NOT NULL,
    currency         TEXT NOT NULL,
    destination      TEXT,
    metadata         TEXT NOT NULL,
    created          INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS idempotency (
    account     TEXT NOT NULL,
    key         TEXT NOT NULL,
    method      TEXT NOT NULL,
    path        TEXT NOT NULL,
    params      BLOB NOT NULL,
    status      INTEGER NOT NULL,
    body        BLOB NOT NULL,
    request_id  TEXT NOT NULL,
    created     REAL NOT NULL,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idempotency_age ON idempotency (created);

CREATE TABLE IF NOT EXISTS job (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    due      REAL NOT NULL,               -- simulator clock
    UNIQUE (kind, subject)
);
CREATE INDEX IF NOT EXISTS job_due ON job (due);

CREATE TABLE IF NOT EXISTS delivery (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id     TEXT NOT NULL,
    endpoint_id  TEXT NOT NULL,
    variant      TEXT NOT NULL DEFAULT 'genuine',   -- or duplicate, forged, stale
    state        TEXT NOT NULL DEFAULT 'pending',   -- delivered, abandoned, lost
    attempts     INTEGER NOT NULL DEFAULT 0,
    first_at     REAL NOT NULL,                     -- wall clock
    due          REAL NOT NULL,                     -- wall clock
    last_status  TEXT
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due) WHERE state = 'pending';

CREATE TABLE IF NOT EXISTS setting (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) WITHOUT ROWID;
