-- It is told since when declines count, and says how many there were (functions/dunning.sql makes it anew).
DROP FUNCTION IF EXISTS receivables_public.dunning_of(date, timestamptz, text[]);
