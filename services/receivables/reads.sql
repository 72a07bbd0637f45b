-- Which views of other services receivables reads. `hobbs migrate` gives exactly these; hobbs_reader reads all.
GRANT USAGE ON SCHEMA billing_public TO hobbs_receivables;
GRANT SELECT ON billing_public.bills, billing_public.cards, billing_public.positions TO hobbs_receivables;
