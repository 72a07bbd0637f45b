-- Which views the console reads that hobbs_reader may not: the names of people, for its pages.
GRANT SELECT ON payouts_public.names TO hobbs_console;
