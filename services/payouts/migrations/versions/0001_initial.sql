-- Payees, what they are owed, the transfers that pay them, and every operation at Stripe.
-- Lock order, everywhere: payee, operation, transfer, payable; within a table by its key.

CREATE TABLE school (
    only_row   boolean PRIMARY KEY DEFAULT true,
    time_zone  text NOT NULL DEFAULT 'UTC',
    version    integer NOT NULL DEFAULT 0,
    CONSTRAINT there_is_one_school CHECK (only_row)
);
INSERT INTO school DEFAULT VALUES;

CREATE TABLE payee (
    wallet            text PRIMARY KEY,
    kind              text NOT NULL,
    key               text NOT NULL,
    email             text,
    country           text,
    schedule          text NOT NULL DEFAULT 'per_flight',
    minimum_amount    bigint NOT NULL DEFAULT 0,
    hold_hours        integer NOT NULL DEFAULT 0,
    instant           boolean NOT NULL DEFAULT false,
    configured_at     timestamptz,
    removed_at        timestamptz,
    stripe_account    text,
    ready             boolean NOT NULL DEFAULT false,
    details_submitted boolean NOT NULL DEFAULT false,
    charges_enabled   boolean NOT NULL DEFAULT false,
    payouts_enabled   boolean NOT NULL DEFAULT false,
    balance_negative  boolean NOT NULL DEFAULT false,
    requirements      jsonb NOT NULL DEFAULT '[]',
    disabled_reason   text,
    checked_at        timestamptz,
    told              text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payee_is_an_instructor_or_an_owner CHECK (kind IN ('instructor', 'aircraft_owner')),
    CONSTRAINT wallet_names_kind_and_key CHECK (wallet = kind || ':' || key),
    CONSTRAINT schedule_is_known CHECK (schedule IN ('per_flight', 'daily', 'weekly')),
    CONSTRAINT minimum_amount_is_not_negative CHECK (minimum_amount >= 0),
    CONSTRAINT hold_is_at_most_a_year CHECK (hold_hours BETWEEN 0 AND 8784),
    CONSTRAINT one_payee_per_stripe_account UNIQUE (stripe_account),
    CONSTRAINT ready_payee_has_an_account CHECK (NOT ready OR stripe_account IS NOT NULL)
);

-- The dated cards of the school's book; the payee's row carries what is in force today.
CREATE TABLE payee_card (
    wallet         text NOT NULL REFERENCES payee,
    effective_from date NOT NULL,
    version        integer NOT NULL,
    email          text,
    country        text NOT NULL,
    schedule       text NOT NULL,
    minimum_amount bigint NOT NULL,
    hold_hours     integer NOT NULL,
    instant        boolean NOT NULL,
    PRIMARY KEY (wallet, effective_from)
);

CREATE TABLE transfer (
    id                 uuid PRIMARY KEY,
    wallet             text NOT NULL REFERENCES payee,
    currency           text NOT NULL,
    amount             bigint NOT NULL,
    cause              text NOT NULL,
    state              text NOT NULL,
    reason             text,
    sentence           text,
    due_at             timestamptz,
    waived             boolean NOT NULL DEFAULT false,
    stripe_transfer_id text,
    stripe_account     text,
    sent_at            timestamptz,
    clawback_until     timestamptz,
    in_bank_at         timestamptz,
    amount_reversed    bigint NOT NULL DEFAULT 0,
    trace              jsonb NOT NULL,
    created_at         timestamptz NOT NULL,
    changed_at         timestamptz NOT NULL,
    CONSTRAINT transfer_amount_is_positive CHECK (amount > 0),
    CONSTRAINT transfer_state_is_known CHECK (state IN ('pending', 'held', 'sending', 'sent', 'in_bank',
        'refused', 'parked', 'partly_reversed', 'reversed', 'cancelled')),
    CONSTRAINT one_stripe_transfer_per_transfer UNIQUE (stripe_transfer_id),
    CONSTRAINT sent_transfer_has_stripe_id CHECK (
        (state IN ('sent', 'in_bank', 'partly_reversed', 'reversed')) = (stripe_transfer_id IS NOT NULL)),
    CONSTRAINT sent_transfer_has_account_and_time CHECK (
        (stripe_transfer_id IS NULL) = (sent_at IS NULL) AND (sent_at IS NULL) = (stripe_account IS NULL)),
    CONSTRAINT clawback_ends_72_hours_after_sending CHECK (
        clawback_until IS NOT DISTINCT FROM sent_at + interval '72 hours'),
    CONSTRAINT transfer_that_waits_says_why CHECK (
        (state IN ('held', 'refused', 'parked', 'cancelled')) = (reason IS NOT NULL)
        AND (reason IS NULL) = (sentence IS NULL)),
    CONSTRAINT transfer_in_bank_has_time CHECK (state <> 'in_bank' OR in_bank_at IS NOT NULL),
    CONSTRAINT transfer_in_hold_period_has_due_time CHECK (
        state <> 'held' OR reason <> 'hold_period' OR due_at IS NOT NULL),
    CONSTRAINT reversed_state_follows_the_amount CHECK (CASE state
        WHEN 'reversed' THEN amount_reversed = amount
        WHEN 'partly_reversed' THEN amount_reversed > 0 AND amount_reversed < amount
        ELSE amount_reversed = 0 END)
);
CREATE UNIQUE INDEX one_live_transfer_per_cause ON transfer (wallet, currency, cause) WHERE state <> 'cancelled';
CREATE INDEX transfer_not_settled ON transfer (wallet, state) WHERE state IN ('pending', 'held', 'sending', 'refused', 'parked');
CREATE INDEX transfer_in_hold_period ON transfer (due_at) WHERE state = 'held' AND reason = 'hold_period';
CREATE INDEX transfer_on_its_way_to_the_bank ON transfer (stripe_account, currency, sent_at)
    WHERE state IN ('sent', 'partly_reversed') AND in_bank_at IS NULL;

CREATE TABLE transfer_history (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transfer_id uuid NOT NULL REFERENCES transfer,
    at          timestamptz NOT NULL,
    from_state  text,
    to_state    text NOT NULL,
    reason      text,
    sentence    text,
    actor       text NOT NULL,
    CONSTRAINT transition_is_in_the_table CHECK (coalesce(from_state, 'new') || '>' || to_state IN (
        'new>pending', 'new>held',
        'pending>held', 'pending>sending', 'pending>cancelled',
        'held>held', 'held>pending', 'held>cancelled',
        'sending>sent', 'sending>held', 'sending>refused', 'sending>parked',
        'refused>pending', 'refused>held', 'refused>sent', 'refused>cancelled',
        'parked>sent', 'parked>pending', 'parked>held', 'parked>cancelled', 'held>sent', 'pending>sent',
        'sent>in_bank', 'sent>partly_reversed', 'sent>reversed',
        'in_bank>sent', 'in_bank>partly_reversed', 'in_bank>reversed',
        'partly_reversed>partly_reversed', 'partly_reversed>reversed'))
);
CREATE INDEX transfer_history_of_a_transfer ON transfer_history (transfer_id, id);

CREATE TABLE payable (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal_id     uuid NOT NULL,
    wallet         text NOT NULL REFERENCES payee,
    currency       text NOT NULL,
    amount         bigint NOT NULL,
    source         text NOT NULL,
    event_type     text NOT NULL,
    occurred_at    timestamptz NOT NULL,
    accrued_at     timestamptz NOT NULL,
    stripe_account text,
    transfer_id    uuid REFERENCES transfer,
    trace          jsonb NOT NULL,
    CONSTRAINT payable_amount_is_not_zero CHECK (amount <> 0),
    CONSTRAINT one_payable_per_journal_and_wallet UNIQUE (journal_id, wallet),
    CONSTRAINT one_payable_per_source_and_wallet UNIQUE (source, wallet)
);
CREATE INDEX payable_not_yet_in_a_transfer ON payable (wallet, currency, id) WHERE transfer_id IS NULL;
CREATE INDEX payable_of_a_transfer ON payable (transfer_id) WHERE transfer_id IS NOT NULL;

CREATE SEQUENCE operation_order;
CREATE TABLE operation (
    id             uuid PRIMARY KEY,
    sequence       bigint NOT NULL DEFAULT nextval('operation_order'),
    kind           text NOT NULL,
    wallet         text NOT NULL REFERENCES payee,
    transfer_id    uuid REFERENCES transfer,
    cause          text NOT NULL,
    params         jsonb NOT NULL,
    amount         bigint,
    currency       text,
    stripe_account text,
    parent_id      text,
    state          text NOT NULL DEFAULT 'due',
    phase          text NOT NULL DEFAULT 'send',
    generation     integer NOT NULL DEFAULT 1,
    due_at         timestamptz NOT NULL,
    lease_token    uuid,
    lease_until    timestamptz,
    first_sent_at  timestamptz,
    attempts       integer NOT NULL DEFAULT 0,
    server_errors  integer NOT NULL DEFAULT 0,
    lookups        integer NOT NULL DEFAULT 0,
    clean_lookups  integer NOT NULL DEFAULT 0,
    stripe_id      text,
    reason         text,
    sentence       text,
    trace          jsonb NOT NULL,
    created_at     timestamptz NOT NULL,
    finished_at    timestamptz,
    CONSTRAINT operation_kind_is_known CHECK (kind IN ('account', 'transfer', 'reversal', 'instant_payout')),
    CONSTRAINT operation_state_is_known CHECK (state IN
        ('due', 'in_flight', 'held', 'succeeded', 'refused', 'parked', 'cancelled')),
    CONSTRAINT operation_phase_is_known CHECK (phase IN ('send', 'look_up')),
    CONSTRAINT generations_count_from_one CHECK (generation >= 1),
    CONSTRAINT one_operation_per_cause UNIQUE (kind, cause),
    CONSTRAINT one_stripe_object_per_operation UNIQUE (stripe_id),
    CONSTRAINT operation_moves_a_positive_amount CHECK (
        (kind = 'account') = (amount IS NULL) AND (amount IS NULL) = (currency IS NULL) AND coalesce(amount > 0, true)),
    CONSTRAINT money_operation_belongs_to_a_transfer CHECK (kind = 'account' OR transfer_id IS NOT NULL),
    CONSTRAINT operation_names_itself_at_stripe CHECK (params -> 'metadata' ->> 'hobbs_operation_id' = id::text),
    CONSTRAINT frozen_amount_is_the_amount CHECK ((params ->> 'amount')::bigint IS NOT DISTINCT FROM amount),
    CONSTRAINT operation_in_flight_has_a_lease CHECK (
        (state = 'in_flight') = (lease_token IS NOT NULL) AND (lease_token IS NULL) = (lease_until IS NULL)),
    CONSTRAINT succeeded_operation_has_a_stripe_id CHECK ((state = 'succeeded') = (stripe_id IS NOT NULL)),
    CONSTRAINT finished_operation_has_a_time CHECK (
        (state IN ('succeeded', 'refused', 'cancelled')) = (finished_at IS NOT NULL)),
    CONSTRAINT operation_that_waits_says_why CHECK (
        state NOT IN ('held', 'refused', 'parked', 'cancelled') OR reason IS NOT NULL AND sentence IS NOT NULL)
);
CREATE UNIQUE INDEX one_operation_in_flight_per_account ON operation (wallet) WHERE state = 'in_flight';
-- The head of each payee's line: what is in flight, else the oldest that is not settled.
CREATE INDEX operation_line ON operation (wallet, (state <> 'in_flight'), sequence)
    WHERE state IN ('due', 'in_flight', 'held', 'parked');
CREATE INDEX operation_held_for_balance ON operation (currency, sequence)
    WHERE state = 'held' AND reason = 'balance_insufficient';
CREATE INDEX operation_of_a_transfer ON operation (transfer_id);

-- What was decided is never changed: only where an operation stands.
CREATE FUNCTION refuse_change_of_frozen_operation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'operation %: what was decided is frozen; decide anew with another cause', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'operation_parameters_are_frozen';
END $$;
CREATE TRIGGER operation_parameters_are_frozen BEFORE UPDATE ON operation FOR EACH ROW
    WHEN ((OLD.kind, OLD.wallet, OLD.transfer_id, OLD.cause, OLD.params, OLD.amount, OLD.currency,
           OLD.stripe_account, OLD.parent_id) IS DISTINCT FROM
          (NEW.kind, NEW.wallet, NEW.transfer_id, NEW.cause, NEW.params, NEW.amount, NEW.currency,
           NEW.stripe_account, NEW.parent_id))
    EXECUTE FUNCTION refuse_change_of_frozen_operation();

CREATE TABLE attempt (
    lease_token     uuid PRIMARY KEY,
    operation_id    uuid NOT NULL REFERENCES operation,
    generation      integer NOT NULL,
    phase           text NOT NULL,
    idempotency_key text NOT NULL,
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    verdict         text,
    http_status     integer,
    code            text,
    request_id      text,
    sentence        text,
    CONSTRAINT finished_attempt_has_a_verdict CHECK ((finished_at IS NULL) = (verdict IS NULL))
);
CREATE INDEX attempt_of_an_operation ON attempt (operation_id, started_at);

CREATE TABLE reversal (
    stripe_reversal_id text PRIMARY KEY,
    transfer_id        uuid NOT NULL REFERENCES transfer,
    operation_id       uuid REFERENCES operation,
    amount             bigint NOT NULL,
    reversed_at        timestamptz NOT NULL,
    CONSTRAINT reversal_amount_is_positive CHECK (amount > 0)
);
CREATE INDEX reversal_of_a_transfer ON reversal (transfer_id);

CREATE TABLE payout (
    stripe_payout_id text PRIMARY KEY,
    stripe_account   text NOT NULL,
    wallet           text NOT NULL REFERENCES payee,
    amount           bigint NOT NULL,
    currency         text NOT NULL,
    status           text NOT NULL,
    instant          boolean NOT NULL,
    fee              bigint,
    failure          text,
    told             text,
    operation_id     uuid REFERENCES operation,
    made_at          timestamptz NOT NULL,
    seen_at          timestamptz NOT NULL,
    CONSTRAINT payout_amount_is_positive CHECK (amount > 0),
    CONSTRAINT payout_status_is_known CHECK (status IN ('pending', 'in_transit', 'paid', 'canceled', 'failed'))
);
CREATE INDEX payout_of_an_account ON payout (stripe_account);

-- Which transfers a payout carried. Stripe itemises automatic payouts only, so the mapping is ours: first in, first out.
CREATE TABLE payout_part (
    stripe_payout_id text NOT NULL REFERENCES payout,
    transfer_id      uuid NOT NULL REFERENCES transfer,
    amount           bigint NOT NULL,
    PRIMARY KEY (stripe_payout_id, transfer_id),
    CONSTRAINT payout_part_is_positive CHECK (amount > 0)
);
CREATE INDEX payout_part_of_a_transfer ON payout_part (transfer_id);

-- What must be read again from Stripe, because a webhook only hints at it.
CREATE TABLE inquiry (
    kind           text NOT NULL,
    object_id      text NOT NULL,
    stripe_account text,
    due_at         timestamptz,
    attempts       integer NOT NULL DEFAULT 0,
    asked_at       timestamptz NOT NULL,
    lease_token    uuid,
    lease_until    timestamptz,
    answered_at    timestamptz,
    read_again_at  timestamptz,
    problem        text,
    trace          jsonb NOT NULL,
    PRIMARY KEY (kind, object_id),
    CONSTRAINT inquiry_kind_is_known CHECK (kind IN ('account', 'charge_fee', 'payout_fee', 'reversals')),
    CONSTRAINT open_inquiry_is_due_or_answered CHECK (due_at IS NOT NULL OR answered_at IS NOT NULL)
);
CREATE INDEX inquiry_due ON inquiry (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE webhook_kept (
    event_id    text PRIMARY KEY,
    event_type  text NOT NULL,
    account     text,
    reason      text NOT NULL,
    sentence    text NOT NULL,
    body        text NOT NULL,
    received_at timestamptz NOT NULL
);

CREATE TABLE link_request (
    id           uuid PRIMARY KEY,
    wallet       text NOT NULL REFERENCES payee,
    kind         text NOT NULL,
    requested_at timestamptz NOT NULL,
    answered_at  timestamptz,
    url          text,
    expires_at   timestamptz,
    problem      text,
    CONSTRAINT link_kind_is_known CHECK (kind IN ('onboarding', 'dashboard')),
    CONSTRAINT answered_link_has_url_or_problem CHECK (
        (answered_at IS NULL) = (url IS NULL AND problem IS NULL))
);
CREATE INDEX link_request_open ON link_request (requested_at) WHERE answered_at IS NULL;

-- One row: whether the relay may call Stripe at all.
CREATE TABLE relay_stop (
    only_row boolean PRIMARY KEY DEFAULT true,
    since    timestamptz,
    sentence text,
    probe_at timestamptz,
    CONSTRAINT there_is_one_stop CHECK (only_row),
    CONSTRAINT stopped_relay_says_why CHECK ((since IS NULL) = (sentence IS NULL) AND (since IS NULL) = (probe_at IS NULL))
);
INSERT INTO relay_stop DEFAULT VALUES;
