-- Rows of the platform's Stripe balance beside the journals that move its cash in the books: decision 0197.

-- One row. opened_at (our time): from then on rows are listed; what was before is in movement_opening.
-- Stripe's time: opened_after (the newest row of the opening; no older one is listed), listed_until (rows made before
-- it were listed) and newest_at (the newest row of the listing under way, whose place begun_at and page_after say).
CREATE TABLE movement_listing (
    only_row     boolean PRIMARY KEY DEFAULT true,
    opened_at    timestamptz,
    opened_after timestamptz,
    listed_until timestamptz,
    begun_at     timestamptz,
    page_after   text,
    newest_at    timestamptz,
    completed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT there_is_one_movement_listing CHECK (only_row),
    CONSTRAINT opened_listing_says_from_when CHECK (num_nulls(opened_at, opened_after, listed_until) IN (0, 3)),
    CONSTRAINT listing_begins_after_the_opening CHECK (begun_at IS NULL OR opened_at IS NOT NULL),
    CONSTRAINT movement_page_belongs_to_a_listing CHECK (page_after IS NULL OR begun_at IS NOT NULL)
);
INSERT INTO movement_listing DEFAULT VALUES;

-- What Stripe held, available and pending, when listing began.
CREATE TABLE movement_opening (
    currency text PRIMARY KEY,
    amount   bigint NOT NULL
);

-- A balance transaction. expected: sources of the journals that move cash by its net; a transfer's journal is found by
-- the transfer itself. standing 'before': in the opening, not in what is compared.
CREATE TABLE movement (
    transaction_id text PRIMARY KEY,
    type           text NOT NULL,
    category       text,
    balance_type   text NOT NULL,
    amount         bigint NOT NULL,
    fee            bigint NOT NULL,
    net            bigint NOT NULL,
    currency       text NOT NULL,
    source_id      text,
    description    text,
    made_at        timestamptz NOT NULL,
    noted_at       timestamptz NOT NULL,
    expected       text[] NOT NULL,
    booked         boolean NOT NULL,
    standing       text NOT NULL,
    sentence       text,
    explained_at   timestamptz,
    closed_at      timestamptz,
    closed_by      text,
    CONSTRAINT net_is_amount_less_fee CHECK (net = amount - fee),
    CONSTRAINT movement_standing_is_known CHECK (standing IN ('before', 'waiting', 'explained', 'unexplained')),
    CONSTRAINT unexplained_movement_says_why CHECK ((standing = 'unexplained') = (sentence IS NOT NULL)),
    CONSTRAINT explained_movement_says_when CHECK (standing = 'before' OR (standing = 'explained') = (explained_at IS NOT NULL)),
    CONSTRAINT closed_movement_is_unexplained CHECK (closed_at IS NULL OR standing = 'unexplained'),
    CONSTRAINT closed_movement_says_by_whom CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX movement_open ON movement (noted_at) WHERE explained_at IS NULL AND closed_at IS NULL;

-- Every journal with entries on external:stripe, as the ledger posted it; amount: their sum, credit positive.
-- transaction_id: the row that it is.
CREATE TABLE cash_journal (
    source         text NOT NULL,
    currency       text NOT NULL,
    event_type     text NOT NULL,
    amount         bigint NOT NULL,
    at_stripe      boolean NOT NULL,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    transaction_id text REFERENCES movement,
    PRIMARY KEY (source, currency)
);
CREATE INDEX cash_journal_without_row ON cash_journal (recorded_at) WHERE transaction_id IS NULL;

GRANT SELECT, INSERT, UPDATE ON movement, cash_journal TO hobbs_payouts;
GRANT SELECT, INSERT ON movement_opening TO hobbs_payouts;
GRANT SELECT, UPDATE ON movement_listing TO hobbs_payouts;

CREATE VIEW payouts_public.movements AS
SELECT transaction_id, type, category, balance_type, amount, fee, net, currency, source_id, description, made_at,
       noted_at, expected, booked, standing, sentence, explained_at, closed_at, closed_by
FROM payouts.movement;
CREATE VIEW payouts_public.cash_journals AS
SELECT source, currency, event_type, amount, at_stripe, occurred_at, recorded_at, transaction_id
FROM payouts.cash_journal;
CREATE VIEW payouts_public.movement_listing AS
SELECT opened_at, listed_until, completed_at FROM payouts.movement_listing;
CREATE VIEW payouts_public.movement_openings AS
SELECT currency, amount FROM payouts.movement_opening;
GRANT SELECT ON payouts_public.movements, payouts_public.cash_journals, payouts_public.movement_listing,
    payouts_public.movement_openings TO hobbs_reader;
