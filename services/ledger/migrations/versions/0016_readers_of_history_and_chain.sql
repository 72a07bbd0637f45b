-- Every read of services/ledger/desk is of ledger_public, as hobbs_reader. Two of them call functions in the
-- schema ledger, which functions/*.sql grants to hobbs_reader: balance_at and verify_links.

CREATE VIEW ledger_public.journal_links AS
    SELECT position, journal_id, hash, recorded_at FROM journal_link;
COMMENT ON VIEW ledger_public.journal_links IS 'The hash chain: a link for each journal, numbered by position.';
GRANT SELECT ON ledger_public.journal_links TO hobbs_reader;

-- A reader may name the functions with it; tables and every other function stay closed.
GRANT USAGE ON SCHEMA ledger TO hobbs_reader;
