-- A closed period takes no more journals. What arrives late is dated at the first instant of the open one,
-- with a link to when it was true: late_journal.

create table closed_period (
    until timestamptz primary key,
    closed_at timestamptz not null default clock_timestamp(),
    closed_by text not null default session_user,
    memo text not null default '',
    constraint closed_period_is_over check (until <= closed_at),
    constraint closed_period_memo_is_short check (length(memo) <= 2000)
);

create table late_journal (
    journal_id uuid primary key,
    belongs_at timestamptz not null,
    period_until timestamptz not null references closed_period (until),
    constraint late_journal_belongs_to_its_period check (belongs_at < period_until)
);
create index late_journal_by_instant on late_journal (belongs_at);

comment on table closed_period is 'What occurred before `until` is closed; only added to.';
comment on table late_journal is 'Journals that came after their period was closed, and when they were true.';

create trigger closed_period_is_append_only before update or delete or truncate on closed_period
    for each statement execute function refuse_change();
create trigger late_journal_is_append_only before update or delete or truncate on late_journal
    for each statement execute function refuse_change();
alter table closed_period enable always trigger closed_period_is_append_only;
alter table late_journal enable always trigger late_journal_is_append_only;

-- Links journals that were dated into the open period to the period where they belong.
create function link_late(journal_ids uuid[], belongs timestamptz[]) returns void
    language sql security definer set search_path = ledger, pg_temp as $$
    insert into late_journal (journal_id, belongs_at, period_until)
    select late.id, late.belongs_at,
           (select min(until) from closed_period where until > late.belongs_at)
      from unnest(journal_ids, belongs) as late (id, belongs_at);
$$;

-- Closes everything that occurred before `until`. It waits for who is posting now; who posts next is dated
-- by it. The trigger on journal looks again, so nobody who read the old end can slip by.
create function close_period(until timestamptz, memo text default '') returns void
    language plpgsql security definer set search_path = ledger, pg_temp as $$
declare
    closed constant timestamptz := (select max(closed_period.until) from closed_period);
begin
    if close_period.until is null or close_period.until > clock_timestamp() then
        perform refuse('closed_period_is_over', format(
            'the period until %s is not over; close it afterwards', close_period.until));
    end if;
    if close_period.until <= closed then
        perform refuse('periods_are_closed_in_order', format(
            'closed until %s already, so not until %s', closed, close_period.until));
    end if;
    lock table journal in share row exclusive mode;
    insert into closed_period (until, memo) values (close_period.until, close_period.memo);
end $$;

create or replace function refuse_empty_journals() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    closed constant timestamptz := (select max(until) from closed_period);
    broken record;
begin
    select source into broken from new_journal
     where not exists (select from entry where journal_id = new_journal.id and position = 1) limit 1;
    if found then
        perform refuse('journal_has_entries', format(
            'journal %s has no entries: insert both in one statement', broken.source));
    end if;
    if closed is not null then
        select source, occurred_at into broken from new_journal where occurred_at < closed limit 1;
        if found then
            perform refuse('journal_is_dated_in_an_open_period', format(
                'journal %s occurred at %s, but everything before %s is closed: date it then',
                broken.source, broken.occurred_at, closed));
        end if;
    end if;
    return null;
end $$;

create view ledger_public.closed_periods as
    select until, closed_at, closed_by, memo from closed_period;
create view ledger_public.late_journals as
    select late_journal.journal_id, journal.source, late_journal.belongs_at, late_journal.period_until,
           journal.occurred_at, journal.recorded_at
      from late_journal join journal on journal.id = late_journal.journal_id;
comment on view ledger_public.closed_periods is 'What occurred before `until` takes no more journals.';
comment on view ledger_public.late_journals is 'Journals dated into the open period, and where they belong.';

-- As in 0001_functions.sql, and a journal that comes late is dated into the open period.
create or replace function post_journal_with_locks(
    journal_id uuid, event_type text, event_id text, currency text, entries jsonb,
    occurred_at timestamptz default null, memo text default '')
    returns uuid language plpgsql security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    new_source constant text := post_journal_with_locks.event_type || ':' || event_id;
    wallets text[];
    amounts bigint[];
    lines text[];
    standing record;
    happened_at timestamptz;
    dated_at timestamptz;
    closed timestamptz;
begin
    if new_source is null or journal_id is null or post_journal_with_locks.currency is null then
        perform refuse('journal_is_complete', 'journal_id, event_type, event_id and currency are required');
    end if;
    select array_agg(coalesce(item ->> 'wallet', wallet.address) order by nr),
           array_agg((item ->> 'amount')::bigint order by nr),
           array_agg(entry_line(coalesce(item ->> 'wallet', wallet.address),
                                post_journal_with_locks.currency, (item ->> 'amount')::bigint))
      into wallets, amounts, lines
      from jsonb_array_elements(entries) with ordinality as given (item, nr)
      left join wallet on wallet.id = (item ->> 'wallet_id')::bigint;
    if coalesce(cardinality(wallets), 0) < 2 then
        perform refuse('journal_has_entries', format('journal %s has fewer than two entries', new_source));
    end if;
    if array_position(wallets, null) is not null or array_position(amounts, null) is not null then
        perform refuse('entry_is_complete', format(
            'journal %s: every entry names a wallet, or a wallet_id that exists, and an amount', new_source));
    end if;

    perform open_balances(wallets, array_fill(post_journal_with_locks.currency, array[cardinality(wallets)]));
    perform lock_balances(wallets, array_fill(post_journal_with_locks.currency, array[cardinality(wallets)]));

    select journal.id, coalesce(late_journal.belongs_at, journal.occurred_at) as occurred_at,
           journal.content_hash into standing
      from journal left join late_journal on late_journal.journal_id = journal.id
     where journal.source = new_source;
    happened_at := coalesce(post_journal_with_locks.occurred_at, standing.occurred_at, clock_timestamp());
    if standing.id is not null then
        if standing.content_hash <> journal_content_hash(
               new_source, post_journal_with_locks.event_type, happened_at, lines) then
            perform refuse('journal_repeats_with_the_same_content', format(
                'journal %s is already posted with other content; correct it with a journal of its own',
                new_source));
        end if;
        return standing.id;
    end if;

    select max(until) into closed from closed_period;
    dated_at := greatest(happened_at, closed);
    with posted as (
        insert into journal (id, source, event_type, occurred_at, recorded_at, entry_count, content_hash, memo)
        values (post_journal_with_locks.journal_id, new_source, post_journal_with_locks.event_type,
                dated_at, clock_timestamp(), cardinality(wallets),
                journal_content_hash(new_source, post_journal_with_locks.event_type, happened_at, lines),
                post_journal_with_locks.memo)
    )
    insert into entry (journal_id, position, wallet_id, currency, amount, version, balance_after)
    select post_journal_with_locks.journal_id, given.nr, wallet.id, balance.currency, given.amount,
           balance.version + row_number() over along_wallet,
           balance.amount + sum(given.amount) over along_wallet
      from unnest(wallets, amounts) with ordinality as given (address, amount, nr)
      join wallet on wallet.address = given.address collate "C"
      join balance on balance.wallet_id = wallet.id
                  and balance.currency = post_journal_with_locks.currency collate "C"
    window along_wallet as (partition by balance.wallet_id order by given.nr rows unbounded preceding);
    if dated_at > happened_at then
        perform link_late(array[post_journal_with_locks.journal_id], array[happened_at]);
    end if;
    return post_journal_with_locks.journal_id;
end $$;

revoke execute on all functions in schema ledger from public;
grant select on closed_period, late_journal to hobbs_ledger;
grant execute on function link_late(uuid[], timestamptz[]), close_period(timestamptz, text) to hobbs_ledger;
grant select on ledger_public.closed_periods, ledger_public.late_journals to hobbs_reader;
