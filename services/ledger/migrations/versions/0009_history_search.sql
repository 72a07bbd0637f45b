-- Balances at an instant in fewer steps than 0004_history.sql and 0008_late_journals.sql: an instant's version is
-- searched for where it would be if entries came evenly, and what is displaced is listed by its wallet
-- (docs/decisions/0134).

-- Nobody posts between the listing of what is there and the trigger that lists what comes.
lock table journal in access exclusive mode;

-- The entries that history does not find by their versions: recorded over an hour after they occurred, or
-- dated ahead. An entry that is recorded within the hour is not in it.
create table displaced_entry (
    wallet_id bigint not null,
    currency text collate "C" not null,
    version bigint not null,
    amount bigint not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    constraint displaced_entry_is_listed_once primary key (wallet_id, currency, version),
    constraint displaced_entry_is_late_or_ahead check (
        recorded_at - occurred_at > interval '1 hour' or occurred_at > recorded_at)
);
create trigger displaced_entry_is_append_only before update or delete or truncate on displaced_entry
    for each statement execute function refuse_change();
alter table displaced_entry enable always trigger displaced_entry_is_append_only;
grant select on displaced_entry to hobbs_ledger;

insert into displaced_entry (wallet_id, currency, version, amount, occurred_at, recorded_at)
select entry.wallet_id, entry.currency, entry.version, entry.amount, journal.occurred_at, journal.recorded_at
  from journal join entry on entry.journal_id = journal.id
 where journal.recorded_at - journal.occurred_at > interval '1 hour' or journal.occurred_at > journal.recorded_at;

-- A wallet's entries whose displacement spans an instant. Ranges of one number: GiST has no keys of plain ones.
create index displaced_entry_by_span on displaced_entry using gist (
    int8range(wallet_id, wallet_id, '[]'),
    tstzrange(least(occurred_at, recorded_at), greatest(occurred_at, recorded_at)));
drop index late_journal_by_span;
drop index journal_dated_ahead;

create function list_displaced_entries() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    insert into displaced_entry (wallet_id, currency, version, amount, occurred_at, recorded_at)
    select entry.wallet_id, entry.currency, entry.version, entry.amount,
           new_journal.occurred_at, new_journal.recorded_at
      from new_journal join entry on entry.journal_id = new_journal.id
     where new_journal.recorded_at - new_journal.occurred_at > interval '1 hour'
        or new_journal.occurred_at > new_journal.recorded_at;
    return null;
end $$;
revoke execute on function list_displaced_entries() from public;
create trigger displaced_entries_are_listed after insert on journal
    referencing new table as new_journal for each statement execute function list_displaced_entries();
alter table journal enable always trigger displaced_entries_are_listed;

drop function version_known_at(bigint, text, timestamptz);

-- Of a balance's versions up to `last`, the last that was recorded by an instant; 0: none was. What came after
-- `last` was recorded after last_at. A version is looked for where it would be if entries came evenly, and in
-- the middle when that gained little three times in a row. One statement: PL/pgSQL prepares each of its
-- expressions anew in each transaction, and a loop of them costs more than what it reads.
create function version_known_at(wallet_id bigint, currency text, at timestamptz, last bigint, last_at timestamptz)
    returns bigint language plpgsql stable as $$
#variable_conflict use_column
begin
    return (
        with recursive step as (
            -- low was recorded by then; high was not, or is not there.
            select 0::bigint as low, null::timestamptz as low_at, last + 1 as high, last_at as high_at,
                   1::bigint as probe, 0 as missed
             where at < 'infinity'
            union all
            select near.low, near.low_at, near.high, near.high_at,
                   case when near.low_at < near.high_at and gain.missed < 3
                        then greatest(near.low + 1, least(near.high - 1, near.low + floor(
                            (near.high - near.low) * extract(epoch from at - near.low_at)::float8
                            / extract(epoch from near.high_at - near.low_at)::float8)::bigint))
                        else (near.low + near.high) / 2 end,
                   gain.missed
              from step
              join entry on entry.wallet_id = version_known_at.wallet_id
                        and entry.currency = version_known_at.currency and entry.version = step.probe
              join journal on journal.id = entry.journal_id
             cross join lateral (
                select case when known then probe else low end as low,
                       case when known then recorded_at else low_at end as low_at,
                       case when known then high else probe end as high,
                       case when known then high_at else recorded_at end as high_at
                  from (select journal.recorded_at <= at as known) as found) as near
             cross join lateral (
                select case when near.high - near.low > (step.high - step.low) / 2
                            then step.missed + 1 else 0 end as missed) as gain
             where step.high - step.low > 1
        )
        select coalesce(max(low), last) from step);
end $$;
revoke execute on function version_known_at(bigint, text, timestamptz, bigint, timestamptz) from public;

create or replace function balance_at(wallet text, currency text, occurred_by timestamptz,
                                      known_by timestamptz default 'infinity')
    returns bigint language plpgsql stable security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
    set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    few constant bigint := 4;
    soon constant timestamptz := occurred_by + interval '1 hour';
    of_wallet bigint;
    known bigint;       -- the last version recorded by known_by
    seen bigint;        -- of those, the last recorded by occurred_by
    looked_at bigint;   -- of those, the last recorded within the hour after it: each of them is looked at
    total bigint;
begin
    select wallet.id, there.known, version_known_at(
               wallet.id, balance.currency, least(balance_at.occurred_by, balance_at.known_by), there.known,
               least(balance_at.known_by, clock_timestamp()))
      into of_wallet, known, seen
      from wallet join balance on balance.wallet_id = wallet.id
     cross join lateral version_known_at(
        wallet.id, balance.currency, balance_at.known_by, balance.version, clock_timestamp()) as there (known)
     where wallet.address = balance_at.wallet collate "C" and balance.currency = balance_at.currency;

    -- Most wallets have an entry or two in an hour: a few steps onwards cost less than another search.
    select coalesce(max(entry.version), seen) into looked_at
      from entry join journal on journal.id = entry.journal_id
     where entry.wallet_id = of_wallet and entry.currency = balance_at.currency
       and entry.version > seen and entry.version <= least(seen + few, known) and journal.recorded_at <= soon;
    if looked_at = seen + few then
        looked_at := version_known_at(of_wallet, balance_at.currency, least(soon, known_by), known,
                                      least(known_by, clock_timestamp()));
    end if;

    select coalesce((
        select balance_after from entry
         where wallet_id = of_wallet and entry.currency = balance_at.currency and version = seen), 0)
    + coalesce((
        select sum(entry.amount) from entry join journal on journal.id = entry.journal_id
         where entry.wallet_id = of_wallet and entry.currency = balance_at.currency
           and entry.version > seen and entry.version <= looked_at
           and journal.occurred_at <= balance_at.occurred_by), 0)
    -- What occurred by then and was recorded later still is added, what is in `seen` but was dated ahead taken out.
    + coalesce((
        select sum(case when occurred_at > recorded_at then -amount else amount end) from displaced_entry
         where int8range(wallet_id, wallet_id, '[]') @> of_wallet
           and tstzrange(least(occurred_at, recorded_at), greatest(occurred_at, recorded_at))
               @> balance_at.occurred_by
           and displaced_entry.currency = balance_at.currency
           and case when occurred_at > recorded_at then version <= seen
                    else version > looked_at and version <= known end), 0)
      into total;
    return total;
end $$;
