-- An entry says itself when its journal occurred, so that what came within the hour after an instant is judged
-- without looking each journal up (docs/decisions/0140). What was posted before this, or by somebody who does not
-- name it, says nothing there, and its journal is asked.

alter table entry add column occurred_at timestamptz;
comment on column entry.occurred_at is 'When its journal occurred; NULL: the journal says.';

-- As in 0011_entry_recorded_at.sql, and an entry that says when it occurred says what its journal does.
create or replace function post_entries() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    broken record;
begin
    select n.journal_id, n.entries, journal.entry_count, journal.recorded_at, journal.occurred_at,
           journal.entry_count = n.entries and n.lowest = 1 and n.highest = n.entries as complete into broken
      from (select journal_id, count(*) as entries, min(position) as lowest, max(position) as highest,
                   min(recorded_at) as first_at, max(recorded_at) as last_at,
                   min(occurred_at) as first_occurred, max(occurred_at) as last_occurred
              from new_entry group by journal_id) as n
      left join journal on journal.id = n.journal_id
     where journal.entry_count is distinct from n.entries or n.lowest <> 1 or n.highest <> n.entries
        or n.first_at <> journal.recorded_at or n.last_at <> journal.recorded_at
        or n.first_occurred <> journal.occurred_at or n.last_occurred <> journal.occurred_at
     limit 1;
    if broken.complete then
        perform refuse('entries_have_their_journals_instants', format(
            'journal %s occurred at %s and was recorded at %s: its entries have these instants',
            broken.journal_id, broken.occurred_at, broken.recorded_at));
    elsif found then
        perform refuse('journal_and_entries_arrive_together', format(
            'journal %s announced %s entries, %s arrived: insert a journal with all its entries, once',
            broken.journal_id, coalesce(broken.entry_count::text, 'no'), broken.entries));
    end if;

    select journal_id, currency, sum(amount) as excess into broken
      from new_entry group by journal_id, currency having sum(amount) <> 0 limit 1;
    if found then
        perform refuse('journal_sums_to_zero', format(
            'journal %s: entries in %s sum to %s, not zero',
            broken.journal_id, broken.currency, broken.excess));
    end if;

    with step as (
        select wallet_id, currency, version, amount, balance_after,
               lag(balance_after) over (partition by wallet_id, currency order by version) as balance_before
          from new_entry
    ), moved as (
        select wallet_id, currency, min(version) as first_version, max(version) as last_version,
               count(*) as entries, sum(amount) as total,
               max(balance_after - amount) filter (where balance_before is null) as opening,
               bool_and(balance_after = balance_before + amount) is not false as runs
          from step group by wallet_id, currency
    ), applied as (
        update balance
           set amount = balance.amount + moved.total, version = moved.last_version
          from moved
         where balance.wallet_id = moved.wallet_id and balance.currency = moved.currency
           and balance.amount = moved.opening and balance.version = moved.first_version - 1
           and moved.last_version - moved.first_version + 1 = moved.entries and moved.runs
           and (balance.floor is null or balance.floor_binds = 'holds' or moved.total >= 0
                or balance.amount - balance.pending + moved.total >= balance.floor)
        returning balance.wallet_id, balance.currency
    )
    select wallet_id, currency, total into broken
      from moved where (wallet_id, currency) not in (select wallet_id, currency from applied) limit 1;
    if found then
        perform refuse_entries_below_limit(broken.wallet_id, broken.currency, broken.total);
        perform refuse('entries_continue_their_wallets_balance', format(
            'wallet %s, %s: entries do not continue its balance; lock it, read it, then post',
            broken.wallet_id, broken.currency));
    end if;
    return null;
end $$;

-- As in 0011_entry_recorded_at.sql, and an entry that says when it occurred is believed.
create or replace function balance_at(wallet text, currency text, occurred_by timestamptz,
                                      known_by timestamptz default 'infinity')
    returns bigint language plpgsql stable security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
    set enable_sort = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    soon constant timestamptz := occurred_by + interval '1 hour';
begin
    return coalesce((
        select coalesce((
            select entry.balance_after from entry
             where entry.wallet_id = holder.id and entry.currency = balance_at.currency
               and entry.recorded_at <= least(balance_at.occurred_by, balance_at.known_by)
             order by entry.recorded_at desc, entry.version desc limit 1), 0)
        -- Of what was recorded within the hour after the instant: what had occurred by then.
        + coalesce((
            select sum(entry.amount) from entry
             where entry.wallet_id = holder.id and entry.currency = balance_at.currency
               and entry.recorded_at > balance_at.occurred_by and entry.recorded_at <= least(soon, known_by)
               and coalesce(entry.occurred_at, (select occurred_at from journal where journal.id = entry.journal_id))
                   <= balance_at.occurred_by), 0)
        -- What had occurred and was recorded later still is added, what was recorded but dated ahead taken out.
        + coalesce((
            select sum(case when occurred_at > recorded_at then -amount else amount end) from displaced_entry
             where int8range(wallet_id, wallet_id, '[]') @> holder.id
               and tstzrange(least(occurred_at, recorded_at), greatest(occurred_at, recorded_at))
                   @> balance_at.occurred_by
               and displaced_entry.currency = balance_at.currency and recorded_at <= known_by
               and (occurred_at > recorded_at or recorded_at > soon)), 0)
          from wallet as holder where holder.address = balance_at.wallet collate "C"), 0);
end $$;

-- As in 0011_entry_recorded_at.sql, and an entry that says when it occurred says what its journal does.
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
            journal_id := link.journal_id;
            source := link.source;
            return;
        end if;
        reached := link.position;
        reached_hash := link.hash;
    end loop;
end $$;
