-- As in 0004_history.sql, but late journals are found by the time between when they were true and when they
-- were known: an instant asks for those that span it. Ordered by recorded_at, an instant two years ago read
-- every late journal since (docs/decisions/0092).

create index late_journal_by_span on journal
    using gist (tstzrange(occurred_at, greatest(occurred_at, recorded_at)))
    where recorded_at - occurred_at > interval '1 hour';
drop index journal_over_an_hour_late;

create or replace function balance_at(wallet text, currency text, occurred_by timestamptz,
                                      known_by timestamptz default 'infinity')
    returns bigint language plpgsql stable security definer set search_path = ledger, pg_temp
    set enable_seqscan = off as $$
#variable_conflict use_column
declare
    of_wallet constant bigint := (select id from wallet where address = balance_at.wallet collate "C");
    known constant bigint := version_known_at(of_wallet, balance_at.currency, known_by);
    seen constant bigint := least(known, version_known_at(of_wallet, balance_at.currency, occurred_by));
    soon constant timestamptz := occurred_by + interval '1 hour';
    soon_known constant bigint := least(known, version_known_at(of_wallet, balance_at.currency, soon));
    total numeric;
begin
    select balance_after into total from entry
     where wallet_id = of_wallet and entry.currency = balance_at.currency and version = seen;
    select coalesce(total, 0) + coalesce(sum(entry.amount), 0) into total
      from entry join journal on journal.id = entry.journal_id
     where entry.wallet_id = of_wallet and entry.currency = balance_at.currency
       and entry.version > seen and entry.version <= soon_known and journal.occurred_at <= occurred_by;
    select total + coalesce(sum(entry.amount), 0) into total
      from journal join entry on entry.journal_id = journal.id
     where journal.recorded_at - journal.occurred_at > interval '1 hour'
       and tstzrange(journal.occurred_at, greatest(journal.occurred_at, journal.recorded_at)) @> occurred_by
       and journal.recorded_at > soon and journal.recorded_at <= known_by
       and entry.wallet_id = of_wallet and entry.currency = balance_at.currency
       and entry.version > soon_known and entry.version <= known;
    select total - coalesce(sum(entry.amount), 0) into total
      from journal join entry on entry.journal_id = journal.id
     where journal.occurred_at > journal.recorded_at and journal.occurred_at > occurred_by
       and entry.wallet_id = of_wallet and entry.currency = balance_at.currency and entry.version <= seen;
    return total;
end $$;
