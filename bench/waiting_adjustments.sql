-- 100,000 corrections that wait, by 100 makers; each takes from an instructor what was sent within 60 hours.
SET search_path TO adjustments, public;
CREATE TEMPORARY TABLE one ON COMMIT PRESERVE ROWS AS
SELECT n, 'q-' || n AS flight, 'flight:q-' || n || ':1' AS source, 'maker-' || n % 100 AS maker,
       'instructor:i-' || n % 400 AS payee, gen_random_uuid() AS transfer,
       now() - n % 3600 * interval '1 minute' AS sent_at
FROM generate_series(1, 100000) AS n;
INSERT INTO flight SELECT flight, 'USD', source, jsonb_build_object(payee, 20000, 'platform:school', -20000)
FROM one;
INSERT INTO adjustment (id, flight_id, revision, kind, bill_id, currency, entries, differences, largest,
    paid_by, student_before, student, flown_on, occurred_at, priced_by, reason, made_by, makers, state,
    sentence, needs, approvals_needed, approve_above, second_approver_above, proposed_at, expires_at,
    changed_at, trace)
SELECT gen_random_uuid(), flight, 2, 'corrected', gen_random_uuid(), 'USD',
    jsonb_build_object(payee, 12000, 'platform:school', -12000),
    jsonb_build_object(payee, -8000, 'platform:school', 8000), 0, ARRAY[source], 's-1', 's-1', now(), now(),
    'bill', 'the meter was read again', maker, ARRAY[maker], 'waiting', 'waits', '{amount}', 1, 5000, 50000,
    sent_at + interval '1 minute', now() + interval '14 days', now(), '{}'
FROM one;
INSERT INTO moved_by_maker
SELECT 'maker-' || maker, 'instructor:i-' || payee, 'USD', current_date - day, 5000, 2
FROM generate_series(0, 99) AS maker, generate_series(0, 399) AS payee,
     generate_series(0, 29, 7) AS day;
INSERT INTO payouts.payee (wallet, kind, key)
SELECT DISTINCT payee, 'instructor', substring(payee FROM 12) FROM one ON CONFLICT DO NOTHING;
INSERT INTO payouts.transfer (id, wallet, currency, amount, cause, state, trace, stripe_transfer_id,
    stripe_account, sent_at, clawback_until, created_at, changed_at)
SELECT transfer, payee, 'USD', 20000, source, 'sent', '{}', 'tr_' || n, 'acct_1', sent_at,
    sent_at + interval '72 hours', sent_at, sent_at
FROM one;
INSERT INTO payouts.payable (journal_id, wallet, currency, amount, source, event_type, occurred_at, accrued_at,
    transfer_id, trace)
SELECT gen_random_uuid(), payee, 'USD', 20000, source, 'flight', sent_at, sent_at, transfer, '{}' FROM one
