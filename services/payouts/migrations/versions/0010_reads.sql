-- Reads within Stripe's allowance: decision 0193.

-- A reread that leads nowhere ends, and says why; a webhook that names its object begins it again.
ALTER TABLE inquiry ADD COLUMN ended_at timestamptz, ADD COLUMN ended_because text;
ALTER TABLE inquiry DROP CONSTRAINT open_inquiry_is_due_or_answered;
ALTER TABLE inquiry ADD CONSTRAINT open_inquiry_is_due_answered_or_ended
    CHECK (due_at IS NOT NULL OR answered_at IS NOT NULL OR ended_at IS NOT NULL);
ALTER TABLE inquiry ADD CONSTRAINT ended_inquiry_says_why CHECK ((ended_at IS NULL) = (ended_because IS NULL));

-- Waits grow with the time since an object was last asked for: those that are open begin with this release.
UPDATE inquiry SET asked_at = now() WHERE due_at IS NOT NULL;

CREATE VIEW payouts_public.ended_rereads AS
SELECT kind, object_id, stripe_account, asked_at, ended_at, ended_because AS sentence
FROM payouts.inquiry WHERE ended_at IS NOT NULL;
GRANT SELECT ON payouts_public.ended_rereads TO hobbs_reader;

-- Since when no event had to be recovered: the longer, the more seldom Stripe's list is read.
ALTER TABLE event_listing ADD COLUMN calm_since timestamptz NOT NULL DEFAULT now();

-- What all processes share: how long the balance has been short and when it is read next ('balance'), and up to
-- when the starts of processes have used up their readings ('start').
CREATE TABLE read_schedule (
    name     text PRIMARY KEY,
    asked_at timestamptz NOT NULL,
    due_at   timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON read_schedule TO hobbs_payouts;

-- Reads from Stripe and charges settled, on each day in UTC: the last 30 are compared with the allowance.
CREATE TABLE stripe_usage (
    day          date PRIMARY KEY,
    reads        bigint NOT NULL DEFAULT 0,
    transactions bigint NOT NULL DEFAULT 0,
    CONSTRAINT usage_only_grows CHECK (reads >= 0 AND transactions >= 0)
);
GRANT SELECT, INSERT, UPDATE ON stripe_usage TO hobbs_payouts;
