-- The schema of gateway at head, to be read. `make schemas` writes it from the migrations.

CREATE SCHEMA gateway;
CREATE SCHEMA gateway_public;
GRANT USAGE ON SCHEMA gateway TO hobbs_gateway;
GRANT USAGE ON SCHEMA gateway_public TO hobbs_reader, hobbs_operations, hobbs_gateway;

CREATE TABLE gateway.accepted_flight (
    event_id uuid NOT NULL,
    topic text NOT NULL,
    flight_id text NOT NULL,
    revision integer NOT NULL,
    content_hash bytea NOT NULL,
    key_id bigint NOT NULL,
    accepted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT accepted_flight_hash_is_sha256 CHECK ((octet_length(content_hash) = 32)),
    CONSTRAINT accepted_flight_revision_is_positive CHECK ((revision > 0)),
    CONSTRAINT accepted_flight_topic_is_a_flight_topic CHECK ((topic = ANY (ARRAY['flight.completed'::text, 'flight.corrected'::text, 'flight.cancelled'::text, 'flight.dispatched'::text])))
);
ALTER TABLE ONLY gateway.accepted_flight ADD CONSTRAINT accepted_flight_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY gateway.accepted_flight ADD CONSTRAINT accepted_flight_revision_is_accepted_once UNIQUE (topic, flight_id, revision);
ALTER TABLE ONLY gateway.accepted_flight ADD CONSTRAINT accepted_flight_key_id_fkey FOREIGN KEY (key_id) REFERENCES gateway.api_key(key_id);
GRANT SELECT, INSERT ON TABLE gateway.accepted_flight TO hobbs_gateway;

CREATE TABLE gateway.alembic_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY gateway.alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
GRANT SELECT ON TABLE gateway.alembic_version TO hobbs_gateway;

CREATE TABLE gateway.api_key (
    key_id bigint NOT NULL,
    name text NOT NULL,
    key_hash bytea NOT NULL,
    hint text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    expires_at timestamptz,
    CONSTRAINT api_key_expires_after_it_was_made CHECK ((expires_at > created_at)),
    CONSTRAINT api_key_has_a_name CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT api_key_has_known_scopes CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['flights:write'::text, 'corrections:write'::text, 'credit:read'::text]))),
    CONSTRAINT api_key_hash_is_sha256 CHECK ((octet_length(key_hash) = 32)),
    CONSTRAINT api_key_revoked_by_somebody_or_not CHECK (((revoked_at IS NULL) = (revoked_by IS NULL)))
);
ALTER TABLE gateway.api_key ALTER COLUMN key_id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY gateway.api_key ADD CONSTRAINT api_key_hash_is_known_once UNIQUE (key_hash);
ALTER TABLE ONLY gateway.api_key ADD CONSTRAINT api_key_pkey PRIMARY KEY (key_id);
CREATE UNIQUE INDEX api_key_living_name_is_used_once ON gateway.api_key USING btree (name) WHERE (revoked_at IS NULL);
GRANT SELECT, INSERT ON TABLE gateway.api_key TO hobbs_gateway;
GRANT UPDATE (last_used_at, revoked_at, revoked_by) ON TABLE gateway.api_key TO hobbs_gateway;

CREATE TABLE gateway.asked_decision (
    decision_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    login text NOT NULL,
    roles text[] NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT asked_body_is_sha256 CHECK ((octet_length(body_sha256) = 32))
);
ALTER TABLE ONLY gateway.asked_decision ADD CONSTRAINT decision_is_asked_once PRIMARY KEY (decision_id);
GRANT SELECT ON TABLE gateway.asked_decision TO hobbs_gateway;

CREATE TABLE gateway.dead_letter (
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
ALTER TABLE ONLY gateway.dead_letter ADD CONSTRAINT dead_letter_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY gateway.dead_letter ADD CONSTRAINT one_dead_letter_for_each_subject UNIQUE (topic, identity);
CREATE INDEX dead_letter_open ON gateway.dead_letter USING btree (last_seen_at) WHERE (state = 'open'::text);
CREATE TRIGGER dead_letter_is_not_emptied BEFORE TRUNCATE ON gateway.dead_letter FOR EACH STATEMENT EXECUTE FUNCTION gateway.refuse_rewritten_letter();
ALTER TABLE gateway.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_not_emptied;
CREATE TRIGGER dead_letter_is_only_added_to BEFORE DELETE OR UPDATE ON gateway.dead_letter FOR EACH ROW EXECUTE FUNCTION gateway.refuse_rewritten_letter();
ALTER TABLE gateway.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_only_added_to;
GRANT SELECT, INSERT ON TABLE gateway.dead_letter TO hobbs_gateway;
GRANT UPDATE (partition, key, value, headers, payload_hash, event_key, correlation_id, reason, sentence, attempts, state, last_seen_at, history) ON TABLE gateway.dead_letter TO hobbs_gateway;
GRANT UPDATE("offset") ON TABLE gateway.dead_letter TO hobbs_gateway;

CREATE TABLE gateway.function_file (
    name text NOT NULL,
    sha256 text NOT NULL,
    signatures text[] NOT NULL
);
ALTER TABLE ONLY gateway.function_file ADD CONSTRAINT function_file_is_applied_once PRIMARY KEY (name);
GRANT SELECT ON TABLE gateway.function_file TO hobbs_gateway;

CREATE TABLE gateway.inbox (
    event_key uuid NOT NULL,
    payload_hash bytea NOT NULL,
    admitted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT payload_hash_is_sha256 CHECK ((octet_length(payload_hash) = 32))
);
ALTER TABLE ONLY gateway.inbox ADD CONSTRAINT event_is_admitted_once PRIMARY KEY (event_key);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE gateway.inbox TO hobbs_gateway;

CREATE TABLE gateway.invariant_outcome (
    name text NOT NULL,
    rows bigint NOT NULL,
    broken_since timestamptz,
    asked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT broken_invariant_says_since_when CHECK (((rows > 0) = (broken_since IS NOT NULL)))
);
ALTER TABLE ONLY gateway.invariant_outcome ADD CONSTRAINT one_outcome_for_each_invariant PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE gateway.invariant_outcome TO hobbs_gateway;

CREATE TABLE gateway.outbox (
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
ALTER TABLE gateway.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE gateway.outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK ((topic = ANY (ARRAY['decision.taken'::text, 'flight.cancelled'::text, 'flight.completed'::text, 'flight.corrected'::text, 'flight.dispatched'::text, 'gateway.dead'::text, 'gateway.redrive'::text]))) NOT VALID;
ALTER TABLE ONLY gateway.outbox ADD CONSTRAINT outbox_row_has_one_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE gateway.outbox TO hobbs_gateway;

CREATE TABLE gateway.outbox_sent (
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
ALTER TABLE ONLY gateway.outbox_sent ADD CONSTRAINT sent_row_has_its_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE ON TABLE gateway.outbox_sent TO hobbs_gateway;

CREATE TABLE gateway.timer (
    name text NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    lease_until timestamptz,
    last_run date
);
ALTER TABLE ONLY gateway.timer ADD CONSTRAINT timer_runs_in_one_place PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE gateway.timer TO hobbs_gateway;

CREATE TABLE gateway.topic_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY gateway.topic_position ADD CONSTRAINT one_position_for_each_partition PRIMARY KEY (topic, partition);
GRANT SELECT, INSERT, UPDATE ON TABLE gateway.topic_position TO hobbs_gateway;

CREATE TABLE gateway.webhook_sighting (
    endpoint text NOT NULL,
    verdict text NOT NULL,
    livemode boolean NOT NULL,
    reading text NOT NULL,
    api_version text NOT NULL,
    events bigint NOT NULL,
    last_event_id text NOT NULL,
    last_event_type text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    CONSTRAINT seen_at_least_once CHECK ((events > 0))
);
ALTER TABLE ONLY gateway.webhook_sighting ADD CONSTRAINT a_kind_of_event_has_one_row PRIMARY KEY (endpoint, verdict, livemode, reading, api_version);
GRANT SELECT, INSERT, UPDATE ON TABLE gateway.webhook_sighting TO hobbs_gateway;

CREATE VIEW gateway_public.accepted_flight AS
 SELECT f.event_id,
    f.topic,
    f.flight_id,
    f.revision,
    f.accepted_at,
    k.name AS key_name
   FROM (gateway.accepted_flight f
     JOIN gateway.api_key k USING (key_id));
GRANT SELECT ON TABLE gateway_public.accepted_flight TO hobbs_reader, hobbs_gateway;

CREATE VIEW gateway_public.admitted_events AS
 SELECT event_key,
    admitted_at
   FROM gateway.inbox;
GRANT SELECT ON TABLE gateway_public.admitted_events TO hobbs_reader, hobbs_gateway;

CREATE VIEW gateway_public.api_key AS
 SELECT key_id,
    name,
    hint,
    scopes,
    created_at,
    created_by,
    last_used_at,
    revoked_at,
    revoked_by,
    expires_at
   FROM gateway.api_key;
GRANT SELECT ON TABLE gateway_public.api_key TO hobbs_reader, hobbs_gateway;

CREATE VIEW gateway_public.dead_letters AS
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
   FROM gateway.dead_letter;
GRANT SELECT ON TABLE gateway_public.dead_letters TO hobbs_reader, hobbs_operations, hobbs_gateway;

CREATE VIEW gateway_public.positions AS
 SELECT topic,
    partition,
    next_offset,
    written_at
   FROM gateway.topic_position;
GRANT SELECT ON TABLE gateway_public.positions TO hobbs_reader, hobbs_operations, hobbs_gateway;

CREATE VIEW gateway_public.webhook_sighting AS
 SELECT endpoint,
    verdict,
    livemode,
    reading,
    api_version,
    events,
    last_event_id,
    last_event_type,
    first_seen_at,
    last_seen_at
   FROM gateway.webhook_sighting;
GRANT SELECT ON TABLE gateway_public.webhook_sighting TO hobbs_reader, hobbs_gateway;

-- Functions; their texts are in functions/.
-- * refuse_rewritten_letter()
-- * without_former_contents(jsonb)
-- * vouch(uuid, bytea)
