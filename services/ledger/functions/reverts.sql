-- Taking journals back.

-- Takes back what a journal moved, by a journal revert:<id of the journal>. Asked again, with whatever date, it
-- returns the one that stands. A revert can be reverted too, once. It is announced on Kafka, as the worker's are:
-- payouts takes back what it owes a payee for the journal.
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
        PERFORM announce_journal(done);
        RETURN done;
    END IF;
    IF (SELECT count(DISTINCT currency) FROM entry WHERE journal_id = taken) > 1 THEN
        PERFORM refuse('reverted_journal_has_one_currency', format(
            'journal %s is in several currencies: post its opposite by hand', revert_journal.source));
    END IF;
    SELECT post_with_locks(
               new_id, 'revert', taken::text, min(entry.currency),
               jsonb_agg(jsonb_build_object('wallet', wallet.address, 'amount', -entry.amount)
                         ORDER BY entry.position),
               revert_journal.occurred_at, revert_journal.memo)
      INTO done
      FROM entry JOIN wallet ON wallet.id = entry.wallet_id
     WHERE entry.journal_id = taken;
    INSERT INTO revert (journal_id, reverted_id) VALUES (done, taken)
        ON CONFLICT (journal_id) DO NOTHING;
    PERFORM announce_journal(done);
    RETURN done;
END $$;
GRANT EXECUTE ON FUNCTION revert_journal(text, text, timestamptz) TO hobbs_ledger;

-- An instant as the worker writes it: without a fraction when it is a whole second.
CREATE OR REPLACE FUNCTION instant_text(instant timestamptz)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT to_char(instant AT TIME ZONE 'UTC', CASE WHEN date_trunc('second', instant) = instant
                   THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"' ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' END)
$$;

-- Stages journal.posted for a journal: the bytes that the worker's reply has, under the same event id, so that
-- consumers drop the one that comes second (wire/journals.py: restamped).
CREATE OR REPLACE FUNCTION announce_journal(journal_id uuid)
    RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
    INSERT INTO outbox (topic, key, value, event_id, source, correlation_id, traceparent)
    SELECT 'journal.posted', convert_to(journal.source, 'UTF8'),
           convert_to(format(
               '{"journal_id":%s,"source":%s,"event_type":%s,"currency":%s,"occurred_at":%s,"recorded_at":%s,'
               '"entries":[%s],"memo":%s}',
               to_json(journal.id::text), to_json(journal.source), to_json(journal.event_type),
               to_json(min(entry.currency)), to_json(instant_text(journal.occurred_at)),
               to_json(instant_text(journal.recorded_at)),
               string_agg(format('{"wallet":%s,"amount":%s,"balance_after":%s,"version":%s}',
                                 to_json(wallet.address), entry.amount, entry.balance_after, entry.version),
                          ',' ORDER BY entry.position),
               to_json(journal.memo)), 'UTF8'),
           (lpad(to_hex(floor(extract(epoch FROM journal.recorded_at) * 1000)::bigint), 12, '0')
            || substr(replace(journal.id::text, '-', ''), 13))::uuid,
           'hobbs/ledger', journal.id::text,
           format('00-%s-%s-01', left(encode(sha256(uuid_send(journal.id)), 'hex'), 32),
                  substr(encode(sha256(uuid_send(journal.id)), 'hex'), 33, 16))
      FROM journal JOIN entry ON entry.journal_id = journal.id JOIN wallet ON wallet.id = entry.wallet_id
     WHERE journal.id = announce_journal.journal_id
     GROUP BY journal.id
$$;

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
