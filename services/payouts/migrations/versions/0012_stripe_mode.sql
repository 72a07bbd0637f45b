-- One row. livemode: of the money in this database, null before the first start. The others: what the process that
-- said it last runs with, for people who do not have the key.
CREATE TABLE stripe_mode (
    only_row     boolean PRIMARY KEY DEFAULT true,
    livemode     boolean,
    key_livemode boolean,
    api_base     text,
    api_version  text,
    seen_at      timestamptz,
    CONSTRAINT there_is_one_mode CHECK (only_row),
    CONSTRAINT what_runs_is_said_whole CHECK (num_nulls(key_livemode, api_base, api_version, seen_at) IN (0, 4))
);
INSERT INTO stripe_mode DEFAULT VALUES;

CREATE VIEW payouts_public.stripe_mode AS
SELECT livemode, key_livemode, api_base, api_version, seen_at FROM stripe_mode;

GRANT SELECT, UPDATE ON stripe_mode TO hobbs_payouts;
GRANT SELECT ON payouts_public.stripe_mode TO hobbs_reader;
