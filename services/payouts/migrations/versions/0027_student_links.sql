-- Students' customers at Stripe, and the pages that were made for them. A page's address is a secret for a day.
CREATE TABLE student_customer (
    wallet   text PRIMARY KEY CONSTRAINT customer_is_a_student CHECK (wallet LIKE 'student:%'),
    customer text NOT NULL,
    made_at  timestamptz NOT NULL
);

CREATE TABLE student_link (
    id           uuid PRIMARY KEY,
    wallet       text NOT NULL CONSTRAINT link_is_for_a_student CHECK (wallet LIKE 'student:%'),
    currency     text NOT NULL,
    amount       bigint,
    requested_at timestamptz NOT NULL,
    answered_at  timestamptz,
    url          text,
    expires_at   timestamptz,
    problem      text,
    CONSTRAINT amount_to_pay_is_positive CHECK (amount > 0),
    CONSTRAINT answered_student_link_has_url_or_problem
        CHECK ((answered_at IS NULL) = (url IS NULL AND problem IS NULL))
);
CREATE INDEX student_link_open ON student_link (requested_at) WHERE answered_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON student_customer, student_link TO hobbs_payouts;

-- As payouts_public.links: only who may read it finds the address, and only while it is good.
CREATE VIEW payouts_public.student_links AS
SELECT id, wallet, currency, amount, requested_at, answered_at,
       CASE WHEN expires_at > now() THEN url END AS url, expires_at, problem
FROM payouts.student_link;
GRANT SELECT ON payouts_public.student_links TO hobbs_operator;
