-- Monitors: a threshold on a wallet's posted, pending or available balance. Going beyond it is said once, and
-- coming back is said once: by triggers, so whoever moved the balance, and in the transaction that moved it.
--
-- Whoever judges a monitor has its balance locked; the same lock orders its crossings and their events.

create table monitor (
    id bigint generated always as identity primary key,
    name text collate "C" not null,
    wallet_id bigint not null references wallet (id),
    currency text collate "C" not null,
    watches text collate "C" not null,
    comparison text collate "C" not null,
    threshold bigint,
    recovers_at bigint,
    memo text not null default '',
    constraint monitor_name_is_printable check (
        name ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$' and length(name) <= 90),
    constraint monitor_watches_a_balance_there_is check (watches in ('posted', 'pending', 'available')),
    constraint monitor_comparison_is_known check (comparison in ('below', 'at_most', 'above', 'at_least')),
    constraint monitor_without_threshold_is_removed check ((threshold is null) = (recovers_at is null)),
    constraint monitor_recovers_on_the_near_side check (
        case when comparison in ('below', 'at_most') then recovers_at >= threshold
             else recovers_at <= threshold end)
);
create unique index monitor_name_is_used_once on monitor (name) where threshold is not null;
create index watching_monitor on monitor (wallet_id, currency) where threshold is not null;

-- Every threshold ever set; the newest one of a monitor stands on it. None: the monitor was removed.
create table monitor_setting (
    id bigint generated always as identity primary key,
    monitor_id bigint not null references monitor (id),
    threshold bigint,
    recovers_at bigint,
    memo text not null default '',
    set_at timestamptz not null default clock_timestamp(),
    set_by text not null default session_user,
    constraint setting_fits_the_ledger check (
        abs(threshold) <= 1000000000000000 and abs(recovers_at) <= 1000000000000000),
    constraint setting_memo_is_short check (length(memo) <= 2000)
);
create index monitor_setting_by_monitor on monitor_setting (monitor_id, id);

-- A monitor begins on the near side of its threshold; so the odd crossings lead beyond it, the even ones back.
create table crossing (
    monitor_id bigint not null references monitor (id),
    nr bigint not null,
    beyond boolean not null,
    because text collate "C" not null,
    threshold bigint not null,
    recovers_at bigint not null,
    posted bigint not null,
    pending bigint not null,
    version bigint not null,
    journal_id uuid,
    hold text collate "C",
    event_id uuid not null,
    crossed_at timestamptz not null,
    constraint crossing_is_said_once primary key (monitor_id, nr),
    constraint crossings_alternate check (nr >= 1 and beyond = (nr % 2 = 1)),
    constraint crossing_cause_is_known check (because in ('journal', 'hold', 'setting', 'removal')),
    constraint crossing_names_its_journal check ((because = 'journal') = (journal_id is not null)),
    constraint crossing_names_its_hold check ((because = 'hold') = (hold is not null))
);

comment on table monitor is 'A threshold on a balance; threshold null: removed. See monitor_setting.';
comment on table monitor_setting is 'Thresholds as they were set; only added to.';
comment on table crossing is 'Each time a balance went beyond a monitor''s threshold, or came back; told once.';
comment on column crossing.posted is 'The balances right after the cause; version counts the entries behind it.';
comment on column crossing.event_id is 'The balance.crossed event.';

create function is_beyond(comparison text, amount bigint, threshold bigint) returns boolean
    language sql immutable as $$
    select case comparison
        when 'below' then amount < threshold
        when 'at_most' then amount <= threshold
        when 'above' then amount > threshold
        when 'at_least' then amount >= threshold end;
$$;

-- Whether a balance is beyond (true) or back (false). Null: between threshold and recovers_at, as it was before.
create function monitor_verdict(comparison text, amount bigint, threshold bigint, recovers_at bigint)
    returns boolean language sql immutable as $$
    select case when ledger.is_beyond(comparison, amount, threshold) then true
                when not ledger.is_beyond(comparison, amount, recovers_at) then false end;
$$;

-- The balance a monitor watches after one cause. A null pending: what the balance row says.
create type balance_step as (
    monitor_id bigint, posted bigint, pending bigint, version bigint, journal_id uuid, hold text);

-- Takes what happened to balances in its order, writes and tells what crossed. One pass for all monitors: hash
-- joins, since nobody knows how many steps come; what is looked up by key is a sub-select.
create function tell_crossings(steps balance_step[], because text) returns void
    language plpgsql security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_nestloop = off set enable_mergejoin = off as $$
declare
    happened_at constant timestamptz := clock_timestamp();
begin
    with watching as materialized (
        select monitor.*,
               (select address from wallet where wallet.id = monitor.wallet_id) as address,
               (select pending from balance where balance.wallet_id = monitor.wallet_id
                   and balance.currency = monitor.currency) as pending,
               coalesce((select crossing.nr from crossing where crossing.monitor_id = monitor.id
                          order by crossing.nr desc limit 1), 0) as said
          from monitor where monitor.id = any (array(select step.monitor_id from unnest(steps) as step))
    ), seen as (
        select watching.id, watching.name, watching.address, watching.currency, watching.watches,
               watching.comparison, watching.threshold, watching.recovers_at, watching.memo, watching.said,
               step.posted, coalesce(step.pending, watching.pending) as pending, step.version,
               step.journal_id, step.hold, step.nr as place,
               case watching.watches
                   when 'posted' then step.posted
                   when 'pending' then coalesce(step.pending, watching.pending)
                   else step.posted - coalesce(step.pending, watching.pending) end as amount
          from unnest(steps) with ordinality
               as step (monitor_id, posted, pending, version, journal_id, hold, nr)
          join watching on watching.id = step.monitor_id
    ), judged as (
        select *, case when tell_crossings.because = 'removal' then false
                       else monitor_verdict(comparison, amount, threshold, recovers_at) end as beyond
          from seen
    ), compared as (
        select *, beyond <> lag(beyond, 1, said % 2 = 1) over (partition by id order by place) as crosses
          from judged where beyond is not null
    ), crossed as materialized (
        select *, said + row_number() over (partition by id order by place) as nr, uuidv7() as event_id
          from compared where crosses
    ), written as (
        insert into crossing (monitor_id, nr, beyond, because, threshold, recovers_at, posted, pending,
                              version, journal_id, hold, event_id, crossed_at)
        select id, nr, beyond, tell_crossings.because, threshold, recovers_at, posted, pending, version,
               journal_id, hold, event_id, happened_at
          from crossed
    )
    insert into outbox (topic, key, value, event_id, source, correlation_id, traceparent)
    select 'balance.crossed', convert_to(address, 'UTF8'),
           convert_to(json_build_object(
               'monitor', name, 'crossing', nr, 'wallet', address, 'currency', currency,
               'watches', watches, 'comparison', comparison, 'threshold', threshold,
               'recovers_at', recovers_at, 'beyond', beyond,
               'direction', case when tell_crossings.because in ('journal', 'hold') then
                   case when beyond = (comparison in ('below', 'at_most')) then 'fell' else 'rose' end end,
               'because', tell_crossings.because, 'balance', amount, 'posted_balance', posted,
               'pending_balance', pending, 'available_balance', posted - pending, 'version', version,
               'journal_id', journal_id, 'hold', hold, 'memo', memo,
               'crossed_at', to_char(happened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
           )::text, 'UTF8'),
           event_id, 'hobbs/ledger', event_id::text,
           format('00-%s-%s-01', left(trace, 32), substr(trace, 33, 16))
      from crossed, lateral (select encode(sha256(uuid_send(event_id)), 'hex') as trace) as traced
     order by place, id;
end $$;

-- Each journal is one step, however many of its entries are on the wallet, and each is judged after the one
-- before: what is said does not depend on which journals were posted together. First the lowest and the
-- highest balance tell whether anything crossed at all: mostly nothing did, and that costs one pass.
create function judge_entries() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_nestloop = off set enable_mergejoin = off as $$
declare
    watched bigint[];
    crossed bigint[];
    steps balance_step[];
begin
    if not exists (select from monitor where threshold is not null) then
        return null;
    end if;
    select array_agg(distinct wallet_id) into watched from monitor
     where threshold is not null and wallet_id = any (array(select wallet_id from new_entry));
    if watched is null then
        return null;
    end if;

    with moved as (
        select wallet_id, currency, min(balance_after) as lowest, max(balance_after) as highest
          from new_entry where wallet_id = any (watched) group by wallet_id, currency
    ), there as materialized (
        select monitor.id, watches, comparison, threshold, recovers_at, lowest, highest,
               (select pending from balance where balance.wallet_id = monitor.wallet_id
                   and balance.currency = monitor.currency) as pending,
               coalesce((select crossing.beyond from crossing where crossing.monitor_id = monitor.id
                          order by crossing.nr desc limit 1), false) as beyond
          from monitor join moved on moved.wallet_id = monitor.wallet_id
                                 and moved.currency = monitor.currency
         where monitor.wallet_id = any (watched) and monitor.threshold is not null
    ), furthest as (
        select id, comparison, threshold, recovers_at, beyond,
               case watches when 'posted' then lowest when 'pending' then pending
                            else lowest - pending end as low,
               case watches when 'posted' then highest when 'pending' then pending
                            else highest - pending end as high
          from there
    )
    select array_agg(id) into crossed from furthest
     where monitor_verdict(comparison, low, threshold, recovers_at) <> beyond
        or monitor_verdict(comparison, high, threshold, recovers_at) <> beyond;
    if crossed is null then
        return null;
    end if;

    select array_agg(row(id, balance_after, null, version, journal_id, null)::balance_step
                     order by wallet_id, currency, version, id) into steps
      from (select monitor.id, monitor.wallet_id, monitor.currency, new_entry.journal_id,
                   new_entry.version, new_entry.balance_after,
                   lead(new_entry.journal_id) over (partition by monitor.id order by new_entry.version)
                       is distinct from new_entry.journal_id as ends_journal
              from new_entry
              join monitor on monitor.wallet_id = new_entry.wallet_id
                          and monitor.currency = new_entry.currency and monitor.id = any (crossed)
           ) as line
     where ends_journal;
    perform tell_crossings(steps, 'journal');
    return null;
end $$;

-- The name puts it behind entries_are_posted, which checks the set and locks and moves the balances.
create trigger entries_cross_thresholds after insert on entry
    referencing new table as new_entry for each statement execute function judge_entries();

-- A hold that is posted is judged with its journal, as one step: in between nobody can see the balance.
create function judge_holds() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    steps balance_step[];
begin
    if not exists (select from monitor where threshold is not null) then
        return null;
    end if;
    select array_agg(row(monitor.id, balance.amount, balance.pending - later, balance.version, null,
                         moved.name)::balance_step order by moved.id, monitor.id) into steps
      from (select id, name, wallet_id, currency, state,
                   coalesce(sum(case state when 'open' then amount else -amount end) over (
                       partition by wallet_id, currency order by id
                       rows between 1 following and unbounded following), 0)::bigint as later
              from new_hold) as moved
      join monitor on monitor.wallet_id = moved.wallet_id and monitor.currency = moved.currency
                  and monitor.threshold is not null and monitor.watches <> 'posted'
      join balance on balance.wallet_id = moved.wallet_id and balance.currency = moved.currency
     where moved.state <> 'posted';
    if steps is not null then
        perform tell_crossings(steps, 'hold');
    end if;
    return null;
end $$;

-- Statement triggers fire after hold_moves_pending, which is for each row.
create trigger new_hold_crosses_thresholds after insert on hold
    referencing new table as new_hold for each statement execute function judge_holds();
create trigger closed_hold_crosses_thresholds after update on hold
    referencing new table as new_hold for each statement execute function judge_holds();

-- A threshold counts from the balance as it is: what is beyond it already is said at once, and what is no
-- longer beyond it. A removed monitor that was beyond says so, or whoever was told would wait for ever.
create function apply_monitor_setting() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp as $$
declare
    now_is balance_step;
begin
    -- Written, not only locked: a repeatable read that began before and would not see the monitor fails.
    update balance set pending = balance.pending
      from monitor
     where monitor.id = new.monitor_id
       and balance.wallet_id = monitor.wallet_id and balance.currency = monitor.currency
    returning monitor.id, balance.amount, balance.pending, balance.version, null::uuid, null::text
      into now_is;
    if new.threshold is null then
        perform tell_crossings(array[now_is], 'removal');
    end if;
    update monitor set threshold = new.threshold, recovers_at = new.recovers_at, memo = new.memo
     where monitor.id = new.monitor_id;
    if new.threshold is not null then
        perform tell_crossings(array[now_is], 'setting');
    end if;
    return null;
end $$;

create trigger setting_is_applied after insert on monitor_setting
    for each row execute function apply_monitor_setting();

create function refuse_unset_monitor() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' and new.threshold is not null then
        perform ledger.refuse('monitor_starts_without_threshold', 'a monitor starts unset: call set_monitor()');
    elsif tg_op = 'UPDATE' and pg_trigger_depth() < 2 then
        perform ledger.refuse('monitor_follows_its_settings', 'a monitor changes by settings: call set_monitor()');
    end if;
    return new;
end $$;

create function refuse_untrue_crossing() returns trigger language plpgsql as $$
begin
    if pg_trigger_depth() < 2 then
        perform ledger.refuse('crossing_follows_the_balance', 'a crossing is written when a balance crosses');
    end if;
    return null;
end $$;

create trigger monitor_starts_without_threshold before insert on monitor
    for each row execute function refuse_unset_monitor();
create trigger monitor_follows_its_settings before update on monitor
    for each row execute function refuse_unset_monitor();
create trigger monitor_is_append_only before delete or truncate on monitor
    for each statement execute function refuse_change();
create trigger monitor_setting_is_append_only before update or delete or truncate on monitor_setting
    for each statement execute function refuse_change();
create trigger crossing_follows_the_balance before insert on crossing
    for each statement execute function refuse_untrue_crossing();
create trigger crossing_is_append_only before update or delete or truncate on crossing
    for each statement execute function refuse_change();

alter table entry enable always trigger entries_cross_thresholds;
alter table hold enable always trigger new_hold_crosses_thresholds;
alter table hold enable always trigger closed_hold_crosses_thresholds;
alter table monitor enable always trigger monitor_starts_without_threshold;
alter table monitor enable always trigger monitor_follows_its_settings;
alter table monitor enable always trigger monitor_is_append_only;
alter table monitor_setting enable always trigger setting_is_applied;
alter table monitor_setting enable always trigger monitor_setting_is_append_only;
alter table crossing enable always trigger crossing_follows_the_balance;
alter table crossing enable always trigger crossing_is_append_only;
