-- What nobody may do, not even the owner of the tables. Triggers fire also for replicated and restored
-- sessions (enable always). Refusals are check violations that carry the broken rule's name.

create function refuse(rule text, sentence text) returns void language plpgsql as $$
begin
    raise exception using errcode = 'check_violation', constraint = rule, message = sentence;
end $$;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception using
        errcode = 'check_violation',
        constraint = tg_table_name || '_is_append_only',
        message = format('%s of %s is refused: the ledger is append-only', lower(tg_op), tg_table_name),
        hint = 'Post a new journal that corrects the old one.';
end $$;

create trigger journal_is_append_only before update or delete or truncate on journal
    for each statement execute function refuse_change();
create trigger entry_is_append_only before update or delete or truncate on entry
    for each statement execute function refuse_change();
create trigger wallet_is_append_only before update or delete or truncate on wallet
    for each statement execute function refuse_change();
create trigger balance_is_append_only before delete or truncate on balance
    for each statement execute function refuse_change();

-- A balance starts at zero and moves only where post_entries() moves it.
create function refuse_unearned_balance() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.amount <> 0 or new.version <> 0 then
            perform ledger.refuse('balance_starts_at_zero', 'a balance starts at zero: post a journal');
        end if;
        return new;
    end if;
    if pg_trigger_depth() < 2 then
        perform ledger.refuse('balance_follows_entries', 'a balance changes only by entries: post a journal');
    end if;
    return null;
end $$;

create trigger balance_starts_at_zero before insert on balance
    for each row execute function refuse_unearned_balance();
create trigger balance_follows_entries before update on balance
    for each statement execute function refuse_unearned_balance();

-- Checks what one statement inserted, as a set, and moves the balances. Entry by entry it holds that
--   * the journal exists and has exactly the entries it announced: since positions 1..n are taken once,
--     nobody can add to a journal that is complete, and journal and entries need one statement;
--   * each journal sums to zero in each currency;
--   * each wallet's versions and running balances continue from its balance row.
-- Sequential scans, hash and merge joins are off because the plan is made on a small table and kept: it
-- must stay an index lookup when the table has grown.
create function post_entries() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    broken record;
begin
    select n.journal_id, n.entries, journal.entry_count into broken
      from (select journal_id, count(*) as entries, min(position) as lowest, max(position) as highest
              from new_entry group by journal_id) as n
      left join journal on journal.id = n.journal_id
     where journal.entry_count is distinct from n.entries or n.lowest <> 1 or n.highest <> n.entries
     limit 1;
    if found then
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
        returning balance.wallet_id, balance.currency
    )
    select wallet_id, currency into broken
      from moved where (wallet_id, currency) not in (select wallet_id, currency from applied) limit 1;
    if found then
        perform refuse('entries_continue_their_wallets_balance', format(
            'wallet %s, %s: entries do not continue its balance; lock it, read it, then post',
            broken.wallet_id, broken.currency));
    end if;
    return null;
end $$;

create trigger entries_are_posted after insert on entry
    referencing new table as new_entry for each statement execute function post_entries();

create function refuse_empty_journals() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    broken record;
begin
    select source into broken from new_journal
     where not exists (select from entry where journal_id = new_journal.id and position = 1) limit 1;
    if found then
        perform refuse('journal_has_entries', format(
            'journal %s has no entries: insert both in one statement', broken.source));
    end if;
    return null;
end $$;

create trigger journal_has_entries after insert on journal
    referencing new table as new_journal for each statement execute function refuse_empty_journals();

alter table journal enable always trigger journal_is_append_only;
alter table journal enable always trigger journal_has_entries;
alter table entry enable always trigger entry_is_append_only;
alter table entry enable always trigger entries_are_posted;
alter table wallet enable always trigger wallet_is_append_only;
alter table balance enable always trigger balance_is_append_only;
alter table balance enable always trigger balance_starts_at_zero;
alter table balance enable always trigger balance_follows_entries;
