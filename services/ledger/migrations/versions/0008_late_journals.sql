-- As in 0004_history.sql, but late journals are found by the time between when they were true and when they
-- were known: an instant asks for those that span it. Ordered by recorded_at, an instant two years ago read
-- every late journal since (docs/decisions/0092).

create index late_journal_by_span on journal
    using gist (tstzrange(occurred_at, greatest(occurred_at, recorded_at)))
    where recorded_at - occurred_at > interval '1 hour';
drop index journal_over_an_hour_late;

-- What came late or ahead is looked up journal by journal: a wallet's versions would do as well, but the plan
-- is made for an average wallet and kept, and the platform's has half of all journals.
create or replace function balance_at(wallet text, currency text, occurred_by timestamptz,
                                      known_by timestamptz default 'infinity')
    returns bigint language plpgsql stable security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
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
    -- Along a wallet's versions recorded_at never goes back, so instants say here what versions say above.
    with spanning as materialized (
        select id, recorded_at from journal
         where recorded_at - occurred_at > interval '1 hour'
           and tstzrange(occurred_at, greatest(occurred_at, recorded_at)) @> balance_at.occurred_by
    )
    select total + coalesce(sum((
        select sum(entry.amount) from entry
         where entry.journal_id = spanning.id and entry.wallet_id = of_wallet
           and entry.currency = balance_at.currency)), 0) into total
      from spanning where recorded_at > soon and recorded_at <= known_by;
    with ahead as materialized (
        select id from journal
         where occurred_at > recorded_at and occurred_at > balance_at.occurred_by
           and recorded_at <= least(known_by, balance_at.occurred_by)
    )
    select total - coalesce(sum((
        select sum(entry.amount) from entry
         where entry.journal_id = ahead.id and entry.wallet_id = of_wallet
           and entry.currency = balance_at.currency)), 0) into total
      from ahead;
    return total;
end $$;
