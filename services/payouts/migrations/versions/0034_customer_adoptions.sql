-- Customers at Stripe that a person said are a student's (decision 0390). Each is read from Stripe before it is taken.
CREATE TABLE customer_adoption (
    id           uuid PRIMARY KEY,
    wallet       text NOT NULL CONSTRAINT adopted_customer_is_a_students CHECK (wallet LIKE 'student:%'),
    customer     text NOT NULL,
    who          text NOT NULL,
    why          text NOT NULL,
    requested_at timestamptz NOT NULL,
    answered_at  timestamptz,
    problem      text,
    CONSTRAINT refused_customer_is_answered CHECK (problem IS NULL OR answered_at IS NOT NULL)
);
CREATE INDEX customer_adoption_open ON customer_adoption (requested_at) WHERE answered_at IS NULL;
GRANT SELECT, INSERT, UPDATE (answered_at, problem) ON customer_adoption TO hobbs_payouts;

CREATE VIEW payouts_public.customer_adoptions AS
SELECT id, wallet, customer, who, why, requested_at, answered_at, problem FROM customer_adoption;
GRANT SELECT ON payouts_public.customer_adoptions TO hobbs_reader;
