-- What a person has to know of the reserve: raised once, acknowledged by a person, resolved by itself.
CREATE TABLE alert (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    currency        text        NOT NULL,
    kind            text        NOT NULL,
    severity        text        NOT NULL,
    sentence        text        NOT NULL,
    raised_at       timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    note            text,
    resolved_at     timestamptz,
    CONSTRAINT alert_kind_is_known CHECK (kind IN ('low', 'short', 'stale')),
    CONSTRAINT alert_severity_is_known CHECK (severity IN ('warning', 'critical')),
    CONSTRAINT acknowledgement_says_by_whom CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)
        AND (acknowledged_at IS NULL) = (note IS NULL))
);
CREATE UNIQUE INDEX alert_is_raised_once ON alert (currency, kind) WHERE resolved_at IS NULL;

-- The gate is opened by an amount until an instant: so much less must stay. id: of the decision.
CREATE TABLE opening (
    id           uuid        PRIMARY KEY,
    currency     text        NOT NULL,
    amount       bigint      NOT NULL,
    until        timestamptz NOT NULL,
    why          text        NOT NULL,
    asked_by     text        NOT NULL,
    asked_at     timestamptz NOT NULL,
    needs_second boolean     NOT NULL,
    approved_by  text,
    approved_at  timestamptz,
    closed_by    text,
    closed_at    timestamptz,
    CONSTRAINT opening_is_of_an_amount CHECK (amount > 0),
    CONSTRAINT opening_ends_after_it_began CHECK (until > asked_at),
    CONSTRAINT opening_says_why CHECK (why <> ''),
    CONSTRAINT maker_of_an_opening_is_not_its_checker CHECK (approved_by IS NULL
        OR lower(normalize(btrim(approved_by), NFKC)) <> lower(normalize(btrim(asked_by), NFKC)))
);
CREATE INDEX opening_in_force ON opening (currency, until) WHERE closed_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON alert, opening TO hobbs_reserves;

CREATE VIEW reserves_public.alerts AS
SELECT id, currency, kind, severity, sentence, raised_at, acknowledged_at, acknowledged_by, note, resolved_at
FROM reserves.alert;
CREATE VIEW reserves_public.openings AS
SELECT id, currency, amount, until, why, asked_by, asked_at, needs_second, approved_by, approved_at, closed_by,
       closed_at
FROM reserves.opening;
GRANT SELECT ON reserves_public.alerts, reserves_public.openings TO hobbs_reader;
