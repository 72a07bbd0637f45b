-- Decisions by which a payee's money finds its account (desk/by_two.py), where a second person has to agree.
-- id: the decision that asked. about: the account, or the kind of link.
CREATE TABLE account_word (
    id        uuid PRIMARY KEY,
    act       text NOT NULL CONSTRAINT account_act_is_known CHECK (act IN ('adopt', 'link')),
    wallet    text NOT NULL,
    about     text NOT NULL,
    asked_by  text NOT NULL,
    asked_at  timestamptz NOT NULL,
    why       text NOT NULL,
    agreed_by text,
    agreed_at timestamptz,
    CONSTRAINT agreed_says_when CHECK ((agreed_by IS NULL) = (agreed_at IS NULL)),
    CONSTRAINT a_second_person_agrees CHECK (
        agreed_by IS NULL OR lower(normalize(trim(agreed_by), NFKC)) <> lower(normalize(trim(asked_by), NFKC)))
);
CREATE INDEX account_word_of_a_payee ON account_word (wallet, asked_at);
GRANT SELECT, INSERT, UPDATE (agreed_by, agreed_at) ON account_word TO hobbs_payouts;

CREATE VIEW payouts_public.account_words AS
SELECT id, act, wallet, about, asked_by, asked_at, why, agreed_by, agreed_at FROM account_word;
GRANT SELECT ON payouts_public.account_words TO hobbs_reader;
