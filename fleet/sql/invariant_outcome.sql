-- What this service's own invariants said when they were last asked (fleet/own_check.py).
CREATE TABLE IF NOT EXISTS invariant_outcome (
    name         text        NOT NULL,
    rows         bigint      NOT NULL,
    broken_since timestamptz,
    asked_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_outcome_for_each_invariant PRIMARY KEY (name),
    CONSTRAINT broken_invariant_says_since_when CHECK ((rows > 0) = (broken_since IS NOT NULL))
);
