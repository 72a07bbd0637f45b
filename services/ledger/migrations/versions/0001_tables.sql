-- Wallets, journals, entries, balances. Amounts are signed minor units, credit positive.
--
-- Text is compared byte by byte (collate "C"): the order of locks, of indexes and of the content hash must
-- not depend on the server's locale.

create table wallet (
    id bigint generated always as identity primary key,
    address text collate "C" not null,
    kind text collate "C" not null generated always as (split_part(address, ':', 1)) stored,
    opened_at timestamptz not null default statement_timestamp(),
    constraint wallet_address_is_unique unique (address),
    constraint wallet_kind_is_known check (
        split_part(address, ':', 1) in
        ('student', 'instructor', 'platform', 'aircraft_owner', 'liability', 'external')),
    constraint wallet_address_names_a_holder check (
        address ~ '^[a-z_]+:[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$' and length(address) <= 130)
);

-- One row per wallet and currency: what a posting locks. `version` counts the entries behind `amount`.
-- It is updated in place all day, so half of each page is left free for updates that touch no index.
create table balance (
    wallet_id bigint not null references wallet (id),
    currency text collate "C" not null,
    amount bigint not null default 0,
    version bigint not null default 0,
    primary key (wallet_id, currency),
    constraint balance_currency_is_three_capital_letters check (currency ~ '^[A-Z]{3}$'),
    constraint balance_version_counts_entries check (version >= 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

create table journal (
    id uuid primary key default uuidv7(),
    source text collate "C" not null,
    event_type text collate "C" not null,
    occurred_at timestamptz not null,
    -- The statement that inserts starts after its wallets are locked, so along one wallet's versions
    -- recorded_at never goes back.
    recorded_at timestamptz not null default statement_timestamp(),
    entry_count smallint not null,
    content_hash bytea not null,
    memo text not null default '',
    request_event_id uuid,
    recorded_by text not null default session_user,
    constraint journal_source_is_posted_once unique (source),
    constraint journal_has_entries check (entry_count >= 2),
    constraint journal_source_is_printable check (
        source ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$' and length(source) <= 100),
    constraint journal_event_type_is_printable check (
        event_type ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$' and length(event_type) <= 100),
    constraint journal_memo_is_short check (length(memo) <= 2000),
    constraint journal_content_hash_is_sha256 check (octet_length(content_hash) = 32)
);

-- No foreign keys here: they are checked row by row and would lock the platform's wallet once per entry.
-- The trigger in 0001_guards.sql checks the same references once per statement.
create table entry (
    journal_id uuid not null,
    wallet_id bigint not null,
    amount bigint not null,
    balance_after bigint not null,
    version bigint not null,
    position smallint not null,
    currency text collate "C" not null,
    constraint entry_position_is_taken_once primary key (journal_id, position),
    constraint entry_version_is_taken_once unique (wallet_id, currency, version),
    constraint entry_amount_is_not_zero check (amount <> 0),
    constraint entry_position_starts_at_one check (position >= 1)
);

comment on table wallet is 'Who holds money: <kind>:<name>, opened on first use, never changed.';
comment on table balance is 'What the school owes a wallet''s holder in one currency, after `version` entries.';
comment on table journal is 'One balanced set of entries, posted once for its source, never changed.';
comment on column journal.occurred_at is 'When it was true.';
comment on column journal.recorded_at is 'When the ledger knew.';
comment on column journal.content_hash is 'sha256 of the canonical request; see journal_content_hash().';
comment on column journal.request_event_id is 'The journal.requested event; null when posted by hand.';
comment on table entry is 'A signed amount on a wallet, with the wallet''s balance and version after it.';
