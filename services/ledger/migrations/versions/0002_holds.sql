-- Holds keep part of a wallet's balance for later; limits say how far down a wallet may go.
--
-- Both are counted on the balance row, which whoever posts has locked: available = amount - pending.

alter table balance
    add column pending bigint not null default 0,
    add column floor bigint,
    add column floor_binds text collate "C",
    add constraint balance_pending_is_not_negative check (pending >= 0),
    add constraint balance_floor_says_what_it_binds check ((floor is null) = (floor_binds is null));

comment on column balance.pending is 'What open holds keep; only holds move it.';
comment on column balance.floor is 'amount - pending may not go below this; null: no limit. See wallet_limit.';

create table hold (
    id bigint generated always as identity primary key,
    name text collate "C" not null,
    wallet_id bigint not null references wallet (id),
    currency text collate "C" not null,
    amount bigint not null,
    expires_at timestamptz not null,
    memo text not null default '',
    placed_at timestamptz not null default clock_timestamp(),
    placed_by text not null default session_user,
    state text collate "C" not null default 'open',
    closed_at timestamptz,
    posted_amount bigint,
    journal_id uuid,
    constraint hold_is_placed_once unique (name),
    constraint hold_name_is_printable check (
        name ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$' and length(name) <= 90),
    constraint hold_amount_is_positive check (amount > 0 and amount <= 1000000000000000),
    constraint hold_memo_is_short check (length(memo) <= 2000),
    constraint hold_state_is_known check (state in ('open', 'posted', 'voided', 'expired')),
    constraint hold_is_closed_at_an_instant check ((state = 'open') = (closed_at is null)),
    constraint posted_hold_has_its_journal check (
        (state = 'posted') = (posted_amount is not null and journal_id is not null)),
    constraint hold_posts_at_most_its_amount check (posted_amount between 1 and amount)
);
create index open_hold_by_expiry on hold (expires_at) where state = 'open';
create index hold_by_wallet on hold (wallet_id, currency, id);

-- Every limit ever set; the newest one of a wallet and currency stands on its balance.
create table wallet_limit (
    id bigint generated always as identity primary key,
    wallet_id bigint not null references wallet (id),
    currency text collate "C" not null,
    floor bigint,
    binds text collate "C",
    set_at timestamptz not null default clock_timestamp(),
    set_by text not null default session_user,
    constraint limit_binds_holds_or_all check (binds in ('holds', 'all')),
    constraint limit_says_what_it_binds check ((floor is null) = (binds is null)),
    constraint limit_fits_the_ledger check (abs(floor) <= 1000000000000000)
);
create index wallet_limit_by_wallet on wallet_limit (wallet_id, currency, id);

comment on table hold is 'An amount kept on a wallet until it is posted, voided or expires; closed once.';
comment on table wallet_limit is 'Limits as they were set; only added to.';

create trigger wallet_limit_is_append_only before update or delete or truncate on wallet_limit
    for each statement execute function refuse_change();
create trigger hold_is_append_only before delete or truncate on hold
    for each statement execute function refuse_change();

create or replace function refuse_unearned_balance() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.amount <> 0 or new.version <> 0 or new.pending <> 0 or new.floor is not null then
            perform ledger.refuse('balance_starts_at_zero', 'a balance starts at zero: post a journal');
        end if;
        return new;
    end if;
    if pg_trigger_depth() < 2 then
        perform ledger.refuse('balance_follows_entries', 'a balance changes only by entries: post a journal');
    end if;
    return null;
end $$;

-- The shortfall travels as the error's detail, so that the worker need not read it from the sentence.
create function refuse_below_limit(what text, wallet text, currency text, available bigint, floor bigint,
                                   taken bigint) returns void language plpgsql as $$
begin
    raise exception using
        errcode = 'check_violation', constraint = 'limit_exceeded',
        detail = (floor - (available - taken))::text,
        message = format(
            '%s takes %s %s from %s, which has %s available and may not go below %s: short by %s',
            what, taken, currency, wallet, available, floor, floor - (available - taken));
end $$;

create function move_pending() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp as $$
declare
    there record;
begin
    if tg_op = 'UPDATE' then
        if old.state <> 'open' or new.state = 'open'
           or (new.id, new.name, new.wallet_id, new.currency, new.amount, new.expires_at, new.memo,
               new.placed_at, new.placed_by)
              is distinct from
              (old.id, old.name, old.wallet_id, old.currency, old.amount, old.expires_at, old.memo,
               old.placed_at, old.placed_by) then
            perform refuse('hold_closes_once', format(
                'hold %s is %s: a hold is closed once and otherwise never changed', old.name, old.state));
        end if;
        update balance set pending = pending - old.amount
         where balance.wallet_id = old.wallet_id and balance.currency = old.currency;
        return null;
    end if;
    if new.state <> 'open' then
        perform refuse('hold_starts_open', format('hold %s is placed open, not %s', new.name, new.state));
    end if;
    select balance.amount - balance.pending as available, balance.floor, wallet.address into there
      from balance join wallet on wallet.id = balance.wallet_id
     where balance.wallet_id = new.wallet_id and balance.currency = new.currency
       for no key update of balance;
    if not found then
        perform refuse('hold_is_on_a_balance', format(
            'hold %s: wallet %s has no balance in %s', new.name, new.wallet_id, new.currency));
    end if;
    if there.available - new.amount < there.floor then
        perform refuse_below_limit('hold ' || new.name, there.address, new.currency, there.available,
                                   there.floor, new.amount);
    end if;
    update balance set pending = pending + new.amount
     where balance.wallet_id = new.wallet_id and balance.currency = new.currency;
    return null;
end $$;

create trigger hold_moves_pending after insert or update on hold
    for each row execute function move_pending();

create function apply_limit() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp as $$
begin
    update balance set floor = new.floor, floor_binds = new.binds
     where balance.wallet_id = new.wallet_id and balance.currency = new.currency;
    if not found then
        perform refuse('limit_is_on_a_balance', format(
            'wallet %s has no balance in %s', new.wallet_id, new.currency));
    end if;
    return null;
end $$;

create trigger limit_is_applied after insert on wallet_limit
    for each row execute function apply_limit();

alter table hold enable always trigger hold_is_append_only;
alter table hold enable always trigger hold_moves_pending;
alter table wallet_limit enable always trigger wallet_limit_is_append_only;
alter table wallet_limit enable always trigger limit_is_applied;

-- Called when entries were not applied to a balance: says so if its limit is why.
create function refuse_entries_below_limit(wallet_id bigint, currency text, total numeric) returns void
    language plpgsql set search_path = ledger, pg_temp as $$
declare
    there record;
begin
    select balance.amount - balance.pending as available, balance.floor, wallet.address into there
      from balance join wallet on wallet.id = balance.wallet_id
     where balance.wallet_id = refuse_entries_below_limit.wallet_id
       and balance.currency = refuse_entries_below_limit.currency and balance.floor_binds = 'all';
    if total < 0 and there.available + total < there.floor then
        perform refuse_below_limit('the journal', there.address, refuse_entries_below_limit.currency,
                                   there.available, there.floor, -total::bigint);
    end if;
end $$;

-- As in 0001_guards.sql, and no journal takes a balance below a limit that binds journals. A wallet that is
-- below already may still be paid into: only what takes is refused.
create or replace function post_entries() returns trigger language plpgsql security definer
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
