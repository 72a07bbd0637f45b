-- Which login of the database asked for a decision (fleet/vouches.py). `<service>` stands for the service's name.
-- Only added to, by the function: its row has the session's own login, whatever role the session took on.
CREATE TABLE IF NOT EXISTS asked_decision (
    decision_id uuid        NOT NULL CONSTRAINT decision_is_asked_once PRIMARY KEY,
    body_sha256 bytea       NOT NULL CONSTRAINT asked_body_is_sha256 CHECK (octet_length(body_sha256) = 32),
    login       text        NOT NULL,
    roles       text[]      NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT ON asked_decision TO hobbs_<service>;

-- For who asks: say, before the decision is published, that this session asks for it.
CREATE OR REPLACE FUNCTION <service>_public.vouch(decision_id uuid, body_sha256 bytea)
    RETURNS void
    LANGUAGE sql
    SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    INSERT INTO <service>.asked_decision (decision_id, body_sha256, login, roles)
    SELECT vouch.decision_id, vouch.body_sha256, session_user,
           array_remove(ARRAY[CASE WHEN pg_has_role(session_user, 'hobbs_operator', 'USAGE') THEN 'operator' END,
                              CASE WHEN pg_has_role(session_user, 'hobbs_finance', 'USAGE') THEN 'finance' END], NULL)
$$;
GRANT EXECUTE ON FUNCTION <service>_public.vouch(uuid, bytea) TO hobbs_operator, hobbs_finance, hobbs_console;
