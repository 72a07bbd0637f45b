-- Events of Stripe's by endpoint, mode, payload and API version ('' where it has none): counts and the latest of each.
CREATE TABLE webhook_sighting (
    endpoint        text NOT NULL,
    verdict         text NOT NULL,
    livemode        boolean NOT NULL,
    reading         text NOT NULL,
    api_version     text NOT NULL,
    events          bigint NOT NULL,
    last_event_id   text NOT NULL,
    last_event_type text NOT NULL,
    first_seen_at   timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    CONSTRAINT a_kind_of_event_has_one_row PRIMARY KEY (endpoint, verdict, livemode, reading, api_version),
    CONSTRAINT seen_at_least_once CHECK (events > 0)
);

CREATE VIEW gateway_public.webhook_sighting AS
SELECT endpoint, verdict, livemode, reading, api_version, events, last_event_id, last_event_type, first_seen_at,
       last_seen_at
FROM webhook_sighting;

GRANT SELECT, INSERT, UPDATE ON webhook_sighting TO hobbs_gateway;
GRANT SELECT ON gateway_public.webhook_sighting TO hobbs_reader;
