-- One row of each thing that waits for a person, beside the school and flight of tests/integration/billing/given.py:
-- what a person comes to by links, and what pages look like with rows. Written with the triggers off.
SET session_replication_role = replica;

-- adjustments: a correction that waits, one that settles, one that the ledger refused
SET search_path TO adjustments, pg_temp;
INSERT INTO adjustments.posted_journal (source, journal_id, currency, entries, recorded_at)
VALUES ('adjustment:F123:3', '00000000-0000-7000-8000-0000000000a2', 'USD',
        '{"student:student-01": 2574, "instructor:instructor-01": -1750, "platform:school": -824}', now());
INSERT INTO adjustments.adjustment (id, flight_id, revision, kind, bill_id, currency, entries, differences, largest,
                                    paid_by, student_before, student, flown_on, occurred_at, priced_by, reason, made_by,
                                    makers, state, sentence, needs, approvals_needed, approve_above,
                                    second_approver_above, content_hash, proposed_at, expires_at, changed_at,
                                    journal_id, trace)
SELECT id, 'F123', revision, 'corrected', id, 'USD', '{}',
       '{"student:student-01": 2574, "instructor:instructor-01": -1750, "platform:school": -824}', 2574, '{}',
       'student-01', 'student-01', current_date - 9, now() - interval '9 days', 'bill', 'two digits swapped', 'paula',
       '{paula}', state, said, '{amount}', 1, 1000, 100000, sha256('x'), now() - interval '2 days',
       now() + interval '12 days', now() - interval '1 day',
       CASE state WHEN 'settling' THEN id END, '{}'
FROM (VALUES (CAST('00000000-0000-7000-8000-0000000000a1' AS uuid), 2, 'waiting', 'a person has to approve it'),
             (CAST('00000000-0000-7000-8000-0000000000a2' AS uuid), 3, 'settling', 'it is posted; money follows'),
             (CAST('00000000-0000-7000-8000-0000000000a3' AS uuid), 4, 'failed', 'the ledger refused it: a closed period')
     ) AS one (id, revision, state, said);
INSERT INTO adjustments.settlement (id, adjustment_id, number, wallet, currency, amount, method, state, sentence,
                                    begun_at, changed_at)
VALUES ('00000000-0000-7000-8000-0000000000b1', '00000000-0000-7000-8000-0000000000a2', 1,
        'instructor:instructor-01', 'USD', -1750, 'future_payout_offset', 'waiting',
        'it is kept back from the next payouts, 20 % of each', now() - interval '1 day', now());

-- payouts: a payee who is not ready and one who is, transfers in each state that a person ends, a row of the balance
SET search_path TO payouts, pg_temp;
INSERT INTO payouts.payee (wallet, kind, key, stripe_account, ready, details_submitted, charges_enabled,
                           payouts_enabled, configured_at)
VALUES ('instructor:instructor-01', 'instructor', 'instructor-01', 'acct_1', true, true, true, true, now()),
       ('aircraft_owner:owner-01', 'aircraft_owner', 'owner-01', 'acct_2', false, false, false, false, now())
ON CONFLICT (wallet) DO UPDATE
    SET stripe_account = excluded.stripe_account, ready = excluded.ready, details_submitted = excluded.ready,
        charges_enabled = excluded.ready, payouts_enabled = excluded.ready, configured_at = now();
INSERT INTO payouts.transfer (id, wallet, currency, amount, cause, state, reason, sentence, due_at, trace, created_at,
                              changed_at)
SELECT CAST('00000000-0000-7000-8000-0000000000c' || n AS uuid), 'instructor:instructor-01', 'USD', 1234500 + n,
       'flight:F123:' || n, state, reason, said, now() + interval '1 day', '{}', now() - n * interval '1 hour', now()
FROM (VALUES (1, 'held', 'hold_period', 'the school holds each transfer for a day'),
             (2, 'refused', 'invalid_request', 'Stripe refused it: no such destination'),
             (3, 'parked', 'unknown_outcome', 'Stripe did not answer, and a person has to look'),
             (4, 'pending', NULL, NULL)) AS one (n, state, reason, said);
INSERT INTO payouts.operation (id, kind, wallet, transfer_id, cause, params, amount, currency, state, reason, sentence,
                               trace, created_at, stopped_at, told, due_at)
SELECT id, 'transfer', 'instructor:instructor-01', '00000000-0000-7000-8000-0000000000c3', 'flight:F123:3',
       jsonb_build_object('amount', 1234503, 'metadata', jsonb_build_object('hobbs_operation_id', id)), 1234503, 'USD',
       'parked', 'unknown_outcome', 'Stripe did not answer, and a person has to look', '{}',
       now() - interval '5 hours', now() - interval '4 hours', 'unknown_outcome', now()
FROM (VALUES (CAST('00000000-0000-7000-8000-0000000000d1' AS uuid))) AS one (id);
INSERT INTO payouts.movement (transaction_id, type, balance_type, amount, fee, net, currency, source_id, description,
                              made_at, noted_at, expected, booked, standing, sentence)
VALUES ('txn_odd', 'contribution', 'payments', -4200, 0, -4200, 'USD', 'co_1', 'Climate contribution',
        now() - interval '3 days', now() - interval '2 days', '{}', false, 'unexplained',
        'no journal explains a row of the type contribution');

-- receivables: payments by card and by hand, what is given, limits, what is overdue
SET search_path TO receivables, pg_temp;
UPDATE receivables.school SET time_zone = 'America/New_York', currency = 'USD';
INSERT INTO receivables.credit_policy (effective_from, version, policy)
VALUES (date '2020-01-01', 1, '{"limit": 50000, "dunning_steps":
        [{"name": "first", "days_overdue": 3, "action": "remind"}, {"name": "call", "days_overdue": 30, "action": "call"}]}')
ON CONFLICT DO NOTHING;
INSERT INTO receivables.charge (charge_id, payment_intent_id, student, amount, currency, received_at, named)
VALUES ('ch_known', 'pi_1', 'student-01', 50000, 'USD', now() - interval '3 days', 'student-01'),
       ('ch_nobody', 'pi_2', NULL, 12050, 'USD', now() - interval '2 days', 'studnet-01');
INSERT INTO receivables.unallocated_payment (charge_id, queued_at, closest)
VALUES ('ch_nobody', now() - interval '2 days', 'student-01');
INSERT INTO receivables.dispute (dispute_id, charge_id, amount, currency, opened_at, withdrawn, fees)
VALUES ('dp_1', 'ch_known', 50000, 'USD', now() - interval '1 day', true, '{}');
INSERT INTO receivables.deposit (id, number, deposited_on, currency, total, made_by, made_at)
VALUES ('00000000-0000-7000-8000-0000000000e9', 'slip 17', current_date, 'USD', 30000, 'paula', now());
INSERT INTO receivables.recorded_payment (id, student, method, number, paid_on, amount, currency, when_cleared,
                                          needs_second, state, recorded_by, recorded_at, deposit_id)
VALUES ('00000000-0000-7000-8000-0000000000e1', 'student-01', 'cash', 'R-1', current_date, 900000, 'USD', false, true,
        'waits', 'paula', now(), NULL),
       ('00000000-0000-7000-8000-0000000000e2', 'student-01', 'cheque', '1047', current_date, 30000, 'USD', true, false,
        'held', 'paula', now(), '00000000-0000-7000-8000-0000000000e9'),
       ('00000000-0000-7000-8000-0000000000e3', 'student-01', 'bank_transfer', 'B-9', current_date, 7000, 'USD', false,
        false, 'received', 'paula', now(), NULL);
INSERT INTO receivables.account_note (id, kind, student, currency, amount, bill, way, number, paid_on, needs_second,
                                      state, asked_by, asked_at, why)
VALUES ('00000000-0000-7000-8000-0000000000f1', 'refund', 'student-01', 'USD', 250000, NULL, 'cheque', '88',
        current_date, true, 'waits', 'paula', now() - interval '4 hours', 'left the school'),
       ('00000000-0000-7000-8000-0000000000f2', 'credit_note', 'student-01', 'USD', 1500, 'flight:F123', NULL, NULL, NULL,
        false, 'posted', 'paula', now() - interval '5 days', 'the radio was out');
INSERT INTO receivables.limit_change (id, student, number, cause, currency, from_limit, to_limit, book_limit,
                                      policy_from, policy_version, evidence, sentence, state, needs_second, proposed_at)
VALUES ('00000000-0000-7000-8000-000000000101', 'student-01', 1, 'rise', 'USD', 50000, 70000, 50000, '2020-01-01', 1,
        '{"flights": 24, "months": 7}', '24 flights in 7 months, and nothing was late', 'proposed', false,
        now() - interval '6 hours');
INSERT INTO receivables.credit_allowance (id, flight_id, student, currency, amount, until, asked_by, asked_at, why,
                                          needs_second)
VALUES ('00000000-0000-7000-8000-000000000102', 'F200', 'student-01', 'USD', 60000, now() + interval '20 hours', 'paula',
        now() - interval '1 hour', 'the check ride', true);
INSERT INTO receivables.account (student, currency, balance) VALUES ('student-01', 'USD', -45000), ('student-02', 'USD', 100)
ON CONFLICT DO NOTHING;
INSERT INTO receivables.item (student, currency, document, amount, open, booked_on, due_on)
VALUES ('student-01', 'USD', 'flight:F100', -45000, -45000, current_date - 35, current_date - 35),
       ('student-02', 'USD', 'flight:F101', -9000, -9000, current_date - 20, current_date - 20);
INSERT INTO receivables.dunning_case (student, run, overdue_since, hold, stepped_on)
VALUES ('student-01', 1, current_date - 35, NULL, current_date - 3), ('student-02', 1, current_date - 20, 'paused', NULL);
INSERT INTO receivables.dunning_history (student, run, what, step, action, currency, total, oldest_due, policy_from,
                                         policy_version, from_hour, until_hour, sentence, local_at, at)
VALUES ('student-01', 1, 'step', 'call', 'call', 'USD', 45000, current_date - 35, '2020-01-01', 1, 0, 24,
        '450.00 USD of 1 bill are overdue, the oldest since 32 days: please call', current_date - 3 + time '10:00',
        now() - interval '3 days');
INSERT INTO receivables.saved_method (payment_method, customer, student, method_type, expires_on, seen_at, set_up_at)
VALUES ('pm_1', 'cus_1', 'student-01', 'card', current_date + 300, now(), now() - interval '9 days');
INSERT INTO receivables.auto_charge (request_id, student, cause, attempt, currency, amount, payment_method, state,
                                     decided_at, answered_at, kind, code, sentence, retry_at)
VALUES ('00000000-0000-7000-8000-000000000103', 'student-01', 'flight:F123:1', 1, 'USD', 45000, 'pm_1', 'declined',
        now() - interval '2 days', now() - interval '2 days', 'later', 'insufficient_funds',
        'the bank declined it: insufficient funds', now() + interval '1 day');
INSERT INTO receivables.credit_level_change (student, number, from_level, to_level, currency, posted, pending, disputed,
                                             credit_limit, sentence, changed_at)
VALUES ('student-01', 1, 'ok', 'near', 'USD', -45000, 0, 0, 50000, '90 % of the limit of 500.00 USD is used',
        now() - interval '8 days');

-- reserves: how the reserve stands, an alert, an opening, a day, a break, a flight that does not agree
SET search_path TO reserves, pg_temp;
INSERT INTO reserves.balance (currency, number, read_at, available, pending, connect_reserved, under_way,
                              allowed_until_now)
VALUES ('USD', 1, now(), 900000, 120000, 0, 0, 0);
INSERT INTO reserves.judgement (currency, number, balance_number, health, health_since, gate, gate_since,
                                blocks_transfers, ceiling, free, minimum, terms, sentence, published, judged_at,
                                valid_until)
VALUES ('USD', 1, 1, 'warning', now() - interval '5 hours', 'open', now() - interval '30 days', true, 400000, 400000,
        500000, '[{"name": "available", "amount": 900000, "counts": true},
                  {"name": "minimum", "amount": -500000, "counts": true}]',
        '4,000.00 USD are free above the minimum of 5,000.00 USD', '{}', now(), now() + interval '1 hour');
INSERT INTO reserves.alert (currency, kind, severity, sentence, raised_at)
VALUES ('USD', 'short', 'critical', 'less is free than Friday''s transfers need', now() - interval '3 hours');
INSERT INTO reserves.opening (id, currency, amount, until, why, asked_by, asked_at, needs_second)
VALUES ('00000000-0000-7000-8000-000000000104', 'USD', 50000, now() + interval '2 hours', 'payday', 'bea',
        now() - interval '1 hour', true);
INSERT INTO reserves.day (business_date, currency, run, stripe_opening, stripe_moved, stripe_closing, books_opening,
                          books_moved, books_closing, explained, breaks_open, movements, completed_at)
VALUES (current_date - 2, 'USD', 1, 10000, -250, 9750, 10000, 0, 10000, -250, 1,
        '[{"side": "stripe", "name": "stripe_fee", "number": 1, "amount": -250, "fee": 0, "net": -250}]', now());
INSERT INTO reserves.mismatch (subject, kind, flight_id, aircraft, wallet, day, tenths, amount, currency, sentence,
                               found_at)
VALUES ('gap:N364MA:F2', 'unbilled', 'F2', 'N364MA', NULL, current_date - 3, 3, 4950, 'USD',
        'N364MA begins at 10.3, the flight before ended at 10.0', now() - interval '1 day');
INSERT INTO reserves.break (subject, class, currency, amount, day, sentence, proposal, accepted_by_one_up_to,
                            content_hash, state, opened_at, classed_at)
VALUES ('line:txn_1', 'fee', 'USD', -250, current_date - 2, 'a fee of Stripe''s that the books lack',
        '{"kind": "journal", "source": "stripe:txn_1", "memo": "fee",
          "entries": [["platform:school", -250], ["external:stripe", 250]]}',
        10000, sha256('x'), 'open', now() - interval '2 days', now());

-- billing: a proposal of rates, and two records that were refused, one of them a flight
SET search_path TO billing, pg_temp;
INSERT INTO billing.rate_proposal (id, kind, key, effective_from, old, new, proposed_by, why, proposed_at)
SELECT '00000000-0000-7000-8000-000000000105', card.kind, card.key, current_date + 7, card.new,
       card.new || '{"rate_per_hour": 17500}', 'paula', 'fuel', now() - interval '1 hour'
FROM billing.card_version AS card WHERE card.kind = 'aircraft' AND card.key = 'N364MA' AND card.new IS NOT NULL LIMIT 1;
INSERT INTO billing.dead_letter (topic, partition, "offset", identity, subject, headers, payload_hash, correlation_id,
                                 reason, sentence, history, value)
VALUES ('flight.completed', 0, 1, 'billing1', 'flight:F124:1', '{}', sha256('x'), 'c', 'unknown_aircraft',
        'no card is in force for aircraft N365MA', '[]',
        '{"flight_id": "F124", "date": "2026-05-22", "aircraft": "N365MA", "student": "student-01", "flight_hours": "1.3"}'),
       ('school.configured', 0, 2, 'billing2', NULL, '{}', sha256('y'), 'c', 'invalid_event',
        'the record is no JSON', '[]', NULL);

-- console: a question of a holder
SET search_path TO console, pg_temp;
INSERT INTO console.question (id, person, wallet, about, words)
VALUES ('00000000-0000-7000-8000-000000000106', 'instructor-01', 'instructor:instructor-01', 'flight:F123:1',
        'Why 1.3 h and not 1.4?');
RESET search_path;
SET session_replication_role = origin;
