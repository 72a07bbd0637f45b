-- The schema of billing at head, to be read. `make schemas` writes it from the migrations.

CREATE SCHEMA billing;
CREATE SCHEMA billing_public;
GRANT USAGE ON SCHEMA billing TO hobbs_billing;
GRANT USAGE ON SCHEMA billing_public TO hobbs_reader, hobbs_operations, hobbs_billing, hobbs_adjustments, hobbs_gateway, hobbs_receivables, hobbs_reserves;

CREATE TABLE billing.alembic_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY billing.alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
GRANT SELECT ON TABLE billing.alembic_version TO hobbs_billing;

CREATE TABLE billing.asked_decision (
    decision_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    login text NOT NULL,
    roles text[] NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT asked_body_is_sha256 CHECK ((octet_length(body_sha256) = 32))
);
ALTER TABLE ONLY billing.asked_decision ADD CONSTRAINT decision_is_asked_once PRIMARY KEY (decision_id);
GRANT SELECT ON TABLE billing.asked_decision TO hobbs_billing;

CREATE TABLE billing.bill (
    id uuid NOT NULL,
    flight_id text NOT NULL,
    revision integer NOT NULL,
    corrects uuid,
    fingerprint text NOT NULL,
    student text NOT NULL,
    instructor text,
    aircraft text,
    billed_on date NOT NULL,
    occurred_at timestamptz NOT NULL,
    currency text NOT NULL,
    charge bigint NOT NULL,
    legs_total bigint NOT NULL,
    margin bigint NOT NULL,
    hours_from text NOT NULL,
    billed_tenths integer NOT NULL,
    hobbs_out integer,
    hobbs_in integer,
    tach_out integer,
    tach_in integer,
    facts jsonb NOT NULL,
    rates jsonb NOT NULL,
    lines jsonb NOT NULL,
    legs jsonb NOT NULL,
    flags jsonb NOT NULL,
    school_version integer NOT NULL,
    billed_at timestamptz DEFAULT now() NOT NULL,
    kind text DEFAULT 'completed'::text NOT NULL,
    reason text,
    made_by text,
    priced_by text,
    CONSTRAINT bill_corrects_another_bill CHECK ((corrects <> id)),
    CONSTRAINT bill_kind_is_known CHECK ((kind = ANY (ARRAY['completed'::text, 'corrected'::text, 'cancelled'::text, 'elsewhere'::text]))),
    CONSTRAINT billed_hours_are_of_one_day CHECK (((billed_tenths >= 0) AND (billed_tenths <= 240))),
    CONSTRAINT cancellation_corrects_a_bill CHECK (((kind <> 'cancelled'::text) OR (corrects IS NOT NULL))),
    CONSTRAINT charge_is_not_negative CHECK ((charge >= 0)),
    CONSTRAINT charge_less_legs_is_margin CHECK (((charge - legs_total) = margin)),
    CONSTRAINT completed_flight_corrects_nothing CHECK (((kind <> 'completed'::text) OR (corrects IS NULL))),
    CONSTRAINT correction_is_a_later_revision CHECK (((corrects IS NULL) OR (revision >= 2))),
    CONSTRAINT hobbs_does_not_run_backwards CHECK ((hobbs_in >= hobbs_out)),
    CONSTRAINT hours_source_is_known CHECK ((hours_from = ANY (ARRAY['hobbs'::text, 'tach'::text, 'logged'::text, 'none'::text]))),
    CONSTRAINT nobody_owes_for_a_cancelled_flight CHECK (((kind <> 'cancelled'::text) OR ((charge = 0) AND (legs_total = 0)))),
    CONSTRAINT nobody_owes_here_for_a_flight_billed_elsewhere CHECK (((kind <> 'elsewhere'::text) OR ((charge = 0) AND (legs_total = 0) AND (corrects IS NULL)))),
    CONSTRAINT revision_counts_from_one CHECK ((revision >= 1)),
    CONSTRAINT revision_is_priced_by_a_known_book CHECK ((priced_by = ANY (ARRAY['bill'::text, 'book'::text]))),
    CONSTRAINT revision_says_why_and_by_whom CHECK ((((kind = 'completed'::text) = (reason IS NULL)) AND ((kind = 'completed'::text) = (made_by IS NULL)) AND ((kind = 'completed'::text) = (priced_by IS NULL)))),
    CONSTRAINT tach_does_not_run_backwards CHECK ((tach_in >= tach_out))
);
ALTER TABLE ONLY billing.bill ADD CONSTRAINT bill_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY billing.bill ADD CONSTRAINT flight_revision_is_billed_once UNIQUE (flight_id, revision);
ALTER TABLE ONLY billing.bill ADD CONSTRAINT bill_is_of_a_school_version FOREIGN KEY (school_version) REFERENCES billing.school_version(version);
ALTER TABLE ONLY billing.bill ADD CONSTRAINT correction_has_an_earlier_bill FOREIGN KEY (corrects) REFERENCES billing.bill(id);
CREATE INDEX bill_by_day ON billing.bill USING btree (billed_on) INCLUDE (currency, charge, margin, kind, flight_id, revision, billed_tenths);
CREATE INDEX bill_by_hobbs ON billing.bill USING btree (aircraft, hobbs_out) WHERE ((hobbs_out IS NOT NULL) AND (hobbs_in IS NOT NULL));
CREATE INDEX bill_by_payee ON billing.bill USING gin (legs jsonb_path_ops);
CREATE INDEX bill_by_student ON billing.bill USING btree (student, billed_on);
CREATE INDEX bill_by_tach ON billing.bill USING btree (aircraft, tach_out) WHERE ((tach_out IS NOT NULL) AND (tach_in IS NOT NULL));
CREATE INDEX bill_correction_of_flight ON billing.bill USING btree (flight_id, revision) WHERE (corrects IS NOT NULL);
CREATE UNIQUE INDEX completed_flight_is_billed_once ON billing.bill USING btree (flight_id) WHERE (corrects IS NULL);
GRANT SELECT, INSERT ON TABLE billing.bill TO hobbs_billing;

CREATE TABLE billing.book (
    there_is_one boolean DEFAULT true NOT NULL,
    version integer NOT NULL,
    CONSTRAINT book_version_counts_from_zero CHECK ((version >= 0)),
    CONSTRAINT the_only_book CHECK (there_is_one)
);
ALTER TABLE ONLY billing.book ADD CONSTRAINT there_is_one_book PRIMARY KEY (there_is_one);
GRANT SELECT ON TABLE billing.book TO hobbs_billing;
GRANT UPDATE (version) ON TABLE billing.book TO hobbs_billing;

CREATE TABLE billing.book_word (
    id uuid NOT NULL,
    digest bytea NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    why text NOT NULL,
    agreed_by text,
    agreed_at timestamptz,
    CONSTRAINT agreed_book_word_says_when CHECK (((agreed_by IS NULL) = (agreed_at IS NULL))),
    CONSTRAINT book_word_has_a_reason CHECK ((why <> ''::text)),
    CONSTRAINT book_word_names_a_change CHECK ((octet_length(digest) = 32)),
    CONSTRAINT the_book_is_changed_by_another_too CHECK (((agreed_by IS NULL) OR (lower(NORMALIZE(TRIM(BOTH FROM agreed_by), NFKC)) <> lower(NORMALIZE(TRIM(BOTH FROM asked_by), NFKC)))))
);
ALTER TABLE ONLY billing.book_word ADD CONSTRAINT book_word_pkey PRIMARY KEY (id);
CREATE INDEX book_word_of_a_change ON billing.book_word USING btree (digest, asked_at);
GRANT SELECT, INSERT ON TABLE billing.book_word TO hobbs_billing;
GRANT UPDATE (agreed_by, agreed_at) ON TABLE billing.book_word TO hobbs_billing;

CREATE TABLE billing.cancelled_flight (
    flight_id text NOT NULL,
    revision integer NOT NULL,
    fingerprint text NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    cancelled_at timestamptz DEFAULT now() NOT NULL
);
ALTER TABLE ONLY billing.cancelled_flight ADD CONSTRAINT flight_is_cancelled_once_in_a_revision PRIMARY KEY (flight_id, revision);
GRANT SELECT, INSERT ON TABLE billing.cancelled_flight TO hobbs_billing;

CREATE TABLE billing.card_version (
    kind text NOT NULL,
    key text NOT NULL,
    effective_from date NOT NULL,
    version integer NOT NULL,
    old jsonb,
    new jsonb,
    CONSTRAINT card_is_an_object CHECK (((new IS NULL) OR (jsonb_typeof(new) = 'object'::text))),
    CONSTRAINT card_kind_is_known CHECK ((kind = ANY (ARRAY['school'::text, 'tax'::text, 'aircraft'::text, 'instructor'::text, 'owner'::text, 'student'::text, 'student_rate'::text, 'adjustments'::text, 'reserve'::text, 'credit'::text, 'credit_limit'::text]))),
    CONSTRAINT card_names_nobody CHECK (((kind <> ALL (ARRAY['instructor'::text, 'owner'::text, 'student'::text])) OR ((NOT COALESCE(jsonb_exists_any(old, ARRAY['name'::text, 'email'::text]), false)) AND (NOT COALESCE(jsonb_exists_any(new, ARRAY['name'::text, 'email'::text]), false)))))
);
ALTER TABLE ONLY billing.card_version ADD CONSTRAINT card_changes_once_in_a_version PRIMARY KEY (kind, key, effective_from, version);
ALTER TABLE ONLY billing.card_version ADD CONSTRAINT card_version_is_of_a_school_version FOREIGN KEY (version) REFERENCES billing.school_version(version);
CREATE INDEX card_version_by_version ON billing.card_version USING btree (version);
GRANT SELECT, INSERT ON TABLE billing.card_version TO hobbs_billing;

CREATE TABLE billing.dead_letter (
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
ALTER TABLE ONLY billing.dead_letter ADD CONSTRAINT dead_letter_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY billing.dead_letter ADD CONSTRAINT one_dead_letter_for_each_subject UNIQUE (topic, identity);
CREATE INDEX dead_letter_by_flight ON billing.dead_letter USING btree ("substring"(subject, '^flight:(.*):[0-9]+$'::text)) WHERE (topic = ANY (ARRAY['flight.completed'::text, 'flight.corrected'::text, 'flight.cancelled'::text]));
CREATE INDEX dead_letter_open ON billing.dead_letter USING btree (last_seen_at) WHERE (state = 'open'::text);
CREATE TRIGGER dead_letter_is_not_emptied BEFORE TRUNCATE ON billing.dead_letter FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_rewritten_letter();
ALTER TABLE billing.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_not_emptied;
CREATE TRIGGER dead_letter_is_only_added_to BEFORE DELETE OR UPDATE ON billing.dead_letter FOR EACH ROW EXECUTE FUNCTION billing.refuse_rewritten_letter();
ALTER TABLE billing.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_only_added_to;
GRANT SELECT, INSERT ON TABLE billing.dead_letter TO hobbs_billing;
GRANT UPDATE (partition, key, value, headers, payload_hash, event_key, correlation_id, reason, sentence, attempts, state, last_seen_at, history) ON TABLE billing.dead_letter TO hobbs_billing;
GRANT UPDATE("offset") ON TABLE billing.dead_letter TO hobbs_billing;

CREATE TABLE billing.function_file (
    name text NOT NULL,
    sha256 text NOT NULL,
    signatures text[] NOT NULL
);
ALTER TABLE ONLY billing.function_file ADD CONSTRAINT function_file_is_applied_once PRIMARY KEY (name);
GRANT SELECT ON TABLE billing.function_file TO hobbs_billing;

CREATE TABLE billing.inbox (
    event_key uuid NOT NULL,
    payload_hash bytea NOT NULL,
    admitted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT payload_hash_is_sha256 CHECK ((octet_length(payload_hash) = 32))
);
ALTER TABLE ONLY billing.inbox ADD CONSTRAINT event_is_admitted_once PRIMARY KEY (event_key);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE billing.inbox TO hobbs_billing;

CREATE TABLE billing.invariant_outcome (
    name text NOT NULL,
    rows bigint NOT NULL,
    broken_since timestamptz,
    asked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT broken_invariant_says_since_when CHECK (((rows > 0) = (broken_since IS NOT NULL)))
);
ALTER TABLE ONLY billing.invariant_outcome ADD CONSTRAINT one_outcome_for_each_invariant PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE billing.invariant_outcome TO hobbs_billing;

CREATE TABLE billing.outbox (
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
ALTER TABLE billing.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE billing.outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK ((topic = ANY (ARRAY['billing.dead'::text, 'billing.redrive'::text, 'contact.changed'::text, 'decision.taken'::text, 'flight.billed'::text, 'flight.completed'::text, 'flight.corrected'::text, 'flight.estimated'::text, 'flight.revised'::text, 'journal.requested'::text, 'school.accepted'::text, 'school.configured'::text]))) NOT VALID;
ALTER TABLE ONLY billing.outbox ADD CONSTRAINT outbox_row_has_one_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE billing.outbox TO hobbs_billing;

CREATE TABLE billing.outbox_sent (
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
ALTER TABLE ONLY billing.outbox_sent ADD CONSTRAINT sent_row_has_its_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE ON TABLE billing.outbox_sent TO hobbs_billing;

CREATE TABLE billing.rate_proposal (
    id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    effective_from date NOT NULL,
    old jsonb NOT NULL,
    new jsonb NOT NULL,
    proposed_by text NOT NULL,
    why text NOT NULL,
    proposed_at timestamptz NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    decided_by text,
    decided_why text,
    decided_at timestamptz,
    version integer,
    CONSTRAINT approved_proposal_made_a_version CHECK (((state = 'approved'::text) = (version IS NOT NULL))),
    CONSTRAINT decided_proposal_says_by_whom CHECK ((((state = 'waiting'::text) = (decided_by IS NULL)) AND ((state = 'waiting'::text) = (decided_at IS NULL)))),
    CONSTRAINT rate_proposal_changes_something CHECK ((new <> old)),
    CONSTRAINT rate_proposal_has_a_reason CHECK ((why <> ''::text)),
    CONSTRAINT rate_proposal_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'approved'::text, 'rejected'::text]))),
    CONSTRAINT rates_are_approved_by_another CHECK (((state <> 'approved'::text) OR (lower(NORMALIZE(decided_by, NFKC)) <> lower(NORMALIZE(proposed_by, NFKC)))))
);
ALTER TABLE ONLY billing.rate_proposal ADD CONSTRAINT rate_proposal_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY billing.rate_proposal ADD CONSTRAINT rate_proposal_makes_one_version UNIQUE (version);
CREATE UNIQUE INDEX one_proposal_waits_for_a_card ON billing.rate_proposal USING btree (kind, key, effective_from) WHERE (state = 'waiting'::text);
CREATE INDEX rate_proposal_by_instant ON billing.rate_proposal USING btree (proposed_at);
GRANT SELECT, INSERT ON TABLE billing.rate_proposal TO hobbs_billing;
GRANT UPDATE (state, decided_by, decided_why, decided_at, version) ON TABLE billing.rate_proposal TO hobbs_billing;

CREATE TABLE billing.school_version (
    version integer NOT NULL,
    base_version integer NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    at timestamptz NOT NULL,
    event_key uuid NOT NULL,
    applied_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT school_version_follows_its_base CHECK (((version = (base_version + 1)) AND (base_version >= 0)))
);
ALTER TABLE ONLY billing.school_version ADD CONSTRAINT event_makes_one_version UNIQUE (event_key);
ALTER TABLE ONLY billing.school_version ADD CONSTRAINT school_version_is_made_once PRIMARY KEY (version);
GRANT SELECT, INSERT ON TABLE billing.school_version TO hobbs_billing;

CREATE TABLE billing.timer (
    name text NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    lease_until timestamptz,
    last_run date
);
ALTER TABLE ONLY billing.timer ADD CONSTRAINT timer_runs_in_one_place PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE billing.timer TO hobbs_billing;

CREATE TABLE billing.topic_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY billing.topic_position ADD CONSTRAINT one_position_for_each_partition PRIMARY KEY (topic, partition);
GRANT SELECT, INSERT, UPDATE ON TABLE billing.topic_position TO hobbs_billing;

CREATE TABLE billing.waiting_revision (
    flight_id text NOT NULL,
    revision integer NOT NULL,
    fingerprint text NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    key bytea,
    value bytea NOT NULL,
    headers jsonb NOT NULL,
    published_at timestamptz NOT NULL,
    event_key uuid NOT NULL,
    cause jsonb NOT NULL,
    kept_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT only_revisions_wait CHECK ((topic = ANY (ARRAY['flight.corrected'::text, 'flight.cancelled'::text]))),
    CONSTRAINT waiting_revision_follows_another CHECK ((revision >= 2))
);
ALTER TABLE ONLY billing.waiting_revision ADD CONSTRAINT revision_waits_once PRIMARY KEY (flight_id, revision);
GRANT SELECT, INSERT, DELETE ON TABLE billing.waiting_revision TO hobbs_billing;
GRANT UPDATE (kept_at) ON TABLE billing.waiting_revision TO hobbs_billing;

CREATE VIEW billing.bill_in_force AS
 SELECT id,
    flight_id,
    revision,
    corrects,
    fingerprint,
    student,
    instructor,
    aircraft,
    billed_on,
    occurred_at,
    currency,
    charge,
    legs_total,
    margin,
    hours_from,
    billed_tenths,
    hobbs_out,
    hobbs_in,
    tach_out,
    tach_in,
    facts,
    rates,
    lines,
    legs,
    flags,
    school_version,
    billed_at,
    kind,
    reason,
    made_by,
    priced_by
   FROM billing.bill
  WHERE (NOT (EXISTS ( SELECT
           FROM billing.bill later
          WHERE ((later.flight_id = bill.flight_id) AND (later.revision > bill.revision) AND (later.corrects IS NOT NULL)))));
GRANT SELECT ON TABLE billing.bill_in_force TO hobbs_billing;

CREATE VIEW billing.card AS
 SELECT kind,
    key,
    effective_from,
    version,
    new AS document
   FROM ( SELECT DISTINCT ON (card_version.kind, card_version.key, card_version.effective_from) card_version.kind,
            card_version.key,
            card_version.effective_from,
            card_version.version,
            card_version.new
           FROM billing.card_version
          ORDER BY card_version.kind, card_version.key, card_version.effective_from, card_version.version DESC) newest
  WHERE (new IS NOT NULL);
GRANT SELECT ON TABLE billing.card TO hobbs_billing;

CREATE VIEW billing_public.admitted_events AS
 SELECT event_key,
    admitted_at
   FROM billing.inbox;
GRANT SELECT ON TABLE billing_public.admitted_events TO hobbs_reader, hobbs_billing;

CREATE VIEW billing_public.bill_legs AS
 SELECT bill.id AS bill_id,
    bill.flight_id,
    bill.revision,
    bill.billed_on,
    bill.currency,
    leg.wallet,
    leg.kind,
    leg.amount
   FROM (billing.bill
     CROSS JOIN LATERAL jsonb_to_recordset(bill.legs) leg(wallet text, kind text, amount bigint));
GRANT SELECT ON TABLE billing_public.bill_legs TO hobbs_reader, hobbs_billing, hobbs_reserves;

CREATE VIEW billing_public.bill_lines AS
 SELECT bill.id AS bill_id,
    bill.flight_id,
    bill.revision,
    bill.student,
    bill.billed_on,
    bill.currency,
    line."position",
    line.kind,
    line.description,
    line.amount,
    line.tenths,
    line.rate,
    line.parts
   FROM (billing.bill
     CROSS JOIN LATERAL ROWS FROM(jsonb_to_recordset(bill.lines) AS (kind text, description text, amount bigint, tenths integer, rate bigint, parts jsonb)) WITH ORDINALITY line(kind, description, amount, tenths, rate, parts, "position"));
GRANT SELECT ON TABLE billing_public.bill_lines TO hobbs_reader, hobbs_billing, hobbs_reserves;

CREATE VIEW billing_public.bills AS
 SELECT id AS bill_id,
    flight_id,
    revision,
    corrects,
    student,
    instructor,
    aircraft,
    billed_on,
    occurred_at,
    currency,
    charge,
    legs_total,
    margin,
    hours_from,
    billed_tenths,
    facts,
    rates,
    school_version,
    billed_at,
    lines,
    legs,
    kind,
    reason,
    made_by,
    priced_by,
    (NOT (EXISTS ( SELECT
           FROM billing.bill later
          WHERE ((later.flight_id = bill.flight_id) AND (later.revision > bill.revision) AND (later.corrects IS NOT NULL))))) AS in_force
   FROM billing.bill;
GRANT SELECT ON TABLE billing_public.bills TO hobbs_reader, hobbs_adjustments, hobbs_billing, hobbs_receivables, hobbs_reserves;

CREATE VIEW billing_public.book AS
 SELECT version
   FROM billing.book;
GRANT SELECT ON TABLE billing_public.book TO hobbs_reader, hobbs_billing;

CREATE VIEW billing_public.book_words AS
 SELECT id,
    asked_by,
    asked_at,
    why,
    agreed_by,
    agreed_at
   FROM billing.book_word;
GRANT SELECT ON TABLE billing_public.book_words TO hobbs_reader, hobbs_billing;

CREATE VIEW billing_public.cancelled_flights AS
 SELECT flight_id,
    revision,
    reason,
    made_by,
    cancelled_at
   FROM billing.cancelled_flight;
GRANT SELECT ON TABLE billing_public.cancelled_flights TO hobbs_reader, hobbs_billing, hobbs_receivables;

CREATE VIEW billing_public.card_history AS
 SELECT card_version.version,
    school_version.at,
    school_version.who,
    school_version.why,
    card_version.kind,
    card_version.key,
    card_version.effective_from,
    card_version.old,
    card_version.new
   FROM (billing.card_version
     JOIN billing.school_version USING (version));
GRANT SELECT ON TABLE billing_public.card_history TO hobbs_reader, hobbs_billing;

CREATE VIEW billing_public.cards AS
 SELECT kind,
    key,
    effective_from,
    version,
    document
   FROM billing.card;
GRANT SELECT ON TABLE billing_public.cards TO hobbs_reader, hobbs_billing, hobbs_receivables;

CREATE VIEW billing_public.dead_letters AS
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
   FROM billing.dead_letter;
GRANT SELECT ON TABLE billing_public.dead_letters TO hobbs_reader, hobbs_operations, hobbs_billing;

CREATE VIEW billing_public.meter_chain AS
 WITH reading AS (
         SELECT bill_in_force.aircraft,
            'hobbs'::text AS meter,
            bill_in_force.id AS bill_id,
            bill_in_force.flight_id,
            bill_in_force.revision,
            bill_in_force.student,
            bill_in_force.billed_on,
            bill_in_force.occurred_at,
            bill_in_force.hobbs_out AS out_tenths,
            bill_in_force.hobbs_in AS in_tenths,
                CASE
                    WHEN (length((bill_in_force.hobbs_in)::text) > length((bill_in_force.hobbs_out)::text)) THEN (bill_in_force.hobbs_in - ((bill_in_force.facts ->> 'hobbs_in'::text))::integer)
                    ELSE 0
                END AS turn
           FROM billing.bill_in_force
          WHERE ((bill_in_force.hobbs_out IS NOT NULL) AND (bill_in_force.hobbs_in IS NOT NULL) AND ((bill_in_force.hobbs_out <> 0) OR (bill_in_force.hobbs_in <> 0)))
        UNION ALL
         SELECT bill_in_force.aircraft,
            'tach'::text,
            bill_in_force.id,
            bill_in_force.flight_id,
            bill_in_force.revision,
            bill_in_force.student,
            bill_in_force.billed_on,
            bill_in_force.occurred_at,
            bill_in_force.tach_out,
            bill_in_force.tach_in,
                CASE
                    WHEN (length((bill_in_force.tach_in)::text) > length((bill_in_force.tach_out)::text)) THEN (bill_in_force.tach_in - ((bill_in_force.facts ->> 'tach_in'::text))::integer)
                    ELSE 0
                END AS "case"
           FROM billing.bill_in_force
          WHERE ((bill_in_force.tach_out IS NOT NULL) AND (bill_in_force.tach_in IS NOT NULL) AND ((bill_in_force.tach_out <> 0) OR (bill_in_force.tach_in <> 0)))
        ), placed AS (
         SELECT reading.aircraft,
            reading.meter,
            reading.bill_id,
            reading.flight_id,
            reading.revision,
            reading.student,
            reading.billed_on,
            reading.occurred_at,
            reading.out_tenths,
            reading.in_tenths,
            reading.turn,
            (COALESCE(sum(reading.turn) OVER (PARTITION BY reading.aircraft, reading.meter ORDER BY reading.occurred_at, reading.flight_id, reading.revision ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), (0)::bigint))::integer AS before
           FROM reading
        )
 SELECT aircraft,
    meter,
    bill_id,
    flight_id,
    revision,
    student,
    billed_on,
    out_tenths,
    (in_tenths - turn) AS in_tenths,
    lag(flight_id) OVER earlier AS previous_flight_id,
    (max((before + in_tenths)) OVER (earlier ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) - before) AS reached_tenths
   FROM placed
  WINDOW earlier AS (PARTITION BY aircraft, meter ORDER BY (before + out_tenths), (before + in_tenths), flight_id, revision);
GRANT SELECT ON TABLE billing_public.meter_chain TO hobbs_reader, hobbs_adjustments, hobbs_billing, hobbs_reserves;

CREATE VIEW billing_public.flags AS
 SELECT bill.id AS bill_id,
    bill.flight_id,
    bill.revision,
    bill.aircraft,
    bill.student,
    bill.billed_on,
    flag.kind,
    flag.sentence,
    NULL::text AS meter,
    NULL::integer AS tenths,
    NULL::text AS previous_flight_id
   FROM (billing.bill_in_force bill
     CROSS JOIN LATERAL jsonb_to_recordset(bill.flags) flag(kind text, sentence text))
UNION ALL
 SELECT meter_chain.bill_id,
    meter_chain.flight_id,
    meter_chain.revision,
    meter_chain.aircraft,
    meter_chain.student,
    meter_chain.billed_on,
        CASE
            WHEN (meter_chain.out_tenths > meter_chain.reached_tenths) THEN 'meter_gap'::text
            ELSE 'meter_overlap'::text
        END AS kind,
    format('%s of %s was at %s after flight %s, flight %s starts at %s: %s'::text,
        CASE meter_chain.meter
            WHEN 'hobbs'::text THEN 'Hobbs'::text
            ELSE meter_chain.meter
        END, meter_chain.aircraft, round(((meter_chain.reached_tenths)::numeric / 10.0), 1), meter_chain.previous_flight_id, meter_chain.flight_id, round(((meter_chain.out_tenths)::numeric / 10.0), 1),
        CASE
            WHEN (meter_chain.out_tenths > meter_chain.reached_tenths) THEN 'a flight in between is not billed, or a reading is wrong'::text
            ELSE 'the same time is billed twice, or a reading is wrong'::text
        END) AS sentence,
    meter_chain.meter,
    (meter_chain.out_tenths - meter_chain.reached_tenths) AS tenths,
    meter_chain.previous_flight_id
   FROM billing_public.meter_chain
  WHERE (meter_chain.out_tenths <> meter_chain.reached_tenths);
GRANT SELECT ON TABLE billing_public.flags TO hobbs_reader, hobbs_billing;

CREATE VIEW billing_public.positions AS
 SELECT topic,
    partition,
    next_offset,
    written_at
   FROM billing.topic_position;
GRANT SELECT ON TABLE billing_public.positions TO hobbs_reader, hobbs_operations, hobbs_billing, hobbs_receivables;

CREATE VIEW billing_public.rate_proposals AS
 SELECT id,
    kind,
    key,
    effective_from,
    old,
    new,
    proposed_by,
    why,
    proposed_at,
    state,
    decided_by,
    decided_why,
    decided_at,
    version
   FROM billing.rate_proposal;
GRANT SELECT ON TABLE billing_public.rate_proposals TO hobbs_reader, hobbs_billing;

CREATE VIEW billing_public.refused_flights AS
 SELECT id AS dead_letter_id,
    topic,
        CASE
            WHEN (subject ~~ 'flight:%'::text) THEN regexp_replace(substr(subject, 8), ':[0-9]+$'::text, ''::text)
            ELSE NULL::text
        END AS flight_id,
        CASE
            WHEN (subject ~~ 'flight:%'::text) THEN ("substring"(subject, ':([0-9]+)$'::text))::bigint
            ELSE NULL::bigint
        END AS revision,
    reason,
    sentence,
    attempts,
    first_seen_at,
    last_seen_at
   FROM billing.dead_letter
  WHERE ((topic = ANY (ARRAY['flight.completed'::text, 'flight.corrected'::text, 'flight.cancelled'::text])) AND (state = 'open'::text));
GRANT SELECT ON TABLE billing_public.refused_flights TO hobbs_reader, hobbs_billing;

CREATE VIEW billing_public.school_versions AS
 SELECT version,
    base_version,
    who,
    why,
    at,
    applied_at
   FROM billing.school_version;
GRANT SELECT ON TABLE billing_public.school_versions TO hobbs_reader, hobbs_billing;

CREATE VIEW billing_public.waiting_revisions AS
 SELECT flight_id,
    revision,
        CASE topic
            WHEN 'flight.cancelled'::text THEN 'cancelled'::text
            ELSE 'corrected'::text
        END AS kind,
    reason,
    made_by,
    kept_at,
    ( SELECT max(bill.revision) AS max
           FROM billing.bill
          WHERE (bill.flight_id = waiting_revision.flight_id)) AS billed_revision
   FROM billing.waiting_revision;
GRANT SELECT ON TABLE billing_public.waiting_revisions TO hobbs_reader, hobbs_billing;

-- Functions; their texts are in functions/.
-- * refuse_rewritten_letter()
-- * without_former_contents(jsonb)
-- * book_version()
-- * cards_of_flight(text, text, text)
-- * current_rates(date)
-- * refused_record(uuid)
-- * vouch(uuid, bytea)
