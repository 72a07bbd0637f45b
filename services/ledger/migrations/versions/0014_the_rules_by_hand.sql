-- By hand, the same rules as through Kafka: instants within the calendar that events have, ISO currencies, amounts
-- and numbers of entries, and nothing in an entry that would be ignored (docs/decisions/0144). Constraints are not
-- valid for what stands already: the books are never changed for a rule that came later.

create function first_instant() returns timestamptz language sql immutable parallel safe
    as $$ select '1900-01-01 00:00:00+00'::timestamptz $$;
create function last_instant() returns timestamptz language sql immutable parallel safe
    as $$ select '2201-01-01 00:00:00+00'::timestamptz $$;  -- the first that is too late

alter table journal
    add constraint journal_occurred_within_the_calendar check (
        occurred_at >= '1900-01-01 00:00:00+00' and occurred_at < '2201-01-01 00:00:00+00') not valid,
    add constraint journal_has_at_most_200_entries check (entry_count <= 200) not valid;
alter table late_journal add constraint late_journal_belongs_within_the_calendar check (
    belongs_at >= '1900-01-01 00:00:00+00') not valid;
alter table hold add constraint hold_expires_within_the_calendar check (
    expires_at >= '1900-01-01 00:00:00+00' and expires_at < '2201-01-01 00:00:00+00') not valid;
alter table entry add constraint entry_amount_fits_the_ledger check (
    amount between -1000000000000000 and 1000000000000000) not valid;

-- The list that currencies.py has: money in circulation.
create table iso_currency (
    code text collate "C" primary key
);
comment on table iso_currency is 'ISO 4217 codes of money in circulation: what a wallet can hold.';
insert into iso_currency (code) select regexp_split_to_table(
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
    CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK
    LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
    OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG
    XOF XPF YER ZAR ZMW ZWG', '\s+');
alter table balance add constraint balance_currency_is_iso_4217
    foreign key (currency) references iso_currency (code) not valid;

-- As in 0010_by_hand.sql and 0013_by_hand_planned_once.sql, for currencies there are.
create or replace function open_balances(addresses text[], currencies text[]) returns void
    language plpgsql security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    set plan_cache_mode = force_custom_plan as $$
declare
    unknown record;
begin
    if not exists (
        select from unnest(addresses, currencies) as asked (address, currency)
          left join wallet on wallet.address = asked.address collate "C"
          left join balance on balance.wallet_id = wallet.id and balance.currency = asked.currency collate "C"
         where balance.wallet_id is null) then
        return;
    end if;
    select asked.currency into unknown from unnest(currencies) as asked (currency)
     where not exists (select from iso_currency where code = asked.currency collate "C") limit 1;
    if found then
        perform refuse('balance_currency_is_iso_4217', format(
            '%L is not an ISO 4217 code such as USD', unknown.currency));
    end if;

    insert into wallet (address)
    select distinct asked.address from unnest(addresses) as asked (address)
     order by asked.address
        on conflict on constraint wallet_address_is_unique do nothing;

    -- Who has acquired a wallet keeps it from being opened in another currency, too.
    perform from wallet
      where id in (select wallet.id
                     from unnest(addresses, currencies) as asked (address, currency)
                     join wallet on wallet.address = asked.address collate "C"
                     left join balance on balance.wallet_id = wallet.id
                                      and balance.currency = asked.currency collate "C"
                    where balance.wallet_id is null)
      order by id for share;

    insert into balance (wallet_id, currency)
    select distinct wallet.id, asked.currency
      from unnest(addresses, currencies) as asked (address, currency)
      join wallet on wallet.address = asked.address collate "C"
     order by wallet.id, asked.currency
        on conflict (wallet_id, currency) do nothing;
end $$;

-- Keeps everybody else from posting to a wallet, in any currency, until the transaction ends. Holds, limits and
-- monitors that refer to the wallet while they have its balance locked do not wait for the wallet's row.
create or replace function acquire_wallet_lock(wallet_id bigint) returns void
    language plpgsql security definer set search_path = ledger, pg_temp as $$
begin
    perform from wallet where id = acquire_wallet_lock.wallet_id for no key update;
    if not found then
        raise exception using errcode = 'no_data_found',
            message = format('wallet %s does not exist', acquire_wallet_lock.wallet_id);
    end if;
    perform from balance where balance.wallet_id = acquire_wallet_lock.wallet_id
      order by balance.currency for no key update;
end $$;

-- As in 0013_by_hand_planned_once.sql, with the limits of domain.py.
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
    strange_entries boolean;
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
           array_agg(opened order by nr), array_agg(distinct opened order by opened), bool_or(strange)
      into wallets, amounts, lines, ids, held, strange_entries
      from (select nr, address, amount, strange,
                   (select wallet_id from balance
                     where wallet_id = (select id from wallet where wallet.address = named.address collate "C")
                       and balance.currency = post_journal_with_locks.currency collate "C") as opened
              from (select nr,
                           case when jsonb_typeof(item -> 'amount') = 'number' and item ->> 'amount' ~ '^-?[0-9]{1,16}$'
                                then (item ->> 'amount')::bigint end as amount,
                           jsonb_typeof(item) <> 'object' or item ?& '{wallet,wallet_id}'::text[]
                               or item - '{wallet,wallet_id,amount}'::text[] <> '{}'::jsonb as strange,
                           coalesce(item ->> 'wallet', (select wallet.address from wallet
                                                         where wallet.id = (item ->> 'wallet_id')::bigint)) as address
                      from jsonb_array_elements(entries) with ordinality as given (item, nr) offset 0) as named
            offset 0) as line;
    if coalesce(cardinality(wallets), 0) < 2 then
        perform refuse('journal_has_entries', format('journal %s has fewer than two entries', new_source));
    end if;
    if strange_entries or array_position(wallets, null) is not null or array_position(amounts, null) is not null then
        perform refuse('entry_is_complete', format(
            'journal %s: every entry names a wallet, or a wallet_id that exists, and an amount, a whole number of '
            'minor units, and nothing else', new_source));
    end if;
    if cardinality(wallets) > 200 then
        perform refuse('journal_has_at_most_200_entries', format(
            'journal %s has %s entries, the limit is 200; split it', new_source, cardinality(wallets)));
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
    if not (happened_at >= first_instant() and happened_at < last_instant()) then
        perform refuse('journal_occurred_within_the_calendar', format(
            'journal %s occurred at %s, not between 1900 and 2200', new_source, happened_at));
    end if;
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

-- One row that each close changes: who posts in a snapshot that is older than a close cannot see what was closed,
-- but cannot lock this row either.
create table open_period (
    one boolean primary key default true,
    began_at timestamptz,
    constraint there_is_one_open_period check (one)
);
comment on table open_period is 'Where the open period begins; null: nothing was ever closed.';
insert into open_period (began_at) select max(until) from closed_period;

-- Closes everything that occurred before `until`. It waits for who is posting now, and everybody else waits for it:
-- so not for long. Who posts next is dated by it.
create or replace function close_period(until timestamptz, memo text default '') returns void
    language plpgsql security definer set search_path = ledger, pg_temp set lock_timeout = '5s' as $$
declare
    closed timestamptz;
begin
    if close_period.until is null or close_period.until > clock_timestamp() then
        perform refuse('closed_period_is_over', format(
            'the period until %s is not over; close it afterwards', close_period.until));
    end if;
    if close_period.until < first_instant() then
        perform refuse('closed_period_is_within_the_calendar', format(
            'nothing can have occurred before %s', close_period.until));
    end if;
    begin
        lock table journal in share row exclusive mode;
    exception when lock_not_available then
        perform refuse('nobody_is_posting', 'a transaction that posted journals has not ended for five seconds; '
                       'nothing was closed, try again when it has');
    end;
    closed := (select max(closed_period.until) from closed_period);
    if close_period.until <= closed then
        perform refuse('periods_are_closed_in_order', format(
            'closed until %s already, so not until %s', closed, close_period.until));
    end if;
    update open_period set began_at = close_period.until;
    insert into closed_period (until, memo) values (close_period.until, close_period.memo);
end $$;

-- As in 0004_periods.sql, also for who posts in a snapshot of his own.
create or replace function refuse_empty_journals() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    closed constant timestamptz := (select max(until) from closed_period);
    broken record;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform from open_period for share;  -- fails when a period was closed since the snapshot, which cannot show it
    end if;
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

-- As in 0012_entry_occurred_at.sql; a null was read as some instant or other.
create or replace function balance_at(wallet text, currency text, occurred_by timestamptz,
                                      known_by timestamptz default 'infinity')
    returns bigint language plpgsql stable security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
    set enable_sort = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    soon constant timestamptz := occurred_by + interval '1 hour';
begin
    if wallet is null or currency is null or occurred_by is null or known_by is null then
        perform refuse('balance_is_asked_for_completely', 'wallet, currency and both instants may not be null');
    end if;
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

-- As in 0001_functions.sql; a currency there is not has no total.
create or replace function total_balances(kind text, currency text) returns bigint
    language plpgsql stable security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    found_currencies text[];
    total numeric;
begin
    if currency is not null and not exists (select from iso_currency where code = total_balances.currency collate "C") then
        perform refuse('balance_currency_is_iso_4217', format(
            '%L is not an ISO 4217 code such as USD', total_balances.currency));
    end if;
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

-- As in 0003_reverts.sql; asked again it is answered, whenever the first was dated.
create or replace function revert_journal(source text, memo text default '', occurred_at timestamptz default null)
    returns uuid language plpgsql security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    taken constant uuid := (select id from journal where journal.source = revert_journal.source);
    new_id constant uuid := uuidv7();
    done uuid;
begin
    if taken is null then
        perform refuse('reverted_journal_is_known', format(
            'there is no journal %s to revert', coalesce(revert_journal.source, '(null)')));
    end if;
    select journal_id into done from revert where reverted_id = taken;
    if found then
        return done;
    end if;
    if (select count(distinct currency) from entry where journal_id = taken) > 1 then
        perform refuse('reverted_journal_has_one_currency', format(
            'journal %s is in several currencies: post its opposite by hand', revert_journal.source));
    end if;
    select post_journal_with_locks(
               new_id, 'revert', taken::text, min(entry.currency),
               jsonb_agg(jsonb_build_object('wallet', wallet.address, 'amount', -entry.amount)
                         order by entry.position),
               revert_journal.occurred_at, revert_journal.memo)
      into done
      from entry join wallet on wallet.id = entry.wallet_id
     where entry.journal_id = taken;
    insert into revert (journal_id, reverted_id) values (done, taken)
        on conflict (journal_id) do nothing;
    return done;
end $$;

revoke execute on all functions in schema ledger from public;
