-- Every read of services/ledger/desk is of ledger_public, as hobbs_reader, who may not use the schema ledger. Two
-- reads need a function of it: a balance at an instant, and the recomputation of the chain.

CREATE VIEW ledger_public.journal_links AS
    SELECT position, journal_id, hash, recorded_at FROM journal_link;
COMMENT ON VIEW ledger_public.journal_links IS 'The hash chain: a link for each journal, numbered by position.';
GRANT SELECT ON ledger_public.journal_links TO hobbs_reader;

CREATE FUNCTION ledger_public.balance_at(wallet text, currency text, occurred_by timestamptz, known_by timestamptz)
    RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$ SELECT ledger.balance_at(wallet, currency, occurred_by, known_by) $$;

CREATE FUNCTION ledger_public.verify_links(after bigint, hash bytea, most integer,
        OUT reached bigint, OUT reached_hash bytea, OUT why text, OUT journal_id uuid, OUT source text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$ SELECT * FROM ledger.verify_links(after, hash, most) $$;

REVOKE EXECUTE ON FUNCTION
    ledger_public.balance_at(text, text, timestamptz, timestamptz),
    ledger_public.verify_links(bigint, bytea, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    ledger_public.balance_at(text, text, timestamptz, timestamptz),
    ledger_public.verify_links(bigint, bytea, integer)
    TO hobbs_reader;
