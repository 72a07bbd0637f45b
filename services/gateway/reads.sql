-- What the gateway reads of other services. `hobbs migrate` gives exactly this; hobbs_reader reads all.
GRANT USAGE ON SCHEMA receivables_public TO hobbs_gateway;
GRANT EXECUTE ON FUNCTION receivables_public.school_time_zone() TO hobbs_gateway;
GRANT EXECUTE ON FUNCTION receivables_public.credit_check(text, bigint, date, text) TO hobbs_gateway;
GRANT USAGE ON SCHEMA billing_public TO hobbs_gateway;
GRANT EXECUTE ON FUNCTION billing_public.cards_of_flight(text, text, text) TO hobbs_gateway;
GRANT EXECUTE ON FUNCTION billing_public.book_version() TO hobbs_gateway;
