-- What became of a dead letter is only added to. `<service>` stands for the service's name (fleet/functions.py).

-- A history without what earlier contents of the letter were: when a person is erased.
CREATE OR REPLACE FUNCTION without_former_contents(history jsonb)
    RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT coalesce(jsonb_agg(step #- '{was,key}' #- '{was,value}' #- '{was,headers}' ORDER BY number), '[]')
    FROM jsonb_array_elements(history) WITH ORDINALITY AS told (step, number)
$$;
GRANT EXECUTE ON FUNCTION without_former_contents(jsonb) TO hobbs_<service>;

-- Trigger on dead_letter: a letter changes only by a further step of its history, and is never removed. What its
-- history keeps of earlier contents goes when it is forgotten, and otherwise not.
CREATE OR REPLACE FUNCTION refuse_rewritten_letter()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    kept jsonb;
    forgotten jsonb;  -- as without_former_contents: named with its schema, this could not be rebuilt beside it
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT coalesce(jsonb_agg(step ORDER BY number), '[]') INTO kept
        FROM jsonb_array_elements(NEW.history) WITH ORDINALITY AS told (step, number)
        WHERE number <= jsonb_array_length(OLD.history);
        SELECT coalesce(jsonb_agg(step #- '{was,key}' #- '{was,value}' #- '{was,headers}' ORDER BY number), '[]')
        INTO forgotten FROM jsonb_array_elements(OLD.history) WITH ORDINALITY AS told (step, number);
        IF (kept = OLD.history
                OR NEW.history -> -1 ->> 'what' = 'forgotten' AND kept = forgotten)
            AND jsonb_array_length(NEW.history) > jsonb_array_length(OLD.history)
            AND (NEW.id, NEW.topic, NEW.identity, NEW.first_seen_at)
                IS NOT DISTINCT FROM (OLD.id, OLD.topic, OLD.identity, OLD.first_seen_at) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = 'dead_letter_history_is_append_only',
        MESSAGE = format('%s of dead_letter is refused: its history is only added to', lower(TG_OP)),
        HINT = 'Discard or redrive the letter.';
END $$;

CREATE OR REPLACE TRIGGER dead_letter_is_only_added_to BEFORE UPDATE OR DELETE ON dead_letter
    FOR EACH ROW EXECUTE FUNCTION refuse_rewritten_letter();
CREATE OR REPLACE TRIGGER dead_letter_is_not_emptied BEFORE TRUNCATE ON dead_letter
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewritten_letter();
ALTER TABLE dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_only_added_to;
ALTER TABLE dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_not_emptied;

REVOKE UPDATE, DELETE ON dead_letter FROM hobbs_<service>;
GRANT UPDATE (partition, "offset", key, value, headers, payload_hash, event_key, correlation_id, reason, sentence,
              attempts, state, last_seen_at, history) ON dead_letter TO hobbs_<service>;
