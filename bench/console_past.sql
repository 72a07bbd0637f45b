-- 100,000 flights billed, paid out and paid for by 20,000 students, 1,000 instructors: what bench/console.py reads.
-- Written with the triggers off, as the workers would have written it; the ledger's entries are bench/growth.py's.
SET session_replication_role = replica;

INSERT INTO billing.school_version (version, base_version, who, why, at, event_key, applied_at)
SELECT 1, 0, 'bench', 'to measure', now() - interval '2 years', uuidv7(), now() - interval '2 years'
ON CONFLICT DO NOTHING;

INSERT INTO billing.card_version (kind, key, effective_from, version, new)
SELECT 'school', 'school', date '1900-01-01', 1,
       jsonb_build_object('name', 'Bench Flight School', 'time_zone', 'America/New_York', 'currency', 'USD')
UNION ALL
SELECT 'instructor', 'past-' || n, date '1900-01-01', 1,
       jsonb_build_object('flight_per_hour', 4000, 'ground_per_hour', 3500)
FROM generate_series(0, 999) AS n
UNION ALL
SELECT 'student', 'past-' || n, date '1900-01-01', 1, '{}'::jsonb
FROM generate_series(0, 19999) AS n
ON CONFLICT DO NOTHING;

INSERT INTO billing.bill (id, flight_id, revision, fingerprint, student, instructor, aircraft, billed_on,
                          occurred_at, currency, charge, legs_total, margin, hours_from, billed_tenths,
                          hobbs_out, hobbs_in, facts, rates, lines, legs, flags, school_version, billed_at)
SELECT CAST(lpad(to_hex(n), 12, '0') || '70008000000000000001' AS uuid), 'past-' || n, 1, md5(n::text),
       'past-' || n % 20000, 'past-' || n % 1000, 'N' || 100 + n % 40, (at AT TIME ZONE 'America/New_York')::date,
       at, 'USD', 30000, 20000, 10000, 'hobbs', 13, n * 13, n * 13 + 13,
       jsonb_build_object('flight_id', 'past-' || n, 'revision', 1, 'student', 'past-' || n % 20000,
                          'instructor', 'past-' || n % 1000, 'aircraft', 'N' || 100 + n % 40), '[]',
       '[{"kind": "rental", "description": "1.3 h", "amount": 30000, "tenths": 13, "rate": 23077}]',
       jsonb_build_array(jsonb_build_object('wallet', 'instructor:past-' || n % 1000, 'kind', 'instruction',
                                            'amount', 20000)),
       '[]', 1, at
FROM (SELECT n, now() - interval '2 years' + n * (interval '2 years' / 100000) AS at
      FROM generate_series(1, 100000) AS n) AS flown;

-- Everybody has a name, which every list shows above the wallet.
INSERT INTO payouts.contact (wallet, full_name, stated_at)
SELECT 'instructor:past-' || n, 'Instructor Number ' || n, now() FROM generate_series(0, 999) AS n
UNION ALL
SELECT 'student:past-' || n, 'Student Number ' || n, now() FROM generate_series(0, 19999) AS n;

INSERT INTO payouts.payee (wallet, kind, key, stripe_account, ready, details_submitted, charges_enabled,
                           payouts_enabled, configured_at)
SELECT 'instructor:past-' || n, 'instructor', 'past-' || n, 'acct_' || n, true, true, true, true, now()
FROM generate_series(0, 999) AS n;

INSERT INTO payouts.transfer (id, wallet, currency, amount, cause, state, reason, sentence, stripe_transfer_id,
                              stripe_account, sent_at, clawback_until, in_bank_at, trace, created_at, changed_at)
SELECT CAST(lpad(to_hex(n), 12, '0') || '70008000000000000002' AS uuid), 'instructor:past-' || n % 1000, 'USD',
       20000, 'flight:past-' || n || ':1', CASE WHEN held THEN 'held' ELSE 'in_bank' END,
       CASE WHEN held THEN 'balance_insufficient' END, CASE WHEN held THEN 'the balance does not cover it' END,
       CASE WHEN NOT held THEN 'tr_' || n END, CASE WHEN NOT held THEN 'acct_' || n % 1000 END,
       CASE WHEN NOT held THEN at END, CASE WHEN NOT held THEN at + interval '72 hours' END,
       CASE WHEN NOT held THEN at + interval '1 day' END, '{}', at, at
FROM (SELECT n, n > 99800 AS held, now() - interval '2 years' + n * (interval '2 years' / 100000) AS at
      FROM generate_series(1, 100000) AS n) AS made;

INSERT INTO payouts.payable (journal_id, wallet, currency, amount, source, event_type, occurred_at, accrued_at,
                             transfer_id, trace)
SELECT CAST(lpad(to_hex(n), 12, '0') || '70008000000000000000' AS uuid), 'instructor:past-' || n % 1000, 'USD',
       20000, 'flight:past-' || n || ':1', 'flight', at, at,
       CAST(lpad(to_hex(n), 12, '0') || '70008000000000000002' AS uuid), '{}'
FROM (SELECT n, now() - interval '2 years' + n * (interval '2 years' / 100000) AS at
      FROM generate_series(1, 100000) AS n) AS made;

INSERT INTO receivables.charge (charge_id, payment_intent_id, student, amount, currency, received_at, fee,
                                fee_transaction_id, fee_currency, settled_gross, settled_at, first_seen_at)
SELECT 'ch_' || n, 'pi_' || n, 'past-' || n % 20000, 60000, 'USD', at, 1770, 'txn_' || n, 'USD', 60000, at, at
FROM (SELECT n, now() - interval '2 years' + n * (interval '2 years' / 50000) AS at
      FROM generate_series(1, 50000) AS n) AS paid;

-- Every student owes a bill; 5,000 of them are asked for it, 10,000 saved a card, a quarter crossed a limit.
UPDATE receivables.school SET time_zone = 'America/New_York', currency = 'USD';
INSERT INTO receivables.credit_policy (effective_from, version, policy)
SELECT date '2020-01-01', 1,
       '{"limit": 100000, "dunning_steps": [{"name": "first", "days_overdue": 3, "action": "remind"},
                                            {"name": "call", "days_overdue": 30, "action": "call"}]}';
INSERT INTO receivables.account (student, currency, balance)
SELECT 'past-' || n, 'USD', -30000 FROM generate_series(0, 19999) AS n;
INSERT INTO receivables.item (student, currency, document, amount, open, booked_on, due_on)
SELECT 'past-' || n, 'USD', 'flight:past-' || n + 1, -30000, -30000, current_date - n % 120, current_date - n % 120
FROM generate_series(0, 19999) AS n;
INSERT INTO receivables.dunning_case (student, run, overdue_since, hold)
SELECT 'past-' || n, 1, current_date - 60, CASE WHEN n % 10 = 0 THEN 'paused' END FROM generate_series(0, 4999) AS n;
INSERT INTO receivables.dunning_history (student, run, what, step, action, currency, total, oldest_due, policy_from,
                                         policy_version, from_hour, until_hour, sentence, local_at, at)
SELECT 'past-' || n, 1, 'step', 'first', 'remind', 'USD', 30000, current_date - 60, date '2020-01-01', 1, 0, 24,
       '300.00 USD of 1 bill are overdue, the oldest since 60 days: please pay it', current_date - 40 + time '10:00',
       now() - interval '40 days'
FROM generate_series(0, 4999) AS n;
INSERT INTO receivables.saved_method (payment_method, customer, student, method_type, expires_on, seen_at, set_up_at)
SELECT 'pm_' || n, 'cus_' || n, 'past-' || n, 'card', current_date + 300, now(), now()
FROM generate_series(0, 9999) AS n;
INSERT INTO receivables.auto_charge (request_id, student, cause, attempt, currency, amount, payment_method, state,
                                     decided_at, answered_at, payment_intent)
SELECT CAST(lpad(to_hex(n), 12, '0') || '70008000000000000003' AS uuid), 'past-' || n % 10000, 'flight:past-' || n, 1,
       'USD', 30000, 'pm_' || n % 10000, 'succeeded', now() - n * interval '1 minute', now(), 'pi_' || n
FROM generate_series(0, 29999) AS n;
INSERT INTO receivables.credit_level_change (student, number, from_level, to_level, currency, posted, pending, disputed,
                                             credit_limit, sentence, changed_at)
SELECT 'past-' || n, 1, 'ok', 'near', 'USD', -80000, 0, 0, 100000, '80 % of the limit', now() - n * interval '1 minute'
FROM generate_series(0, 4999) AS n;

SET session_replication_role = origin;
