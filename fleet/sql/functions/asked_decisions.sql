-- Who asks for a decision says so as their own login (fleet/vouches.py). `<service>` stands for the service's name.

-- Say, before the decision is published, that this session asks for it.
CREATE OR REPLACE FUNCTION <service>_public.vouch(decision_id uuid, body_sha256 bytea)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
BEGIN
    INSERT INTO <service>.asked_decision (decision_id, body_sha256, login, roles)
    SELECT vouch.decision_id, vouch.body_sha256, session_user,
           array_remove(ARRAY[CASE WHEN pg_has_role(session_user, 'hobbs_operator', 'USAGE') THEN 'operator' END,
                              CASE WHEN pg_has_role(session_user, 'hobbs_finance', 'USAGE') THEN 'finance' END,
                              CASE WHEN pg_has_role(session_user, 'hobbs_operations', 'USAGE')
                                   THEN 'operations' END], NULL);
END $$;
GRANT EXECUTE ON FUNCTION <service>_public.vouch(uuid, bytea) TO hobbs_operator, hobbs_finance, hobbs_operations, hobbs_console;
