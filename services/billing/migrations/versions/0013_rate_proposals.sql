-- A change of a card's amounts that a person proposed. It changes no price until somebody else approves it: then the
-- book gets a version, which `school.configured` says as well, so that topics alone still make the book.
CREATE TABLE rate_proposal (
    id             uuid        NOT NULL CONSTRAINT rate_proposal_has_an_id PRIMARY KEY,
    kind           text        NOT NULL,
    key            text        NOT NULL,
    effective_from date        NOT NULL,
    old            jsonb       NOT NULL,
    new            jsonb       NOT NULL CONSTRAINT rate_proposal_changes_something CHECK (new <> old),
    proposed_by    text        NOT NULL,
    why            text        NOT NULL CONSTRAINT rate_proposal_has_a_reason CHECK (why <> ''),
    proposed_at    timestamptz NOT NULL,
    state          text        NOT NULL DEFAULT 'waiting'
        CONSTRAINT rate_proposal_state_is_known CHECK (state IN ('waiting', 'approved', 'rejected')),
    decided_by     text,
    decided_why    text,
    decided_at     timestamptz,
    version        integer CONSTRAINT rate_proposal_makes_one_version UNIQUE,
    CONSTRAINT decided_proposal_says_by_whom CHECK ((state = 'waiting') = (decided_by IS NULL)
        AND (state = 'waiting') = (decided_at IS NULL)),
    CONSTRAINT approved_proposal_made_a_version CHECK ((state = 'approved') = (version IS NOT NULL)),
    CONSTRAINT rates_are_approved_by_another CHECK (state <> 'approved'
        OR lower(normalize(decided_by, NFKC)) <> lower(normalize(proposed_by, NFKC)))
);
CREATE UNIQUE INDEX one_proposal_waits_for_a_card ON rate_proposal (kind, key, effective_from) WHERE state = 'waiting';
CREATE INDEX rate_proposal_by_instant ON rate_proposal (proposed_at);
GRANT SELECT, INSERT ON rate_proposal TO hobbs_billing;
GRANT UPDATE (state, decided_by, decided_why, decided_at, version) ON rate_proposal TO hobbs_billing;

CREATE VIEW billing_public.rate_proposals AS
SELECT id, kind, key, effective_from, old, new, proposed_by, why, proposed_at, state, decided_by, decided_why,
       decided_at, version
FROM rate_proposal;
GRANT SELECT ON billing_public.rate_proposals TO hobbs_reader;

-- What a year's flights leave to the school is read from the index of their days: console/reads/margins.py.
DROP INDEX bill_by_day;
CREATE INDEX bill_by_day ON bill (billed_on)
    INCLUDE (currency, charge, margin, kind, flight_id, revision, billed_tenths);
