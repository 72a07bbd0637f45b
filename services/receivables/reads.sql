-- Which views of other services receivables reads. `hobbs migrate` gives exactly these; hobbs_reader reads all.
GRANT USAGE ON SCHEMA billing_public TO hobbs_receivables;
GRANT SELECT ON billing_public.bills, billing_public.cancelled_flights, billing_public.cards,
    billing_public.positions TO hobbs_receivables;
GRANT USAGE ON SCHEMA ledger_public TO hobbs_receivables;
GRANT SELECT ON ledger_public.entries, ledger_public.journals, ledger_public.positions,
    ledger_public.reverts, ledger_public.wallets TO hobbs_receivables;
GRANT USAGE ON SCHEMA adjustments_public TO hobbs_receivables;
GRANT SELECT ON adjustments_public.adjustments TO hobbs_receivables;
