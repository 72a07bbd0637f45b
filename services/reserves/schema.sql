-- The schema of reserves at head, to be read. `make schemas` writes it from the migrations.

CREATE SCHEMA reserves;
CREATE SCHEMA reserves_public;
GRANT USAGE ON SCHEMA reserves TO hobbs_reserves;
GRANT USAGE ON SCHEMA reserves_public TO hobbs_reader, hobbs_operations, hobbs_reserves;

CREATE TABLE reserves.acceptance (
    decision_id uuid NOT NULL,
    break_id bigint NOT NULL,
    content_hash bytea NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    accepted_at timestamptz NOT NULL
);
ALTER TABLE ONLY reserves.acceptance ADD CONSTRAINT acceptance_pkey PRIMARY KEY (decision_id);
ALTER TABLE ONLY reserves.acceptance ADD CONSTRAINT acceptance_break_id_fkey FOREIGN KEY (break_id) REFERENCES reserves.break(id);
CREATE UNIQUE INDEX acceptors_are_different_persons ON reserves.acceptance USING btree (break_id, content_hash, lower(NORMALIZE(btrim(who), NFKC)));
CREATE TRIGGER acceptance_is_of_what_is_open BEFORE INSERT ON reserves.acceptance FOR EACH ROW EXECUTE FUNCTION reserves.guard_acceptance();
ALTER TABLE reserves.acceptance ENABLE ALWAYS TRIGGER acceptance_is_of_what_is_open;
GRANT SELECT, INSERT ON TABLE reserves.acceptance TO hobbs_reserves;

CREATE TABLE reserves.alembic_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY reserves.alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
GRANT SELECT ON TABLE reserves.alembic_version TO hobbs_reserves;

CREATE TABLE reserves.alert (
    id bigint NOT NULL,
    currency text NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    sentence text NOT NULL,
    raised_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    note text,
    resolved_at timestamptz,
    CONSTRAINT acknowledgement_says_by_whom CHECK ((((acknowledged_at IS NULL) = (acknowledged_by IS NULL)) AND ((acknowledged_at IS NULL) = (note IS NULL)))),
    CONSTRAINT alert_kind_is_known CHECK ((kind = ANY (ARRAY['low'::text, 'short'::text, 'stale'::text]))),
    CONSTRAINT alert_severity_is_known CHECK ((severity = ANY (ARRAY['warning'::text, 'critical'::text])))
);
ALTER TABLE reserves.alert ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY reserves.alert ADD CONSTRAINT alert_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX alert_is_raised_once ON reserves.alert USING btree (currency, kind) WHERE (resolved_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.alert TO hobbs_reserves;

CREATE TABLE reserves.asked_decision (
    decision_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    login text NOT NULL,
    roles text[] NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT asked_body_is_sha256 CHECK ((octet_length(body_sha256) = 32))
);
ALTER TABLE ONLY reserves.asked_decision ADD CONSTRAINT decision_is_asked_once PRIMARY KEY (decision_id);
GRANT SELECT ON TABLE reserves.asked_decision TO hobbs_reserves;

CREATE TABLE reserves.balance (
    currency text NOT NULL,
    number bigint NOT NULL,
    read_at timestamptz NOT NULL,
    available bigint NOT NULL,
    pending bigint NOT NULL,
    connect_reserved bigint NOT NULL,
    under_way bigint NOT NULL,
    allowed_until_now bigint NOT NULL,
    CONSTRAINT under_way_is_not_negative CHECK ((under_way >= 0))
);
ALTER TABLE ONLY reserves.balance ADD CONSTRAINT balance_pkey PRIMARY KEY (currency);
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.balance TO hobbs_reserves;

CREATE TABLE reserves.book_line (
    journal_id uuid NOT NULL,
    source text NOT NULL,
    event_type text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    at_stripe boolean NOT NULL,
    parties text[] NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    version bigint NOT NULL,
    day date NOT NULL
);
ALTER TABLE ONLY reserves.book_line ADD CONSTRAINT book_line_is_of_one_source UNIQUE (source);
ALTER TABLE ONLY reserves.book_line ADD CONSTRAINT book_line_pkey PRIMARY KEY (journal_id);
CREATE INDEX book_line_of_a_day ON reserves.book_line USING btree (day);
GRANT SELECT, INSERT ON TABLE reserves.book_line TO hobbs_reserves;

CREATE TABLE reserves.book_match (
    journal_id uuid NOT NULL,
    match_id text NOT NULL,
    how text NOT NULL,
    matched_at timestamptz NOT NULL,
    CONSTRAINT book_match_is_made_somehow CHECK ((how = ANY (ARRAY['ids'::text, 'amount'::text])))
);
ALTER TABLE ONLY reserves.book_match ADD CONSTRAINT book_match_pkey PRIMARY KEY (journal_id);
CREATE INDEX book_match_together ON reserves.book_match USING btree (match_id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE reserves.book_match TO hobbs_reserves;

CREATE TABLE reserves.break (
    id bigint NOT NULL,
    subject text NOT NULL,
    class text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    day date NOT NULL,
    sentence text NOT NULL,
    proposal jsonb NOT NULL,
    counterpart text,
    accepted_by_one_up_to bigint NOT NULL,
    content_hash bytea NOT NULL,
    state text NOT NULL,
    opened_at timestamptz NOT NULL,
    classed_at timestamptz NOT NULL,
    accepted_at timestamptz,
    closed_at timestamptz,
    refused text,
    CONSTRAINT accepted_break_says_when CHECK (((state <> 'accepted'::text) OR (accepted_at IS NOT NULL))),
    CONSTRAINT break_class_is_known CHECK ((class = ANY (ARRAY['timing'::text, 'fee'::text, 'missing_journal'::text, 'missing_at_stripe'::text, 'duplicate'::text, 'amount_differs'::text, 'currency'::text, 'made_by_hand'::text, 'unknown_type'::text, 'opening'::text]))),
    CONSTRAINT break_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'accepted'::text, 'closed'::text]))),
    CONSTRAINT closed_break_says_when CHECK (((state = 'closed'::text) = (closed_at IS NOT NULL)))
);
ALTER TABLE reserves.break ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY reserves.break ADD CONSTRAINT break_pkey PRIMARY KEY (id);
CREATE INDEX break_by_age ON reserves.break USING btree (opened_at, id);
CREATE UNIQUE INDEX one_open_break_of_a_subject ON reserves.break USING btree (subject) WHERE (closed_at IS NULL);
CREATE TRIGGER break_keeps_the_rules BEFORE INSERT OR UPDATE ON reserves.break FOR EACH ROW EXECUTE FUNCTION reserves.guard_break();
ALTER TABLE reserves.break ENABLE ALWAYS TRIGGER break_keeps_the_rules;
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.break TO hobbs_reserves;

CREATE TABLE reserves.comparison (
    only_row boolean DEFAULT true NOT NULL,
    completed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT there_is_one_last_comparison CHECK (only_row)
);
ALTER TABLE ONLY reserves.comparison ADD CONSTRAINT comparison_pkey PRIMARY KEY (only_row);
GRANT SELECT, UPDATE ON TABLE reserves.comparison TO hobbs_reserves;

CREATE TABLE reserves.day (
    business_date date NOT NULL,
    currency text NOT NULL,
    run integer NOT NULL,
    stripe_opening bigint NOT NULL,
    stripe_moved bigint NOT NULL,
    stripe_closing bigint NOT NULL,
    books_opening bigint NOT NULL,
    books_moved bigint NOT NULL,
    books_closing bigint NOT NULL,
    explained bigint NOT NULL,
    breaks_open integer NOT NULL,
    stripe_as_of timestamptz,
    books_as_of timestamptz,
    movements jsonb NOT NULL,
    completed_at timestamptz NOT NULL,
    CONSTRAINT books_closing_adds_up CHECK ((books_closing = (books_opening + books_moved))),
    CONSTRAINT stripe_closing_adds_up CHECK ((stripe_closing = (stripe_opening + stripe_moved)))
);
ALTER TABLE ONLY reserves.day ADD CONSTRAINT day_pkey PRIMARY KEY (business_date, currency);
CREATE TRIGGER signed_day_stands BEFORE INSERT OR UPDATE ON reserves.day FOR EACH ROW EXECUTE FUNCTION reserves.guard_signed();
ALTER TABLE reserves.day ENABLE ALWAYS TRIGGER signed_day_stands;
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.day TO hobbs_reserves;

CREATE TABLE reserves.day_total (
    currency text NOT NULL,
    day date NOT NULL,
    stripe bigint NOT NULL,
    books bigint NOT NULL
);
ALTER TABLE ONLY reserves.day_total ADD CONSTRAINT day_total_pkey PRIMARY KEY (currency, day);
CREATE TRIGGER signed_total_stands BEFORE INSERT OR UPDATE ON reserves.day_total FOR EACH ROW EXECUTE FUNCTION reserves.guard_frozen_total();
ALTER TABLE reserves.day_total ENABLE ALWAYS TRIGGER signed_total_stands;
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.day_total TO hobbs_reserves;

CREATE TABLE reserves.dead_letter (
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
ALTER TABLE ONLY reserves.dead_letter ADD CONSTRAINT dead_letter_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY reserves.dead_letter ADD CONSTRAINT one_dead_letter_for_each_subject UNIQUE (topic, identity);
CREATE INDEX dead_letter_open ON reserves.dead_letter USING btree (last_seen_at) WHERE (state = 'open'::text);
CREATE TRIGGER dead_letter_is_not_emptied BEFORE TRUNCATE ON reserves.dead_letter FOR EACH STATEMENT EXECUTE FUNCTION reserves.refuse_rewritten_letter();
ALTER TABLE reserves.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_not_emptied;
CREATE TRIGGER dead_letter_is_only_added_to BEFORE DELETE OR UPDATE ON reserves.dead_letter FOR EACH ROW EXECUTE FUNCTION reserves.refuse_rewritten_letter();
ALTER TABLE reserves.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_only_added_to;
GRANT SELECT, INSERT ON TABLE reserves.dead_letter TO hobbs_reserves;
GRANT UPDATE (partition, key, value, headers, payload_hash, event_key, correlation_id, reason, sentence, attempts, state, last_seen_at, history) ON TABLE reserves.dead_letter TO hobbs_reserves;
GRANT UPDATE("offset") ON TABLE reserves.dead_letter TO hobbs_reserves;

CREATE TABLE reserves.forecast (
    currency text NOT NULL,
    day date NOT NULL,
    made_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    free bigint NOT NULL,
    sent bigint NOT NULL,
    payments bigint NOT NULL,
    short bigint NOT NULL,
    compared_at timestamptz,
    free_came bigint,
    sent_came bigint,
    payments_came bigint,
    CONSTRAINT forecast_is_compared_whole CHECK ((((compared_at IS NULL) = (sent_came IS NULL)) AND ((compared_at IS NULL) = (payments_came IS NULL)) AND ((compared_at IS NOT NULL) OR (free_came IS NULL)))),
    CONSTRAINT forecast_is_made_before_it_ends CHECK (((made_at < ends_at) AND (compared_at >= ends_at)))
);
ALTER TABLE ONLY reserves.forecast ADD CONSTRAINT forecast_pkey PRIMARY KEY (currency, day);
CREATE INDEX forecast_to_compare ON reserves.forecast USING btree (ends_at) WHERE (compared_at IS NULL);
GRANT SELECT, INSERT ON TABLE reserves.forecast TO hobbs_reserves;
GRANT UPDATE (compared_at, free_came, sent_came, payments_came) ON TABLE reserves.forecast TO hobbs_reserves;

CREATE TABLE reserves.function_file (
    name text NOT NULL,
    sha256 text NOT NULL,
    signatures text[] NOT NULL
);
ALTER TABLE ONLY reserves.function_file ADD CONSTRAINT function_file_is_applied_once PRIMARY KEY (name);
GRANT SELECT ON TABLE reserves.function_file TO hobbs_reserves;

CREATE TABLE reserves.inbox (
    event_key uuid NOT NULL,
    payload_hash bytea NOT NULL,
    admitted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT payload_hash_is_sha256 CHECK ((octet_length(payload_hash) = 32))
);
ALTER TABLE ONLY reserves.inbox ADD CONSTRAINT event_is_admitted_once PRIMARY KEY (event_key);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE reserves.inbox TO hobbs_reserves;

CREATE TABLE reserves.invariant_outcome (
    name text NOT NULL,
    rows bigint NOT NULL,
    broken_since timestamptz,
    asked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT broken_invariant_says_since_when CHECK (((rows > 0) = (broken_since IS NOT NULL)))
);
ALTER TABLE ONLY reserves.invariant_outcome ADD CONSTRAINT one_outcome_for_each_invariant PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE reserves.invariant_outcome TO hobbs_reserves;

CREATE TABLE reserves.judgement (
    currency text NOT NULL,
    number bigint NOT NULL,
    balance_number bigint NOT NULL,
    health text NOT NULL,
    health_since timestamptz NOT NULL,
    gate text NOT NULL,
    gate_since timestamptz NOT NULL,
    blocks_transfers boolean NOT NULL,
    ceiling bigint NOT NULL,
    free bigint NOT NULL,
    minimum bigint NOT NULL,
    terms jsonb NOT NULL,
    sentence text NOT NULL,
    published jsonb NOT NULL,
    judged_at timestamptz NOT NULL,
    valid_until timestamptz,
    CONSTRAINT gate_is_known CHECK ((gate = ANY (ARRAY['open'::text, 'closed'::text, 'off'::text]))),
    CONSTRAINT health_is_known CHECK ((health = ANY (ARRAY['healthy'::text, 'warning'::text, 'critical'::text, 'unknown'::text])))
);
ALTER TABLE ONLY reserves.judgement ADD CONSTRAINT judgement_pkey PRIMARY KEY (currency);
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.judgement TO hobbs_reserves;

CREATE TABLE reserves.line_change (
    id bigint NOT NULL,
    transaction_id text NOT NULL,
    version integer NOT NULL,
    currency text NOT NULL,
    day date NOT NULL,
    amount bigint NOT NULL
);
ALTER TABLE reserves.line_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY reserves.line_change ADD CONSTRAINT line_change_pkey PRIMARY KEY (id);
ALTER TABLE ONLY reserves.line_change ADD CONSTRAINT line_change_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES reserves.stripe_line(transaction_id);
CREATE INDEX line_change_of_a_day ON reserves.line_change USING btree (day);
CREATE INDEX line_change_of_a_line ON reserves.line_change USING btree (transaction_id);
GRANT SELECT, INSERT ON TABLE reserves.line_change TO hobbs_reserves;

CREATE TABLE reserves.line_match (
    transaction_id text NOT NULL,
    match_id text NOT NULL,
    how text NOT NULL,
    matched_at timestamptz NOT NULL,
    CONSTRAINT line_match_is_made_somehow CHECK ((how = ANY (ARRAY['ids'::text, 'amount'::text, 'nothing'::text])))
);
ALTER TABLE ONLY reserves.line_match ADD CONSTRAINT line_match_pkey PRIMARY KEY (transaction_id);
CREATE INDEX line_match_together ON reserves.line_match USING btree (match_id) WHERE (match_id <> transaction_id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE reserves.line_match TO hobbs_reserves;

CREATE TABLE reserves.mismatch (
    id bigint NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL,
    flight_id text NOT NULL,
    aircraft text,
    wallet text,
    day date NOT NULL,
    tenths integer,
    amount bigint NOT NULL,
    currency text NOT NULL,
    sentence text NOT NULL,
    content_hash text GENERATED ALWAYS AS (md5(((((((kind || ' '::text) || (amount)::text) || ' '::text) || currency) || ' '::text) || COALESCE((tenths)::text, ''::text)))) STORED NOT NULL,
    found_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT mismatch_has_no_sign CHECK (((amount >= 0) AND (tenths > 0))),
    CONSTRAINT mismatch_kind_is_known CHECK ((kind = ANY (ARRAY['unbilled'::text, 'billed_twice'::text, 'not_in_the_books'::text, 'not_billed'::text, 'books_differ'::text, 'not_owed'::text, 'paid_twice'::text, 'not_paid'::text])))
);
ALTER TABLE reserves.mismatch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY reserves.mismatch ADD CONSTRAINT mismatch_pkey PRIMARY KEY (id);
CREATE INDEX mismatch_of_an_aircraft ON reserves.mismatch USING btree (aircraft, day);
CREATE UNIQUE INDEX one_open_mismatch_per_subject ON reserves.mismatch USING btree (subject) WHERE (closed_at IS NULL);
GRANT SELECT, INSERT ON TABLE reserves.mismatch TO hobbs_reserves;
GRANT UPDATE (day, tenths, amount, sentence, closed_at) ON TABLE reserves.mismatch TO hobbs_reserves;

CREATE TABLE reserves.mismatch_reason (
    decision_id uuid NOT NULL,
    mismatch_id bigint NOT NULL,
    content_hash text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    given_at timestamptz NOT NULL
);
ALTER TABLE ONLY reserves.mismatch_reason ADD CONSTRAINT mismatch_reason_pkey PRIMARY KEY (decision_id);
ALTER TABLE ONLY reserves.mismatch_reason ADD CONSTRAINT mismatch_reason_mismatch_id_fkey FOREIGN KEY (mismatch_id) REFERENCES reserves.mismatch(id);
CREATE INDEX mismatch_reason_of_a_mismatch ON reserves.mismatch_reason USING btree (mismatch_id, given_at);
GRANT SELECT, INSERT ON TABLE reserves.mismatch_reason TO hobbs_reserves;

CREATE TABLE reserves.open_journal (
    journal_id uuid NOT NULL,
    source text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    day date NOT NULL
);
ALTER TABLE ONLY reserves.open_journal ADD CONSTRAINT open_journal_pkey PRIMARY KEY (journal_id);
ALTER TABLE ONLY reserves.open_journal ADD CONSTRAINT open_journal_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES reserves.book_line(journal_id);
CREATE UNIQUE INDEX open_journal_of_a_source ON reserves.open_journal USING btree (source);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE reserves.open_journal TO hobbs_reserves;

CREATE TABLE reserves.open_line (
    transaction_id text NOT NULL
);
ALTER TABLE ONLY reserves.open_line ADD CONSTRAINT open_line_pkey PRIMARY KEY (transaction_id);
ALTER TABLE ONLY reserves.open_line ADD CONSTRAINT open_line_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES reserves.stripe_line(transaction_id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE reserves.open_line TO hobbs_reserves;

CREATE TABLE reserves.opening (
    id uuid NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    until timestamptz NOT NULL,
    why text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    needs_second boolean NOT NULL,
    approved_by text,
    approved_at timestamptz,
    closed_by text,
    closed_at timestamptz,
    CONSTRAINT maker_of_an_opening_is_not_its_checker CHECK (((approved_by IS NULL) OR (lower(NORMALIZE(btrim(approved_by), NFKC)) <> lower(NORMALIZE(btrim(asked_by), NFKC))))),
    CONSTRAINT opening_ends_after_it_began CHECK ((until > asked_at)),
    CONSTRAINT opening_is_of_an_amount CHECK ((amount > 0)),
    CONSTRAINT opening_says_why CHECK ((why <> ''::text))
);
ALTER TABLE ONLY reserves.opening ADD CONSTRAINT opening_pkey PRIMARY KEY (id);
CREATE INDEX opening_in_force ON reserves.opening USING btree (currency, until) WHERE (closed_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.opening TO hobbs_reserves;

CREATE TABLE reserves.outbox (
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
ALTER TABLE reserves.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE reserves.outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK ((topic = ANY (ARRAY['decision.taken'::text, 'journal.requested'::text, 'reconciliation.completed'::text, 'reserve.changed'::text, 'reserve.gate'::text, 'reserves.dead'::text, 'reserves.redrive'::text, 'revert.requested'::text]))) NOT VALID;
ALTER TABLE ONLY reserves.outbox ADD CONSTRAINT outbox_row_has_one_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE reserves.outbox TO hobbs_reserves;

CREATE TABLE reserves.outbox_sent (
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
ALTER TABLE ONLY reserves.outbox_sent ADD CONSTRAINT sent_row_has_its_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE ON TABLE reserves.outbox_sent TO hobbs_reserves;

CREATE TABLE reserves.own_refund (
    refund_id text NOT NULL
);
ALTER TABLE ONLY reserves.own_refund ADD CONSTRAINT own_refund_pkey PRIMARY KEY (refund_id);
GRANT SELECT, INSERT ON TABLE reserves.own_refund TO hobbs_reserves;

CREATE TABLE reserves.payout_day (
    day date NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL
);
ALTER TABLE ONLY reserves.payout_day ADD CONSTRAINT payout_day_pkey PRIMARY KEY (day, currency);
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.payout_day TO hobbs_reserves;

CREATE TABLE reserves.policy_card (
    effective_from date NOT NULL,
    version integer NOT NULL,
    policy jsonb,
    CONSTRAINT policy_is_an_object CHECK (((policy IS NULL) OR (jsonb_typeof(policy) = 'object'::text)))
);
ALTER TABLE ONLY reserves.policy_card ADD CONSTRAINT policy_card_pkey PRIMARY KEY (effective_from);
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.policy_card TO hobbs_reserves;

CREATE TABLE reserves."position" (
    wallet text NOT NULL,
    currency text NOT NULL,
    kind text GENERATED ALWAYS AS (split_part(wallet, ':'::text, 1)) STORED NOT NULL,
    amount bigint NOT NULL
);

CREATE TABLE reserves.position_journal (
    journal_id uuid NOT NULL
);
ALTER TABLE ONLY reserves.position_journal ADD CONSTRAINT position_journal_pkey PRIMARY KEY (journal_id);
GRANT SELECT, INSERT ON TABLE reserves.position_journal TO hobbs_reserves;

CREATE TABLE reserves.school (
    only_row boolean DEFAULT true NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    currency text,
    time_zone_version integer DEFAULT 0 NOT NULL,
    read_version integer DEFAULT 0 NOT NULL,
    frozen_until date,
    CONSTRAINT there_is_one_school CHECK (only_row)
);
ALTER TABLE ONLY reserves.school ADD CONSTRAINT school_pkey PRIMARY KEY (only_row);
CREATE TRIGGER signed_days_stay_signed BEFORE UPDATE ON reserves.school FOR EACH ROW EXECUTE FUNCTION reserves.guard_frozen_until();
ALTER TABLE reserves.school ENABLE ALWAYS TRIGGER signed_days_stay_signed;
GRANT SELECT, UPDATE ON TABLE reserves.school TO hobbs_reserves;

CREATE TABLE reserves.sent_transfer (
    stripe_transfer_id text NOT NULL,
    transfer_id uuid NOT NULL
);
ALTER TABLE ONLY reserves.sent_transfer ADD CONSTRAINT sent_transfer_pkey PRIMARY KEY (stripe_transfer_id);
GRANT SELECT, INSERT ON TABLE reserves.sent_transfer TO hobbs_reserves;

CREATE TABLE reserves.signature (
    business_date date NOT NULL,
    decision_id uuid NOT NULL,
    signed_by text NOT NULL,
    why text NOT NULL,
    signed_at timestamptz NOT NULL,
    content_hash bytea NOT NULL,
    CONSTRAINT signature_names_its_content CHECK ((octet_length(content_hash) = 32))
);
ALTER TABLE ONLY reserves.signature ADD CONSTRAINT signature_pkey PRIMARY KEY (business_date);
GRANT SELECT, INSERT ON TABLE reserves.signature TO hobbs_reserves;

CREATE TABLE reserves.spread (
    match_id text NOT NULL,
    currency text NOT NULL,
    from_day date NOT NULL,
    until_day date,
    amount bigint NOT NULL,
    CONSTRAINT spread_is_not_nothing CHECK ((amount <> 0))
);
ALTER TABLE ONLY reserves.spread ADD CONSTRAINT spread_pkey PRIMARY KEY (match_id, currency, from_day);
CREATE INDEX spread_until ON reserves.spread USING btree (until_day);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE reserves.spread TO hobbs_reserves;

CREATE TABLE reserves.stripe_line (
    transaction_id text NOT NULL,
    version integer NOT NULL,
    type text NOT NULL,
    category text NOT NULL,
    balance_type text NOT NULL,
    amount bigint NOT NULL,
    fee bigint NOT NULL,
    net bigint NOT NULL,
    currency text NOT NULL,
    source_id text,
    made_at timestamptz NOT NULL,
    available_at timestamptz NOT NULL,
    expected text[] NOT NULL,
    is_before boolean NOT NULL,
    noted_at timestamptz NOT NULL,
    day date NOT NULL,
    counted bigint NOT NULL,
    CONSTRAINT line_net_is_amount_less_fee CHECK ((net = (amount - fee)))
);
ALTER TABLE ONLY reserves.stripe_line ADD CONSTRAINT stripe_line_pkey PRIMARY KEY (transaction_id);
CREATE INDEX stripe_line_of_a_day ON reserves.stripe_line USING btree (day);
CREATE INDEX stripe_line_of_a_source ON reserves.stripe_line USING btree (source_id);
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.stripe_line TO hobbs_reserves;

CREATE TABLE reserves.stripe_line_version (
    transaction_id text NOT NULL,
    version integer NOT NULL,
    noted_at timestamptz NOT NULL,
    content jsonb NOT NULL
);
ALTER TABLE ONLY reserves.stripe_line_version ADD CONSTRAINT stripe_line_version_pkey PRIMARY KEY (transaction_id, noted_at);
ALTER TABLE ONLY reserves.stripe_line_version ADD CONSTRAINT stripe_line_version_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES reserves.stripe_line(transaction_id);
GRANT SELECT, INSERT ON TABLE reserves.stripe_line_version TO hobbs_reserves;

CREATE TABLE reserves.taken_back (
    journal_id uuid NOT NULL,
    asked_at timestamptz NOT NULL
);
ALTER TABLE ONLY reserves.taken_back ADD CONSTRAINT taken_back_pkey PRIMARY KEY (journal_id);
ALTER TABLE ONLY reserves.taken_back ADD CONSTRAINT taken_back_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES reserves.book_line(journal_id);
GRANT SELECT, INSERT ON TABLE reserves.taken_back TO hobbs_reserves;

CREATE TABLE reserves.timer (
    name text NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    lease_until timestamptz,
    last_run date
);
ALTER TABLE ONLY reserves.timer ADD CONSTRAINT timer_runs_in_one_place PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE reserves.timer TO hobbs_reserves;

CREATE TABLE reserves.topic_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY reserves.topic_position ADD CONSTRAINT one_position_for_each_partition PRIMARY KEY (topic, partition);
GRANT SELECT, INSERT, UPDATE ON TABLE reserves.topic_position TO hobbs_reserves;

CREATE VIEW reserves_public.acceptances AS
 SELECT decision_id,
    break_id,
    who,
    why,
    accepted_at,
    (content_hash = ( SELECT break.content_hash
           FROM reserves.break
          WHERE (break.id = acceptance.break_id))) AS counts
   FROM reserves.acceptance;
GRANT SELECT ON TABLE reserves_public.acceptances TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.admitted_events AS
 SELECT event_key,
    admitted_at
   FROM reserves.inbox;
GRANT SELECT ON TABLE reserves_public.admitted_events TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.alerts AS
 SELECT id,
    currency,
    kind,
    severity,
    sentence,
    raised_at,
    acknowledged_at,
    acknowledged_by,
    note,
    resolved_at
   FROM reserves.alert;
GRANT SELECT ON TABLE reserves_public.alerts TO hobbs_reader, hobbs_operations, hobbs_reserves;

CREATE VIEW reserves_public.balances AS
 SELECT currency,
    number,
    read_at,
    available,
    pending,
    connect_reserved,
    under_way,
    allowed_until_now
   FROM reserves.balance;
GRANT SELECT ON TABLE reserves_public.balances TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.book_lines AS
 SELECT journal.journal_id,
    journal.source,
    journal.event_type,
    journal.currency,
    journal.amount,
    journal.at_stripe,
    journal.parties,
    journal.occurred_at,
    journal.recorded_at,
    journal.day,
    match.match_id,
    match.how
   FROM (reserves.book_line journal
     LEFT JOIN reserves.book_match match USING (journal_id));
GRANT SELECT ON TABLE reserves_public.book_lines TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.breaks AS
 SELECT id,
    subject,
    class,
    currency,
    amount,
    day,
    sentence,
    proposal,
    accepted_by_one_up_to,
    state,
    opened_at,
    classed_at,
    accepted_at,
    closed_at,
    ARRAY( SELECT acceptance.who
           FROM reserves.acceptance
          WHERE ((acceptance.break_id = break.id) AND (acceptance.content_hash = break.content_hash))
          ORDER BY acceptance.accepted_at, acceptance.decision_id) AS accepted_by,
    refused
   FROM reserves.break;
GRANT SELECT ON TABLE reserves_public.breaks TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.days AS
 SELECT business_date,
    currency,
    run,
    stripe_opening,
    stripe_moved,
    stripe_closing,
    books_opening,
    books_moved,
    books_closing,
    (stripe_closing - books_closing) AS drift,
    explained,
    ((stripe_closing - books_closing) - explained) AS unexplained,
    breaks_open,
    stripe_as_of,
    books_as_of,
    movements,
    completed_at
   FROM reserves.day;
GRANT SELECT ON TABLE reserves_public.days TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.dead_letters AS
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
   FROM reserves.dead_letter;
GRANT SELECT ON TABLE reserves_public.dead_letters TO hobbs_reader, hobbs_operations, hobbs_reserves;

CREATE VIEW reserves_public.forecasts AS
 SELECT currency,
    day,
    made_at,
    ends_at,
    free,
    free_came,
    sent,
    sent_came,
    payments,
    payments_came,
    short,
    compared_at
   FROM reserves.forecast;
GRANT SELECT ON TABLE reserves_public.forecasts TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.mismatches AS
 SELECT mismatch.id,
    mismatch.kind,
    mismatch.flight_id,
    mismatch.aircraft,
    mismatch.wallet,
    mismatch.day,
    mismatch.tenths,
    mismatch.amount,
    mismatch.currency,
    mismatch.sentence,
    mismatch.found_at,
    mismatch.closed_at,
        CASE
            WHEN (mismatch.closed_at IS NOT NULL) THEN 'closed'::text
            WHEN (reason.why IS NOT NULL) THEN 'explained'::text
            ELSE 'open'::text
        END AS state,
    reason.why AS reason,
    reason.who AS reason_by,
    reason.given_at AS reason_at
   FROM (reserves.mismatch
     LEFT JOIN LATERAL ( SELECT given.why,
            given.who,
            given.given_at
           FROM reserves.mismatch_reason given
          WHERE ((given.mismatch_id = mismatch.id) AND (given.content_hash = mismatch.content_hash))
          ORDER BY given.given_at DESC, given.decision_id DESC
         LIMIT 1) reason ON (true));
GRANT SELECT ON TABLE reserves_public.mismatches TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.openings AS
 SELECT id,
    currency,
    amount,
    until,
    why,
    asked_by,
    asked_at,
    needs_second,
    approved_by,
    approved_at,
    closed_by,
    closed_at
   FROM reserves.opening;
GRANT SELECT ON TABLE reserves_public.openings TO hobbs_reader, hobbs_operations, hobbs_reserves;

CREATE VIEW reserves_public.policies AS
 SELECT effective_from,
    version,
    policy
   FROM reserves.policy_card;
GRANT SELECT ON TABLE reserves_public.policies TO hobbs_reader, hobbs_operations, hobbs_reserves;

CREATE VIEW reserves_public.positions AS
 SELECT topic,
    partition,
    next_offset,
    written_at
   FROM reserves.topic_position;
GRANT SELECT ON TABLE reserves_public.positions TO hobbs_reader, hobbs_operations, hobbs_reserves;

CREATE VIEW reserves_public.reserve AS
 SELECT currency,
    number,
    balance_number,
    health,
    health_since,
    gate,
    gate_since,
    blocks_transfers,
    ceiling,
    free,
    minimum,
    terms,
    sentence,
    judged_at,
    valid_until
   FROM reserves.judgement;
GRANT SELECT ON TABLE reserves_public.reserve TO hobbs_reader, hobbs_operations, hobbs_reserves;

CREATE VIEW reserves_public.school AS
 SELECT time_zone,
    currency,
    time_zone_version,
    read_version
   FROM reserves.school;
GRANT SELECT ON TABLE reserves_public.school TO hobbs_reader, hobbs_operations, hobbs_reserves;

CREATE VIEW reserves_public.signatures AS
 SELECT business_date,
    decision_id,
    signed_by,
    why,
    signed_at,
    encode(content_hash, 'hex'::text) AS content_hash
   FROM reserves.signature;
GRANT SELECT ON TABLE reserves_public.signatures TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.stripe_lines AS
 SELECT line.transaction_id,
    line.version,
    line.type,
    line.category,
    line.balance_type,
    line.amount,
    line.fee,
    line.net,
    line.currency,
    line.source_id,
    line.made_at,
    line.available_at,
    line.expected,
    line.is_before,
    line.noted_at,
    line.day,
    line.counted,
    match.match_id,
    match.how
   FROM (reserves.stripe_line line
     LEFT JOIN reserves.line_match match USING (transaction_id));
GRANT SELECT ON TABLE reserves_public.stripe_lines TO hobbs_reader, hobbs_reserves;

CREATE VIEW reserves_public.wallet_positions AS
 SELECT wallet,
    currency,
    kind,
    amount
   FROM reserves."position";
GRANT SELECT ON TABLE reserves_public.wallet_positions TO hobbs_reader, hobbs_reserves;

ALTER TABLE ONLY reserves."position" ADD CONSTRAINT position_pkey PRIMARY KEY (wallet, currency);

GRANT SELECT, INSERT, UPDATE ON TABLE reserves."position" TO hobbs_reserves;

-- Functions; their texts are in functions/.
-- * guard_acceptance()
-- * guard_break()
-- * guard_frozen_total()
-- * guard_frozen_until()
-- * guard_signed()
-- * person(text)
-- * refuse(text, text)
-- * refuse_rewritten_letter()
-- * without_former_contents(jsonb)
-- * newest_mismatches(integer)
-- * open_mismatches()
-- * vouch(uuid, bytea)
