-- What a refused flight's record says, for the person who corrects it: the console shows it to those alone who may. A
-- letter of anything else, one that is closed, or one that is no JSON object says nothing.
CREATE OR REPLACE FUNCTION billing_public.refused_record(letter uuid)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = billing, pg_temp
    AS $$
DECLARE
    found jsonb;
BEGIN
    SELECT convert_from(value, 'UTF8')::jsonb INTO found FROM dead_letter
    WHERE id = letter AND state = 'open' AND topic IN ('flight.completed', 'flight.corrected');
    RETURN CASE WHEN jsonb_typeof(found) = 'object' THEN found END;
EXCEPTION WHEN data_exception OR invalid_text_representation THEN
    RETURN NULL;  -- neither UTF-8 nor JSON
END $$;
GRANT EXECUTE ON FUNCTION billing_public.refused_record(uuid) TO hobbs_console;
