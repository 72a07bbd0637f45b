-- Which views of other services reserves reads. `hobbs migrate` gives exactly these; hobbs_reader reads all.
GRANT USAGE ON SCHEMA billing_public, ledger_public, payouts_public TO hobbs_reserves;
GRANT SELECT ON billing_public.bill_legs, billing_public.bill_lines, billing_public.bills,
    billing_public.meter_chain TO hobbs_reserves;
GRANT SELECT ON ledger_public.entries TO hobbs_reserves;
GRANT SELECT ON payouts_public.payables, payouts_public.payees, payouts_public.reserve_gates,
    payouts_public.transfers TO hobbs_reserves;
