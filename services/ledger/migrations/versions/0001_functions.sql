-- How to post, to lock and to add up: for store.py and for DBAs, on the same rules.

-- Opens wallets and their balances on first use. Both inserts run in one order everywhere, before any
-- balance is locked, so that two sessions opening the same wallets wait for each other and never deadlock.
create function open_balances(addresses text[], currencies text[]) returns void
    language plpgsql security definer set search_path = ledger, pg_temp as $$
begin
    insert into wallet (address)
    select distinct asked.address from unnest(addresses) as asked (address)
     order by asked.address
        on conflict on constraint wallet_address_is_unique do nothing;

    insert into balance (wallet_id, currency)
    select distinct wallet.id, asked.currency
      from unnest(addresses, currencies) as asked (address, currency)
      join wallet on wallet.address = asked.address collate "C"
     order by wallet.id, asked.currency
        on conflict (wallet_id, currency) do nothing;
end $$;

-- Locks balances in wallet order and reads what they are once the locks are held.
create function lock_balances(addresses text[], currencies text[])
    returns table (wallet_id bigint, address text, currency text, amount bigint, version bigint)
    language sql security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    select balance.wallet_id, wallet.address, balance.currency, balance.amount, balance.version
      from unnest(addresses, currencies) as asked (address, currency)
      join wallet on wallet.address = asked.address collate "C"
      join balance on balance.wallet_id = wallet.id and balance.currency = asked.currency collate "C"
     order by balance.wallet_id, balance.currency
       for no key update of balance;
$$;

-- Keeps everybody else from posting to a wallet, in any currency, until the transaction ends.
create function acquire_wallet_lock(wallet_id bigint) returns void
    language plpgsql security definer set search_path = ledger, pg_temp as $$
begin
    perform from wallet where id = acquire_wallet_lock.wallet_id for update;
    if not found then
        raise exception using errcode = 'no_data_found',
            message = format('wallet %s does not exist', acquire_wallet_lock.wallet_id);
    end if;
    perform from balance where balance.wallet_id = acquire_wallet_lock.wallet_id
      order by balance.currency for no key update;
end $$;

-- sha256 of a journal's canonical text: one line for the request, then one line per entry
-- (wallet, currency, amount; tabs between), lines of entries in byte order. domain.py writes the same.
create function journal_content_hash(source text, event_type text, occurred_at timestamptz, lines text[])
    returns bytea language sql immutable parallel safe as $$
    select sha256(convert_to(
        concat_ws(E'\t', 'journal 1', source, event_type,
                  to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))
        || E'\n' || (select string_agg(line, E'\n' order by line collate "C") from unnest(lines) as line),
        'UTF8'));
$$;

create function entry_line(wallet text, currency text, amount bigint) returns text
    language sql immutable parallel safe as $$ select concat_ws(E'\t', wallet, currency, amount) $$;

-- Posts one journal by hand. `entries` is [{"wallet": "student:s-1", "amount": -100}, ...]; "wallet_id"
-- may stand in for "wallet". The source is <event_type>:<event_id>: the same journal again returns the id
-- of the one that stands, other content for the same source is refused.
create function post_journal_with_locks(
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

    select journal.id, journal.occurred_at, journal.content_hash into standing
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

    with posted as (
        insert into journal (id, source, event_type, occurred_at, recorded_at, entry_count, content_hash, memo)
        values (post_journal_with_locks.journal_id, new_source, post_journal_with_locks.event_type,
                happened_at, clock_timestamp(), cardinality(wallets),
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
    return post_journal_with_locks.journal_id;
end $$;

-- Totals over all wallets of a kind. Without a currency there must be only one to add up.
create function total_balances(kind text, currency text) returns bigint
    language plpgsql stable security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    found_currencies text[];
    total numeric;
begin
    select array_agg(distinct balance.currency), sum(balance.amount) into found_currencies, total
      from balance join wallet on wallet.id = balance.wallet_id
     where wallet.kind = total_balances.kind
       and (total_balances.currency is null or balance.currency = total_balances.currency);
    if cardinality(found_currencies) > 1 then
        raise exception using errcode = 'cardinality_violation',
            message = format('%s balances are in %s: name the currency', total_balances.kind,
                             array_to_string(found_currencies, ', '));
    end if;
    return coalesce(total, 0);
end $$;

create function get_total_student_balances(currency text default null) returns bigint
    language sql stable as $$ select ledger.total_balances('student', currency) $$;
create function get_total_instructor_balances(currency text default null) returns bigint
    language sql stable as $$ select ledger.total_balances('instructor', currency) $$;
create function get_total_liability_balances(currency text default null) returns bigint
    language sql stable as $$ select ledger.total_balances('liability', currency) $$;
