-- Each link's hash is of the link before it and of everything a journal and its entries say. Whoever changes
-- a journal, its entries, their order or a link breaks the chain there; whoever writes the whole chain anew
-- has another head than the one that was noted elsewhere.

create table journal_link (
    position bigint primary key,
    journal_id uuid not null,
    recorded_at timestamptz not null,
    hash bytea not null,
    constraint journal_is_chained_once unique (journal_id),
    constraint link_position_starts_at_one check (position >= 1),
    constraint link_hash_is_sha256 check (octet_length(hash) = 32)
);
comment on table journal_link is 'The chain over all journals, in the order they were recorded.';

create trigger journal_link_is_append_only before update or delete or truncate on journal_link
    for each statement execute function refuse_change();
alter table journal_link enable always trigger journal_link_is_append_only;

-- Block ranges instead of a tree: the journals are stored in about this order, and posting pays nothing.
create index journal_by_recorded_at on journal using brin (recorded_at)
    with (pages_per_range = 32, autosummarize = on);

-- Everything a journal says, as one text. Instants are microseconds, whatever the session's time zone.
create function chain_text(journal_id uuid) returns text language sql stable
    set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    select jsonb_build_array(
               'link 1', journal.id, journal.source, journal.event_type,
               (extract(epoch from journal.occurred_at) * 1000000)::bigint,
               (extract(epoch from journal.recorded_at) * 1000000)::bigint,
               journal.entry_count, encode(journal.content_hash, 'hex'), journal.memo,
               journal.request_event_id, journal.recorded_by,
               (select jsonb_agg(jsonb_build_array(
                           entry.position, wallet.address, entry.currency, entry.amount,
                           entry.balance_after, entry.version) order by entry.position)
                  from entry left join wallet on wallet.id = entry.wallet_id
                 where entry.journal_id = chain_text.journal_id))::text
      from journal where journal.id = chain_text.journal_id;
$$;

create function next_link(before bytea, journal_id uuid) returns bytea language sql stable
    set search_path = ledger, pg_temp as $$
    select sha256(coalesce(before, ''::bytea) || convert_to(chain_text(journal_id), 'UTF8'));
$$;

-- Chains at most so many journals that were recorded before `until`; how many it did. A journal that became
-- visible late, because its transaction took long, is found for ten minutes more.
create function extend_chain(until timestamptz, most integer default 20000) returns integer
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
           and recorded_at >= coalesce(head.recorded_at - interval '10 minutes', '-infinity')
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

-- Walks at most so many links on from a position whose hash was verified, and stops at the first that is not
-- what it should be. `why` is null when all of them are.
create function verify_links(after bigint, hash bytea, most integer,
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
               journal.source, journal.id, journal.recorded_at as says_recorded_at
          from journal_link left join journal on journal.id = journal_link.journal_id
         where journal_link.position > after order by journal_link.position limit most
    loop
        why := case
            when link.position <> reached + 1 then format('link %s is missing', reached + 1)
            when link.id is null then 'the journal is gone'
            when next_link(reached_hash, link.journal_id) is distinct from link.hash
                then 'the journal, an entry of it or its link is not what was chained'
            when link.recorded_at <> link.says_recorded_at then 'the link says another instant'
        end;
        if why is not null then
            journal_id := link.journal_id;
            source := link.source;
            return;
        end if;
        reached := link.position;
        reached_hash := link.hash;
    end loop;
end $$;

revoke execute on all functions in schema ledger from public;
grant select on journal_link to hobbs_ledger;
grant execute on function extend_chain(timestamptz, integer), verify_links(bigint, bytea, integer)
    to hobbs_ledger;
