-- A journal by hand is planned once for a session, not in every call (docs/decisions/0141): each lookup is of one
-- row by its key, so that the plan of an empty ledger is the one of a full ledger. It posts what it did before, and
-- the entries say when they occurred.

-- Called from there, it is planned for the arrays at hand, as when it is called by itself.
alter function open_balances(text[], text[]) set plan_cache_mode = force_custom_plan;

create or replace function post_journal_with_locks(
    journal_id uuid, event_type text, event_id text, currency text, entries jsonb,
    occurred_at timestamptz default null, memo text default '')
    returns uuid language plpgsql security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    new_source constant text := post_journal_with_locks.event_type || ':' || event_id;
    wallets text[];
    amounts bigint[];
    lines text[];
    ids bigint[];             -- of the wallets, once they are open in this currency
    held bigint[];            -- each of them once, in the order of locks
    held_amounts bigint[] := '{}';
    held_versions bigint[] := '{}';
    balances_after bigint[] := '{}';
    versions bigint[] := '{}';
    held_id bigint;
    held_balance record;
    slot integer;
    standing record;
    happened_at timestamptz;
    dated_at timestamptz;
    closed timestamptz;
    recorded timestamptz;
begin
    if new_source is null or journal_id is null or post_journal_with_locks.currency is null then
        perform refuse('journal_is_complete', 'journal_id, event_type, event_id and currency are required');
    end if;
    select array_agg(address order by nr), array_agg(amount order by nr),
           array_agg(entry_line(address, post_journal_with_locks.currency, amount)),
           array_agg(opened order by nr), array_agg(distinct opened order by opened)
      into wallets, amounts, lines, ids, held
      from (select nr, address, amount,
                   (select wallet_id from balance
                     where wallet_id = (select id from wallet where wallet.address = named.address collate "C")
                       and balance.currency = post_journal_with_locks.currency collate "C") as opened
              from (select nr, (item ->> 'amount')::bigint as amount,
                           coalesce(item ->> 'wallet', (select wallet.address from wallet
                                                         where wallet.id = (item ->> 'wallet_id')::bigint)) as address
                      from jsonb_array_elements(entries) with ordinality as given (item, nr) offset 0) as named
            offset 0) as line;
    if coalesce(cardinality(wallets), 0) < 2 then
        perform refuse('journal_has_entries', format('journal %s has fewer than two entries', new_source));
    end if;
    if array_position(wallets, null) is not null or array_position(amounts, null) is not null then
        perform refuse('entry_is_complete', format(
            'journal %s: every entry names a wallet, or a wallet_id that exists, and an amount', new_source));
    end if;
    if array_position(ids, null) is not null then
        perform open_balances(wallets, array_fill(post_journal_with_locks.currency, array[cardinality(wallets)]));
        select array_agg(opened order by nr), array_agg(distinct opened order by opened) into ids, held
          from (select nr, (select id from wallet where wallet.address = given.address collate "C") as opened
                  from unnest(wallets) with ordinality as given (address, nr) offset 0) as line;
    end if;

    foreach held_id in array held loop
        select amount, version into held_balance from balance
         where wallet_id = held_id and balance.currency = post_journal_with_locks.currency collate "C"
           for no key update;
        held_amounts := held_amounts || held_balance.amount;
        held_versions := held_versions || held_balance.version;
    end loop;

    select journal.id, journal.content_hash,
           coalesce((select belongs_at from late_journal where late_journal.journal_id = journal.id),
                    journal.occurred_at) as occurred_at into standing
      from journal where journal.source = new_source;
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

    for nr in 1 .. cardinality(ids) loop
        slot := array_position(held, ids[nr]);
        held_amounts[slot] := held_amounts[slot] + amounts[nr];
        held_versions[slot] := held_versions[slot] + 1;
        balances_after := balances_after || held_amounts[slot];
        versions := versions || held_versions[slot];
    end loop;

    closed := (select max(until) from closed_period);
    dated_at := greatest(happened_at, closed);
    recorded := clock_timestamp();  -- the statement began before the wallets were locked
    with posted as (
        insert into journal (id, source, event_type, occurred_at, recorded_at, entry_count, content_hash, memo)
        values (post_journal_with_locks.journal_id, new_source, post_journal_with_locks.event_type,
                dated_at, recorded, cardinality(ids),
                journal_content_hash(new_source, post_journal_with_locks.event_type, happened_at, lines),
                post_journal_with_locks.memo)
    )
    insert into entry (journal_id, position, wallet_id, currency, amount, version, balance_after,
                       occurred_at, recorded_at)
    select post_journal_with_locks.journal_id, nr, wallet_id, post_journal_with_locks.currency, amount, version,
           balance_after, dated_at, recorded
      from unnest(ids, amounts, versions, balances_after) with ordinality
           as line (wallet_id, amount, version, balance_after, nr);
    if dated_at > happened_at then
        perform link_late(array[post_journal_with_locks.journal_id], array[happened_at]);
    end if;
    return post_journal_with_locks.journal_id;
end $$;
