-- What the gateway reads of other services. `hobbs migrate` gives exactly this; hobbs_reader reads all.
GRANT USAGE ON SCHEMA receivables_public TO hobbs_gateway;
GRANT SELECT ON receivables_public.school TO hobbs_gateway;
GRANT EXECUTE ON FUNCTION receivables_public.credit_check(text, bigint, date) TO hobbs_gateway;
