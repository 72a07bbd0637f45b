-- Cash and cheques that were brought to the bank together.
CREATE TABLE deposit (
    id           uuid PRIMARY KEY,
    number       text NOT NULL,
    deposited_on date NOT NULL,
    currency     text NOT NULL,
    total        bigint NOT NULL CONSTRAINT deposit_is_positive CHECK (total > 0),
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL,
    reverted_by  text,
    reverted_at  timestamptz,
    CONSTRAINT reverted_deposit_says_when CHECK ((reverted_by IS NULL) = (reverted_at IS NULL))
);
CREATE UNIQUE INDEX deposit_is_recorded_once ON deposit (number) WHERE reverted_at IS NULL;

-- A payment that a person says came. when_cleared: it is a student's only once the bank says so. deposit_id: the one
-- that holds it now.
CREATE TABLE recorded_payment (
    id           uuid PRIMARY KEY,
    student      text NOT NULL,
    method       text NOT NULL CONSTRAINT method_is_known CHECK (method IN ('cash', 'cheque', 'bank_transfer')),
    number       text NOT NULL CONSTRAINT recorded_payment_has_a_number CHECK (trim(number) <> ''),
    paid_on      date NOT NULL,
    amount       bigint NOT NULL CONSTRAINT recorded_payment_is_positive CHECK (amount > 0),
    currency     text NOT NULL,
    when_cleared boolean NOT NULL,
    needs_second boolean NOT NULL,
    state        text NOT NULL
        CONSTRAINT recorded_state_is_known CHECK (state IN ('waits', 'held', 'received', 'bounced', 'reverted')),
    recorded_by  text NOT NULL,
    recorded_at  timestamptz NOT NULL,
    approved_by  text,
    cleared      boolean NOT NULL DEFAULT false,
    deposit_id   uuid REFERENCES deposit,
    CONSTRAINT only_cheques_are_cleared CHECK (method = 'cheque' OR NOT when_cleared AND NOT cleared),
    CONSTRAINT only_cheques_are_held CHECK (state <> 'held' OR when_cleared AND NOT cleared),
    CONSTRAINT only_cheques_bounce CHECK (state <> 'bounced' OR method = 'cheque' AND deposit_id IS NOT NULL),
    CONSTRAINT a_cheque_counts_once_cleared CHECK (state <> 'received' OR when_cleared = cleared),
    CONSTRAINT transfers_are_not_deposited CHECK (method <> 'bank_transfer' OR deposit_id IS NULL),
    CONSTRAINT only_what_is_recorded_is_deposited CHECK (deposit_id IS NULL OR state IN ('held', 'received', 'bounced')),
    CONSTRAINT a_second_person_agrees CHECK (
        approved_by IS NULL
        OR needs_second AND lower(normalize(trim(approved_by), NFKC)) <> lower(normalize(trim(recorded_by), NFKC))),
    CONSTRAINT nothing_counts_before_the_second_agrees
        CHECK (NOT needs_second OR approved_by IS NOT NULL OR state IN ('waits', 'reverted'))
);
CREATE UNIQUE INDEX payment_is_recorded_once ON recorded_payment (student, method, number) WHERE state <> 'reverted';
CREATE INDEX recorded_payment_of_day ON recorded_payment (recorded_at);
CREATE INDEX recorded_payment_of_deposit ON recorded_payment (deposit_id) WHERE deposit_id IS NOT NULL;
CREATE INDEX recorded_payment_kept ON recorded_payment (recorded_at)
    WHERE deposit_id IS NULL AND method <> 'bank_transfer' AND state IN ('held', 'received');

-- What a deposit held when it was made: one slip of the bank.
CREATE TABLE deposited_payment (
    deposit_id uuid NOT NULL REFERENCES deposit,
    payment_id uuid NOT NULL REFERENCES recorded_payment,
    amount     bigint NOT NULL CONSTRAINT deposited_amount_is_positive CHECK (amount > 0),
    CONSTRAINT payment_is_deposited_once PRIMARY KEY (deposit_id, payment_id)
);

-- What people said of payments, in order; only added to.
CREATE TABLE recorded_change (
    place      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES recorded_payment,
    what       text NOT NULL CONSTRAINT change_is_known CHECK (what IN (
        'recorded', 'approved', 'deposited', 'taken_out', 'cleared', 'bounced', 'reverted')),
    state      text NOT NULL,
    deposit_id uuid REFERENCES deposit,
    who        text NOT NULL,
    why        text NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX recorded_change_of_payment ON recorded_change (payment_id, place);

ALTER TABLE posting ALTER COLUMN charge_id DROP NOT NULL;
ALTER TABLE posting ADD COLUMN payment_id uuid REFERENCES recorded_payment, ADD COLUMN deposit_id uuid REFERENCES deposit;
ALTER TABLE posting ADD CONSTRAINT posting_is_of_one_thing CHECK (num_nonnulls(charge_id, payment_id, deposit_id) = 1);
CREATE INDEX posting_of_payment ON posting (payment_id) WHERE payment_id IS NOT NULL;

-- Their bodies are in functions/recorded.sql.
CREATE FUNCTION guard_recorded_payment() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER recorded_payment_moves_as_it_may BEFORE UPDATE ON recorded_payment
    FOR EACH ROW EXECUTE FUNCTION guard_recorded_payment();
ALTER TABLE recorded_payment ENABLE ALWAYS TRIGGER recorded_payment_moves_as_it_may;

GRANT SELECT, INSERT, UPDATE (state, approved_by, cleared, deposit_id) ON recorded_payment TO hobbs_receivables;
GRANT SELECT, INSERT, UPDATE (reverted_by, reverted_at) ON deposit TO hobbs_receivables;
GRANT SELECT, INSERT ON deposited_payment, recorded_change TO hobbs_receivables;

CREATE VIEW receivables_public.recorded_payments AS
SELECT id, student, method, number, paid_on, amount, currency, when_cleared, needs_second, state, recorded_by, recorded_at,
       approved_by, cleared, deposit_id
FROM receivables.recorded_payment;
CREATE VIEW receivables_public.recorded_changes AS
SELECT place, payment_id, what, state, deposit_id, who, why, at FROM receivables.recorded_change;
CREATE VIEW receivables_public.deposits AS
SELECT id, number, deposited_on, currency, total, made_by, made_at, reverted_by, reverted_at,
       (SELECT count(*)::integer FROM receivables.deposited_payment WHERE deposit_id = deposit.id) AS payments
FROM receivables.deposit;
CREATE VIEW receivables_public.deposited_payments AS
SELECT deposit_id, payment_id, amount FROM receivables.deposited_payment;
GRANT SELECT ON receivables_public.recorded_payments, receivables_public.recorded_changes, receivables_public.deposits,
    receivables_public.deposited_payments TO hobbs_reader;
