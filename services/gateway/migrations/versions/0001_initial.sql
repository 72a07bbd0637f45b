-- Keys of schedulers that have no Kafka. A key is 256 random bits, shown once; only its SHA-256 is here.
CREATE TABLE api_key (
    key_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL,
    key_hash     bytea NOT NULL,
    hint         text NOT NULL,
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    revoked_by   text,
    CONSTRAINT api_key_hash_is_known_once UNIQUE (key_hash),
    CONSTRAINT api_key_hash_is_sha256 CHECK (octet_length(key_hash) = 32),
    CONSTRAINT api_key_has_a_name CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT api_key_has_known_scopes CHECK (
        cardinality(scopes) > 0 AND scopes <@ ARRAY['flights:write', 'corrections:write']
    ),
    CONSTRAINT api_key_revoked_by_somebody_or_not CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);

-- A name may be used again once its key is revoked: that is how a key is rotated.
CREATE UNIQUE INDEX api_key_living_name_is_used_once ON api_key (name) WHERE revoked_at IS NULL;

-- What each accepted event said. Kept for good: a repeat with other content must be noticed years later.
CREATE TABLE accepted_flight (
    event_id     uuid PRIMARY KEY,
    topic        text NOT NULL,
    flight_id    text NOT NULL,
    revision     integer NOT NULL,
    content_hash bytea NOT NULL,
    key_id       bigint NOT NULL REFERENCES api_key,
    accepted_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT accepted_flight_revision_is_accepted_once UNIQUE (topic, flight_id, revision),
    CONSTRAINT accepted_flight_revision_is_positive CHECK (revision > 0),
    CONSTRAINT accepted_flight_hash_is_sha256 CHECK (octet_length(content_hash) = 32),
    CONSTRAINT accepted_flight_topic_is_a_flight_topic CHECK (topic IN ('flight.completed', 'flight.corrected'))
);

CREATE VIEW gateway_public.api_key AS
SELECT key_id, name, hint, scopes, created_at, created_by, last_used_at, revoked_at, revoked_by FROM api_key;

CREATE VIEW gateway_public.accepted_flight AS
SELECT f.event_id, f.topic, f.flight_id, f.revision, f.accepted_at, k.name AS key_name
FROM accepted_flight AS f JOIN api_key AS k USING (key_id);

GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at, revoked_by) ON api_key TO hobbs_gateway;
GRANT SELECT, INSERT ON accepted_flight TO hobbs_gateway;
GRANT SELECT ON gateway_public.api_key, gateway_public.accepted_flight TO hobbs_reader;
