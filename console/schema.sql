-- The schema of console at head, to be read. `make schemas` writes it from the migrations.

CREATE SCHEMA console;
CREATE SCHEMA console_public;
GRANT USAGE ON SCHEMA console TO hobbs_console;
GRANT USAGE ON SCHEMA console_public TO hobbs_reader, hobbs_operations, hobbs_console, hobbs_holder;

CREATE TABLE console.act (
    preview_id uuid NOT NULL,
    bundle_id uuid NOT NULL,
    decision_id uuid NOT NULL,
    "position" integer NOT NULL,
    person text NOT NULL,
    service text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    parameters jsonb NOT NULL,
    why text NOT NULL,
    asked_at timestamptz DEFAULT now() NOT NULL,
    decided_at timestamptz
);
ALTER TABLE ONLY console.act ADD CONSTRAINT act_has_one_decision UNIQUE (decision_id);
ALTER TABLE ONLY console.act ADD CONSTRAINT act_has_one_preview PRIMARY KEY (preview_id);
CREATE INDEX act_by_bundle ON console.act USING btree (bundle_id, "position");
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE console.act TO hobbs_console;

CREATE TABLE console.alembic_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY console.alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
GRANT SELECT ON TABLE console.alembic_version TO hobbs_console;

CREATE TABLE console.asked_decision (
    decision_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    login text NOT NULL,
    roles text[] NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT asked_body_is_sha256 CHECK ((octet_length(body_sha256) = 32))
);
ALTER TABLE ONLY console.asked_decision ADD CONSTRAINT decision_is_asked_once PRIMARY KEY (decision_id);
GRANT SELECT ON TABLE console.asked_decision TO hobbs_console;

CREATE TABLE console.dead_letter (
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
ALTER TABLE ONLY console.dead_letter ADD CONSTRAINT dead_letter_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY console.dead_letter ADD CONSTRAINT one_dead_letter_for_each_subject UNIQUE (topic, identity);
CREATE INDEX dead_letter_open ON console.dead_letter USING btree (last_seen_at) WHERE (state = 'open'::text);
CREATE TRIGGER dead_letter_is_not_emptied BEFORE TRUNCATE ON console.dead_letter FOR EACH STATEMENT EXECUTE FUNCTION console.refuse_rewritten_letter();
ALTER TABLE console.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_not_emptied;
CREATE TRIGGER dead_letter_is_only_added_to BEFORE DELETE OR UPDATE ON console.dead_letter FOR EACH ROW EXECUTE FUNCTION console.refuse_rewritten_letter();
ALTER TABLE console.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_only_added_to;
GRANT SELECT, INSERT ON TABLE console.dead_letter TO hobbs_console;
GRANT UPDATE (partition, key, value, headers, payload_hash, event_key, correlation_id, reason, sentence, attempts, state, last_seen_at, history) ON TABLE console.dead_letter TO hobbs_console;
GRANT UPDATE("offset") ON TABLE console.dead_letter TO hobbs_console;

CREATE TABLE console.decision (
    decision_id uuid NOT NULL,
    service text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    parameters jsonb,
    person text,
    roles text[],
    channel text,
    why text,
    preview_hash text,
    dry_run boolean,
    requested_at timestamptz,
    outcome text,
    sentence text,
    effects jsonb,
    answer_hash text,
    taken_at timestamptz,
    taken_as text,
    login text,
    CONSTRAINT decision_is_asked_or_answered CHECK (((requested_at IS NOT NULL) OR (taken_at IS NOT NULL))),
    CONSTRAINT decision_outcome_is_known CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text, 'previewed'::text])))
);
ALTER TABLE ONLY console.decision ADD CONSTRAINT decision_is_copied_once PRIMARY KEY (decision_id);
CREATE INDEX decision_by_instant ON console.decision USING btree (COALESCE(requested_at, taken_at), decision_id);
CREATE INDEX decision_by_object ON console.decision USING btree (service, object);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE console.decision TO hobbs_console;

CREATE TABLE console.function_file (
    name text NOT NULL,
    sha256 text NOT NULL,
    signatures text[] NOT NULL
);
ALTER TABLE ONLY console.function_file ADD CONSTRAINT function_file_is_applied_once PRIMARY KEY (name);
GRANT SELECT ON TABLE console.function_file TO hobbs_console;

CREATE TABLE console.inbox (
    event_key uuid NOT NULL,
    payload_hash bytea NOT NULL,
    admitted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT payload_hash_is_sha256 CHECK ((octet_length(payload_hash) = 32))
);
ALTER TABLE ONLY console.inbox ADD CONSTRAINT event_is_admitted_once PRIMARY KEY (event_key);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE console.inbox TO hobbs_console;

CREATE TABLE console.invariant_outcome (
    name text NOT NULL,
    rows bigint NOT NULL,
    broken_since timestamptz,
    asked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT broken_invariant_says_since_when CHECK (((rows > 0) = (broken_since IS NOT NULL)))
);
ALTER TABLE ONLY console.invariant_outcome ADD CONSTRAINT one_outcome_for_each_invariant PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE console.invariant_outcome TO hobbs_console;

CREATE TABLE console.issue (
    month text NOT NULL,
    last_wallet text DEFAULT ''::text NOT NULL,
    done_at timestamptz
);
ALTER TABLE ONLY console.issue ADD CONSTRAINT month_is_issued_once PRIMARY KEY (month);
GRANT SELECT, INSERT, UPDATE ON TABLE console.issue TO hobbs_console;

CREATE TABLE console.issued_statement (
    wallet text NOT NULL,
    month text NOT NULL,
    currency text NOT NULL,
    ends_at timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    opening bigint NOT NULL,
    closing bigint NOT NULL,
    lines integer NOT NULL,
    content_hash text NOT NULL,
    issued_at timestamptz NOT NULL,
    CONSTRAINT content_hash_is_sha256 CHECK ((content_hash ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT lines_are_not_negative CHECK ((lines >= 0)),
    CONSTRAINT month_is_written_as_a_month CHECK ((month ~ '^[0-9]{4}-[0-9]{2}$'::text)),
    CONSTRAINT statement_is_issued_after_what_it_knows CHECK (((ends_at < known_at) AND (known_at < issued_at)))
);
ALTER TABLE ONLY console.issued_statement ADD CONSTRAINT statement_is_issued_once PRIMARY KEY (wallet, month, currency);
CREATE INDEX issued_statement_by_time ON console.issued_statement USING btree (issued_at);
GRANT SELECT, INSERT ON TABLE console.issued_statement TO hobbs_console;

CREATE TABLE console.outbox (
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
ALTER TABLE console.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE console.outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK ((topic = ANY (ARRAY['console.dead'::text, 'console.redrive'::text, 'decision.requested'::text, 'decision.taken'::text]))) NOT VALID;
ALTER TABLE ONLY console.outbox ADD CONSTRAINT outbox_row_has_one_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE console.outbox TO hobbs_console;

CREATE TABLE console.outbox_sent (
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
ALTER TABLE ONLY console.outbox_sent ADD CONSTRAINT sent_row_has_its_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE ON TABLE console.outbox_sent TO hobbs_console;

CREATE TABLE console.question (
    id uuid NOT NULL,
    asked_at timestamptz DEFAULT now() NOT NULL,
    person text NOT NULL,
    wallet text NOT NULL,
    about text NOT NULL,
    words text NOT NULL,
    answered_at timestamptz,
    answered_by text,
    answer text,
    CONSTRAINT answered_question_says_by_whom_and_what CHECK ((((answered_at IS NULL) = (answered_by IS NULL)) AND ((answered_at IS NULL) = (answer IS NULL)))),
    CONSTRAINT question_says_something CHECK (((length(words) >= 1) AND (length(words) <= 2000)))
);
ALTER TABLE ONLY console.question ADD CONSTRAINT question_has_an_id PRIMARY KEY (id);
CREATE INDEX question_by_wallet ON console.question USING btree (wallet, asked_at);
CREATE INDEX question_open ON console.question USING btree (asked_at) WHERE (answered_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE console.question TO hobbs_console;

CREATE TABLE console.refused_access (
    id uuid DEFAULT uuidv7() NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    person text,
    method text NOT NULL,
    path text NOT NULL,
    why text NOT NULL
);
ALTER TABLE ONLY console.refused_access ADD CONSTRAINT refused_access_has_an_id PRIMARY KEY (id);
GRANT SELECT, INSERT ON TABLE console.refused_access TO hobbs_console;

CREATE TABLE console.session (
    cookie_hash bytea NOT NULL,
    person text NOT NULL,
    shown_name text NOT NULL,
    roles text[] NOT NULL,
    wallet text,
    form_token text NOT NULL,
    came_by text NOT NULL,
    provider_session text,
    began_at timestamptz DEFAULT now() NOT NULL,
    seen_at timestamptz DEFAULT now() NOT NULL,
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    subject text,
    CONSTRAINT session_came_by_is_known CHECK ((came_by = ANY (ARRAY['local'::text, 'oidc'::text]))),
    CONSTRAINT session_cookie_hash_is_sha256 CHECK ((octet_length(cookie_hash) = 32))
);
ALTER TABLE ONLY console.session ADD CONSTRAINT session_has_one_cookie PRIMARY KEY (cookie_hash);
CREATE INDEX session_by_person ON console.session USING btree (person) WHERE (ended_at IS NULL);
CREATE INDEX session_by_provider_session ON console.session USING btree (provider_session) WHERE (ended_at IS NULL);
CREATE INDEX session_by_subject ON console.session USING btree (subject) WHERE (ended_at IS NULL);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE console.session TO hobbs_console;

CREATE TABLE console.sign_in (
    state_hash bytea NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    next_page text NOT NULL,
    began_at timestamptz DEFAULT now() NOT NULL
);
ALTER TABLE ONLY console.sign_in ADD CONSTRAINT sign_in_has_one_state PRIMARY KEY (state_hash);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE console.sign_in TO hobbs_console;

CREATE TABLE console.timer (
    name text NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    lease_until timestamptz,
    last_run date
);
ALTER TABLE ONLY console.timer ADD CONSTRAINT timer_runs_in_one_place PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE console.timer TO hobbs_console;

CREATE TABLE console.topic_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY console.topic_position ADD CONSTRAINT one_position_for_each_partition PRIMARY KEY (topic, partition);
GRANT SELECT, INSERT, UPDATE ON TABLE console.topic_position TO hobbs_console;

CREATE VIEW console_public.admitted_events AS
 SELECT event_key,
    admitted_at
   FROM console.inbox;
GRANT SELECT ON TABLE console_public.admitted_events TO hobbs_reader;

CREATE VIEW console_public.dead_letters AS
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
   FROM console.dead_letter;
GRANT SELECT ON TABLE console_public.dead_letters TO hobbs_reader, hobbs_operations;

CREATE VIEW console_public.decisions AS
 SELECT decision_id,
    service,
    action,
    object,
    parameters,
    person,
    roles,
    channel,
    why,
    preview_hash,
    dry_run,
    requested_at,
    outcome,
    sentence,
    effects,
    taken_at,
    COALESCE(requested_at, taken_at) AS at,
    taken_as,
    login
   FROM console.decision;
GRANT SELECT ON TABLE console_public.decisions TO hobbs_reader;

CREATE VIEW console_public.issued_statements AS
 SELECT wallet,
    month,
    currency,
    ends_at,
    known_at,
    opening,
    closing,
    lines,
    content_hash,
    issued_at
   FROM console.issued_statement;
GRANT SELECT ON TABLE console_public.issued_statements TO hobbs_reader;

CREATE VIEW console_public.positions AS
 SELECT topic,
    partition,
    next_offset,
    written_at
   FROM console.topic_position;
GRANT SELECT ON TABLE console_public.positions TO hobbs_reader, hobbs_operations;

CREATE VIEW console_public.questions AS
 SELECT id,
    asked_at,
    person,
    wallet,
    about,
    words,
    answered_at,
    answered_by,
    answer
   FROM console.question;
GRANT SELECT ON TABLE console_public.questions TO hobbs_reader;

CREATE VIEW console_public.refused_accesses AS
 SELECT id,
    at,
    person,
    method,
    path,
    why
   FROM console.refused_access;
GRANT SELECT ON TABLE console_public.refused_accesses TO hobbs_reader;

-- Functions; their texts are in functions/.
-- * refuse_rewritten_letter()
-- * vouch_to(text, uuid, bytea)
-- * without_former_contents(jsonb)
-- * bills_of(text, text[], integer[])
-- * own_ageing(date)
-- * own_balances()
-- * own_bills(text[], integer[])
-- * own_charges()
-- * own_choice()
-- * own_corrections()
-- * own_dated_entries()
-- * own_entries()
-- * own_flights()
-- * own_holds()
-- * own_issued()
-- * own_items()
-- * own_methods()
-- * own_payee()
-- * own_payments()
-- * own_questions()
-- * own_requests()
-- * own_standing(date)
-- * own_transfers()
-- * own_wallet()
-- * page_at_stripe(uuid)
-- * vouch(uuid, bytea)
