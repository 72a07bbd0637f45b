-- Every read of services/ledger/desk is of ledger_public, as hobbs_reader, who may not use the schema ledger. What
-- it may call is in functions/public.sql.

CREATE VIEW ledger_public.journal_links AS
    SELECT position, journal_id, hash, recorded_at FROM journal_link;
COMMENT ON VIEW ledger_public.journal_links IS 'The hash chain: a link for each journal, numbered by position.';
GRANT SELECT ON ledger_public.journal_links TO hobbs_reader;
