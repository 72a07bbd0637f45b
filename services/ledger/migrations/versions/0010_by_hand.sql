-- A journal by hand costs less: wallets that are there already are not inserted to find that out
-- (docs/decisions/0135).

-- As in 0001_functions.sql, but where nothing is missing nothing is written.
create or replace function open_balances(addresses text[], currencies text[]) returns void
    language plpgsql security definer set search_path = ledger, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    if not exists (
        select from unnest(addresses, currencies) as asked (address, currency)
          left join wallet on wallet.address = asked.address collate "C"
          left join balance on balance.wallet_id = wallet.id and balance.currency = asked.currency collate "C"
         where balance.wallet_id is null) then
        return;
    end if;

    insert into wallet (address)
    select distinct asked.address from unnest(addresses) as asked (address)
     order by asked.address
        on conflict on constraint wallet_address_is_unique do nothing;

    insert into balance (wallet_id, currency)
    select distinct wallet.id, asked.currency
      from unnest(addresses, currencies) as asked (address, currency)
      join wallet on wallet.address = asked.address collate "C"
     order by wallet.id, asked.currency
        on conflict (wallet_id, currency) do nothing;
end $$;

-- The same text as before, in a form that is put into the statements that ask for it instead of being called.
create or replace function entry_line(wallet text, currency text, amount bigint) returns text
    language sql immutable parallel safe as $$ select wallet || E'\t' || currency || E'\t' || amount::text $$;
