CREATE VIEW receivables_public.postings AS
SELECT source, charge_id, event_type, currency, entry.wallet, entry.amount, occurred_at, requested_at
FROM receivables.posting, jsonb_to_recordset(entries) AS entry (wallet text, amount bigint);
GRANT SELECT ON receivables_public.postings TO hobbs_reader;
