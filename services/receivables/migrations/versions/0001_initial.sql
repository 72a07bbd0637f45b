-- A card charge at Stripe: the aggregate that facts are merged into, under this row's lock.
-- A row without a payment waits: something about the charge came before the payment itself.
CREATE TABLE charge (
    charge_id          text PRIMARY KEY,
    payment_intent_id  text,
    student            text,
    amount             bigint,
    currency           text,
    received_at        timestamptz,
    told_refunded      bigint NOT NULL DEFAULT 0,
    fee                bigint,
    fee_transaction_id text,
    fee_currency       text,
    settled_gross      bigint,
    settled_at         timestamptz,
    first_seen_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT charge_payment_is_whole CHECK (num_nulls(amount, currency, received_at) IN (0, 3)),
    CONSTRAINT charge_payment_is_positive CHECK (amount > 0),
    CONSTRAINT charge_fee_is_whole
        CHECK (num_nulls(fee, fee_transaction_id, fee_currency, settled_gross, settled_at) IN (0, 5)),
    CONSTRAINT charge_fee_is_not_negative CHECK (fee >= 0),
    CONSTRAINT charge_fee_is_in_the_payments_currency CHECK (fee_currency = currency)
);

CREATE INDEX charge_of_payment_intent ON charge (payment_intent_id);
CREATE INDEX charge_waiting ON charge (first_seen_at) WHERE amount IS NULL;

CREATE TABLE refund (
    refund_id text PRIMARY KEY,
    charge_id text NOT NULL REFERENCES charge,
    amount    bigint NOT NULL,
    currency  text NOT NULL,
    at        timestamptz NOT NULL,
    moved     boolean NOT NULL,
    failed    boolean NOT NULL,
    CONSTRAINT refund_is_positive CHECK (amount > 0)
);

CREATE INDEX refund_of_charge ON refund (charge_id);

CREATE TABLE dispute (
    dispute_id text PRIMARY KEY,
    charge_id  text NOT NULL REFERENCES charge,
    amount     bigint NOT NULL,
    currency   text NOT NULL,
    opened_at  timestamptz NOT NULL,
    withdrawn  boolean NOT NULL,
    outcome    text,
    closed_at  timestamptz,
    fees       jsonb NOT NULL,
    CONSTRAINT dispute_is_positive CHECK (amount > 0),
    CONSTRAINT dispute_outcome_is_known CHECK (outcome IN ('won', 'lost')),
    CONSTRAINT dispute_closed_with_an_outcome CHECK ((outcome IS NULL) = (closed_at IS NULL))
);

CREATE INDEX dispute_of_charge ON dispute (charge_id);

-- Every journal asked of the ledger. The primary key is the permanent barrier: whatever is replayed, however
-- old, a source is asked for once.
CREATE TABLE posting (
    source       text PRIMARY KEY,
    charge_id    text NOT NULL REFERENCES charge,
    event_type   text NOT NULL,
    currency     text NOT NULL,
    occurred_at  timestamptz NOT NULL,
    entries      jsonb NOT NULL,
    memo         text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    ordinal      bigint GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT posting_has_entries CHECK (jsonb_array_length(entries) >= 2)
);

CREATE INDEX posting_of_charge ON posting (charge_id);

-- The queue of payments that name nobody. A row stays when it is allocated: who, when and how.
CREATE TABLE unallocated_payment (
    charge_id    text PRIMARY KEY REFERENCES charge,
    queued_at    timestamptz NOT NULL DEFAULT now(),
    student      text,
    allocated_at timestamptz,
    allocated_by text,
    CONSTRAINT unallocated_payment_is_allocated_whole_or_not
        CHECK (num_nulls(student, allocated_at, allocated_by) IN (0, 3))
);

CREATE INDEX unallocated_payment_open ON unallocated_payment (queued_at) WHERE student IS NULL;

-- Failed attempts to pay, so that one failure told twice notifies once.
CREATE TABLE payment_failure (
    payment_intent_id text NOT NULL,
    attempt           text NOT NULL,
    student           text,
    amount            bigint NOT NULL,
    currency          text NOT NULL,
    code              text NOT NULL,
    failed_at         timestamptz NOT NULL,
    CONSTRAINT payment_failure_is_told_once PRIMARY KEY (payment_intent_id, attempt)
);

-- Webhooks of a type nobody here knows, whole: Stripe adds types, and some of them move money.
CREATE TABLE kept_webhook (
    event_id    text PRIMARY KEY,
    event_type  text NOT NULL,
    received_at timestamptz NOT NULL,
    body        text NOT NULL
);

CREATE INDEX kept_webhook_of_type ON kept_webhook (event_type);

-- Rows of money are never deleted, and a posting is never changed.
GRANT SELECT, INSERT, UPDATE ON charge, refund, dispute, unallocated_payment TO hobbs_receivables;
GRANT SELECT, INSERT ON posting, payment_failure, kept_webhook TO hobbs_receivables;
