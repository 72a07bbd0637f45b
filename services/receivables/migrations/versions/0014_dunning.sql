-- Where asking a student for what is overdue stands. run: the newest one; it is open while overdue_since is set.
CREATE TABLE dunning_case (
    student       text PRIMARY KEY,
    run           integer NOT NULL DEFAULT 0 CONSTRAINT runs_are_counted_up CHECK (run >= 0),
    overdue_since date,
    hold          text CONSTRAINT hold_is_known CHECK (hold IN ('paused', 'promised')),
    until         date,
    CONSTRAINT an_open_run_has_a_number CHECK (overdue_since IS NULL OR run > 0),
    CONSTRAINT a_promise_says_until_when CHECK ((hold IS NOT DISTINCT FROM 'promised') = (until IS NOT NULL))
);
CREATE INDEX dunning_runs ON dunning_case (student) WHERE overdue_since IS NOT NULL OR hold IS NOT NULL;

-- All that was done and decided, in its order; only added to. local_at: the school's clock. A step says by which card
-- of the book (policy_from, policy_version) it was done, and within which hours.
CREATE TABLE dunning_history (
    place          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    student        text NOT NULL REFERENCES dunning_case,
    run            integer NOT NULL,
    what           text NOT NULL CONSTRAINT what_is_known
                   CHECK (what IN ('begins', 'step', 'paused', 'promised', 'resumed', 'lapsed', 'ends')),
    step           text,
    action         text CONSTRAINT action_is_known
                   CHECK (action IN ('remind', 'charge_card', 'block_dispatch', 'call', 'collection')),
    currency       text,
    total          bigint CONSTRAINT what_is_asked_for_is_positive CHECK (total > 0),
    oldest_due     date,
    policy_from    date,
    policy_version integer,
    from_hour      integer,
    until_hour     integer,
    until          date,
    who            text,
    why            text,
    sentence       text NOT NULL DEFAULT '',
    local_at       timestamp NOT NULL,
    at             timestamptz NOT NULL,
    CONSTRAINT a_step_says_what_and_by_which_policy CHECK (
        what <> 'step' AND num_nonnulls(step, action) = 0
        OR what = 'step' AND num_nulls(step, action, currency, total, oldest_due, policy_from, policy_version, from_hour,
                                       until_hour) = 0),
    CONSTRAINT no_step_at_night CHECK (
        what <> 'step' OR extract(hour FROM local_at) >= from_hour AND extract(hour FROM local_at) < until_hour),
    CONSTRAINT a_person_says_who_and_why CHECK (
        (what IN ('paused', 'promised', 'resumed')) = (who IS NOT NULL AND trim(coalesce(why, '')) <> '')),
    CONSTRAINT a_promise_says_its_day CHECK ((what = 'promised') = (until IS NOT NULL))
);
CREATE UNIQUE INDEX a_step_is_done_once_in_a_run ON dunning_history (student, run, step) WHERE what = 'step';
CREATE UNIQUE INDEX a_run_begins_once ON dunning_history (student, run) WHERE what = 'begins';
CREATE UNIQUE INDEX a_run_ends_once ON dunning_history (student, run) WHERE what = 'ends';
CREATE INDEX dunning_history_of_student ON dunning_history (student, place);

GRANT SELECT, INSERT, UPDATE ON dunning_case TO hobbs_receivables;
GRANT SELECT, INSERT ON dunning_history TO hobbs_receivables;

CREATE VIEW receivables_public.dunning_cases AS
SELECT student, run, overdue_since, hold, until FROM receivables.dunning_case;
CREATE VIEW receivables_public.dunning_history AS
SELECT place, student, run, what, step, action, currency, total, oldest_due, policy_from, policy_version, until, who, why,
       sentence, local_at, at
FROM receivables.dunning_history;
GRANT SELECT ON receivables_public.dunning_cases, receivables_public.dunning_history TO hobbs_reader;
