-- What bench/shadow.py compares: 100000 flights, billed alike. The number is replaced.
SET session_replication_role = replica;

INSERT INTO billing.school_version (version, base_version, who, why, at, event_key, applied_at)
SELECT 1, 0, 'bench', 'to measure', now() - interval '2 years', uuidv7(), now() - interval '2 years';

INSERT INTO billing.card_version (kind, key, effective_from, version, new)
SELECT 'school', 'school', date '1900-01-01', 1,
       jsonb_build_object('name', 'Bench Flight School', 'time_zone', 'America/New_York', 'currency', 'USD');

INSERT INTO billing.bill (id, flight_id, revision, fingerprint, student, instructor, aircraft, billed_on,
                          occurred_at, currency, charge, legs_total, margin, hours_from, billed_tenths,
                          hobbs_out, hobbs_in, facts, rates, lines, legs, flags, school_version, billed_at)
SELECT CAST(lpad(to_hex(n), 12, '0') || '70008000000000000001' AS uuid), 'past-' || n, 1, md5(n::text),
       'past-' || n % 20000, 'past-' || n % 1000, 'N' || 100 + n % 40, (at AT TIME ZONE 'America/New_York')::date,
       at, 'USD', 30000, 20000, 10000, 'hobbs', 13, n % 700000 * 13, n % 700000 * 13 + 13,
       jsonb_build_object('flight_id', 'past-' || n, 'revision', 1, 'student', 'past-' || n % 20000,
                          'instructor', 'past-' || n % 1000, 'aircraft', 'N' || 100 + n % 40, 'dual', 13,
                          'ground', 5, 'flown_on', at, 'hobbs_out', n % 700000 * 13, 'hobbs_in', n % 700000 * 13 + 13,
                          'fees', '[]'::jsonb),
       '[{"id": "N100", "card": "aircraft", "version": 1, "effective_from": "1900-01-01"}]',
       jsonb_build_array(
           jsonb_build_object('kind', 'rental', 'description', 'N100 1.3 h', 'amount', 20800, 'tenths', 13, 'rate', 16000),
           jsonb_build_object('kind', 'instruction', 'description', 'Flight instruction 1.3 h', 'amount', 6500,
                              'tenths', 13, 'rate', 5000),
           jsonb_build_object('kind', 'ground', 'description', 'Ground instruction 0.5 h', 'amount', 2700,
                              'tenths', 5, 'rate', 5400)),
       jsonb_build_array(
           jsonb_build_object('wallet', 'instructor:past-' || n % 1000, 'kind', 'instruction', 'amount', 6000),
           jsonb_build_object('wallet', 'instructor:past-' || n % 1000, 'kind', 'ground', 'amount', 2000),
           jsonb_build_object('wallet', 'aircraft_owner:past-' || n % 40, 'kind', 'owner', 'amount', 12000)),
       '[]', 1, at
FROM (SELECT n, now() - interval '2 years' + n * (interval '2 years' / 100000) AS at
      FROM generate_series(1, 100000) AS n) AS flown;

SET session_replication_role = origin;
