-- The console asks every service: it vouches for what its people ask, as its own login.
CREATE OR REPLACE FUNCTION vouch_to(service text, decision_id uuid, body_sha256 bytea)
    RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('SELECT %I.vouch($1, $2)', service || '_public') USING decision_id, body_sha256;
END $$;
GRANT EXECUTE ON FUNCTION vouch_to(text, uuid, bytea) TO hobbs_console;
