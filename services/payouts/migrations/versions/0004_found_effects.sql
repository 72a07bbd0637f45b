-- What Stripe made for us and this database does not know, because it was restored from a backup (decision
-- 0150). Until it is adopted, nothing that it paid is paid again.
CREATE TABLE found_effect (
    stripe_id    text        PRIMARY KEY,
    kind         text        NOT NULL,
    operation_id uuid        NOT NULL,
    wallet       text        NOT NULL,
    transfer_id  uuid,
    cause        text        NOT NULL,
    sources      text[],
    amount       bigint,
    currency     text,
    object       jsonb       NOT NULL,
    made_at      timestamptz NOT NULL,
    found_at     timestamptz NOT NULL,
    standing     text        NOT NULL DEFAULT 'waiting',
    sentence     text        NOT NULL DEFAULT 'found at Stripe',
    adopted_at   timestamptz,
    CONSTRAINT found_effect_standing_is_known CHECK (standing IN ('waiting', 'doubtful', 'adopted')),
    CONSTRAINT adopted_effect_has_a_time CHECK ((standing = 'adopted') = (adopted_at IS NOT NULL)),
    CONSTRAINT found_effect_kind_is_known CHECK (kind IN ('transfer', 'account')),
    CONSTRAINT found_transfer_has_money CHECK ((kind = 'transfer') = (amount IS NOT NULL AND currency IS NOT NULL))
);
CREATE INDEX found_effect_not_adopted ON found_effect (wallet) WHERE adopted_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON found_effect TO hobbs_payouts;

CREATE VIEW payouts_public.found_effects AS
SELECT stripe_id, kind, operation_id, wallet, transfer_id, cause, sources, amount, currency, made_at, found_at,
       adopted_at, standing, sentence
FROM found_effect;
GRANT SELECT ON payouts_public.found_effects TO hobbs_reader;
