-- Above an amount two people post a journal by hand. Who they are is the login of their session, which no SET ROLE
-- changes: it holds for `hobbs post`, and for whoever posts in SQL as the ledger's role. The worker's own login,
-- hobbs_ledger, posts what services ask for and is not asked.

-- The newest limit: minor units that one login alone may post within a day; null: any amount.
CREATE OR REPLACE FUNCTION by_hand_up_to()
    RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
BEGIN
    RETURN (SELECT by_one_up_to FROM by_hand_limit ORDER BY id DESC LIMIT 1);
END $$;
GRANT EXECUTE ON FUNCTION by_hand_up_to() TO hobbs_ledger;

-- What the session's login posted alone within a day.
CREATE OR REPLACE FUNCTION by_hand_alone(currency text)
    RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
BEGIN
    RETURN (SELECT coalesce(sum(hand.amount), 0)::bigint FROM by_hand_journal AS hand
             WHERE hand.login = session_user AND hand.currency = by_hand_alone.currency AND hand.word_id IS NULL
               AND hand.posted_at > clock_timestamp() - interval '1 day');
END $$;
GRANT EXECUTE ON FUNCTION by_hand_alone(text) TO hobbs_ledger;

-- Who is to agree with the session's login that this journal is posted; null: it may be posted now. Asked again by
-- another login within a day, that one agrees. together: minor units of all that is posted in this transaction.
CREATE OR REPLACE FUNCTION ask_by_hand(
    source text, content_hash bytea, currency text, amount bigint, together bigint, why text)
    RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    up_to CONSTANT bigint := by_hand_up_to();
    waiting record;
BEGIN
    IF up_to IS NULL OR by_hand_alone(ask_by_hand.currency) + together <= up_to THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('by hand ' || ask_by_hand.source, 0));
    SELECT id, asked_by INTO waiting FROM by_hand_word AS word
     WHERE word.source = ask_by_hand.source AND word.content_hash = ask_by_hand.content_hash
       AND agreed_by IS NULL AND asked_at > clock_timestamp() - interval '1 day'
     ORDER BY asked_by <> session_user DESC, asked_at DESC LIMIT 1;
    IF FOUND AND waiting.asked_by <> session_user THEN
        UPDATE by_hand_word SET agreed_by = session_user, agreed_at = clock_timestamp() WHERE id = waiting.id;
        RETURN NULL;
    END IF;
    IF NOT FOUND THEN
        INSERT INTO by_hand_word (source, content_hash, currency, amount, why, asked_by, asked_at)
        VALUES (ask_by_hand.source, ask_by_hand.content_hash, ask_by_hand.currency, ask_by_hand.amount,
                ask_by_hand.why, session_user, clock_timestamp());
    END IF;
    RETURN session_user;
END $$;
GRANT EXECUTE ON FUNCTION ask_by_hand(text, bytea, text, bigint, bigint, text) TO hobbs_ledger;

-- Trigger of journal, at commit: what a person's session posted is noted, or refused.
CREATE OR REPLACE FUNCTION note_by_hand()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    up_to CONSTANT bigint := by_hand_up_to();
    lines text[];
    moved record;
    word uuid;
    together bigint;
BEGIN
    IF up_to IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('by hand ' || session_user, 0));
    SELECT array_agg(entry_line(wallet.address, entry.currency, entry.amount)) INTO lines
      FROM entry JOIN wallet ON wallet.id = entry.wallet_id WHERE entry.journal_id = NEW.id;
    SELECT id INTO word FROM by_hand_word
     WHERE source = NEW.source AND agreed_by = session_user AND agreed_at > clock_timestamp() - interval '1 day'
       AND content_hash = journal_content_hash(NEW.source, NEW.event_type, 'epoch', lines)
     ORDER BY agreed_at DESC LIMIT 1;
    FOR moved IN
        SELECT currency, sum(amount)::bigint AS amount FROM entry
         WHERE journal_id = NEW.id AND amount > 0 GROUP BY currency
    LOOP
        together := by_hand_alone(moved.currency) + moved.amount;
        IF word IS NULL AND together > up_to THEN
            PERFORM refuse('more_than_one_may_was_agreed', format(
                'journal %s is not posted: %s alone may post %s minor units of %s by hand within a day, and this '
                'makes it %s; another login has to do the same, with `hobbs post` or `hobbs revert`',
                NEW.source, session_user, up_to, moved.currency, together));
        END IF;
        INSERT INTO by_hand_journal (journal_id, currency, amount, login, by_one_up_to, alone, word_id, posted_at)
        VALUES (NEW.id, moved.currency, moved.amount, session_user, up_to, together, word, clock_timestamp());
    END LOOP;
    RETURN NULL;
END $$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'journal'::regclass AND tgname = 'journal_by_hand_is_noted') THEN
        CREATE CONSTRAINT TRIGGER journal_by_hand_is_noted AFTER INSERT ON journal
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (session_user <> 'hobbs_ledger')
            EXECUTE FUNCTION note_by_hand();
    END IF;
    ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_by_hand_is_noted;
END $$;
