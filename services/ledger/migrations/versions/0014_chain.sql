-- As in 0005_chain.sql; a head from the future, of a clock that was wrong, does not leave out what comes before it.
create or replace function extend_chain(until timestamptz, most integer default 20000) returns integer
    language plpgsql security definer set search_path = ledger, pg_temp as $$
declare
    head journal_link;
    one record;
    done integer := 0;
begin
    lock table journal_link in share row exclusive mode;
    select * into head from journal_link order by position desc limit 1;
    for one in
        select id, recorded_at from journal
         where recorded_at < until
           and recorded_at >= coalesce(least(head.recorded_at, until) - interval '10 minutes', '-infinity')
           and not exists (select from journal_link where journal_link.journal_id = journal.id)
         order by recorded_at, id limit most
    loop
        head.position := coalesce(head.position, 0) + 1;
        head.hash := next_link(head.hash, one.id);
        insert into journal_link (position, journal_id, recorded_at, hash)
        values (head.position, one.id, one.recorded_at, head.hash);
        done := done + 1;
    end loop;
    return done;
end $$;

-- As in 0012_entry_occurred_at.sql, but where a link is missing the journal of the next one is not named.
create or replace function verify_links(after bigint, hash bytea, most integer,
                             out reached bigint, out reached_hash bytea, out why text,
                             out journal_id uuid, out source text)
    language plpgsql stable security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    link record;
begin
    reached := after;
    reached_hash := verify_links.hash;
    for link in
        select journal_link.position, journal_link.journal_id, journal_link.hash, journal_link.recorded_at,
               journal.source, journal.id, journal.occurred_at,
               journal.recorded_at as says_recorded_at
          from journal_link left join journal on journal.id = journal_link.journal_id
         where journal_link.position > after order by journal_link.position limit most
    loop
        why := case
            when link.position <> reached + 1 then format('link %s is missing', reached + 1)
            when link.id is null then 'the journal is gone'
            when next_link(reached_hash, link.journal_id) is distinct from link.hash
                then 'the journal, an entry of it or its link is not what was chained'
            when link.recorded_at <> link.says_recorded_at then 'the link says another instant'
            when exists (select from entry where entry.journal_id = link.journal_id
                            and (entry.recorded_at <> link.recorded_at
                                 or entry.occurred_at <> link.occurred_at)) then 'an entry says another instant'
        end;
        if why is not null then
            if link.position = reached + 1 then  -- else the link is innocent: it is the one before that is missing
                journal_id := link.journal_id;
                source := link.source;
            end if;
            return;
        end if;
        reached := link.position;
        reached_hash := link.hash;
    end loop;
end $$;
