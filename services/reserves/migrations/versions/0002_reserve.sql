-- One row. The versions are those of the school's book that named the zone, and as far as it was read.
CREATE TABLE school (
    only_row          boolean PRIMARY KEY DEFAULT true,
    time_zone         text NOT NULL DEFAULT 'UTC',
    currency          text,
    time_zone_version integer NOT NULL DEFAULT 0,
    read_version      integer NOT NULL DEFAULT 0,
    CONSTRAINT there_is_one_school CHECK (only_row)
);
INSERT INTO school DEFAULT VALUES;

-- A card's newest version stands, in whatever order they are read; so a withdrawn card keeps its row.
CREATE TABLE policy_card (
    effective_from date PRIMARY KEY,
    version        integer NOT NULL,
    policy         jsonb,
    CONSTRAINT policy_is_an_object CHECK (policy IS NULL OR jsonb_typeof(policy) = 'object')
);

-- Journals whose entries are in the positions. After a restore of the ledger the same journal comes in another event.
CREATE TABLE position_journal (
    journal_id uuid PRIMARY KEY
);

-- What the ledger holds for each wallet, from its journals alone; positive: the school owes it.
CREATE TABLE position (
    wallet   text   NOT NULL,
    currency text   NOT NULL,
    kind     text   NOT NULL GENERATED ALWAYS AS (split_part(wallet, ':', 1)) STORED,
    amount   bigint NOT NULL,
    PRIMARY KEY (wallet, currency)
);

-- What went to payees on each day of the school's calendar.
CREATE TABLE payout_day (
    day      date   NOT NULL,
    currency text   NOT NULL,
    amount   bigint NOT NULL,
    PRIMARY KEY (day, currency)
);

-- The last reading of the balance at Stripe, as payouts published it.
CREATE TABLE balance (
    currency          text        PRIMARY KEY,
    number            bigint      NOT NULL,
    read_at           timestamptz NOT NULL,
    available         bigint      NOT NULL,
    pending           bigint      NOT NULL,
    connect_reserved  bigint      NOT NULL,
    under_way         bigint      NOT NULL,
    allowed_until_now bigint      NOT NULL,
    CONSTRAINT under_way_is_not_negative CHECK (under_way >= 0)
);

-- How the reserve stands, and the last gate that was published. number: of that gate.
CREATE TABLE judgement (
    currency         text        PRIMARY KEY,
    number           bigint      NOT NULL,
    balance_number   bigint      NOT NULL,
    health           text        NOT NULL,
    health_since     timestamptz NOT NULL,
    gate             text        NOT NULL,
    gate_since       timestamptz NOT NULL,
    blocks_transfers boolean     NOT NULL,
    ceiling          bigint      NOT NULL,
    free             bigint      NOT NULL,
    minimum          bigint      NOT NULL,
    terms            jsonb       NOT NULL,
    sentence         text        NOT NULL,
    published        jsonb       NOT NULL,
    judged_at        timestamptz NOT NULL,
    valid_until      timestamptz,
    CONSTRAINT health_is_known CHECK (health IN ('healthy', 'warning', 'critical', 'unknown')),
    CONSTRAINT gate_is_known CHECK (gate IN ('open', 'closed', 'off'))
);

GRANT SELECT, UPDATE ON school TO hobbs_reserves;
GRANT SELECT, INSERT ON position_journal TO hobbs_reserves;
GRANT SELECT, INSERT, UPDATE ON policy_card, position, payout_day, balance, judgement TO hobbs_reserves;

CREATE VIEW reserves_public.school AS
SELECT time_zone, currency, time_zone_version, read_version FROM reserves.school;
CREATE VIEW reserves_public.policies AS SELECT effective_from, version, policy FROM reserves.policy_card;
CREATE VIEW reserves_public.wallet_positions AS SELECT wallet, currency, kind, amount FROM reserves.position;
CREATE VIEW reserves_public.balances AS
SELECT currency, number, read_at, available, pending, connect_reserved, under_way, allowed_until_now
FROM reserves.balance;
CREATE VIEW reserves_public.reserve AS
SELECT currency, number, balance_number, health, health_since, gate, gate_since, blocks_transfers, ceiling, free,
       minimum, terms, sentence, judged_at, valid_until
FROM reserves.judgement;
GRANT SELECT ON reserves_public.school, reserves_public.policies, reserves_public.wallet_positions,
    reserves_public.balances, reserves_public.reserve TO hobbs_reader;
