-- The balance of a wallet at any instant, as it was known at any instant.
--
-- Along a wallet's versions recorded_at never goes back, so what was known is found by bisection and its
-- running balance is the answer, but for two kinds of entries: those recorded after the instant that had
-- occurred before it (late), and those recorded before it that were dated after it (ahead). Entries at most
-- an hour late are a short range of versions; later ones, and those ahead, have an index of their own. A
-- journal that is recorded within the hour it occurred in writes to neither.

create index journal_over_an_hour_late on journal (recorded_at, occurred_at)
    where recorded_at - occurred_at > interval '1 hour';
create index journal_dated_ahead on journal (occurred_at) where occurred_at > recorded_at;

-- The last version of a balance that was recorded by an instant; 0 when there was none.
create function version_known_at(wallet_id bigint, currency text, at timestamptz) returns bigint
    language plpgsql stable security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    low bigint := 0;
    high bigint;
    middle bigint;
    recorded timestamptz;
begin
    select version into high from balance
     where balance.wallet_id = version_known_at.wallet_id and balance.currency = version_known_at.currency;
    high := coalesce(high, 0);
    if at = 'infinity' then
        return high;
    end if;
    while low < high loop
        middle := (low + high + 1) / 2;
        select journal.recorded_at into recorded
          from entry join journal on journal.id = entry.journal_id
         where entry.wallet_id = version_known_at.wallet_id
           and entry.currency = version_known_at.currency and entry.version = middle;
        if recorded <= at then
            low := middle;
        else
            high := middle - 1;
        end if;
    end loop;
    return low;
end $$;

-- What a wallet held after everything that occurred by one instant, as far as it was known by another.
create function balance_at(wallet text, currency text, occurred_by timestamptz,
                           known_by timestamptz default 'infinity')
    returns bigint language plpgsql stable security definer set search_path = ledger, pg_temp
    set enable_seqscan = off as $$
#variable_conflict use_column
declare
    of_wallet constant bigint := (select id from wallet where address = balance_at.wallet collate "C");
    known constant bigint := version_known_at(of_wallet, balance_at.currency, known_by);
    seen constant bigint := least(known, version_known_at(of_wallet, balance_at.currency, occurred_by));
    soon constant timestamptz := occurred_by + interval '1 hour';
    soon_known constant bigint := least(known, version_known_at(of_wallet, balance_at.currency, soon));
    total numeric;
begin
    select balance_after into total from entry
     where wallet_id = of_wallet and entry.currency = balance_at.currency and version = seen;
    select coalesce(total, 0) + coalesce(sum(entry.amount), 0) into total
      from entry join journal on journal.id = entry.journal_id
     where entry.wallet_id = of_wallet and entry.currency = balance_at.currency
       and entry.version > seen and entry.version <= soon_known and journal.occurred_at <= occurred_by;
    select total + coalesce(sum(entry.amount), 0) into total
      from journal join entry on entry.journal_id = journal.id
     where journal.recorded_at - journal.occurred_at > interval '1 hour'
       and journal.recorded_at > soon and journal.occurred_at <= occurred_by
       and journal.recorded_at <= known_by
       and entry.wallet_id = of_wallet and entry.currency = balance_at.currency
       and entry.version > soon_known and entry.version <= known;
    select total - coalesce(sum(entry.amount), 0) into total
      from journal join entry on entry.journal_id = journal.id
     where journal.occurred_at > journal.recorded_at and journal.occurred_at > occurred_by
       and entry.wallet_id = of_wallet and entry.currency = balance_at.currency and entry.version <= seen;
    return total;
end $$;

grant execute on function balance_at(text, text, timestamptz, timestamptz) to hobbs_ledger;
revoke execute on function balance_at(text, text, timestamptz, timestamptz) from public;
revoke execute on function version_known_at(bigint, text, timestamptz) from public;
