-- Setting and removing monitors, for the command line and for DBAs alike; what others may read.

-- Says once when a wallet's balance goes beyond `threshold`, and once when it is back: below, at_most, above
-- or at_least it. `recovers_at` asks for more before it counts as back (500 below, back at 600), so that a
-- balance around the threshold is not told of all day. Again under the same name it changes threshold,
-- recovers_at and memo; what a monitor watches never changes. True: it is new; false: it stood already.
create function set_monitor(monitor text, wallet text, currency text, comparison text, threshold bigint,
                            watches text default 'available', recovers_at bigint default null,
                            memo text default '')
    returns boolean language plpgsql security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    there record;
    its_id bigint;
    back_at constant bigint := coalesce(set_monitor.recovers_at, set_monitor.threshold);
begin
    if monitor is null or wallet is null or set_monitor.currency is null or set_monitor.comparison is null
       or set_monitor.threshold is null or set_monitor.watches is null then
        perform refuse('monitor_is_complete',
                       'monitor, wallet, currency, comparison, threshold and watches are required');
    end if;
    perform open_balances(array[wallet], array[set_monitor.currency]);
    perform lock_balances(array[wallet], array[set_monitor.currency]);
    select monitor.*, wallet.address into there
      from monitor join wallet on wallet.id = monitor.wallet_id
     where monitor.name = set_monitor.monitor collate "C" and monitor.threshold is not null;
    its_id := there.id;
    if its_id is null then
        insert into monitor (name, wallet_id, currency, watches, comparison)
        select set_monitor.monitor, wallet.id, set_monitor.currency, set_monitor.watches,
               set_monitor.comparison
          from wallet where wallet.address = set_monitor.wallet collate "C"
        returning id into its_id;
    elsif (there.address, there.currency, there.watches, there.comparison) is distinct from
          (wallet, set_monitor.currency, set_monitor.watches, set_monitor.comparison) then
        perform refuse('monitor_keeps_what_it_watches', format(
            'monitor %s tells when the %s balance of %s in %s is %s a threshold; remove it first, or take '
            'another name', set_monitor.monitor, there.watches, there.address, there.currency,
            replace(there.comparison, '_', ' ')));
    elsif (there.threshold, there.recovers_at, there.memo)
          is not distinct from (set_monitor.threshold, back_at, set_monitor.memo) then
        return false;
    end if;
    insert into monitor_setting (monitor_id, threshold, recovers_at, memo)
    values (its_id, set_monitor.threshold, back_at, set_monitor.memo);
    return true;
end $$;

-- Stops a monitor; its name is free again. True: it was removed now; false: there is none of this name.
create function remove_monitor(monitor text, memo text default '') returns boolean
    language plpgsql security definer set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
    there record;
begin
    select wallet.address, monitor.currency into there
      from monitor join wallet on wallet.id = monitor.wallet_id
     where monitor.name = remove_monitor.monitor collate "C" and monitor.threshold is not null;
    if not found then
        return false;
    end if;
    perform lock_balances(array[there.address], array[there.currency]);
    insert into monitor_setting (monitor_id, memo)
    select id, remove_monitor.memo from monitor
     where monitor.name = remove_monitor.monitor collate "C" and monitor.threshold is not null;
    return found;
end $$;

create view ledger_public.monitors as
    select monitor.id as monitor_id, monitor.name as monitor, wallet.address, wallet.kind, monitor.currency,
           monitor.watches, monitor.comparison, monitor.threshold, monitor.recovers_at,
           case monitor.watches when 'posted' then balance.amount when 'pending' then balance.pending
                                else balance.amount - balance.pending end as balance,
           coalesce(newest.beyond, false) as beyond, newest.crossed_at as since,
           coalesce(newest.nr, 0) as crossings, monitor.memo, setting.set_at, setting.set_by,
           monitor.wallet_id
      from monitor
      join wallet on wallet.id = monitor.wallet_id
      join balance on balance.wallet_id = monitor.wallet_id and balance.currency = monitor.currency
      left join lateral (select crossing.nr, crossing.beyond, crossing.crossed_at from crossing
                          where crossing.monitor_id = monitor.id order by crossing.nr desc limit 1
                        ) as newest on true
      left join lateral (select monitor_setting.set_at, monitor_setting.set_by from monitor_setting
                          where monitor_setting.monitor_id = monitor.id
                          order by monitor_setting.id desc limit 1) as setting on true
     where monitor.threshold is not null;

create view ledger_public.crossings as
    select crossing.monitor_id, monitor.name as monitor, crossing.nr, wallet.address, wallet.kind,
           monitor.currency, monitor.watches, monitor.comparison, crossing.threshold, crossing.recovers_at,
           crossing.beyond, crossing.because,
           case monitor.watches when 'posted' then crossing.posted when 'pending' then crossing.pending
                                else crossing.posted - crossing.pending end as balance,
           crossing.posted, crossing.pending, crossing.posted - crossing.pending as available,
           crossing.version, crossing.journal_id, journal.source, crossing.hold, crossing.event_id,
           crossing.crossed_at
      from crossing
      join monitor on monitor.id = crossing.monitor_id
      join wallet on wallet.id = monitor.wallet_id
      left join journal on journal.id = crossing.journal_id;

comment on view ledger_public.monitors is 'Monitors that are set, the balance each watches, and its state.';
comment on view ledger_public.crossings is 'What monitors have told, removed ones too: each crossing, its cause.';

revoke execute on all functions in schema ledger from public;
grant select on monitor, monitor_setting, crossing to hobbs_ledger;
grant select on ledger_public.monitors, ledger_public.crossings to hobbs_reader;
grant execute on function
    set_monitor(text, text, text, text, bigint, text, bigint, text),
    remove_monitor(text, text)
    to hobbs_ledger;
