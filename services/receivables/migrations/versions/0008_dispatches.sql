-- A flight that was dispatched: the row whose lock puts in order what is decided about it.
CREATE TABLE dispatched_flight (
    flight_id text PRIMARY KEY,
    ended     text,
    ended_at  timestamptz,
    CONSTRAINT flight_ends_one_way CHECK (ended IN ('billed', 'cancelled')),
    CONSTRAINT ended_flight_says_when CHECK ((ended IS NULL) = (ended_at IS NULL))
);

-- Each dispatch of a flight. waits: nothing is asked of the ledger yet; asked: a hold is asked for; cleared: it
-- stands; voiding: its end is asked for; closed: it was voided, replaced or expired; refused: there never was one.
CREATE TABLE dispatch (
    flight_id    text NOT NULL REFERENCES dispatched_flight,
    revision     integer NOT NULL,
    student      text NOT NULL,
    currency     text,
    estimate     bigint,
    held         bigint,
    ends_at      timestamptz NOT NULL,
    expires_at   timestamptz,
    state        text NOT NULL,
    reason       text,
    sentence     text NOT NULL DEFAULT '',
    shortfall    bigint,
    estimated_at timestamptz NOT NULL DEFAULT now(),
    answered_at  timestamptz,
    closed_at    timestamptz,
    CONSTRAINT dispatch_is_numbered_once PRIMARY KEY (flight_id, revision),
    CONSTRAINT dispatch_state_is_known
        CHECK (state IN ('waits', 'asked', 'cleared', 'voiding', 'closed', 'refused')),
    CONSTRAINT held_dispatch_says_what CHECK
        (state NOT IN ('asked', 'cleared', 'voiding', 'closed') OR num_nulls(currency, estimate, held, expires_at) = 0),
    CONSTRAINT dispatch_holds_something CHECK (held > 0),
    CONSTRAINT refused_dispatch_says_why CHECK ((state = 'refused') = (reason IS NOT NULL)),
    CONSTRAINT dispatch_is_answered_when_it_is_decided CHECK ((answered_at IS NULL) = (state IN ('waits', 'asked'))),
    CONSTRAINT closed_dispatch_says_when CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);

CREATE UNIQUE INDEX one_command_of_a_flight_is_on_its_way ON dispatch (flight_id) WHERE state IN ('asked', 'voiding');
CREATE INDEX dispatch_is_open ON dispatch (flight_id) WHERE state IN ('waits', 'asked', 'cleared', 'voiding');
CREATE INDEX dispatch_of_student ON dispatch (student, estimated_at);

GRANT SELECT, INSERT, UPDATE ON dispatched_flight, dispatch TO hobbs_receivables;

CREATE VIEW receivables_public.dispatches AS
SELECT flight_id, revision, student, currency, estimate, held, ends_at, expires_at, state, reason, sentence, shortfall,
       estimated_at, answered_at, closed_at, ended
FROM receivables.dispatch JOIN receivables.dispatched_flight USING (flight_id);

GRANT SELECT ON receivables_public.dispatches TO hobbs_reader;
