-- Acts by which money is sent on a person's word (desk/forced.py), kept while one person alone may do some of it.
-- id: the decision that asked. subject: a transfer, or an operation that has none.
CREATE TABLE forced_act (
    id           uuid PRIMARY KEY,
    act          text NOT NULL CONSTRAINT forced_act_is_known CHECK (act IN ('release', 'vouch')),
    subject      uuid NOT NULL,
    wallet       text NOT NULL,
    currency     text NOT NULL,
    amount       bigint NOT NULL CONSTRAINT forced_amount_is_positive CHECK (amount > 0),
    needs_second boolean NOT NULL,
    asked_by     text NOT NULL,
    asked_at     timestamptz NOT NULL,
    why          text NOT NULL,
    approved_by  text,
    approved_at  timestamptz,
    CONSTRAINT agreed_says_when CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT a_second_person_agrees CHECK (
        approved_by IS NULL
        OR needs_second AND lower(normalize(trim(approved_by), NFKC)) <> lower(normalize(trim(asked_by), NFKC)))
);
CREATE INDEX forced_act_of_a_subject ON forced_act (subject, asked_at);
CREATE INDEX forced_act_of_a_payee ON forced_act (wallet, asked_at);
GRANT SELECT, INSERT, UPDATE ON forced_act TO hobbs_payouts;

CREATE VIEW payouts_public.forced_acts AS
SELECT id, act, subject, wallet, currency, amount, needs_second, asked_by, asked_at, why, approved_by,
       approved_at
FROM forced_act;
GRANT SELECT ON payouts_public.forced_acts TO hobbs_reader;
