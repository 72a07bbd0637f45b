-- How payees' accounts are made at Stripe, and which exist already (decisions 0190, 0191).

-- agreement: as Stripe shows it, or as the payee's country has it while there is no account. conflict: what the
-- school's book asks for and the agreement does not allow, as a sentence.
ALTER TABLE payee
    ADD COLUMN agreement text NOT NULL DEFAULT 'full',
    ADD COLUMN conflict  text,
    ADD CONSTRAINT agreement_is_known CHECK (agreement IN ('full', 'recipient'));

-- Accounts at Stripe that a person said belong to a payee. Each is read from Stripe before it is taken.
CREATE TABLE account_adoption (
    id             uuid PRIMARY KEY,
    wallet         text NOT NULL REFERENCES payee,
    stripe_account text NOT NULL,
    who            text NOT NULL,
    why            text NOT NULL,
    requested_at   timestamptz NOT NULL,
    answered_at    timestamptz,
    problem        text,
    CONSTRAINT refused_adoption_is_answered CHECK (problem IS NULL OR answered_at IS NOT NULL)
);
CREATE INDEX account_adoption_open ON account_adoption (requested_at) WHERE answered_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON account_adoption TO hobbs_payouts;

CREATE VIEW payouts_public.account_adoptions AS
SELECT id, wallet, stripe_account, who, why, requested_at, answered_at, problem FROM account_adoption;
GRANT SELECT ON payouts_public.account_adoptions TO hobbs_reader;

-- state and sentence: of the last request to Stripe for the payee's account; api: the one that was asked.
CREATE VIEW payouts_public.payee_accounts AS
SELECT payee.wallet, payee.country, payee.stripe_account, payee.agreement, payee.conflict, payee.removed_at,
       last.state, last.reason, last.sentence, last.api
FROM payee LEFT JOIN LATERAL (
    SELECT operation.state, operation.reason, operation.sentence, coalesce(params ->> 'api', 'v1') AS api
    FROM operation WHERE operation.wallet = payee.wallet AND operation.kind = 'account'
    ORDER BY sequence DESC LIMIT 1) AS last ON true;
GRANT SELECT ON payouts_public.payee_accounts TO hobbs_reader;
