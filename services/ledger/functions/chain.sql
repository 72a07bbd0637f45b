-- The chain of hashes over all journals, in the order they were recorded.

-- Everything a journal says, as one text. Instants are microseconds, whatever the session's time zone.
CREATE OR REPLACE FUNCTION chain_text(journal_id uuid)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $$
    SELECT jsonb_build_array(
               'link 1', journal.id, journal.source, journal.event_type,
               (extract(epoch FROM journal.occurred_at) * 1000000)::bigint,
               (extract(epoch FROM journal.recorded_at) * 1000000)::bigint,
               journal.entry_count, encode(journal.content_hash, 'hex'), journal.memo,
               journal.request_event_id, journal.recorded_by,
               (SELECT jsonb_agg(jsonb_build_array(
                           entry.position, wallet.address, entry.currency, entry.amount,
                           entry.balance_after, entry.version) ORDER BY entry.position)
                  FROM entry LEFT JOIN wallet ON wallet.id = entry.wallet_id
                 WHERE entry.journal_id = chain_text.journal_id))::text
      FROM journal WHERE journal.id = chain_text.journal_id;
$$;

-- The hash of a link: of the link before it (null for the first) and of the journal's text.
CREATE OR REPLACE FUNCTION next_link(before bytea, journal_id uuid)
    RETURNS bytea
    LANGUAGE sql STABLE
    SET search_path = ledger, pg_temp
    AS $$
    SELECT sha256(coalesce(before, ''::bytea) || convert_to(chain_text(journal_id), 'UTF8'));
$$;

-- Chains at most so many journals that were recorded before `until`; how many it did. A journal that became
-- visible late, because its transaction took long, is found for ten minutes more. A head from the future, of a
-- clock that was wrong, does not leave out what comes before it.
CREATE OR REPLACE FUNCTION extend_chain(until timestamptz, most integer DEFAULT 20000)
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    head journal_link;
    one record;
    done integer := 0;
BEGIN
    LOCK TABLE journal_link IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO head FROM journal_link ORDER BY position DESC LIMIT 1;
    FOR one IN
        SELECT id, recorded_at FROM journal
         WHERE recorded_at < until
           AND recorded_at >= least(coalesce(head.recorded_at, '-infinity'), until) - interval '10 minutes'
           AND NOT EXISTS (SELECT FROM journal_link WHERE journal_link.journal_id = journal.id)
         ORDER BY recorded_at, id LIMIT most
    LOOP
        head.position := coalesce(head.position, 0) + 1;
        head.hash := next_link(head.hash, one.id);
        INSERT INTO journal_link (position, journal_id, recorded_at, hash)
        VALUES (head.position, one.id, one.recorded_at, head.hash);
        done := done + 1;
    END LOOP;
    RETURN done;
END $$;
GRANT EXECUTE ON FUNCTION extend_chain(timestamptz, integer) TO hobbs_ledger;

-- Walks at most so many links on from a position whose hash was verified, and stops at the first that is not
-- what it should be. `why` is null when all of them are. Where a link is missing no journal is named.
CREATE OR REPLACE FUNCTION verify_links(
    after bigint, hash bytea, most integer, OUT reached bigint, OUT reached_hash bytea, OUT why text,
    OUT journal_id uuid, OUT source text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    link record;
BEGIN
    reached := after;
    reached_hash := verify_links.hash;
    FOR link IN
        SELECT journal_link.position, journal_link.journal_id, journal_link.hash, journal_link.recorded_at,
               journal.source, journal.id, journal.occurred_at,
               journal.recorded_at AS says_recorded_at
          FROM journal_link LEFT JOIN journal ON journal.id = journal_link.journal_id
         WHERE journal_link.position > after ORDER BY journal_link.position LIMIT most
    LOOP
        why := CASE
            WHEN link.position <> reached + 1 THEN format('link %s is missing', reached + 1)
            WHEN link.id IS NULL THEN 'the journal is gone'
            WHEN next_link(reached_hash, link.journal_id) IS DISTINCT FROM link.hash
                THEN 'the journal, an entry of it or its link is not what was chained'
            WHEN link.recorded_at <> link.says_recorded_at THEN 'the link says another instant'
            WHEN EXISTS (SELECT FROM entry WHERE entry.journal_id = link.journal_id
                            AND (entry.recorded_at <> link.recorded_at
                                 OR entry.occurred_at <> link.occurred_at)) THEN 'an entry says another instant'
        END;
        IF why IS NOT NULL THEN
            IF link.position = reached + 1 THEN  -- else the link is innocent: it is the one before that is missing
                journal_id := link.journal_id;
                source := link.source;
            END IF;
            RETURN;
        END IF;
        reached := link.position;
        reached_hash := link.hash;
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION verify_links(bigint, bytea, integer) TO hobbs_ledger;
