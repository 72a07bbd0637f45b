-- Stripe's list of events beside what was delivered: decision 0120.

-- One row. Everything made before listed_until was listed; begun_at and page_after: the listing under way.
CREATE TABLE event_listing (
    only_row     boolean PRIMARY KEY DEFAULT true,
    listed_until timestamptz NOT NULL DEFAULT now(),
    begun_at     timestamptz,
    page_after   text,
    completed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT there_is_one_listing CHECK (only_row),
    CONSTRAINT page_belongs_to_a_listing CHECK (page_after IS NULL OR begun_at IS NOT NULL)
);

-- A new deployment begins now: what happened at Stripe before it is not its to post. One that worked already
-- begins with the first event it ever took in, within the 30 days for which Stripe lists.
INSERT INTO event_listing (listed_until)
SELECT greatest(coalesce(min(admitted_at), now()), now() - interval '29 days') FROM inbox;

-- Listed and not delivered. One that arrives within the grace is deleted again; one that was published stays,
-- without its body, so that it is published once.
CREATE TABLE missed_event (
    event_id     text PRIMARY KEY,
    event_key    uuid NOT NULL,
    event_type   text NOT NULL,
    made_at      timestamptz NOT NULL,
    noted_at     timestamptz NOT NULL,
    body         text,
    recovered_at timestamptz,
    CONSTRAINT body_is_kept_until_it_is_published CHECK ((body IS NULL) = (recovered_at IS NOT NULL))
);
CREATE INDEX missed_event_waiting ON missed_event (noted_at) WHERE recovered_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON missed_event TO hobbs_payouts;
GRANT SELECT, UPDATE ON event_listing TO hobbs_payouts;
