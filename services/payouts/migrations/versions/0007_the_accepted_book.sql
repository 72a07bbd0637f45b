-- A withdrawn card keeps its row and version: an older version that is read later does not bring it back.
ALTER TABLE payee_card ADD COLUMN withdrawn boolean NOT NULL DEFAULT false;
-- `version` becomes `read_version`: a process of the last release, which follows what billing may refuse,
-- cannot write any more.
ALTER TABLE school RENAME COLUMN version TO read_version;
ALTER TABLE school ADD COLUMN time_zone_version integer NOT NULL DEFAULT 0;
UPDATE school SET read_version = 0;
DELETE FROM payee_card;

-- What payouts follows, to be compared with what billing published.
CREATE VIEW payouts_public.payee_cards AS
SELECT wallet, effective_from, version, email, country, schedule, minimum_amount, hold_hours, instant, withdrawn
FROM payouts.payee_card;
CREATE VIEW payouts_public.school AS
SELECT time_zone, time_zone_version, read_version FROM payouts.school;
GRANT SELECT ON payouts_public.payee_cards, payouts_public.school TO hobbs_reader;

-- Change sets that could not be read here are nobody's any more: billing keeps its own letters of them.
UPDATE dead_letter SET state = 'discarded', last_seen_at = now(),
    history = history || jsonb_build_array(jsonb_build_object(
        'at', now(), 'what', 'discarded', 'who', 'hobbs migrate',
        'why', 'payouts reads school.accepted instead of school.configured'))
WHERE topic = 'school.configured' AND state = 'open';
