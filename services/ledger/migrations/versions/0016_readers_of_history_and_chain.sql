-- Every question of services/ledger/desk is asked of ledger_public, as hobbs_reader. Two of them need a function:
-- what a wallet held at an instant, and whether the chain is what it was.

CREATE VIEW ledger_public.journal_links AS
    SELECT position, journal_id, hash, recorded_at FROM journal_link;
COMMENT ON VIEW ledger_public.journal_links IS 'The hash chain: one link for each journal, in the order of links.';
GRANT SELECT ON ledger_public.journal_links TO hobbs_reader;

-- To name the functions; tables stay closed, and a function is open only if it is named here.
GRANT USAGE ON SCHEMA ledger TO hobbs_reader;
GRANT EXECUTE ON FUNCTION balance_at(text, text, timestamptz, timestamptz), verify_links(bigint, bytea, integer)
    TO hobbs_reader;
