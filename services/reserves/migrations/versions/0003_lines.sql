-- The comparison of the books with Stripe, line by line: decision 0250. Lock order: calendar, then lines and their
-- totals in the order of their ids, then what is open of them.

-- One row. The version is that of the school's book that named the zone. frozen_until: the last business date that
-- was signed off: what becomes known later is of a later day.
CREATE TABLE calendar (
    only_row          boolean PRIMARY KEY DEFAULT true,
    time_zone         text NOT NULL DEFAULT 'UTC',
    time_zone_version integer NOT NULL DEFAULT 0,
    frozen_until      date,
    CONSTRAINT there_is_one_calendar CHECK (only_row)
);
INSERT INTO calendar DEFAULT VALUES;

-- A row of Stripe's balance as it is shown now. day: the business date on which `counted` of it counts: its net, when
-- it is of the balance that the books have; what changed after that day was signed is in line_change.
CREATE TABLE stripe_line (
    transaction_id text PRIMARY KEY,
    version        integer NOT NULL,
    type           text NOT NULL,
    category       text NOT NULL,
    balance_type   text NOT NULL,
    amount         bigint NOT NULL,
    fee            bigint NOT NULL,
    net            bigint NOT NULL,
    currency       text NOT NULL,
    source_id      text,
    made_at        timestamptz NOT NULL,
    available_at   timestamptz NOT NULL,
    expected       text[] NOT NULL,
    is_before      boolean NOT NULL,
    noted_at       timestamptz NOT NULL,
    day            date NOT NULL,
    counted        bigint NOT NULL,
    CONSTRAINT line_net_is_amount_less_fee CHECK (net = amount - fee)
);
CREATE INDEX stripe_line_of_a_day ON stripe_line (day);
CREATE INDEX stripe_line_of_a_source ON stripe_line (source_id);

-- What a line was before it was shown with other content.
CREATE TABLE stripe_line_version (
    transaction_id text NOT NULL REFERENCES stripe_line,
    version        integer NOT NULL,
    noted_at       timestamptz NOT NULL,
    content        jsonb NOT NULL,
    PRIMARY KEY (transaction_id, noted_at)
);

-- By how much a line of a signed day is another now; it counts on a later day.
CREATE TABLE line_change (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id text NOT NULL REFERENCES stripe_line,
    version        integer NOT NULL,
    currency       text NOT NULL,
    day            date NOT NULL,
    amount         bigint NOT NULL
);
CREATE INDEX line_change_of_a_line ON line_change (transaction_id);
CREATE INDEX line_change_of_a_day ON line_change (day);

-- A journal that moves Stripe's cash in the books. amount: its sum on external:stripe, credit positive, so that a line
-- of +100 has a journal of -100. at_stripe: a service asked for it because of what happened at Stripe.
CREATE TABLE book_line (
    journal_id  uuid PRIMARY KEY,
    source      text NOT NULL,
    event_type  text NOT NULL,
    currency    text NOT NULL,
    amount      bigint NOT NULL,
    at_stripe   boolean NOT NULL,
    parties     text[] NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    version     bigint NOT NULL,
    day         date NOT NULL,
    CONSTRAINT book_line_is_of_one_source UNIQUE (source)
);
CREATE INDEX book_line_of_a_day ON book_line (day);

-- Which transfer of ours a transfer at Stripe is.
CREATE TABLE sent_transfer (
    stripe_transfer_id text PRIMARY KEY,
    transfer_id        uuid NOT NULL
);

-- What has no other half yet. A line or a journal is here, or in a match, never both.
CREATE TABLE open_line (
    transaction_id text PRIMARY KEY REFERENCES stripe_line
);
CREATE TABLE open_journal (
    journal_id uuid PRIMARY KEY REFERENCES book_line,
    source     text NOT NULL,
    currency   text NOT NULL,
    amount     bigint NOT NULL,
    day        date NOT NULL
);
CREATE UNIQUE INDEX open_journal_of_a_source ON open_journal (source);

-- What belongs together: lines and journals with one match_id. how: by their ids, by amount and day, or by nothing,
-- for lines that move nothing.
CREATE TABLE line_match (
    transaction_id text PRIMARY KEY REFERENCES stripe_line,
    match_id       text NOT NULL,
    how            text NOT NULL,
    matched_at     timestamptz NOT NULL,
    CONSTRAINT line_match_is_made_somehow CHECK (how IN ('ids', 'amount', 'nothing'))
);
CREATE TABLE book_match (
    journal_id uuid PRIMARY KEY REFERENCES book_line,
    match_id   text NOT NULL,
    how        text NOT NULL,
    matched_at timestamptz NOT NULL,
    CONSTRAINT book_match_is_made_somehow CHECK (how IN ('ids', 'amount'))
);
CREATE INDEX line_match_together ON line_match (match_id) WHERE match_id <> transaction_id;
CREATE INDEX book_match_together ON book_match (match_id);

-- What a match adds to the difference of the two sides at the end of each day from from_day until before until_day: its
-- parts are of several days. Without an end: its parts do not add up to nothing.
CREATE TABLE spread (
    match_id  text NOT NULL,
    currency  text NOT NULL,
    from_day  date NOT NULL,
    until_day date,
    amount    bigint NOT NULL,
    PRIMARY KEY (match_id, currency, from_day),
    CONSTRAINT spread_is_not_nothing CHECK (amount <> 0)
);
CREATE INDEX spread_until ON spread (until_day);

-- What moved on a day, on each side: the books' as cash, so that both go the same way.
CREATE TABLE day_total (
    currency text NOT NULL,
    day      date NOT NULL,
    stripe   bigint NOT NULL,
    books    bigint NOT NULL,
    PRIMARY KEY (currency, day)
);

-- The comparison of a business date.
CREATE TABLE day (
    business_date  date NOT NULL,
    currency       text NOT NULL,
    run            integer NOT NULL,
    stripe_opening bigint NOT NULL,
    stripe_moved   bigint NOT NULL,
    stripe_closing bigint NOT NULL,
    books_opening  bigint NOT NULL,
    books_moved    bigint NOT NULL,
    books_closing  bigint NOT NULL,
    explained      bigint NOT NULL,
    breaks_open    integer NOT NULL,
    stripe_as_of   timestamptz,
    books_as_of    timestamptz,
    movements      jsonb NOT NULL,
    completed_at   timestamptz NOT NULL,
    PRIMARY KEY (business_date, currency),
    CONSTRAINT stripe_closing_adds_up CHECK (stripe_closing = stripe_opening + stripe_moved),
    CONSTRAINT books_closing_adds_up CHECK (books_closing = books_opening + books_moved)
);

GRANT SELECT, UPDATE ON calendar TO hobbs_reserves;
GRANT SELECT, INSERT, UPDATE ON stripe_line, day_total, day TO hobbs_reserves;
GRANT SELECT, INSERT ON stripe_line_version, line_change, book_line, sent_transfer TO hobbs_reserves;
GRANT SELECT, INSERT, UPDATE, DELETE ON open_line, open_journal, line_match, book_match, spread TO hobbs_reserves;

CREATE VIEW reserves_public.days AS
SELECT business_date, currency, run, stripe_opening, stripe_moved, stripe_closing, books_opening, books_moved,
       books_closing, stripe_closing - books_closing AS drift, explained,
       stripe_closing - books_closing - explained AS unexplained, breaks_open, stripe_as_of, books_as_of, movements,
       completed_at
FROM reserves.day;
GRANT SELECT ON reserves_public.days TO hobbs_reader;
