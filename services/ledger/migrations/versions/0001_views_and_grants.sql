-- What others may read, and who may do what. The service inserts journals and entries and calls functions;
-- it has no right to write a wallet or a balance, nor to choose recorded_at or recorded_by.

create view ledger_public.wallets as
    select wallet.id as wallet_id, wallet.address, wallet.kind, balance.currency,
           balance.amount as balance, balance.version as entries, wallet.opened_at
      from wallet join balance on balance.wallet_id = wallet.id;

create view ledger_public.journals as
    select id as journal_id, source, event_type, occurred_at, recorded_at, entry_count, memo, recorded_by,
           content_hash, request_event_id
      from journal;

-- A wallet's statement: `where address = ... and version > ... order by version` pages by index.
create view ledger_public.entries as
    select entry.journal_id, entry.position, wallet.address, wallet.kind, entry.currency, entry.amount,
           entry.balance_after, entry.version, entry.wallet_id,
           journal.source, journal.event_type, journal.occurred_at, journal.recorded_at, journal.memo
      from entry
      join journal on journal.id = entry.journal_id
      join wallet on wallet.id = entry.wallet_id;

comment on view ledger_public.wallets is 'Every wallet with its balance, one row per currency.';
comment on view ledger_public.journals is 'Every journal, without its entries.';
comment on view ledger_public.entries is 'Statement lines: each entry with its journal, running balance, version.';

revoke execute on all functions in schema ledger from public;
grant select on wallet, balance, journal, entry to hobbs_ledger;
grant insert (id, source, event_type, occurred_at, entry_count, content_hash, memo, request_event_id)
    on journal to hobbs_ledger;
grant insert on entry to hobbs_ledger;
grant execute on function
    open_balances(text[], text[]),
    lock_balances(text[], text[]),
    acquire_wallet_lock(bigint),
    journal_content_hash(text, text, timestamptz, text[]),
    entry_line(text, text, bigint),
    post_journal_with_locks(uuid, text, text, text, jsonb, timestamptz, text),
    total_balances(text, text),
    get_total_student_balances(text),
    get_total_instructor_balances(text),
    get_total_liability_balances(text)
    to hobbs_ledger;
grant select on ledger_public.wallets, ledger_public.journals, ledger_public.entries to hobbs_reader;
