-- What nobody may do, not even the owner of the tables. A refusal is a check violation that carries the broken
-- rule's name as its constraint.

-- Refuses with the rule's name and a sentence that says what to do.
CREATE OR REPLACE FUNCTION refuse(rule text, sentence text)
    RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = rule, MESSAGE = sentence;
END $$;

-- Trigger of every table that is only added to.
CREATE OR REPLACE FUNCTION refuse_change()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = TG_TABLE_NAME || '_is_append_only',
        MESSAGE = format('%s of %s is refused: the ledger is append-only', lower(TG_OP), TG_TABLE_NAME),
        HINT = 'Post a new journal that corrects the old one.';
END $$;

-- Trigger on balance: a balance starts at zero and is moved by other triggers only.
CREATE OR REPLACE FUNCTION refuse_unearned_balance()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.amount <> 0 OR NEW.version <> 0 OR NEW.pending <> 0 OR NEW.floor IS NOT NULL THEN
            PERFORM ledger.refuse('balance_starts_at_zero', 'a balance starts at zero: post a journal');
        END IF;
        RETURN NEW;
    END IF;
    IF pg_trigger_depth() < 2 THEN
        PERFORM ledger.refuse('balance_follows_entries', 'a balance changes only by entries: post a journal');
    END IF;
    RETURN NULL;
END $$;
