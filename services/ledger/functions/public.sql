-- What hobbs_reader may ask the ledger. It may not use the schema ledger: these run as their owner.

-- The balance of a wallet in a currency, in minor units, as balance_at of ledger says.
CREATE OR REPLACE FUNCTION ledger_public.balance_at(
    wallet text, currency text, occurred_by timestamptz, known_by timestamptz)
    RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
    SELECT ledger.balance_at(wallet, currency, occurred_by, known_by)
$$;
GRANT EXECUTE ON FUNCTION ledger_public.balance_at(text, text, timestamptz, timestamptz) TO hobbs_reader;

-- Recomputes the links of the chain after a position, as verify_links of ledger does.
CREATE OR REPLACE FUNCTION ledger_public.verify_links(
    after bigint, hash bytea, most integer, OUT reached bigint, OUT reached_hash bytea, OUT why text,
    OUT journal_id uuid, OUT source text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
    SELECT * FROM ledger.verify_links(after, hash, most)
$$;
GRANT EXECUTE ON FUNCTION ledger_public.verify_links(bigint, bytea, integer) TO hobbs_reader;
