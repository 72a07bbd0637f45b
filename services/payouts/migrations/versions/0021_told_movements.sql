-- Rows of the platform's Stripe balance are told to other services as `stripe.transaction`: decision 0250.

-- content: what of the row can change, as it was last shown. version: how often it was shown with other content.
-- shown: the newest of those; null while the row is as it was first noted. published: the version that was told.
ALTER TABLE movement
    ADD COLUMN available_at timestamptz,
    ADD COLUMN content      text,
    ADD COLUMN version      integer NOT NULL DEFAULT 1,
    ADD COLUMN shown        jsonb,
    ADD COLUMN published    integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT told_version_was_shown CHECK (published BETWEEN 0 AND version),
    ADD CONSTRAINT later_version_says_what_is_shown CHECK ((version > 1) = (shown IS NOT NULL));
CREATE INDEX movement_untold ON movement (transaction_id) WHERE published < version;

-- unlisted: the opening less the rows of before that are listed by now; since: the oldest of those.
ALTER TABLE movement_opening
    ADD COLUMN unlisted bigint,
    ADD COLUMN since    timestamptz,
    ADD COLUMN version  integer NOT NULL DEFAULT 0,
    ADD COLUMN told     bigint;
UPDATE movement_opening AS opening SET unlisted = amount - coalesce((
        SELECT sum(net) FROM movement
        WHERE standing = 'before' AND balance_type = 'payments' AND movement.currency = opening.currency), 0),
    since = coalesce((SELECT min(made_at) FROM movement
                      WHERE standing = 'before' AND movement.currency = opening.currency),
                     (SELECT opened_after FROM movement_listing));
ALTER TABLE movement_opening ALTER COLUMN unlisted SET NOT NULL, ALTER COLUMN since SET NOT NULL;
GRANT UPDATE ON movement_opening TO hobbs_payouts;
