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

-- Listing again from a date, as a person asked for it: what is of before the opening is noted as such, what is later and
-- unknown as any row is. One at a time.
CREATE TABLE movement_backfill (
    id         uuid PRIMARY KEY,
    since      timestamptz NOT NULL,
    asked_by   text NOT NULL,
    asked_at   timestamptz NOT NULL,
    page_after text,
    pages      integer NOT NULL DEFAULT 0,
    found      integer NOT NULL DEFAULT 0,
    ended_at   timestamptz
);
CREATE UNIQUE INDEX one_backfill_at_a_time ON movement_backfill ((true)) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON movement_backfill TO hobbs_payouts;
CREATE VIEW payouts_public.told_movements AS
SELECT transaction_id, published AS version, noted_at FROM payouts.movement WHERE published > 0;
CREATE VIEW payouts_public.movement_backfills AS
SELECT id, since, asked_by, asked_at, pages, found, ended_at FROM payouts.movement_backfill;
GRANT SELECT ON payouts_public.told_movements, payouts_public.movement_backfills TO hobbs_reader;
