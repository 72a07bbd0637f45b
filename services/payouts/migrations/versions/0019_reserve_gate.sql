ALTER TABLE school ADD COLUMN currency text;

-- What the book says of the reserve, as far as it concerns payouts. stale_after_minutes null: withdrawn.
CREATE TABLE reserve_policy (
    effective_from      date    PRIMARY KEY,
    version             integer NOT NULL,
    stale_after_minutes integer CONSTRAINT balance_may_be_a_minute_old CHECK (stale_after_minutes >= 1),
    when_stale          text    CONSTRAINT stale_gate_is_closed_or_open CHECK (when_stale IN ('closed', 'open')),
    CONSTRAINT withdrawn_policy_says_nothing CHECK ((stale_after_minutes IS NULL) = (when_stale IS NULL))
);

-- One row for each currency with a reserve: what was let out in all, and the last gate that reserves published.
-- While there is none, transfers are sent without being let out.
CREATE TABLE reserve_gate (
    currency       text        PRIMARY KEY,
    watched        boolean     NOT NULL,
    allowed_total  bigint      NOT NULL DEFAULT 0,
    number         bigint      NOT NULL DEFAULT 0,
    state          text        NOT NULL DEFAULT 'off',
    ceiling        bigint      NOT NULL DEFAULT 0,
    balance_number bigint      NOT NULL DEFAULT 0,
    exempt_below   bigint      NOT NULL DEFAULT 0,
    exempt_wallets text[]      NOT NULL DEFAULT '{}',
    sentence       text        NOT NULL DEFAULT '',
    valid_until    timestamptz NOT NULL,
    when_over      text        NOT NULL,
    stale_after    interval    NOT NULL,
    read_due_at    timestamptz NOT NULL,
    CONSTRAINT gate_state_is_known CHECK (state IN ('open', 'closed', 'off')),
    CONSTRAINT gate_over_is_closed_or_open CHECK (when_over IN ('closed', 'open')),
    CONSTRAINT allowed_total_only_grows CHECK (allowed_total >= 0)
);

-- What each reading of the balance began with and found. A gate that judges a reading which is not here is of
-- a time before a restore, and is not believed.
CREATE TABLE balance_reading (
    number           bigint      NOT NULL,
    currency         text        NOT NULL,
    begun_at         timestamptz NOT NULL,
    allowed_total    bigint      NOT NULL,
    under_way        bigint      NOT NULL,
    available        bigint,
    pending          bigint,
    connect_reserved bigint,
    answered_at      timestamptz,
    PRIMARY KEY (number, currency)
);

-- When a transfer was let out; it stays with the transfer, whatever generation is sent.
ALTER TABLE operation ADD COLUMN let_out_at timestamptz,
    ADD CONSTRAINT only_transfers_are_let_out CHECK (let_out_at IS NULL OR kind = 'transfer');
CREATE INDEX operation_let_out ON operation (currency)
    WHERE let_out_at IS NOT NULL AND state NOT IN ('succeeded', 'cancelled');
CREATE INDEX operation_held_for_reserve ON operation (currency, sequence) WHERE state = 'held' AND reason = 'reserve';

GRANT SELECT, INSERT, UPDATE ON reserve_policy, reserve_gate TO hobbs_payouts;
GRANT SELECT, INSERT, UPDATE, DELETE ON balance_reading TO hobbs_payouts;

CREATE VIEW payouts_public.reserve_policies AS
SELECT effective_from, version, stale_after_minutes, when_stale FROM payouts.reserve_policy;
CREATE VIEW payouts_public.reserve_gates AS
SELECT gate.currency, gate.watched, gate.allowed_total, gate.number, gate.state, gate.ceiling, gate.balance_number,
       gate.sentence, gate.valid_until, gate.when_over, held.transfers AS held, held.amount AS held_amount,
       held.since AS held_since, under_way.amount AS under_way
FROM payouts.reserve_gate AS gate
CROSS JOIN LATERAL (
    SELECT count(*) AS transfers, coalesce(sum(operation.amount), 0)::bigint AS amount,
           min(transfer.changed_at) AS since
    FROM payouts.operation JOIN payouts.transfer ON transfer.id = operation.transfer_id
    WHERE operation.currency = gate.currency AND operation.state = 'held' AND operation.reason = 'reserve') AS held
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM payouts.operation
    WHERE operation.currency = gate.currency AND let_out_at IS NOT NULL
      AND operation.state NOT IN ('succeeded', 'cancelled')) AS under_way;
GRANT SELECT ON payouts_public.reserve_policies, payouts_public.reserve_gates TO hobbs_reader;
