-- A revert is a journal with the opposite entries, linked to the one it reverts; each journal is reverted
-- once, a revert too. A group is a set of journals that were posted together or not at all. No foreign keys
-- to journal, here as in entry: whoever truncates it should meet its own refusal. An invariant looks instead.

create table revert (
    journal_id uuid primary key,
    reverted_id uuid not null,
    constraint journal_is_reverted_once unique (reverted_id),
    constraint journal_does_not_revert_itself check (journal_id <> reverted_id)
);

create table journal_group (
    journal_id uuid primary key,
    name text collate "C" not null,
    constraint group_name_is_printable check (
        name ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$' and length(name) <= 100)
);
create index journal_group_by_name on journal_group (name);

comment on table revert is 'journal_id takes back what reverted_id moved.';
comment on table journal_group is 'Journals that were posted together or not at all.';

create trigger revert_is_append_only before update or delete or truncate on revert
    for each statement execute function refuse_change();
create trigger journal_group_is_append_only before update or delete or truncate on journal_group
    for each statement execute function refuse_change();

create function refuse_other_entries() returns trigger language plpgsql security definer
    set search_path = ledger, pg_temp as $$
begin
    if (select count(*) from journal where id in (new.journal_id, new.reverted_id)) < 2 or exists (
        select wallet_id, currency, sum(amount) from entry
         where journal_id in (new.journal_id, new.reverted_id)
         group by wallet_id, currency having sum(amount) <> 0) then
        perform refuse('revert_takes_back_every_entry', format(
            'journal %s does not take back what journal %s moved', new.journal_id, new.reverted_id));
    end if;
    return null;
end $$;

create trigger revert_takes_back_every_entry after insert on revert
    for each row execute function refuse_other_entries();

alter table revert enable always trigger revert_is_append_only;
alter table revert enable always trigger revert_takes_back_every_entry;
alter table journal_group enable always trigger journal_group_is_append_only;

-- Takes back what a journal moved, by a journal revert:<id of the journal>. Asked again it returns the one
-- that stands. A revert can be reverted too, once.
create function revert_journal(source text, memo text default '', occurred_at timestamptz default null)
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

create view ledger_public.reverts as
    select revert.journal_id, made.source, revert.reverted_id, taken.source as reverted_source,
           made.occurred_at, made.recorded_at
      from revert
      join journal as made on made.id = revert.journal_id
      join journal as taken on taken.id = revert.reverted_id;

create view ledger_public.journal_groups as
    select journal_group.name, journal_group.journal_id, journal.source
      from journal_group join journal on journal.id = journal_group.journal_id;

comment on view ledger_public.reverts is 'Which journal takes back which.';
comment on view ledger_public.journal_groups is 'Journals that were posted together or not at all.';

revoke execute on all functions in schema ledger from public;
grant select, insert on revert, journal_group to hobbs_ledger;
grant execute on function revert_journal(text, text, timestamptz) to hobbs_ledger;
grant select on ledger_public.reverts, ledger_public.journal_groups to hobbs_reader;
