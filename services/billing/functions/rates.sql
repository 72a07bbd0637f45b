-- What hobbs_reader may ask of the school's rates.

-- The cards in force on a day. The caller says which day it is at the school: PostgreSQL's time zone data is not
-- the workers'.
CREATE OR REPLACE FUNCTION billing_public.current_rates(on_day date)
    RETURNS TABLE (kind text, key text, effective_from date, version integer, document jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = billing, pg_temp
    AS $$
    SELECT DISTINCT ON (card.kind, card.key) card.kind, card.key, card.effective_from, card.version, card.document
    FROM card
    WHERE card.effective_from <= on_day
    ORDER BY card.kind, card.key, card.effective_from DESC
$$;
GRANT EXECUTE ON FUNCTION billing_public.current_rates(date) TO hobbs_reader;
