-- Payment methods that students saved at Stripe. A row begins with whichever fact comes first: that it was set up
-- names the student, Stripe's own events say what it is. No digit of a card's number is here.
CREATE TABLE saved_method (
    payment_method text PRIMARY KEY,
    customer       text,
    student        text,
    method_type    text,
    expires_on     date,
    seen_at        timestamptz,
    set_up_at      timestamptz,
    detached_at    timestamptz,
    stopped_at     timestamptz,
    stopped_why    text,
    CONSTRAINT set_up_method_has_a_student
        CHECK ((set_up_at IS NULL) = (student IS NULL) AND (student IS NULL OR customer IS NOT NULL)),
    CONSTRAINT stopped_method_says_why CHECK ((stopped_at IS NULL) = (stopped_why IS NULL))
);
CREATE INDEX saved_method_of_student ON saved_method (student, set_up_at);

-- When a student lets their saved method be charged. The history is the decisions'.
CREATE TABLE charge_choice (
    student    text PRIMARY KEY,
    occasion   text NOT NULL,
    threshold  bigint,
    day        integer,
    most       bigint NOT NULL,
    most_a_day bigint NOT NULL,
    chosen_on  date NOT NULL,
    chosen_at  timestamptz NOT NULL,
    chosen_by  text NOT NULL,
    CONSTRAINT choice_is_known CHECK (occasion IN ('each_flight', 'threshold', 'day', 'off')),
    CONSTRAINT choice_says_its_threshold CHECK ((occasion = 'threshold') = (threshold IS NOT NULL) AND threshold > 0),
    CONSTRAINT choice_says_its_day CHECK ((occasion = 'day') = (day IS NOT NULL) AND day BETWEEN 1 AND 28),
    CONSTRAINT choice_is_capped CHECK (most > 0 AND most_a_day >= most)
);

-- Charges of saved methods, as they were decided, and what became of each. A row that a restored database lost is
-- taken over from its answer, without its method.
CREATE TABLE auto_charge (
    request_id     uuid PRIMARY KEY,
    student        text NOT NULL,
    cause          text NOT NULL,
    attempt        integer NOT NULL,
    currency       text NOT NULL,
    amount         bigint NOT NULL CONSTRAINT auto_charge_is_positive CHECK (amount > 0),
    payment_method text REFERENCES saved_method,
    state          text NOT NULL,
    decided_at     timestamptz NOT NULL,
    answered_at    timestamptz,
    payment_intent text,
    charge_id      text,
    kind           text,
    code           text,
    sentence       text NOT NULL DEFAULT '',
    retry_at       timestamptz,
    CONSTRAINT one_charge_for_one_cause UNIQUE (student, cause),
    CONSTRAINT auto_charge_state_is_known
        CHECK (state IN ('asked', 'processing', 'succeeded', 'declined', 'not_made')),
    CONSTRAINT answered_charge_says_when CHECK ((state = 'asked') = (answered_at IS NULL)),
    CONSTRAINT declined_charge_has_a_class CHECK ((state = 'declined') = (kind IS NOT NULL)),
    CONSTRAINT decline_class_is_known CHECK (kind IN ('later', 'another_card', 'authentication', 'stop')),
    CONSTRAINT only_a_decline_is_tried_again CHECK (retry_at IS NULL OR kind = 'later'),
    CONSTRAINT made_charge_names_its_intent
        CHECK (state NOT IN ('processing', 'succeeded') OR payment_intent IS NOT NULL)
);
CREATE UNIQUE INDEX one_charge_of_a_student_is_under_way ON auto_charge (student)
    WHERE state IN ('asked', 'processing');
CREATE INDEX auto_charge_of_student ON auto_charge (student, decided_at);
CREATE INDEX auto_charge_of_intent ON auto_charge (payment_intent) WHERE state = 'processing';
CREATE INDEX posting_requested_at ON posting (requested_at);

GRANT SELECT, INSERT, UPDATE ON saved_method, charge_choice, auto_charge TO hobbs_receivables;

CREATE VIEW receivables_public.saved_methods AS
SELECT payment_method, student, method_type, expires_on, set_up_at, detached_at, stopped_at, stopped_why
FROM receivables.saved_method WHERE student IS NOT NULL;
CREATE VIEW receivables_public.charge_choices AS
SELECT student, occasion, threshold, day, most, most_a_day, chosen_on, chosen_at, chosen_by FROM receivables.charge_choice;
CREATE VIEW receivables_public.auto_charges AS
SELECT request_id, student, cause, attempt, currency, amount, payment_method, state, decided_at, answered_at,
       payment_intent, charge_id, kind, code, sentence, retry_at
FROM receivables.auto_charge;
GRANT SELECT ON receivables_public.saved_methods, receivables_public.charge_choices, receivables_public.auto_charges
    TO hobbs_reader;
