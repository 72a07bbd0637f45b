-- Placing, posting, voiding and expiring holds, and setting limits: for the worker and for DBAs alike.
-- Each is idempotent: asked again with the same content it changes nothing, other content is refused.

-- `floor` is the limit that binds journals; one that binds only holds is checked where a hold is placed.
drop function lock_balances(text[], text[]);
create function lock_balances(addresses text[], currencies text[])
    returns table (wallet_id bigint, address text, currency text, amount bigint, version bigint,
                   pending bigint, floor bigint)
    language sql security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    select balance.wallet_id, wallet.address, balance.currency, balance.amount, balance.version,
           balance.pending, case when balance.floor_binds = 'all' then balance.floor end
      from unnest(addresses, currencies) as asked (address, currency)
      join wallet on wallet.address = asked.address collate "C"
      join balance on balance.wallet_id = wallet.id and balance.currency = asked.currency collate "C"
     order by balance.wallet_id, balance.currency
       for no key update of balance;
$$;

-- A hold that is known, with its wallet's balance locked: while it is, nobody closes the hold.
create function lock_hold(hold text, also_wallet text default null) returns hold
    language plpgsql security definer set search_path = ledger, pg_temp as $$
declare
    there hold;
    address text;
begin
    select * into there from hold where name = lock_hold.hold;
    if not found then
        perform refuse('hold_is_known', format('hold %s is not known; place it first', lock_hold.hold));
    end if;
    select wallet.address into address from wallet where id = there.wallet_id;
    if also_wallet is not null then
        perform open_balances(array[also_wallet], array[there.currency]);
    end if;
    perform lock_balances(array_remove(array[address, also_wallet], null),
                          array_fill(there.currency, array[2]));
    select * into there from hold where name = lock_hold.hold;
    return there;
end $$;

-- Keeps `amount` (positive) on a wallet until it is posted, voided or expires. True: it was placed now;
-- false: the same hold was placed before.
create function place_hold(hold text, wallet text, amount bigint, currency text, expires_at timestamptz,
                           memo text default '')
    returns boolean language plpgsql security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    there record;
begin
    if hold is null or wallet is null or place_hold.amount is null or place_hold.currency is null
       or place_hold.expires_at is null then
        perform refuse('hold_is_complete', 'hold, wallet, amount, currency and expires_at are required');
    end if;
    perform open_balances(array[wallet], array[place_hold.currency]);
    perform lock_balances(array[wallet], array[place_hold.currency]);
    select hold.*, wallet.address into there
      from hold join wallet on wallet.id = hold.wallet_id where hold.name = place_hold.hold;
    if found then
        if (there.address, there.amount, there.currency, there.expires_at)
           is distinct from (wallet, place_hold.amount, place_hold.currency, place_hold.expires_at) then
            perform refuse('hold_repeats_with_the_same_content', format(
                'hold %s is already placed with other content: %s %s on %s until %s',
                hold, there.amount, there.currency, there.address, there.expires_at));
        end if;
        return false;
    end if;
    if place_hold.expires_at <= clock_timestamp() then
        perform refuse('hold_expires_later', format(
            'hold %s would expire at %s, which is past', hold, place_hold.expires_at));
    end if;
    insert into hold (name, wallet_id, currency, amount, expires_at, memo)
    select place_hold.hold, wallet.id, place_hold.currency, place_hold.amount, place_hold.expires_at,
           place_hold.memo
      from wallet where wallet.address = place_hold.wallet collate "C";
    return true;
end $$;

-- Moves a hold's amount, or part of it, to a wallet; the rest is available again. The journal's source is
-- hold:<hold>. Its id comes back, also when asked again with the same amount and wallet.
create function post_hold(hold text, to_wallet text, amount bigint default null,
                          occurred_at timestamptz default null, memo text default '')
    returns uuid language plpgsql security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    there constant hold := lock_hold(hold, to_wallet);
    moved constant bigint := coalesce(post_hold.amount, there.amount);
    address constant text := (select wallet.address from wallet where id = there.wallet_id);
    new_id uuid := uuidv7();
begin
    if to_wallet is null or address = to_wallet then
        perform refuse('hold_posts_to_another_wallet', format('hold %s: name the wallet it goes to', hold));
    end if;
    if there.state = 'posted' and moved = there.posted_amount and exists (
        select from entry join wallet on wallet.id = entry.wallet_id
         where entry.journal_id = there.journal_id and wallet.address = to_wallet) then
        return there.journal_id;
    end if;
    if there.state <> 'open' then
        perform refuse('hold_is_open', format('hold %s was %s at %s', hold, there.state, there.closed_at));
    end if;
    if there.expires_at <= clock_timestamp() then
        perform refuse('hold_is_open', format('hold %s expired at %s', hold, there.expires_at));
    end if;
    if moved not between 1 and there.amount then
        perform refuse('hold_posts_at_most_its_amount', format(
            'hold %s keeps %s %s: it cannot post %s', hold, there.amount, there.currency, moved));
    end if;
    update hold set state = 'posted', closed_at = clock_timestamp(), posted_amount = moved,
                    journal_id = new_id
     where id = there.id;
    if post_journal_with_locks(
           new_id, 'hold', hold, there.currency, jsonb_build_array(
               jsonb_build_object('wallet', address, 'amount', -moved),
               jsonb_build_object('wallet', to_wallet, 'amount', moved)),
           post_hold.occurred_at, post_hold.memo) <> new_id then
        perform refuse('journal_source_is_posted_once', format('a journal hold:%s stands already', hold));
    end if;
    return new_id;
end $$;

-- Gives a hold's amount back. True: it was voided now; false: before, or it had expired.
create function void_hold(hold text) returns boolean
    language plpgsql security definer set search_path = ledger, pg_temp as $$
declare
    there constant hold := lock_hold(hold);
begin
    if there.state = 'posted' then
        perform refuse('hold_is_open', format(
            'hold %s was posted at %s; revert journal hold:%s instead',
            void_hold.hold, there.closed_at, void_hold.hold));
    end if;
    if there.state = 'open' then
        update hold set state = 'voided', closed_at = clock_timestamp() where id = there.id;
    end if;
    return there.state = 'open';
end $$;

-- Closes holds whose time is over, at most so many, and names them. Balances are locked in their order.
create function expire_holds(most integer default 500) returns setof text
    language plpgsql security definer set search_path = ledger, pg_temp as $$
declare
    due bigint[];
begin
    select array_agg(id) into due from (
        select id from hold where state = 'open' and expires_at <= clock_timestamp()
         order by expires_at limit most) as over;
    perform from balance
      where (wallet_id, currency) in (select wallet_id, currency from hold where id = any (due))
      order by wallet_id, currency for no key update;
    return query update hold set state = 'expired', closed_at = clock_timestamp()
                  where id = any (due) and state = 'open' returning name;
end $$;

-- Says how far down a wallet may go, holds counted: `binds` 'holds' stops new holds only, 'all' journals
-- too. A null floor lifts the limit. True: it is new; false: it stood already.
create function set_limit(wallet text, currency text, floor bigint, binds text default 'all')
    returns boolean language plpgsql security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    there record;
    new_binds constant text := case when set_limit.floor is not null then coalesce(binds, 'all') end;
begin
    perform open_balances(array[wallet], array[set_limit.currency]);
    perform lock_balances(array[wallet], array[set_limit.currency]);
    select balance.wallet_id, balance.floor, balance.floor_binds into there
      from balance join wallet on wallet.id = balance.wallet_id
     where wallet.address = set_limit.wallet collate "C" and balance.currency = set_limit.currency;
    if (there.floor, there.floor_binds) is not distinct from (set_limit.floor, new_binds) then
        return false;
    end if;
    insert into wallet_limit (wallet_id, currency, floor, binds)
    values (there.wallet_id, set_limit.currency, set_limit.floor, new_binds);
    return true;
end $$;

create or replace view ledger_public.wallets as
    select wallet.id as wallet_id, wallet.address, wallet.kind, balance.currency,
           balance.amount as balance, balance.version as entries, wallet.opened_at,
           balance.pending, balance.amount - balance.pending as available,
           balance.floor as "limit", balance.floor_binds as limit_binds
      from wallet join balance on balance.wallet_id = wallet.id;

create view ledger_public.holds as
    select hold.id as hold_id, hold.name as hold, wallet.address, wallet.kind, hold.currency, hold.amount,
           hold.state, hold.placed_at, hold.expires_at, hold.closed_at, hold.posted_amount, hold.journal_id,
           hold.memo, hold.placed_by, hold.wallet_id
      from hold join wallet on wallet.id = hold.wallet_id;

comment on view ledger_public.holds is 'Every hold: what it keeps or kept on a wallet, and how it ended.';

revoke execute on all functions in schema ledger from public;
grant select on hold, wallet_limit to hobbs_ledger;
grant select on ledger_public.holds to hobbs_reader;
grant execute on function
    lock_balances(text[], text[]),
    place_hold(text, text, bigint, text, timestamptz, text),
    post_hold(text, text, bigint, timestamptz, text),
    void_hold(text),
    expire_holds(integer),
    set_limit(text, text, bigint, text)
    to hobbs_ledger;
