-- Flights that do not agree, for the console's pages. The view asks each row for its newest reason; a page of fifty, or
-- a number, need not.

-- The newest of them by their day, at most so many.
CREATE OR REPLACE FUNCTION reserves_public.newest_mismatches(most integer)
    RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 50
    SET search_path = reserves, pg_temp
    AS $$
    SELECT id FROM mismatch ORDER BY day DESC, id::text COLLATE "C" DESC LIMIT most
$$;
GRANT EXECUTE ON FUNCTION reserves_public.newest_mismatches(integer) TO hobbs_reader;

-- How many are open, neither over nor explained, and since when the oldest.
CREATE OR REPLACE FUNCTION reserves_public.open_mismatches(OUT number bigint, OUT oldest timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = reserves, pg_temp
    AS $$
    SELECT count(*), min(found_at) FROM mismatch
    WHERE closed_at IS NULL AND NOT EXISTS (
        SELECT FROM mismatch_reason AS given
        WHERE given.mismatch_id = mismatch.id AND given.content_hash = mismatch.content_hash)
$$;
GRANT EXECUTE ON FUNCTION reserves_public.open_mismatches() TO hobbs_reader;
