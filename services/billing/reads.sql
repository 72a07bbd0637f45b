-- What billing reads of other services: the limit that is in force, when a person sets another one. `hobbs migrate` gives
-- exactly this; hobbs_reader reads all.
GRANT USAGE ON SCHEMA receivables_public TO hobbs_billing;
GRANT EXECUTE ON FUNCTION receivables_public.credit_of(date, text) TO hobbs_billing;
