-- Which views of other services reserves reads. `hobbs migrate` gives exactly these; hobbs_reader reads all.
GRANT USAGE ON SCHEMA payouts_public TO hobbs_reserves;
GRANT SELECT ON payouts_public.payables, payouts_public.payees, payouts_public.reserve_gates,
    payouts_public.transfers TO hobbs_reserves;
