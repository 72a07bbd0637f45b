-- The accepted book as billing has it now, once; from here on payouts follows `school.accepted`.
CREATE TEMPORARY TABLE accepted ON COMMIT DROP AS
SELECT DISTINCT ON (kind, key, effective_from)
       CASE kind WHEN 'owner' THEN 'aircraft_owner' ELSE kind END AS wallet_kind, kind, key, effective_from,
       version, new
FROM billing_public.card_history
WHERE kind IN ('instructor', 'owner', 'school')
ORDER BY kind, key, effective_from, version DESC;

INSERT INTO payee (wallet, kind, key)
SELECT DISTINCT wallet_kind || ':' || key, wallet_kind, key FROM accepted WHERE kind <> 'school'
ON CONFLICT (wallet) DO NOTHING;

INSERT INTO payee_card (wallet, effective_from, version, email, country, schedule, minimum_amount, hold_hours,
                        instant, withdrawn)
SELECT wallet_kind || ':' || key, effective_from, version, nullif(new ->> 'email', ''),
       coalesce(new ->> 'country', 'US'), coalesce(new ->> 'payout_schedule', 'per_flight'),
       coalesce((new ->> 'payout_minimum')::bigint, 0), coalesce((new ->> 'payout_hold_hours')::integer, 0),
       coalesce((new ->> 'instant_payout')::boolean, false), new IS NULL
FROM accepted WHERE kind <> 'school';

UPDATE school SET time_zone = accepted.new ->> 'time_zone', time_zone_version = accepted.version,
                  read_version = (SELECT max(version) FROM billing_public.school_versions)
FROM accepted WHERE kind = 'school' AND new IS NOT NULL;
