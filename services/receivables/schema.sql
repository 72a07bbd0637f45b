-- The schema of receivables at head, to be read. `make schemas` writes it from the migrations.

CREATE SCHEMA receivables;
CREATE SCHEMA receivables_public;
GRANT USAGE ON SCHEMA receivables TO hobbs_receivables;
GRANT USAGE ON SCHEMA receivables_public TO hobbs_reader, hobbs_operations, hobbs_receivables, hobbs_adjustments, hobbs_billing, hobbs_gateway, hobbs_payouts;

CREATE TABLE receivables.account (
    student text NOT NULL,
    currency text NOT NULL,
    balance bigint DEFAULT 0 NOT NULL
);
ALTER TABLE ONLY receivables.account ADD CONSTRAINT one_account_of_a_student_and_currency PRIMARY KEY (student, currency);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.account TO hobbs_receivables;

CREATE TABLE receivables.account_note (
    id uuid NOT NULL,
    kind text NOT NULL,
    student text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    bill text,
    way text,
    number text,
    paid_on date,
    payment_id uuid,
    needs_second boolean NOT NULL,
    state text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    why text NOT NULL,
    approved_by text,
    decided_by text,
    decided_at timestamptz,
    decided_why text DEFAULT ''::text NOT NULL,
    refunded bigint,
    refunds text[] DEFAULT '{}'::text[] NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    settled_at timestamptz,
    CONSTRAINT a_credit_is_against_a_bill CHECK (((kind = ANY (ARRAY['credit_note'::text, 'write_off'::text])) = (bill IS NOT NULL))),
    CONSTRAINT a_fee_is_of_a_cheque CHECK (((kind = 'cheque_fee'::text) = (payment_id IS NOT NULL))),
    CONSTRAINT a_refund_says_its_way CHECK (((kind = 'refund'::text) = (way IS NOT NULL))),
    CONSTRAINT another_person_agrees CHECK (((approved_by IS NULL) OR (needs_second AND (lower(NORMALIZE(TRIM(BOTH FROM approved_by), NFKC)) <> lower(NORMALIZE(TRIM(BOTH FROM asked_by), NFKC)))))),
    CONSTRAINT no_more_is_refunded_than_was_asked_for CHECK (((refunded >= 0) AND (refunded <= amount))),
    CONSTRAINT note_has_a_reason CHECK ((TRIM(BOTH FROM why) <> ''::text)),
    CONSTRAINT note_is_positive CHECK ((amount > 0)),
    CONSTRAINT note_kind_is_known CHECK ((kind = ANY (ARRAY['refund'::text, 'credit_note'::text, 'write_off'::text, 'cheque_fee'::text]))),
    CONSTRAINT note_state_is_known CHECK ((state = ANY (ARRAY['waits'::text, 'asked'::text, 'posted'::text, 'settled'::text, 'refused'::text, 'reverted'::text]))),
    CONSTRAINT nothing_is_given_before_the_second_agrees CHECK (((NOT needs_second) OR (approved_by IS NOT NULL) OR (state = ANY (ARRAY['waits'::text, 'refused'::text])))),
    CONSTRAINT only_stripe_is_asked CHECK (((state <> ALL (ARRAY['asked'::text, 'settled'::text])) OR (way = 'card'::text))),
    CONSTRAINT settled_refund_says_what_went_back CHECK ((((state = 'settled'::text) = (refunded IS NOT NULL)) AND ((state = 'settled'::text) = (settled_at IS NOT NULL)))),
    CONSTRAINT way_is_known CHECK ((way = ANY (ARRAY['card'::text, 'cash'::text, 'cheque'::text, 'bank_transfer'::text]))),
    CONSTRAINT what_is_paid_out_has_a_number_and_a_day CHECK (((((way IS NOT NULL) AND (way <> 'card'::text)) = (number IS NOT NULL)) AND ((number IS NULL) = (paid_on IS NULL)))),
    CONSTRAINT what_stripe_does_is_not_posted_here CHECK (((state <> ALL (ARRAY['posted'::text, 'reverted'::text])) OR (way IS DISTINCT FROM 'card'::text)))
);
ALTER TABLE ONLY receivables.account_note ADD CONSTRAINT account_note_pkey PRIMARY KEY (id);
ALTER TABLE ONLY receivables.account_note ADD CONSTRAINT account_note_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES receivables.recorded_payment(id);
CREATE UNIQUE INDEX a_bounced_cheque_has_one_fee ON receivables.account_note USING btree (payment_id) WHERE (payment_id IS NOT NULL);
CREATE INDEX account_note_of_bill ON receivables.account_note USING btree (bill) WHERE (bill IS NOT NULL);
CREATE INDEX account_note_of_student ON receivables.account_note USING btree (student, asked_at);
CREATE INDEX account_note_waits ON receivables.account_note USING btree (state) WHERE (state = ANY (ARRAY['waits'::text, 'asked'::text]));
CREATE UNIQUE INDEX what_is_paid_out_is_written_down_once ON receivables.account_note USING btree (student, way, number) WHERE ((number IS NOT NULL) AND (state <> ALL (ARRAY['refused'::text, 'reverted'::text])));
CREATE TRIGGER account_note_moves_as_it_may BEFORE UPDATE ON receivables.account_note FOR EACH ROW EXECUTE FUNCTION receivables.guard_account_note();
ALTER TABLE receivables.account_note ENABLE ALWAYS TRIGGER account_note_moves_as_it_may;
GRANT SELECT, INSERT ON TABLE receivables.account_note TO hobbs_receivables;
GRANT UPDATE (state, approved_by, decided_by, decided_at, decided_why, refunded, refunds, sentence, settled_at) ON TABLE receivables.account_note TO hobbs_receivables;

CREATE TABLE receivables.alembic_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY receivables.alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
GRANT SELECT ON TABLE receivables.alembic_version TO hobbs_receivables;

CREATE TABLE receivables.asked_decision (
    decision_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    login text NOT NULL,
    roles text[] NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT asked_body_is_sha256 CHECK ((octet_length(body_sha256) = 32))
);
ALTER TABLE ONLY receivables.asked_decision ADD CONSTRAINT decision_is_asked_once PRIMARY KEY (decision_id);
GRANT SELECT ON TABLE receivables.asked_decision TO hobbs_receivables;

CREATE TABLE receivables.auto_charge (
    request_id uuid NOT NULL,
    student text NOT NULL,
    cause text NOT NULL,
    attempt integer NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    payment_method text,
    state text NOT NULL,
    decided_at timestamptz NOT NULL,
    answered_at timestamptz,
    payment_intent text,
    charge_id text,
    kind text,
    code text,
    sentence text DEFAULT ''::text NOT NULL,
    retry_at timestamptz,
    taken_back_at timestamptz,
    CONSTRAINT answered_charge_says_when CHECK (((state = 'asked'::text) = (answered_at IS NULL))),
    CONSTRAINT auto_charge_is_positive CHECK ((amount > 0)),
    CONSTRAINT auto_charge_state_is_known CHECK ((state = ANY (ARRAY['asked'::text, 'processing'::text, 'succeeded'::text, 'declined'::text, 'not_made'::text]))),
    CONSTRAINT decline_class_is_known CHECK ((kind = ANY (ARRAY['later'::text, 'another_card'::text, 'authentication'::text, 'stop'::text]))),
    CONSTRAINT declined_charge_has_a_class CHECK (((state = 'declined'::text) = (kind IS NOT NULL))),
    CONSTRAINT made_charge_names_its_intent CHECK (((state <> ALL (ARRAY['processing'::text, 'succeeded'::text])) OR (payment_intent IS NOT NULL))),
    CONSTRAINT only_a_decline_is_tried_again CHECK (((retry_at IS NULL) OR (kind = 'later'::text))),
    CONSTRAINT only_a_made_charge_is_taken_back CHECK (((taken_back_at IS NULL) OR ((state = 'declined'::text) AND (charge_id IS NOT NULL))))
);
ALTER TABLE ONLY receivables.auto_charge ADD CONSTRAINT auto_charge_pkey PRIMARY KEY (request_id);
ALTER TABLE ONLY receivables.auto_charge ADD CONSTRAINT one_charge_for_one_cause UNIQUE (student, cause);
ALTER TABLE ONLY receivables.auto_charge ADD CONSTRAINT auto_charge_payment_method_fkey FOREIGN KEY (payment_method) REFERENCES receivables.saved_method(payment_method);
CREATE INDEX auto_charge_declined ON receivables.auto_charge USING btree (answered_at) WHERE (state = 'declined'::text);
CREATE INDEX auto_charge_of_charge ON receivables.auto_charge USING btree (charge_id) WHERE (state = 'succeeded'::text);
CREATE INDEX auto_charge_of_intent ON receivables.auto_charge USING btree (payment_intent) WHERE (state = 'processing'::text);
CREATE INDEX auto_charge_of_student ON receivables.auto_charge USING btree (student, decided_at);
CREATE UNIQUE INDEX one_charge_of_a_student_is_under_way ON receivables.auto_charge USING btree (student) WHERE (state = ANY (ARRAY['asked'::text, 'processing'::text]));
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.auto_charge TO hobbs_receivables;

CREATE TABLE receivables.charge (
    charge_id text NOT NULL,
    payment_intent_id text,
    student text,
    amount bigint,
    currency text,
    received_at timestamptz,
    told_refunded bigint DEFAULT 0 NOT NULL,
    fee bigint,
    fee_transaction_id text,
    fee_currency text,
    settled_gross bigint,
    settled_at timestamptz,
    first_seen_at timestamptz DEFAULT now() NOT NULL,
    named text,
    failed_at timestamptz,
    failure_code text,
    CONSTRAINT charge_fee_is_in_the_payments_currency CHECK ((fee_currency = currency)),
    CONSTRAINT charge_fee_is_not_negative CHECK ((fee >= 0)),
    CONSTRAINT charge_fee_is_whole CHECK ((num_nulls(fee, fee_transaction_id, fee_currency, settled_gross, settled_at) = ANY (ARRAY[0, 5]))),
    CONSTRAINT charge_payment_is_positive CHECK ((amount > 0)),
    CONSTRAINT charge_payment_is_whole CHECK ((num_nulls(amount, currency, received_at) = ANY (ARRAY[0, 3]))),
    CONSTRAINT failed_payment_says_why CHECK (((failed_at IS NULL) = (failure_code IS NULL))),
    CONSTRAINT only_a_payment_fails_later CHECK (((failed_at IS NULL) OR (amount IS NOT NULL)))
);
ALTER TABLE ONLY receivables.charge ADD CONSTRAINT charge_pkey PRIMARY KEY (charge_id);
CREATE INDEX charge_by_time ON receivables.charge USING btree (received_at, charge_id) WHERE (amount IS NOT NULL);
CREATE INDEX charge_failed ON receivables.charge USING btree (failed_at) WHERE (failed_at IS NOT NULL);
CREATE INDEX charge_named ON receivables.charge USING btree (named) WHERE ((student IS NULL) AND (named IS NOT NULL));
CREATE INDEX charge_of_payment_intent ON receivables.charge USING btree (payment_intent_id);
CREATE INDEX charge_of_student ON receivables.charge USING btree (student) WHERE (student IS NOT NULL);
CREATE INDEX charge_waiting ON receivables.charge USING btree (first_seen_at) WHERE (amount IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.charge TO hobbs_receivables;

CREATE TABLE receivables.charge_choice (
    student text NOT NULL,
    occasion text NOT NULL,
    threshold bigint,
    day integer,
    most bigint NOT NULL,
    most_a_day bigint NOT NULL,
    chosen_on date NOT NULL,
    chosen_at timestamptz NOT NULL,
    chosen_by text NOT NULL,
    CONSTRAINT choice_is_capped CHECK (((most > 0) AND (most_a_day >= most))),
    CONSTRAINT choice_is_known CHECK ((occasion = ANY (ARRAY['each_flight'::text, 'threshold'::text, 'day'::text, 'off'::text]))),
    CONSTRAINT choice_says_its_day CHECK ((((occasion = 'day'::text) = (day IS NOT NULL)) AND ((day >= 1) AND (day <= 28)))),
    CONSTRAINT choice_says_its_threshold CHECK ((((occasion = 'threshold'::text) = (threshold IS NOT NULL)) AND (threshold > 0)))
);
ALTER TABLE ONLY receivables.charge_choice ADD CONSTRAINT charge_choice_pkey PRIMARY KEY (student);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.charge_choice TO hobbs_receivables;

CREATE TABLE receivables.credit_allowance (
    id uuid NOT NULL,
    flight_id text NOT NULL,
    student text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    until timestamptz NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    why text NOT NULL,
    needs_second boolean NOT NULL,
    approved_by text,
    approved_at timestamptz,
    closed_by text,
    closed_at timestamptz,
    CONSTRAINT a_second_person_approves CHECK (((approved_by IS NULL) OR (lower(NORMALIZE(TRIM(BOTH FROM approved_by), NFKC)) <> lower(NORMALIZE(TRIM(BOTH FROM asked_by), NFKC))))),
    CONSTRAINT allowance_ends CHECK ((until > asked_at)),
    CONSTRAINT allowance_has_a_reason CHECK ((TRIM(BOTH FROM why) <> ''::text)),
    CONSTRAINT allowance_is_positive CHECK ((amount > 0)),
    CONSTRAINT approved_allowance_says_when CHECK (((approved_by IS NULL) = (approved_at IS NULL))),
    CONSTRAINT closed_allowance_says_when CHECK (((closed_by IS NULL) = (closed_at IS NULL)))
);
ALTER TABLE ONLY receivables.credit_allowance ADD CONSTRAINT credit_allowance_pkey PRIMARY KEY (id);
CREATE INDEX allowance_of_flight ON receivables.credit_allowance USING btree (flight_id);
CREATE INDEX allowance_of_student ON receivables.credit_allowance USING btree (student, until);
GRANT SELECT, INSERT ON TABLE receivables.credit_allowance TO hobbs_receivables;
GRANT UPDATE (approved_by, approved_at, closed_by, closed_at) ON TABLE receivables.credit_allowance TO hobbs_receivables;

CREATE TABLE receivables.credit_level (
    student text NOT NULL,
    level text DEFAULT 'ok'::text NOT NULL,
    changes integer DEFAULT 0 NOT NULL,
    stale boolean DEFAULT true NOT NULL,
    reviewed_on date DEFAULT '1900-01-01'::date NOT NULL,
    CONSTRAINT credit_level_is_known CHECK ((level = ANY (ARRAY['ok'::text, 'near'::text, 'close'::text, 'exceeded'::text])))
);
ALTER TABLE ONLY receivables.credit_level ADD CONSTRAINT credit_level_pkey PRIMARY KEY (student);
CREATE INDEX credit_level_is_stale ON receivables.credit_level USING btree (student) WHERE stale;
CREATE INDEX credit_level_to_review ON receivables.credit_level USING btree (reviewed_on, student);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.credit_level TO hobbs_receivables;

CREATE TABLE receivables.credit_level_change (
    student text NOT NULL,
    number integer NOT NULL,
    from_level text NOT NULL,
    to_level text NOT NULL,
    currency text NOT NULL,
    posted bigint NOT NULL,
    pending bigint NOT NULL,
    disputed bigint NOT NULL,
    credit_limit bigint,
    sentence text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT a_crossing_changes_the_level CHECK ((from_level <> to_level)),
    CONSTRAINT crossings_are_counted_from_one CHECK ((number > 0))
);
ALTER TABLE ONLY receivables.credit_level_change ADD CONSTRAINT a_crossing_is_said_once PRIMARY KEY (student, number);
ALTER TABLE ONLY receivables.credit_level_change ADD CONSTRAINT credit_level_change_student_fkey FOREIGN KEY (student) REFERENCES receivables.credit_level(student);
GRANT SELECT, INSERT ON TABLE receivables.credit_level_change TO hobbs_receivables;

CREATE TABLE receivables.credit_limit (
    student text NOT NULL,
    effective_from date NOT NULL,
    version integer NOT NULL,
    withdrawn boolean NOT NULL,
    amount bigint,
    until date,
    frozen boolean NOT NULL,
    CONSTRAINT credit_limit_is_not_negative CHECK ((amount >= 0))
);
ALTER TABLE ONLY receivables.credit_limit ADD CONSTRAINT credit_limit_is_dated_once PRIMARY KEY (student, effective_from);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.credit_limit TO hobbs_receivables;

CREATE TABLE receivables.credit_policy (
    effective_from date NOT NULL,
    version integer NOT NULL,
    policy jsonb,
    CONSTRAINT policy_is_an_object CHECK (((policy IS NULL) OR (jsonb_typeof(policy) = 'object'::text)))
);
ALTER TABLE ONLY receivables.credit_policy ADD CONSTRAINT credit_policy_pkey PRIMARY KEY (effective_from);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.credit_policy TO hobbs_receivables;

CREATE TABLE receivables.dead_letter (
    id uuid DEFAULT uuidv7() NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    identity text NOT NULL,
    subject text,
    key bytea,
    value bytea,
    headers jsonb NOT NULL,
    payload_hash bytea NOT NULL,
    event_key uuid,
    correlation_id text NOT NULL,
    reason text NOT NULL,
    sentence text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    first_seen_at timestamptz DEFAULT now() NOT NULL,
    last_seen_at timestamptz DEFAULT now() NOT NULL,
    history jsonb NOT NULL,
    CONSTRAINT dead_letter_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'redriven'::text, 'discarded'::text]))),
    CONSTRAINT dead_letter_was_attempted CHECK ((attempts > 0))
);
ALTER TABLE ONLY receivables.dead_letter ADD CONSTRAINT dead_letter_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY receivables.dead_letter ADD CONSTRAINT one_dead_letter_for_each_subject UNIQUE (topic, identity);
CREATE INDEX dead_letter_open ON receivables.dead_letter USING btree (last_seen_at) WHERE (state = 'open'::text);
CREATE TRIGGER dead_letter_is_not_emptied BEFORE TRUNCATE ON receivables.dead_letter FOR EACH STATEMENT EXECUTE FUNCTION receivables.refuse_rewritten_letter();
ALTER TABLE receivables.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_not_emptied;
CREATE TRIGGER dead_letter_is_only_added_to BEFORE DELETE OR UPDATE ON receivables.dead_letter FOR EACH ROW EXECUTE FUNCTION receivables.refuse_rewritten_letter();
ALTER TABLE receivables.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_only_added_to;
GRANT SELECT, INSERT ON TABLE receivables.dead_letter TO hobbs_receivables;
GRANT UPDATE (partition, key, value, headers, payload_hash, event_key, correlation_id, reason, sentence, attempts, state, last_seen_at, history) ON TABLE receivables.dead_letter TO hobbs_receivables;
GRANT UPDATE("offset") ON TABLE receivables.dead_letter TO hobbs_receivables;

CREATE TABLE receivables.deposit (
    id uuid NOT NULL,
    number text NOT NULL,
    deposited_on date NOT NULL,
    currency text NOT NULL,
    total bigint NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    reverted_by text,
    reverted_at timestamptz,
    CONSTRAINT deposit_is_positive CHECK ((total > 0)),
    CONSTRAINT reverted_deposit_says_when CHECK (((reverted_by IS NULL) = (reverted_at IS NULL)))
);
ALTER TABLE ONLY receivables.deposit ADD CONSTRAINT deposit_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX deposit_is_recorded_once ON receivables.deposit USING btree (number) WHERE (reverted_at IS NULL);
GRANT SELECT, INSERT ON TABLE receivables.deposit TO hobbs_receivables;
GRANT UPDATE (reverted_by, reverted_at) ON TABLE receivables.deposit TO hobbs_receivables;

CREATE TABLE receivables.deposited_payment (
    deposit_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT deposited_amount_is_positive CHECK ((amount > 0))
);
ALTER TABLE ONLY receivables.deposited_payment ADD CONSTRAINT payment_is_deposited_once PRIMARY KEY (deposit_id, payment_id);
ALTER TABLE ONLY receivables.deposited_payment ADD CONSTRAINT deposited_payment_deposit_id_fkey FOREIGN KEY (deposit_id) REFERENCES receivables.deposit(id);
ALTER TABLE ONLY receivables.deposited_payment ADD CONSTRAINT deposited_payment_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES receivables.recorded_payment(id);
GRANT SELECT, INSERT ON TABLE receivables.deposited_payment TO hobbs_receivables;

CREATE TABLE receivables.dispatch (
    flight_id text NOT NULL,
    revision integer NOT NULL,
    student text NOT NULL,
    currency text,
    estimate bigint,
    held bigint,
    ends_at timestamptz NOT NULL,
    expires_at timestamptz,
    state text NOT NULL,
    reason text,
    sentence text DEFAULT ''::text NOT NULL,
    shortfall bigint,
    estimated_at timestamptz DEFAULT now() NOT NULL,
    answered_at timestamptz,
    closed_at timestamptz,
    allowed bigint DEFAULT 0 NOT NULL,
    activity text,
    CONSTRAINT activity_is_known CHECK ((activity = ANY (ARRAY['solo'::text, 'dual'::text, 'ground'::text]))),
    CONSTRAINT allowed_is_not_negative CHECK ((allowed >= 0)),
    CONSTRAINT closed_dispatch_says_when CHECK (((state = 'closed'::text) = (closed_at IS NOT NULL))),
    CONSTRAINT dispatch_holds_something CHECK ((held > 0)),
    CONSTRAINT dispatch_is_answered_when_it_is_decided CHECK (((answered_at IS NULL) = (state = ANY (ARRAY['waits'::text, 'asked'::text])))),
    CONSTRAINT dispatch_state_is_known CHECK ((state = ANY (ARRAY['waits'::text, 'asked'::text, 'cleared'::text, 'voiding'::text, 'closed'::text, 'refused'::text]))),
    CONSTRAINT held_dispatch_says_what CHECK (((state <> ALL (ARRAY['asked'::text, 'cleared'::text, 'voiding'::text, 'closed'::text])) OR (num_nulls(currency, estimate, held, expires_at) = 0))),
    CONSTRAINT refused_dispatch_says_why CHECK (((state = 'refused'::text) = (reason IS NOT NULL)))
);
ALTER TABLE ONLY receivables.dispatch ADD CONSTRAINT dispatch_is_numbered_once PRIMARY KEY (flight_id, revision);
ALTER TABLE ONLY receivables.dispatch ADD CONSTRAINT dispatch_flight_id_fkey FOREIGN KEY (flight_id) REFERENCES receivables.dispatched_flight(flight_id);
CREATE INDEX dispatch_is_open ON receivables.dispatch USING btree (flight_id) WHERE (state = ANY (ARRAY['waits'::text, 'asked'::text, 'cleared'::text, 'voiding'::text]));
CREATE INDEX dispatch_of_student ON receivables.dispatch USING btree (student, estimated_at);
CREATE UNIQUE INDEX one_command_of_a_flight_is_on_its_way ON receivables.dispatch USING btree (flight_id) WHERE (state = ANY (ARRAY['asked'::text, 'voiding'::text]));
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.dispatch TO hobbs_receivables;

CREATE TABLE receivables.dispatched_flight (
    flight_id text NOT NULL,
    ended text,
    ended_at timestamptz,
    CONSTRAINT ended_flight_says_when CHECK (((ended IS NULL) = (ended_at IS NULL))),
    CONSTRAINT flight_ends_one_way CHECK ((ended = ANY (ARRAY['billed'::text, 'cancelled'::text])))
);
ALTER TABLE ONLY receivables.dispatched_flight ADD CONSTRAINT dispatched_flight_pkey PRIMARY KEY (flight_id);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.dispatched_flight TO hobbs_receivables;

CREATE TABLE receivables.dispute (
    dispute_id text NOT NULL,
    charge_id text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    opened_at timestamptz NOT NULL,
    withdrawn boolean NOT NULL,
    outcome text,
    closed_at timestamptz,
    fees jsonb NOT NULL,
    reason text,
    CONSTRAINT dispute_closed_with_an_outcome CHECK (((outcome IS NULL) = (closed_at IS NULL))),
    CONSTRAINT dispute_is_positive CHECK ((amount > 0)),
    CONSTRAINT dispute_outcome_is_known CHECK ((outcome = ANY (ARRAY['won'::text, 'lost'::text])))
);
ALTER TABLE ONLY receivables.dispute ADD CONSTRAINT dispute_pkey PRIMARY KEY (dispute_id);
ALTER TABLE ONLY receivables.dispute ADD CONSTRAINT dispute_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES receivables.charge(charge_id);
CREATE INDEX dispute_is_open ON receivables.dispute USING btree (charge_id) WHERE (withdrawn AND (outcome IS NULL));
CREATE INDEX dispute_of_charge ON receivables.dispute USING btree (charge_id);
CREATE INDEX dispute_opened ON receivables.dispute USING btree (opened_at) WHERE withdrawn;
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.dispute TO hobbs_receivables;

CREATE TABLE receivables.dunning_case (
    student text NOT NULL,
    run integer DEFAULT 0 NOT NULL,
    overdue_since date,
    hold text,
    until date,
    stepped_on date,
    CONSTRAINT a_promise_says_until_when CHECK (((NOT (hold IS DISTINCT FROM 'promised'::text)) = (until IS NOT NULL))),
    CONSTRAINT an_open_run_has_a_number CHECK (((overdue_since IS NULL) OR (run > 0))),
    CONSTRAINT hold_is_known CHECK ((hold = ANY (ARRAY['paused'::text, 'promised'::text]))),
    CONSTRAINT runs_are_counted_up CHECK ((run >= 0))
);
ALTER TABLE ONLY receivables.dunning_case ADD CONSTRAINT dunning_case_pkey PRIMARY KEY (student);
CREATE INDEX dunning_runs ON receivables.dunning_case USING btree (student) WHERE ((overdue_since IS NOT NULL) OR (hold IS NOT NULL));
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.dunning_case TO hobbs_receivables;

CREATE TABLE receivables.dunning_history (
    place bigint NOT NULL,
    student text NOT NULL,
    run integer NOT NULL,
    what text NOT NULL,
    step text,
    action text,
    currency text,
    total bigint,
    oldest_due date,
    policy_from date,
    policy_version integer,
    from_hour integer,
    until_hour integer,
    until date,
    who text,
    why text,
    sentence text DEFAULT ''::text NOT NULL,
    local_at timestamp without time zone NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT a_person_says_who_and_why CHECK (((what = ANY (ARRAY['paused'::text, 'promised'::text, 'resumed'::text])) = ((who IS NOT NULL) AND (TRIM(BOTH FROM COALESCE(why, ''::text)) <> ''::text)))),
    CONSTRAINT a_promise_says_its_day CHECK (((what = 'promised'::text) = (until IS NOT NULL))),
    CONSTRAINT a_step_says_what_and_by_which_policy CHECK ((((what <> 'step'::text) AND (num_nonnulls(step, action) = 0)) OR ((what = 'step'::text) AND (num_nulls(step, action, currency, total, oldest_due, policy_from, policy_version, from_hour, until_hour) = 0)))),
    CONSTRAINT action_is_known CHECK ((action = ANY (ARRAY['remind'::text, 'charge_card'::text, 'block_dispatch'::text, 'call'::text, 'collection'::text]))),
    CONSTRAINT no_step_at_night CHECK (((what <> 'step'::text) OR ((EXTRACT(hour FROM local_at) >= (from_hour)::numeric) AND (EXTRACT(hour FROM local_at) < (until_hour)::numeric)))),
    CONSTRAINT what_is_asked_for_is_positive CHECK ((total > 0)),
    CONSTRAINT what_is_known CHECK ((what = ANY (ARRAY['begins'::text, 'step'::text, 'paused'::text, 'promised'::text, 'resumed'::text, 'lapsed'::text, 'ends'::text])))
);
ALTER TABLE receivables.dunning_history ALTER COLUMN place ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY receivables.dunning_history ADD CONSTRAINT dunning_history_pkey PRIMARY KEY (place);
ALTER TABLE ONLY receivables.dunning_history ADD CONSTRAINT dunning_history_student_fkey FOREIGN KEY (student) REFERENCES receivables.dunning_case(student);
CREATE UNIQUE INDEX a_run_begins_once ON receivables.dunning_history USING btree (student, run) WHERE (what = 'begins'::text);
CREATE UNIQUE INDEX a_run_ends_once ON receivables.dunning_history USING btree (student, run) WHERE (what = 'ends'::text);
CREATE UNIQUE INDEX a_step_is_done_once_in_a_run ON receivables.dunning_history USING btree (student, run, step) WHERE (what = 'step'::text);
CREATE INDEX dunning_history_of_student ON receivables.dunning_history USING btree (student, place);
GRANT SELECT, INSERT ON TABLE receivables.dunning_history TO hobbs_receivables;

CREATE TABLE receivables.function_file (
    name text NOT NULL,
    sha256 text NOT NULL,
    signatures text[] NOT NULL
);
ALTER TABLE ONLY receivables.function_file ADD CONSTRAINT function_file_is_applied_once PRIMARY KEY (name);
GRANT SELECT ON TABLE receivables.function_file TO hobbs_receivables;

CREATE TABLE receivables.inbox (
    event_key uuid NOT NULL,
    payload_hash bytea NOT NULL,
    admitted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT payload_hash_is_sha256 CHECK ((octet_length(payload_hash) = 32))
);
ALTER TABLE ONLY receivables.inbox ADD CONSTRAINT event_is_admitted_once PRIMARY KEY (event_key);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE receivables.inbox TO hobbs_receivables;

CREATE TABLE receivables.invariant_outcome (
    name text NOT NULL,
    rows bigint NOT NULL,
    broken_since timestamptz,
    asked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT broken_invariant_says_since_when CHECK (((rows > 0) = (broken_since IS NOT NULL)))
);
ALTER TABLE ONLY receivables.invariant_outcome ADD CONSTRAINT one_outcome_for_each_invariant PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE receivables.invariant_outcome TO hobbs_receivables;

CREATE TABLE receivables.item (
    student text NOT NULL,
    currency text NOT NULL,
    document text NOT NULL,
    amount bigint NOT NULL,
    open bigint DEFAULT 0 NOT NULL,
    booked_on date NOT NULL,
    due_on date NOT NULL,
    named bigint DEFAULT 0 NOT NULL,
    CONSTRAINT no_more_is_named_than_is_billed CHECK (((named >= 0) AND (named <= GREATEST((- amount), (0)::bigint)))),
    CONSTRAINT no_more_is_settled_than_the_amount CHECK (((open >= LEAST(amount, (0)::bigint)) AND (open <= GREATEST(amount, (0)::bigint)))),
    CONSTRAINT nothing_is_due_before_it_is_booked CHECK ((due_on >= booked_on))
);
ALTER TABLE ONLY receivables.item ADD CONSTRAINT one_item_of_a_document PRIMARY KEY (student, currency, document);
ALTER TABLE ONLY receivables.item ADD CONSTRAINT item_of_an_account FOREIGN KEY (student, currency) REFERENCES receivables.account(student, currency);
CREATE INDEX item_by_due_date ON receivables.item USING btree (student, currency, due_on, document);
CREATE INDEX item_is_named ON receivables.item USING btree (student, currency) WHERE (named <> 0);
CREATE INDEX item_is_open ON receivables.item USING btree (student, currency, due_on) INCLUDE (open) WHERE (open <> 0);
CREATE INDEX open_item_by_due_date ON receivables.item USING btree (due_on) WHERE (open <> 0);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.item TO hobbs_receivables;

CREATE TABLE receivables.item_line (
    journal_id uuid NOT NULL,
    student text NOT NULL,
    currency text NOT NULL,
    document text NOT NULL,
    source text NOT NULL,
    amount bigint NOT NULL,
    booked_on date NOT NULL
);
ALTER TABLE ONLY receivables.item_line ADD CONSTRAINT journal_is_itemised_once PRIMARY KEY (journal_id, student, currency);
ALTER TABLE ONLY receivables.item_line ADD CONSTRAINT line_of_an_item FOREIGN KEY (student, currency, document) REFERENCES receivables.item(student, currency, document);
CREATE INDEX line_of_item ON receivables.item_line USING btree (student, currency, document);
GRANT SELECT, INSERT ON TABLE receivables.item_line TO hobbs_receivables;

CREATE TABLE receivables.kept_webhook (
    event_id text NOT NULL,
    event_type text NOT NULL,
    received_at timestamptz NOT NULL,
    body text NOT NULL
);
ALTER TABLE ONLY receivables.kept_webhook ADD CONSTRAINT kept_webhook_pkey PRIMARY KEY (event_id);
CREATE INDEX kept_webhook_of_type ON receivables.kept_webhook USING btree (event_type);
GRANT SELECT, INSERT ON TABLE receivables.kept_webhook TO hobbs_receivables;

CREATE TABLE receivables.limit_change (
    id uuid NOT NULL,
    student text NOT NULL,
    number integer NOT NULL,
    cause text NOT NULL,
    currency text NOT NULL,
    from_limit bigint NOT NULL,
    to_limit bigint NOT NULL,
    book_limit bigint NOT NULL,
    card_from date,
    card_version integer,
    policy_from date NOT NULL,
    policy_version integer NOT NULL,
    evidence jsonb NOT NULL,
    sentence text NOT NULL,
    state text NOT NULL,
    needs_second boolean NOT NULL,
    proposed_at timestamptz NOT NULL,
    accepted_by text,
    approved_by text,
    decided_by text,
    decided_at timestamptz,
    effective_from date,
    why text DEFAULT ''::text NOT NULL,
    CONSTRAINT a_limit_changes CHECK ((from_limit <> to_limit)),
    CONSTRAINT a_second_person_accepts CHECK (((NOT needs_second) OR (state <> 'in_force'::text) OR ((lower(NORMALIZE(TRIM(BOTH FROM approved_by), NFKC)) <> lower(NORMALIZE(TRIM(BOTH FROM accepted_by), NFKC))) AND (num_nulls(approved_by, accepted_by) = 0)))),
    CONSTRAINT changed_limit_says_from_when CHECK (((state = ANY (ARRAY['in_force'::text, 'refused'::text])) = (effective_from IS NOT NULL))),
    CONSTRAINT decided_change_says_when CHECK (((state = ANY (ARRAY['proposed'::text, 'waits'::text])) = (decided_at IS NULL))),
    CONSTRAINT evidence_is_an_object CHECK ((jsonb_typeof(evidence) = 'object'::text)),
    CONSTRAINT limit_after_is_not_negative CHECK ((to_limit >= 0)),
    CONSTRAINT limit_before_is_not_negative CHECK ((from_limit >= 0)),
    CONSTRAINT limit_change_state_is_known CHECK ((state = ANY (ARRAY['proposed'::text, 'waits'::text, 'in_force'::text, 'refused'::text, 'lapsed'::text]))),
    CONSTRAINT limit_changes_are_counted_from_one CHECK ((number > 0)),
    CONSTRAINT own_card_is_named_whole CHECK (((card_from IS NULL) = (card_version IS NULL))),
    CONSTRAINT refused_change_says_who_and_why CHECK (((state <> 'refused'::text) OR ((decided_by IS NOT NULL) AND (TRIM(BOTH FROM why) <> ''::text)))),
    CONSTRAINT waiting_change_was_accepted CHECK (((state <> 'waits'::text) OR (needs_second AND (accepted_by IS NOT NULL))))
);
ALTER TABLE ONLY receivables.limit_change ADD CONSTRAINT limit_change_pkey PRIMARY KEY (id);
ALTER TABLE ONLY receivables.limit_change ADD CONSTRAINT limit_changes_are_counted UNIQUE (student, number);
CREATE UNIQUE INDEX a_limit_changes_once_for_a_cause ON receivables.limit_change USING btree (student, cause) WHERE (state <> 'lapsed'::text);
CREATE UNIQUE INDEX one_change_of_a_limit_is_open ON receivables.limit_change USING btree (student) WHERE (state = ANY (ARRAY['proposed'::text, 'waits'::text]));
CREATE TRIGGER limit_change_moves_as_it_may BEFORE UPDATE ON receivables.limit_change FOR EACH ROW EXECUTE FUNCTION receivables.guard_limit_change();
ALTER TABLE receivables.limit_change ENABLE ALWAYS TRIGGER limit_change_moves_as_it_may;
GRANT SELECT, INSERT ON TABLE receivables.limit_change TO hobbs_receivables;
GRANT UPDATE (state, needs_second, accepted_by, approved_by, decided_by, decided_at, effective_from, why) ON TABLE receivables.limit_change TO hobbs_receivables;

CREATE TABLE receivables.named_bill (
    place bigint NOT NULL,
    payment text NOT NULL,
    student text NOT NULL,
    currency text NOT NULL,
    bill text,
    who text NOT NULL,
    why text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT a_payment_is_no_bill CHECK ((bill <> payment))
);
ALTER TABLE receivables.named_bill ALTER COLUMN place ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY receivables.named_bill ADD CONSTRAINT named_bill_pkey PRIMARY KEY (place);
CREATE INDEX named_bill_of_account ON receivables.named_bill USING btree (student, currency, payment, place);
GRANT SELECT, INSERT ON TABLE receivables.named_bill TO hobbs_receivables;

CREATE TABLE receivables.outbox (
    id bigint NOT NULL,
    topic text NOT NULL,
    key bytea,
    value bytea,
    event_id uuid,
    source text,
    correlation_id text,
    traceparent text,
    raw_headers jsonb,
    staged_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT outbox_row_is_an_event_or_a_raw_record CHECK ((((event_id IS NOT NULL) AND (value IS NOT NULL) AND (raw_headers IS NULL)) OR ((event_id IS NULL) AND (raw_headers IS NOT NULL))))
);
ALTER TABLE receivables.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE receivables.outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK ((topic = ANY (ARRAY['charge.requested'::text, 'credit.level_changed'::text, 'decision.taken'::text, 'dispatch.cleared'::text, 'dispatch.refused'::text, 'dunning.requested'::text, 'hold.requested'::text, 'journal.requested'::text, 'notification.requested'::text, 'payment.received'::text, 'receivables.dead'::text, 'receivables.redrive'::text, 'refund.requested'::text]))) NOT VALID;
ALTER TABLE ONLY receivables.outbox ADD CONSTRAINT outbox_row_has_one_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE receivables.outbox TO hobbs_receivables;

CREATE TABLE receivables.outbox_sent (
    id bigint NOT NULL,
    topic text NOT NULL,
    key bytea,
    value bytea,
    event_id uuid,
    source text,
    correlation_id text,
    traceparent text,
    raw_headers jsonb,
    staged_at timestamptz NOT NULL,
    sent_at timestamptz DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ONLY receivables.outbox_sent ADD CONSTRAINT sent_row_has_its_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE ON TABLE receivables.outbox_sent TO hobbs_receivables;

CREATE TABLE receivables.payment_failure (
    payment_intent_id text NOT NULL,
    attempt text NOT NULL,
    student text,
    amount bigint NOT NULL,
    currency text NOT NULL,
    code text NOT NULL,
    failed_at timestamptz NOT NULL
);
ALTER TABLE ONLY receivables.payment_failure ADD CONSTRAINT payment_failure_is_told_once PRIMARY KEY (payment_intent_id, attempt);
GRANT SELECT, INSERT ON TABLE receivables.payment_failure TO hobbs_receivables;

CREATE TABLE receivables.payment_move (
    charge_id text NOT NULL,
    number integer NOT NULL,
    from_student text NOT NULL,
    to_student text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    moved_at timestamptz NOT NULL,
    moved_by text NOT NULL,
    why text NOT NULL,
    CONSTRAINT payment_move_changes_the_student CHECK ((from_student <> to_student)),
    CONSTRAINT payment_move_is_positive CHECK ((amount > 0))
);
ALTER TABLE ONLY receivables.payment_move ADD CONSTRAINT payment_move_is_numbered_once PRIMARY KEY (charge_id, number);
ALTER TABLE ONLY receivables.payment_move ADD CONSTRAINT payment_move_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES receivables.charge(charge_id);
CREATE INDEX payment_move_to_student ON receivables.payment_move USING btree (to_student);
GRANT SELECT, INSERT ON TABLE receivables.payment_move TO hobbs_receivables;

CREATE TABLE receivables.posting (
    source text NOT NULL,
    charge_id text,
    event_type text NOT NULL,
    currency text NOT NULL,
    occurred_at timestamptz NOT NULL,
    entries jsonb NOT NULL,
    memo text NOT NULL,
    requested_at timestamptz DEFAULT now() NOT NULL,
    ordinal bigint NOT NULL,
    payment_id uuid,
    deposit_id uuid,
    note_id uuid,
    CONSTRAINT posting_has_entries CHECK ((jsonb_array_length(entries) >= 2))
);
ALTER TABLE receivables.posting ALTER COLUMN ordinal ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE receivables.posting ADD CONSTRAINT posting_is_of_one_thing CHECK ((num_nonnulls(charge_id, payment_id, deposit_id, note_id) = 1)) NOT VALID;
ALTER TABLE ONLY receivables.posting ADD CONSTRAINT posting_pkey PRIMARY KEY (source);
ALTER TABLE ONLY receivables.posting ADD CONSTRAINT posting_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES receivables.charge(charge_id);
ALTER TABLE ONLY receivables.posting ADD CONSTRAINT posting_deposit_id_fkey FOREIGN KEY (deposit_id) REFERENCES receivables.deposit(id);
ALTER TABLE ONLY receivables.posting ADD CONSTRAINT posting_note_id_fkey FOREIGN KEY (note_id) REFERENCES receivables.account_note(id);
ALTER TABLE ONLY receivables.posting ADD CONSTRAINT posting_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES receivables.recorded_payment(id);
CREATE INDEX posting_of_charge ON receivables.posting USING btree (charge_id);
CREATE INDEX posting_of_note ON receivables.posting USING btree (note_id) WHERE (note_id IS NOT NULL);
CREATE INDEX posting_of_payment ON receivables.posting USING btree (payment_id) WHERE (payment_id IS NOT NULL);
CREATE INDEX posting_requested_at ON receivables.posting USING btree (requested_at);
GRANT SELECT, INSERT ON TABLE receivables.posting TO hobbs_receivables;

CREATE TABLE receivables.recorded_change (
    place bigint NOT NULL,
    payment_id uuid NOT NULL,
    what text NOT NULL,
    state text NOT NULL,
    deposit_id uuid,
    who text NOT NULL,
    why text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT change_is_known CHECK ((what = ANY (ARRAY['recorded'::text, 'approved'::text, 'deposited'::text, 'taken_out'::text, 'cleared'::text, 'bounced'::text, 'reverted'::text])))
);
ALTER TABLE receivables.recorded_change ALTER COLUMN place ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY receivables.recorded_change ADD CONSTRAINT recorded_change_pkey PRIMARY KEY (place);
ALTER TABLE ONLY receivables.recorded_change ADD CONSTRAINT recorded_change_deposit_id_fkey FOREIGN KEY (deposit_id) REFERENCES receivables.deposit(id);
ALTER TABLE ONLY receivables.recorded_change ADD CONSTRAINT recorded_change_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES receivables.recorded_payment(id);
CREATE INDEX cheque_bounced ON receivables.recorded_change USING btree (at) WHERE (what = 'bounced'::text);
CREATE INDEX recorded_change_of_payment ON receivables.recorded_change USING btree (payment_id, place);
GRANT SELECT, INSERT ON TABLE receivables.recorded_change TO hobbs_receivables;

CREATE TABLE receivables.recorded_payment (
    id uuid NOT NULL,
    student text NOT NULL,
    method text NOT NULL,
    number text NOT NULL,
    paid_on date NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    when_cleared boolean NOT NULL,
    needs_second boolean NOT NULL,
    state text NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    approved_by text,
    cleared boolean DEFAULT false NOT NULL,
    deposit_id uuid,
    CONSTRAINT a_cheque_counts_once_cleared CHECK (((state <> 'received'::text) OR (when_cleared = cleared))),
    CONSTRAINT a_second_person_agrees CHECK (((approved_by IS NULL) OR (needs_second AND (lower(NORMALIZE(TRIM(BOTH FROM approved_by), NFKC)) <> lower(NORMALIZE(TRIM(BOTH FROM recorded_by), NFKC)))))),
    CONSTRAINT method_is_known CHECK ((method = ANY (ARRAY['cash'::text, 'cheque'::text, 'bank_transfer'::text]))),
    CONSTRAINT nothing_counts_before_the_second_agrees CHECK (((NOT needs_second) OR (approved_by IS NOT NULL) OR (state = ANY (ARRAY['waits'::text, 'reverted'::text])))),
    CONSTRAINT only_cheques_are_cleared CHECK (((method = 'cheque'::text) OR ((NOT when_cleared) AND (NOT cleared)))),
    CONSTRAINT only_cheques_are_held CHECK (((state <> 'held'::text) OR (when_cleared AND (NOT cleared)))),
    CONSTRAINT only_cheques_bounce CHECK (((state <> 'bounced'::text) OR ((method = 'cheque'::text) AND (deposit_id IS NOT NULL)))),
    CONSTRAINT only_what_is_recorded_is_deposited CHECK (((deposit_id IS NULL) OR (state = ANY (ARRAY['held'::text, 'received'::text, 'bounced'::text])))),
    CONSTRAINT recorded_payment_has_a_number CHECK ((TRIM(BOTH FROM number) <> ''::text)),
    CONSTRAINT recorded_payment_is_positive CHECK ((amount > 0)),
    CONSTRAINT recorded_state_is_known CHECK ((state = ANY (ARRAY['waits'::text, 'held'::text, 'received'::text, 'bounced'::text, 'reverted'::text]))),
    CONSTRAINT transfers_are_not_deposited CHECK (((method <> 'bank_transfer'::text) OR (deposit_id IS NULL)))
);
ALTER TABLE ONLY receivables.recorded_payment ADD CONSTRAINT recorded_payment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY receivables.recorded_payment ADD CONSTRAINT recorded_payment_deposit_id_fkey FOREIGN KEY (deposit_id) REFERENCES receivables.deposit(id);
CREATE UNIQUE INDEX payment_is_recorded_once ON receivables.recorded_payment USING btree (student, method, number) WHERE (state <> ALL (ARRAY['reverted'::text, 'bounced'::text]));
CREATE INDEX recorded_payment_kept ON receivables.recorded_payment USING btree (recorded_at) WHERE ((deposit_id IS NULL) AND (method <> 'bank_transfer'::text) AND (state = ANY (ARRAY['held'::text, 'received'::text])));
CREATE INDEX recorded_payment_of_day ON receivables.recorded_payment USING btree (recorded_at);
CREATE INDEX recorded_payment_of_deposit ON receivables.recorded_payment USING btree (deposit_id) WHERE (deposit_id IS NOT NULL);
CREATE TRIGGER recorded_payment_moves_as_it_may BEFORE UPDATE ON receivables.recorded_payment FOR EACH ROW EXECUTE FUNCTION receivables.guard_recorded_payment();
ALTER TABLE receivables.recorded_payment ENABLE ALWAYS TRIGGER recorded_payment_moves_as_it_may;
GRANT SELECT, INSERT ON TABLE receivables.recorded_payment TO hobbs_receivables;
GRANT UPDATE (state, approved_by, cleared, deposit_id) ON TABLE receivables.recorded_payment TO hobbs_receivables;

CREATE TABLE receivables.refund (
    refund_id text NOT NULL,
    charge_id text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    at timestamptz NOT NULL,
    moved boolean NOT NULL,
    failed boolean NOT NULL,
    CONSTRAINT refund_is_positive CHECK ((amount > 0))
);
ALTER TABLE ONLY receivables.refund ADD CONSTRAINT refund_pkey PRIMARY KEY (refund_id);
ALTER TABLE ONLY receivables.refund ADD CONSTRAINT refund_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES receivables.charge(charge_id);
CREATE INDEX refund_of_charge ON receivables.refund USING btree (charge_id);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.refund TO hobbs_receivables;

CREATE TABLE receivables.saved_method (
    payment_method text NOT NULL,
    customer text,
    student text,
    method_type text,
    expires_on date,
    seen_at timestamptz,
    set_up_at timestamptz,
    detached_at timestamptz,
    stopped_at timestamptz,
    stopped_why text,
    CONSTRAINT set_up_method_has_a_student CHECK ((((set_up_at IS NULL) = (student IS NULL)) AND ((student IS NULL) OR (customer IS NOT NULL)))),
    CONSTRAINT stopped_method_says_why CHECK (((stopped_at IS NULL) = (stopped_why IS NULL)))
);
ALTER TABLE ONLY receivables.saved_method ADD CONSTRAINT saved_method_pkey PRIMARY KEY (payment_method);
CREATE INDEX saved_method_of_student ON receivables.saved_method USING btree (student, set_up_at);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.saved_method TO hobbs_receivables;

CREATE TABLE receivables.school (
    only_row boolean DEFAULT true NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    currency text,
    named_version integer DEFAULT 0 NOT NULL,
    read_version integer DEFAULT 0 NOT NULL,
    levels_on date,
    levels_version integer DEFAULT 0 NOT NULL,
    CONSTRAINT there_is_one_school CHECK (only_row)
);
ALTER TABLE ONLY receivables.school ADD CONSTRAINT school_pkey PRIMARY KEY (only_row);
GRANT SELECT, UPDATE ON TABLE receivables.school TO hobbs_receivables;

CREATE TABLE receivables.timer (
    name text NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    lease_until timestamptz,
    last_run date
);
ALTER TABLE ONLY receivables.timer ADD CONSTRAINT timer_runs_in_one_place PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE receivables.timer TO hobbs_receivables;

CREATE TABLE receivables.topic_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY receivables.topic_position ADD CONSTRAINT one_position_for_each_partition PRIMARY KEY (topic, partition);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.topic_position TO hobbs_receivables;

CREATE TABLE receivables.unallocated_payment (
    charge_id text NOT NULL,
    queued_at timestamptz DEFAULT now() NOT NULL,
    student text,
    allocated_at timestamptz,
    allocated_by text,
    closest text,
    CONSTRAINT unallocated_payment_is_allocated_whole_or_not CHECK ((num_nulls(student, allocated_at, allocated_by) = ANY (ARRAY[0, 3])))
);
ALTER TABLE ONLY receivables.unallocated_payment ADD CONSTRAINT unallocated_payment_pkey PRIMARY KEY (charge_id);
ALTER TABLE ONLY receivables.unallocated_payment ADD CONSTRAINT unallocated_payment_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES receivables.charge(charge_id);
CREATE INDEX unallocated_payment_open ON receivables.unallocated_payment USING btree (queued_at) WHERE (student IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE receivables.unallocated_payment TO hobbs_receivables;

CREATE VIEW receivables_public.account_notes AS
 SELECT id,
    kind,
    student,
    currency,
    amount,
    bill,
    way,
    number,
    paid_on,
    payment_id,
    needs_second,
    state,
    asked_by,
    asked_at,
    why,
    approved_by,
    decided_by,
    decided_at,
    decided_why,
    refunded,
    refunds,
    sentence,
    settled_at
   FROM receivables.account_note;
GRANT SELECT ON TABLE receivables_public.account_notes TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.accounts AS
 SELECT student,
    currency,
    balance
   FROM receivables.account;
GRANT SELECT ON TABLE receivables_public.accounts TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.admitted_events AS
 SELECT event_key,
    admitted_at
   FROM receivables.inbox;
GRANT SELECT ON TABLE receivables_public.admitted_events TO hobbs_reader, hobbs_payouts, hobbs_receivables;

CREATE VIEW receivables_public.auto_charges AS
 SELECT request_id,
    student,
    cause,
    attempt,
    currency,
    amount,
    payment_method,
    state,
    decided_at,
    answered_at,
    payment_intent,
    charge_id,
    kind,
    code,
    sentence,
    retry_at,
    taken_back_at
   FROM receivables.auto_charge;
GRANT SELECT ON TABLE receivables_public.auto_charges TO hobbs_reader, hobbs_payouts, hobbs_receivables;

CREATE VIEW receivables_public.charge_choices AS
 SELECT student,
    occasion,
    threshold,
    day,
    most,
    most_a_day,
    chosen_on,
    chosen_at,
    chosen_by
   FROM receivables.charge_choice;
GRANT SELECT ON TABLE receivables_public.charge_choices TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.credit_allowances AS
 SELECT id,
    flight_id,
    student,
    currency,
    amount,
    until,
    asked_by,
    asked_at,
    why,
    needs_second,
    approved_by,
    approved_at,
    closed_by,
    closed_at
   FROM receivables.credit_allowance;
GRANT SELECT ON TABLE receivables_public.credit_allowances TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.credit_level_changes AS
 SELECT student,
    number,
    from_level,
    to_level,
    currency,
    posted,
    pending,
    disputed,
    credit_limit,
    sentence,
    changed_at
   FROM receivables.credit_level_change;
GRANT SELECT ON TABLE receivables_public.credit_level_changes TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.credit_limits AS
 SELECT student,
    effective_from,
    version,
    withdrawn,
    amount,
    until,
    frozen
   FROM receivables.credit_limit;
GRANT SELECT ON TABLE receivables_public.credit_limits TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.dead_letters AS
 SELECT id,
    topic,
    partition,
    "offset",
    subject,
    reason,
    sentence,
    attempts,
    state,
    first_seen_at,
    last_seen_at,
    correlation_id,
    event_key
   FROM receivables.dead_letter;
GRANT SELECT ON TABLE receivables_public.dead_letters TO hobbs_reader, hobbs_operations, hobbs_payouts, hobbs_receivables;

CREATE VIEW receivables_public.deposited_payments AS
 SELECT deposit_id,
    payment_id,
    amount
   FROM receivables.deposited_payment;
GRANT SELECT ON TABLE receivables_public.deposited_payments TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.deposits AS
 SELECT id,
    number,
    deposited_on,
    currency,
    total,
    made_by,
    made_at,
    reverted_by,
    reverted_at,
    ( SELECT (count(*))::integer AS count
           FROM receivables.deposited_payment
          WHERE (deposited_payment.deposit_id = deposit.id)) AS payments
   FROM receivables.deposit;
GRANT SELECT ON TABLE receivables_public.deposits TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.dispatches AS
 SELECT dispatch.flight_id,
    dispatch.revision,
    dispatch.student,
    dispatch.currency,
    dispatch.estimate,
    dispatch.held,
    dispatch.ends_at,
    dispatch.expires_at,
    dispatch.state,
    dispatch.reason,
    dispatch.sentence,
    dispatch.shortfall,
    dispatch.estimated_at,
    dispatch.answered_at,
    dispatch.closed_at,
    dispatched_flight.ended,
    dispatch.allowed,
    dispatch.activity
   FROM (receivables.dispatch
     JOIN receivables.dispatched_flight USING (flight_id));
GRANT SELECT ON TABLE receivables_public.dispatches TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.disputes AS
 SELECT dispute_id,
    charge_id,
    amount,
    currency,
    opened_at,
    withdrawn,
    outcome,
    closed_at,
    fees,
    reason
   FROM receivables.dispute;
GRANT SELECT ON TABLE receivables_public.disputes TO hobbs_reader, hobbs_adjustments, hobbs_receivables;

CREATE VIEW receivables_public.dunning_cases AS
 SELECT student,
    run,
    overdue_since,
    hold,
    until
   FROM receivables.dunning_case;
GRANT SELECT ON TABLE receivables_public.dunning_cases TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.dunning_history AS
 SELECT place,
    student,
    run,
    what,
    step,
    action,
    currency,
    total,
    oldest_due,
    policy_from,
    policy_version,
    until,
    who,
    why,
    sentence,
    local_at,
    at
   FROM receivables.dunning_history;
GRANT SELECT ON TABLE receivables_public.dunning_history TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.item_lines AS
 SELECT journal_id,
    student,
    currency,
    document,
    source,
    amount,
    booked_on
   FROM receivables.item_line;
GRANT SELECT ON TABLE receivables_public.item_lines TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.items AS
 SELECT student,
    currency,
    document,
    amount,
    open,
    booked_on,
    due_on,
    named
   FROM receivables.item;
GRANT SELECT ON TABLE receivables_public.items TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.kept_webhooks AS
 SELECT event_id,
    event_type,
    received_at
   FROM receivables.kept_webhook;
GRANT SELECT ON TABLE receivables_public.kept_webhooks TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.limit_changes AS
 SELECT id,
    student,
    number,
    cause,
    currency,
    from_limit,
    to_limit,
    book_limit,
    card_from,
    card_version,
    policy_from,
    policy_version,
    evidence,
    sentence,
    state,
    needs_second,
    proposed_at,
    accepted_by,
    approved_by,
    decided_by,
    decided_at,
    effective_from,
    why
   FROM receivables.limit_change;
GRANT SELECT ON TABLE receivables_public.limit_changes TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.named_bills AS
 SELECT place,
    payment,
    student,
    currency,
    bill,
    who,
    why,
    at
   FROM receivables.named_bill;
GRANT SELECT ON TABLE receivables_public.named_bills TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.payment_failures AS
 SELECT payment_intent_id,
    attempt,
    student,
    amount,
    currency,
    code,
    failed_at
   FROM receivables.payment_failure;
GRANT SELECT ON TABLE receivables_public.payment_failures TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.payment_moves AS
 SELECT charge_id,
    number,
    from_student,
    to_student,
    amount,
    currency,
    moved_at,
    moved_by,
    why
   FROM receivables.payment_move;
GRANT SELECT ON TABLE receivables_public.payment_moves TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.payments AS
 SELECT charge.charge_id,
    charge.payment_intent_id,
    charge.student,
    charge.amount,
    charge.currency,
    charge.received_at,
    charge.fee,
    charge.fee_transaction_id,
    charge.settled_at,
    (COALESCE(refunded.amount, (0)::numeric))::bigint AS refunded,
    (COALESCE(disputed.open, (0)::numeric))::bigint AS disputed,
    ((COALESCE(disputed.lost, (0)::numeric) + (
        CASE
            WHEN (charge.failed_at IS NULL) THEN (0)::bigint
            ELSE charge.amount
        END)::numeric))::bigint AS lost,
    charge.failed_at,
    charge.failure_code
   FROM ((receivables.charge
     LEFT JOIN LATERAL ( SELECT sum(refund.amount) AS amount
           FROM receivables.refund
          WHERE ((refund.charge_id = charge.charge_id) AND refund.moved AND (NOT refund.failed))) refunded ON (true))
     LEFT JOIN LATERAL ( SELECT sum(dispute.amount) FILTER (WHERE (dispute.outcome IS NULL)) AS open,
            sum(dispute.amount) FILTER (WHERE (dispute.outcome = 'lost'::text)) AS lost
           FROM receivables.dispute
          WHERE ((dispute.charge_id = charge.charge_id) AND dispute.withdrawn)) disputed ON (true))
  WHERE (charge.amount IS NOT NULL);
GRANT SELECT ON TABLE receivables_public.payments TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.positions AS
 SELECT topic,
    partition,
    next_offset,
    written_at
   FROM receivables.topic_position;
GRANT SELECT ON TABLE receivables_public.positions TO hobbs_reader, hobbs_operations, hobbs_receivables;

CREATE VIEW receivables_public.postings AS
 SELECT posting.source,
    posting.charge_id,
    posting.event_type,
    posting.currency,
    entry.wallet,
    entry.amount,
    posting.occurred_at,
    posting.requested_at
   FROM receivables.posting,
    LATERAL jsonb_to_recordset(posting.entries) entry(wallet text, amount bigint);
GRANT SELECT ON TABLE receivables_public.postings TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.recorded_changes AS
 SELECT place,
    payment_id,
    what,
    state,
    deposit_id,
    who,
    why,
    at
   FROM receivables.recorded_change;
GRANT SELECT ON TABLE receivables_public.recorded_changes TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.recorded_payments AS
 SELECT id,
    student,
    method,
    number,
    paid_on,
    amount,
    currency,
    when_cleared,
    needs_second,
    state,
    recorded_by,
    recorded_at,
    approved_by,
    cleared,
    deposit_id
   FROM receivables.recorded_payment;
GRANT SELECT ON TABLE receivables_public.recorded_payments TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.refunds AS
 SELECT refund_id,
    charge_id,
    amount,
    currency,
    at,
    moved,
    failed
   FROM receivables.refund;
GRANT SELECT ON TABLE receivables_public.refunds TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.saved_methods AS
 SELECT payment_method,
    student,
    method_type,
    expires_on,
    set_up_at,
    detached_at,
    stopped_at,
    stopped_why
   FROM receivables.saved_method
  WHERE (student IS NOT NULL);
GRANT SELECT ON TABLE receivables_public.saved_methods TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.school AS
 SELECT time_zone,
    currency,
    read_version
   FROM receivables.school;
GRANT SELECT ON TABLE receivables_public.school TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.unallocated_payments AS
 SELECT queue.charge_id,
    charge.amount,
    charge.currency,
    charge.received_at,
    queue.queued_at,
    (COALESCE(held.balance, (0)::numeric))::bigint AS balance,
    queue.student,
    queue.allocated_at,
    queue.allocated_by,
    charge.named,
    queue.closest
   FROM ((receivables.unallocated_payment queue
     JOIN receivables.charge USING (charge_id))
     LEFT JOIN LATERAL ( SELECT sum(entry.amount) AS balance
           FROM receivables.posting,
            LATERAL jsonb_to_recordset(posting.entries) entry(wallet text, amount bigint)
          WHERE ((posting.charge_id = queue.charge_id) AND (entry.wallet = 'liability:unallocated'::text))) held ON (true));
GRANT SELECT ON TABLE receivables_public.unallocated_payments TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.unexplained_refunds AS
 SELECT charge.charge_id,
    charge.student,
    charge.currency,
    charge.told_refunded,
    (COALESCE(known.amount, (0)::numeric))::bigint AS known_refunds
   FROM (receivables.charge
     LEFT JOIN LATERAL ( SELECT sum(refund.amount) AS amount
           FROM receivables.refund
          WHERE ((refund.charge_id = charge.charge_id) AND (refund.moved OR refund.failed))) known ON (true))
  WHERE ((charge.told_refunded)::numeric > COALESCE(known.amount, (0)::numeric));
GRANT SELECT ON TABLE receivables_public.unexplained_refunds TO hobbs_reader, hobbs_receivables;

CREATE VIEW receivables_public.waiting_charges AS
 SELECT charge_id,
    first_seen_at,
    fee,
    fee_currency,
    ( SELECT count(*) AS count
           FROM receivables.refund
          WHERE (refund.charge_id = charge.charge_id)) AS refunds,
    ( SELECT count(*) AS count
           FROM receivables.dispute
          WHERE (dispute.charge_id = charge.charge_id)) AS disputes
   FROM receivables.charge
  WHERE (amount IS NULL);
GRANT SELECT ON TABLE receivables_public.waiting_charges TO hobbs_reader, hobbs_receivables;

-- Functions; their texts are in functions/.
-- * by_bank_account(text)
-- * credit_policy_on(date)
-- * declines_of(text, text, timestamp with time zone, timestamp with time zone)
-- * document_of(text)
-- * due_on(date)
-- * guard_account_note()
-- * guard_limit_change()
-- * guard_recorded_payment()
-- * refuse_rewritten_letter()
-- * students_in_question()
-- * students_named(text[])
-- * without_former_contents(jsonb)
-- * activity_limit_on(date, text)
-- * ageing_in_total(date)
-- * ageing_of(date, text)
-- * ageings_of(date, text[])
-- * credit_check(text, bigint, date, text)
-- * credit_of(date, text)
-- * credits_of(date, text[])
-- * dunning_candidates(date, text, integer)
-- * dunning_of(date, timestamp with time zone, timestamp with time zone, timestamp with time zone, text[])
-- * dunning_policy_on(date)
-- * late_until(date, integer, text, text)
-- * limit_evidence_of(date, integer, text[])
-- * margin_percent_on(date)
-- * most_overdue(date, integer)
-- * overdue_that_blocks(date, text)
-- * school_time_zone()
-- * setbacks_of(timestamp with time zone, text[])
-- * vouch(uuid, bytea)
