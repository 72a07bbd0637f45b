-- How the money follows a posted adjustment. Lock order: flight, adjustment, settlement.

-- amount: minor units, credit positive: above zero the party is owed. number: of the wallet's settlements in its
-- adjustment. proof: a transfer's id, reversals' ids at Stripe, or the source of a journal.
CREATE TABLE settlement (
    id            uuid PRIMARY KEY,
    adjustment_id uuid NOT NULL REFERENCES adjustment,
    number        integer NOT NULL,
    wallet        text NOT NULL,
    currency      text NOT NULL,
    amount        bigint NOT NULL,
    method        text NOT NULL,
    state         text NOT NULL,
    sentence      text NOT NULL,
    proof         text,
    instead_of    text,
    decided_by    text,
    cheque_number text,
    paid_on       date,
    begun_at      timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    CONSTRAINT settlements_of_a_wallet_are_numbered UNIQUE (adjustment_id, wallet, number),
    CONSTRAINT settlements_count_from_one CHECK (number >= 1),
    CONSTRAINT settlement_amount_is_not_zero CHECK (amount <> 0),
    CONSTRAINT settlement_method_is_known CHECK (method IN ('books', 'credit', 'charge', 'payout',
        'future_payout_offset', 'stripe_reversal', 'manual_check', 'forgiven', 'written_off')),
    CONSTRAINT settlement_state_is_known CHECK (state IN ('waiting', 'asked', 'settled', 'failed', 'replaced')),
    CONSTRAINT method_is_one_of_its_party CHECK (CASE split_part(wallet, ':', 1)
        WHEN 'student' THEN method IN ('credit', 'charge', 'manual_check', 'forgiven', 'written_off')
        WHEN 'instructor' THEN method NOT IN ('books', 'credit', 'charge')
        WHEN 'aircraft_owner' THEN method NOT IN ('books', 'credit', 'charge')
        ELSE method = 'books' END),
    CONSTRAINT method_goes_the_way_of_the_money CHECK (CASE
        WHEN method IN ('credit', 'payout') THEN amount > 0
        WHEN method IN ('charge', 'future_payout_offset', 'stripe_reversal', 'forgiven', 'written_off') THEN amount < 0
        ELSE true END),
    CONSTRAINT settled_settlement_has_a_proof CHECK (state <> 'settled' OR proof IS NOT NULL),
    CONSTRAINT cheque_has_number_and_date CHECK (
        (method = 'manual_check') = (cheque_number IS NOT NULL) AND (cheque_number IS NULL) = (paid_on IS NULL)),
    CONSTRAINT costly_settlement_says_who_decided CHECK (
        method NOT IN ('stripe_reversal', 'manual_check', 'forgiven', 'written_off') OR decided_by IS NOT NULL)
);
CREATE INDEX settlement_open ON settlement (method, wallet) WHERE state IN ('waiting', 'asked');
CREATE INDEX settlement_of_a_wallet ON settlement (wallet) WHERE state IN ('waiting', 'asked');

CREATE TABLE settlement_history (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    settlement_id uuid NOT NULL REFERENCES settlement,
    at            timestamptz NOT NULL,
    from_state    text,
    to_state      text NOT NULL,
    who           text NOT NULL,
    why           text NOT NULL,
    CONSTRAINT settlement_step_says_by_whom CHECK (who <> ''),
    CONSTRAINT settlement_step_is_in_the_table CHECK (coalesce(from_state, 'new') || '>' || to_state IN (
        'new>waiting', 'new>asked', 'new>settled',
        'waiting>settled', 'waiting>replaced', 'asked>settled', 'asked>failed', 'settled>replaced'))
);
CREATE INDEX settlement_history_of_a_settlement ON settlement_history (settlement_id, id);

-- Which transfer carried an adjustment to a payee, or deducted it. It may be sent before we know of the posting.
CREATE TABLE carried_adjustment (
    source      text NOT NULL,
    wallet      text NOT NULL,
    transfer_id uuid NOT NULL,
    sent_at     timestamptz NOT NULL,
    PRIMARY KEY (source, wallet),
    CONSTRAINT carried_source_is_an_adjustments CHECK (source LIKE 'adjustment:%')
);

-- Transfers of which money can still be taken back; they go when their window is closed.
CREATE TABLE clawback_window (
    transfer_id    uuid PRIMARY KEY,
    wallet         text NOT NULL,
    currency       text NOT NULL,
    amount         bigint NOT NULL,
    sources        text[] NOT NULL,
    clawback_until timestamptz NOT NULL
);
CREATE INDEX clawback_window_of_a_wallet ON clawback_window (wallet, currency, clawback_until);
CREATE INDEX clawback_window_by_end ON clawback_window (clawback_until);

-- What finance was told of a settlement, once each.
CREATE TABLE settlement_told (
    settlement_id uuid NOT NULL REFERENCES settlement,
    what          text NOT NULL,
    at            timestamptz NOT NULL,
    PRIMARY KEY (settlement_id, what),
    CONSTRAINT told_is_overdue_or_closing CHECK (what IN ('overdue', 'window_closes', 'unanswered'))
);

-- Bodies are in functions/settlement_guards.sql.
CREATE OR REPLACE FUNCTION guard_settlement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_settlement_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_settlement_sums() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION guard_settled_adjustment() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;

CREATE TRIGGER settler_is_not_the_maker BEFORE INSERT ON settlement
    FOR EACH ROW WHEN (NEW.method IN ('stripe_reversal', 'forgiven', 'written_off'))
    EXECUTE FUNCTION guard_settlement();
CREATE TRIGGER settlement_changes_in_its_states_only BEFORE UPDATE ON settlement
    FOR EACH ROW EXECUTE FUNCTION guard_settlement_change();
CREATE TRIGGER begun_settlements_sum_to_the_difference AFTER INSERT ON settlement
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_settlement_sums();
CREATE TRIGGER changed_settlements_sum_to_the_difference AFTER UPDATE ON settlement
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_settlement_sums();
CREATE TRIGGER settled_adjustment_is_settled BEFORE UPDATE ON adjustment
    FOR EACH ROW WHEN (NEW.state IN ('settling', 'settled') AND OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION guard_settled_adjustment();
-- Also in a session that replicates or restores.
ALTER TABLE settlement ENABLE ALWAYS TRIGGER settler_is_not_the_maker;
ALTER TABLE settlement ENABLE ALWAYS TRIGGER settlement_changes_in_its_states_only;
ALTER TABLE settlement ENABLE ALWAYS TRIGGER begun_settlements_sum_to_the_difference;
ALTER TABLE settlement ENABLE ALWAYS TRIGGER changed_settlements_sum_to_the_difference;

GRANT SELECT, INSERT, UPDATE ON settlement TO hobbs_adjustments;
GRANT SELECT, INSERT ON settlement_history, settlement_told TO hobbs_adjustments;
GRANT SELECT, INSERT ON carried_adjustment TO hobbs_adjustments;
GRANT SELECT, INSERT, DELETE ON clawback_window TO hobbs_adjustments;

CREATE VIEW adjustments_public.settlements AS
SELECT s.id, s.adjustment_id, a.flight_id, a.revision, s.number, s.wallet, s.currency, s.amount, s.method, s.state,
       s.sentence, s.proof, s.instead_of, s.decided_by, s.cheque_number, s.paid_on, s.begun_at, s.changed_at
FROM adjustments.settlement AS s JOIN adjustments.adjustment AS a ON a.id = s.adjustment_id;
CREATE VIEW adjustments_public.settlement_history AS
SELECT id, settlement_id, at, from_state, to_state, who, why FROM adjustments.settlement_history;
CREATE VIEW adjustments_public.clawback_windows AS
SELECT transfer_id, wallet, currency, amount, sources, clawback_until FROM adjustments.clawback_window;
GRANT SELECT ON adjustments_public.settlements, adjustments_public.settlement_history,
    adjustments_public.clawback_windows TO hobbs_reader;
