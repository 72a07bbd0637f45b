-- Which views the console reads that hobbs_reader may not: the names of people, for its pages, and pages at Stripe,
-- which a receipt shows to whoever asked for one.
GRANT SELECT ON payouts_public.names, payouts_public.student_links, payouts_public.links TO hobbs_console;
