-- Which views of other services adjustments reads. `hobbs migrate` gives exactly these; hobbs_reader reads all.
GRANT USAGE ON SCHEMA billing_public TO hobbs_adjustments;
GRANT USAGE ON SCHEMA ledger_public TO hobbs_adjustments;
GRANT USAGE ON SCHEMA payouts_public TO hobbs_adjustments;
GRANT USAGE ON SCHEMA receivables_public TO hobbs_adjustments;
GRANT SELECT ON billing_public.bills, billing_public.meter_chain TO hobbs_adjustments;
GRANT SELECT ON ledger_public.entries TO hobbs_adjustments;
GRANT SELECT ON payouts_public.payables, payouts_public.transfers TO hobbs_adjustments;
GRANT SELECT ON receivables_public.disputes TO hobbs_adjustments;
