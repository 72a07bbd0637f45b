-- Which views of other services payouts reads. `hobbs migrate` gives exactly these; hobbs_reader reads all.
GRANT USAGE ON SCHEMA ledger_public TO hobbs_payouts;
GRANT SELECT ON ledger_public.entries, ledger_public.journals, ledger_public.positions TO hobbs_payouts;
GRANT USAGE ON SCHEMA receivables_public TO hobbs_payouts;
GRANT SELECT ON receivables_public.admitted_events, receivables_public.auto_charges, receivables_public.dead_letters TO hobbs_payouts;
