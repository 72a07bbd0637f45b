-- Who reads: hobbs_student, hobbs_instructor and hobbs_aircraft_owner see the wallet that app.actor names, if
-- it is of their kind; hobbs_finance sees all. Nobody logs in as one of them: whoever shows the books to people is a
-- member, and says per transaction for whom it asks: set_config('app.actor', 'student:student-01', true).
--
-- The setting is read in a sub-select, so once per statement; called bare it would be read once per row.

do $$
declare
    reader text;
begin
    foreach reader in array
        array['hobbs_student', 'hobbs_instructor', 'hobbs_aircraft_owner', 'hobbs_finance']
    loop
        if not exists (select from pg_roles where rolname = reader) then
            execute format('create role %I nologin', reader);
        end if;
    end loop;
end $$;

alter table wallet enable row level security;
alter table balance enable row level security;
alter table journal enable row level security;
alter table entry enable row level security;
alter table hold enable row level security;

-- The worker posts for everybody; its rights are its grants.
create policy service_sees_all on wallet to hobbs_ledger using (true);
create policy service_sees_all on balance to hobbs_ledger using (true);
create policy service_sees_all on journal to hobbs_ledger using (true);
create policy service_sees_all on entry to hobbs_ledger using (true);
create policy service_sees_all on hold to hobbs_ledger using (true);

create policy finance_sees_all on wallet for select to hobbs_finance using (true);
create policy finance_sees_all on balance for select to hobbs_finance using (true);
create policy finance_sees_all on journal for select to hobbs_finance using (true);
create policy finance_sees_all on entry for select to hobbs_finance using (true);
create policy finance_sees_all on hold for select to hobbs_finance using (true);

create policy student_sees_own_wallet on wallet for select to hobbs_student
    using (kind = 'student' and address = (select current_setting('app.actor', true)));
create policy instructor_sees_own_wallet on wallet for select to hobbs_instructor
    using (kind = 'instructor' and address = (select current_setting('app.actor', true)));
create policy owner_sees_own_wallet on wallet for select to hobbs_aircraft_owner
    using (kind = 'aircraft_owner' and address = (select current_setting('app.actor', true)));

-- The policies above decide which wallet the inner select finds; there is at most one.
create policy holder_sees_own on balance for select to hobbs_student, hobbs_instructor, hobbs_aircraft_owner
    using (wallet_id = (select id from wallet where address = (select current_setting('app.actor', true))));
create policy holder_sees_own on entry for select to hobbs_student, hobbs_instructor, hobbs_aircraft_owner
    using (wallet_id = (select id from wallet where address = (select current_setting('app.actor', true))));
create policy holder_sees_own on hold for select to hobbs_student, hobbs_instructor, hobbs_aircraft_owner
    using (wallet_id = (select id from wallet where address = (select current_setting('app.actor', true))));
-- A journal that moved one's wallet: of its other entries the policy on entry shows nothing.
create policy holder_sees_own on journal for select to hobbs_student, hobbs_instructor, hobbs_aircraft_owner
    using (exists (select from entry where entry.journal_id = journal.id));

-- These views run with the reader's rights, so that the policies are the reader's. Those in 0001 run with the
-- owner's, for services that read everything.
create view ledger_public.my_balances with (security_invoker = true) as
    select wallet.address, balance.currency, balance.amount as balance, balance.pending,
           balance.amount - balance.pending as available, balance.floor as "limit", balance.version as entries
      from ledger.wallet join ledger.balance on balance.wallet_id = wallet.id;

create view ledger_public.my_entries with (security_invoker = true) as
    select wallet.address, entry.currency, entry.version, entry.amount, entry.balance_after,
           journal.source, journal.event_type, journal.occurred_at, journal.recorded_at, journal.memo
      from ledger.entry
      join ledger.journal on journal.id = entry.journal_id
      join ledger.wallet on wallet.id = entry.wallet_id;

create view ledger_public.my_holds with (security_invoker = true) as
    select hold.name as hold, wallet.address, hold.currency, hold.amount, hold.state, hold.placed_at,
           hold.expires_at, hold.closed_at, hold.posted_amount, hold.memo
      from ledger.hold join ledger.wallet on wallet.id = hold.wallet_id;

comment on view ledger_public.my_balances is 'The balances that the reader may see.';
comment on view ledger_public.my_entries is 'The statement lines that the reader may see.';
comment on view ledger_public.my_holds is 'The holds that the reader may see.';

grant usage on schema ledger, ledger_public
    to hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;
grant select (id, address, kind) on wallet
    to hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;
grant select (wallet_id, currency, amount, pending, floor, version) on balance
    to hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;
grant select (id, source, event_type, occurred_at, recorded_at, memo) on journal
    to hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;
grant select (journal_id, wallet_id, currency, amount, balance_after, version) on entry
    to hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;
grant select (name, wallet_id, currency, amount, state, placed_at, expires_at, closed_at, posted_amount, memo)
    on hold to hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;
grant select on ledger_public.my_balances, ledger_public.my_entries, ledger_public.my_holds
    to hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;
grant hobbs_reader to hobbs_finance;
