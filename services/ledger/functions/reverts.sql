-- Taking journals back.

-- Takes back what a journal moved, by a journal revert:<id of the journal>. Asked again, with whatever date, it
-- returns the one that stands. A revert can be reverted too, once.
CREATE OR REPLACE FUNCTION revert_journal(
    source text, memo text DEFAULT '', occurred_at timestamptz DEFAULT NULL)
    RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    taken CONSTANT uuid := (SELECT id FROM journal WHERE journal.source = revert_journal.source);
    new_id CONSTANT uuid := uuidv7();
    done uuid;
BEGIN
    IF taken IS NULL THEN
        PERFORM refuse('reverted_journal_is_known', format(
            'there is no journal %s to revert', coalesce(revert_journal.source, '(null)')));
    END IF;
    SELECT journal_id INTO done FROM revert WHERE reverted_id = taken;
    IF FOUND THEN
        RETURN done;
    END IF;
    IF (SELECT count(DISTINCT currency) FROM entry WHERE journal_id = taken) > 1 THEN
        PERFORM refuse('reverted_journal_has_one_currency', format(
            'journal %s is in several currencies: post its opposite by hand', revert_journal.source));
    END IF;
    SELECT post_journal_with_locks(
               new_id, 'revert', taken::text, min(entry.currency),
               jsonb_agg(jsonb_build_object('wallet', wallet.address, 'amount', -entry.amount)
                         ORDER BY entry.position),
               revert_journal.occurred_at, revert_journal.memo)
      INTO done
      FROM entry JOIN wallet ON wallet.id = entry.wallet_id
     WHERE entry.journal_id = taken;
    INSERT INTO revert (journal_id, reverted_id) VALUES (done, taken)
        ON CONFLICT (journal_id) DO NOTHING;
    RETURN done;
END $$;
GRANT EXECUTE ON FUNCTION revert_journal(text, text, timestamptz) TO hobbs_ledger;

-- Trigger on revert: the two journals cancel each other out, wallet by wallet.
CREATE OR REPLACE FUNCTION refuse_other_entries()
    RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
BEGIN
    IF (SELECT count(*) FROM journal WHERE id IN (NEW.journal_id, NEW.reverted_id)) < 2 OR EXISTS (
        SELECT wallet_id, currency, sum(amount) FROM entry
         WHERE journal_id IN (NEW.journal_id, NEW.reverted_id)
         GROUP BY wallet_id, currency HAVING sum(amount) <> 0) THEN
        PERFORM refuse('revert_takes_back_every_entry', format(
            'journal %s does not take back what journal %s moved', NEW.journal_id, NEW.reverted_id));
    END IF;
    RETURN NULL;
END $$;
