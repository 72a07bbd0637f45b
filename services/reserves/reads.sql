-- Which views of other services reserves reads. `hobbs migrate` gives exactly these; hobbs_reader reads all.
GRANT USAGE ON SCHEMA payouts_public TO hobbs_reserves;
GRANT SELECT ON payouts_public.reserve_gates TO hobbs_reserves;
