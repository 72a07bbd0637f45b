-- name: requested_journals_sum_to_zero
-- Every journal asked of the ledger sums to zero.
SELECT source, sum(entry.amount) AS sum
FROM posting, jsonb_to_recordset(entries) AS entry (wallet text, amount bigint)
GROUP BY source HAVING sum(entry.amount) <> 0;

-- name: payment_is_posted_gross
-- A payment that was received was posted, whole.
SELECT charge_id, amount FROM charge
WHERE amount IS NOT NULL
  AND NOT EXISTS (SELECT FROM posting, jsonb_to_recordset(entries) AS entry (wallet text, amount bigint)
                  WHERE posting.source = 'charge:' || charge.charge_id
                    AND entry.wallet = 'external:stripe' AND entry.amount = -charge.amount);

-- name: nothing_is_posted_before_the_payment
-- A charge whose payment was not seen has no journal.
SELECT charge_id, source FROM charge JOIN posting USING (charge_id) WHERE amount IS NULL;

-- name: fee_is_posted
-- A fee that is known, of a payment that was received, was posted.
SELECT charge_id, fee FROM charge
WHERE fee > 0 AND amount IS NOT NULL
  AND NOT EXISTS (SELECT FROM posting WHERE source = 'charge-fee:' || fee_transaction_id);

-- name: refund_is_posted
-- A refund stands in the ledger exactly when its money left Stripe and did not come back.
SELECT refund_id, moved, failed,
       count(posting.source) FILTER (WHERE event_type = 'refund') AS posted,
       count(posting.source) FILTER (WHERE event_type = 'refund_failed') AS undone
FROM refund JOIN charge USING (charge_id)
LEFT JOIN posting ON posting.source IN ('refund:' || refund_id, 'refund-failed:' || refund_id)
WHERE charge.amount IS NOT NULL
GROUP BY refund_id
HAVING count(posting.source) FILTER (WHERE event_type = 'refund')
     - count(posting.source) FILTER (WHERE event_type = 'refund_failed')
    <> CASE WHEN moved AND NOT failed THEN 1 ELSE 0 END;

-- name: dispute_is_posted
-- A dispute that took money was posted, and so was its outcome.
SELECT dispute_id, withdrawn, outcome
FROM dispute JOIN charge USING (charge_id)
WHERE charge.amount IS NOT NULL AND withdrawn
  AND (NOT EXISTS (SELECT FROM posting WHERE source = 'dispute:' || dispute_id)
       OR outcome IS NOT NULL
          AND NOT EXISTS (SELECT FROM posting WHERE source = 'dispute-' || outcome || ':' || dispute_id));

-- name: unallocated_is_queued
-- The unallocated wallet holds money only for payments that are in the queue and have no student.
SELECT charge_id, sum(entry.amount) AS balance
FROM posting JOIN charge USING (charge_id)
LEFT JOIN unallocated_payment AS queue USING (charge_id),
     jsonb_to_recordset(posting.entries) AS entry (wallet text, amount bigint)
WHERE entry.wallet = 'liability:unallocated'
GROUP BY charge_id, charge.student, queue.charge_id, queue.student
HAVING sum(entry.amount) <> 0 AND (charge.student IS NOT NULL OR queue.charge_id IS NULL)
    OR (charge.student IS NULL) <> (queue.student IS NULL);

-- name: moved_payments_left_their_student
-- Of a payment, only the wallet of its present student, and none of an earlier one, still holds anything.
SELECT charge_id, entry.wallet, sum(entry.amount) AS balance
FROM posting JOIN charge USING (charge_id),
     jsonb_to_recordset(posting.entries) AS entry (wallet text, amount bigint)
WHERE entry.wallet LIKE 'student:%' AND entry.wallet <> 'student:' || charge.student
GROUP BY charge_id, entry.wallet HAVING sum(entry.amount) <> 0;

-- name: moves_are_posted_as_decided
-- Every move of a payment was asked of the ledger once, from the one student to the other, for its amount.
SELECT payment_move.charge_id, number, posting.source, payment_move.amount
FROM payment_move
FULL JOIN (SELECT * FROM posting WHERE event_type = 'payment_moved') AS posting
    ON posting.source = 'payment-moved:' || payment_move.charge_id || ':' || payment_move.number
WHERE posting.entries IS NULL OR payment_move.number IS NULL OR NOT posting.entries @> jsonb_build_array(
    jsonb_build_object('wallet', 'student:' || from_student, 'amount', -payment_move.amount),
    jsonb_build_object('wallet', 'student:' || to_student, 'amount', payment_move.amount));

-- name: ended_flights_hold_nothing
-- A flight that was billed or cancelled, ten minutes ago or more, has no dispatch that is open.
SELECT flight_id, revision, state, ended
FROM dispatch JOIN dispatched_flight USING (flight_id)
WHERE ended_at < now() - interval '10 minutes' AND state IN ('waits', 'asked', 'cleared', 'voiding');

-- name: stripe_settles_what_was_paid
-- Stripe settled the amount that was posted.
SELECT charge_id, amount, settled_gross FROM charge WHERE settled_gross <> amount;

-- name: a_charge_under_way_is_answered
-- No charge of a saved method waits for its answer for more than two days, unless payouts has parked it.
SELECT request_id, student, cause, decided_at FROM auto_charge
WHERE state = 'asked' AND decided_at < now() - interval '3 days';

-- name: what_was_charged_was_received
-- Of every charge that was made, the student's payment of exactly that amount is known.
SELECT auto_charge.request_id, auto_charge.student, auto_charge.amount, charge.amount AS received
FROM auto_charge LEFT JOIN charge ON charge.charge_id = auto_charge.charge_id
WHERE state = 'succeeded' AND (charge.amount IS NULL OR charge.amount <> auto_charge.amount
                               OR charge.payment_intent_id IS DISTINCT FROM auto_charge.payment_intent);

-- name: nothing_is_charged_again_after_a_stop
-- A method of which a bank said never again was not charged later.
SELECT later.request_id, later.student, later.payment_method FROM auto_charge AS later
JOIN auto_charge AS stopped USING (payment_method)
WHERE stopped.kind = 'stop' AND later.decided_at > stopped.answered_at + interval '1 minute';

-- name: a_method_is_not_tried_too_often
-- No method was declined more than four times within thirty days.
SELECT payment_method, answered_at, n FROM (
    SELECT payment_method, answered_at,
           count(*) OVER (PARTITION BY payment_method ORDER BY answered_at
                          RANGE BETWEEN interval '30 days' PRECEDING AND CURRENT ROW) AS n
    FROM auto_charge WHERE state = 'declined' AND payment_method IS NOT NULL) AS counted
WHERE n > 4;

-- name: items_are_their_lines
-- Every item is the sum of its lines, and begins on the day of the first one.
SELECT student, currency, document, item.amount, sum(line.amount) AS lines, item.booked_on
FROM item LEFT JOIN item_line AS line USING (student, currency, document)
GROUP BY student, currency, document
HAVING item.amount <> coalesce(sum(line.amount), 0) OR item.booked_on IS DISTINCT FROM min(line.booked_on);

-- name: ageing_is_the_balance
-- What is open of a student's items sums to the account's balance, and so do the items.
SELECT student, currency, account.balance, coalesce(sum(open), 0) AS open, coalesce(sum(amount), 0) AS items
FROM account LEFT JOIN item USING (student, currency)
GROUP BY student, currency
HAVING account.balance <> coalesce(sum(open), 0) OR account.balance <> coalesce(sum(amount), 0);

-- name: payments_settle_the_oldest
-- What is open stands on the items that are due last, whole but for the oldest of them and what payments name.
SELECT student, currency, document, amount, open, stands FROM (
    SELECT student, currency, document, amount, open,
           greatest(least(abs(amount) - named, abs(balance) - (upto - (abs(amount) - named))), 0) * sign(balance) AS stands
    FROM (SELECT student, currency, document, amount, named, open, balance,
                 sum(abs(amount) - named) OVER (PARTITION BY student, currency, sign(amount)
                                        ORDER BY due_on DESC, document DESC) AS upto
          FROM item JOIN account USING (student, currency)) AS added
    WHERE sign(amount) = sign(balance) OR open <> 0) AS compared
WHERE open <> stands OR sign(amount) <> sign(stands) AND open <> 0;

-- name: named_payments_pay_their_bills
-- Of a bill is paid by name what the payments that name it have, and never more than the bill; no other item is paid so.
SELECT item.student, item.currency, item.document, item.amount, item.named, coalesce(paid.amount, 0) AS paid
FROM item
LEFT JOIN LATERAL (
    SELECT sum(greatest(payment.amount, 0)) AS amount
    FROM (SELECT DISTINCT ON (word.payment) word.payment, word.bill FROM named_bill AS word
          WHERE (word.student, word.currency) = (item.student, item.currency)
          ORDER BY word.payment, word.place DESC) AS word
    JOIN item AS payment ON (payment.student, payment.currency, payment.document)
                            = (item.student, item.currency, word.payment)
    WHERE word.bill = item.document) AS paid ON true
WHERE item.named <> least(coalesce(paid.amount, 0), greatest(-item.amount, 0));

-- name: a_bills_payments_never_exceed_it
-- Of no item is more settled than it is, and what is named of a bill is settled.
SELECT student, currency, document, amount, named, open FROM item
WHERE NOT open BETWEEN least(amount, 0) AND greatest(amount, 0) OR amount < 0 AND open - amount < named;

-- name: beyond_the_limit_is_allowed_by_people
-- What a dispatch was let go beyond the limit is what people allowed for that flight and student, two where two had to.
SELECT dispatch.flight_id, revision, dispatch.student, dispatch.allowed
FROM dispatch
WHERE dispatch.allowed > 0 AND dispatch.allowed > (
    SELECT coalesce(sum(amount), 0) FROM credit_allowance AS allowance
    WHERE (allowance.flight_id, allowance.student) = (dispatch.flight_id, dispatch.student)
      AND (NOT needs_second OR approved_at IS NOT NULL));

-- name: crossings_form_a_chain
-- A student's crossings are counted without a gap, each begins where the one before ended, and the last one is where they stand.
SELECT student, level, changes, said.number, said.from_level, said.to_level
FROM credit_level
LEFT JOIN LATERAL (
    SELECT number, from_level, to_level,
           lag(to_level, 1, 'ok') OVER (ORDER BY number) AS before, lag(number, 1, 0) OVER (ORDER BY number) AS previous,
           lead(number) OVER (ORDER BY number) AS next
    FROM credit_level_change AS change WHERE change.student = credit_level.student) AS said ON true
WHERE said.number IS NULL AND (changes, level) <> (0, 'ok')
   OR said.from_level <> said.before OR said.number <> said.previous + 1
   OR said.next IS NULL AND (said.number, said.to_level) <> (changes, level);

-- name: limit_changes_form_a_chain
-- Changes of a student's limit are counted without a gap, and each in force begins at the limit before it or at the book's.
SELECT student, number, from_limit, before, book_limit FROM (
    SELECT change.*, lag(number, 1, 0) OVER (PARTITION BY student ORDER BY number) AS previous,
           (SELECT earlier.to_limit FROM limit_change AS earlier
            WHERE earlier.student = change.student AND earlier.number < change.number AND earlier.state = 'in_force'
            ORDER BY earlier.number DESC LIMIT 1) AS before
    FROM limit_change AS change) AS change
WHERE number <> previous + 1 OR state = 'in_force' AND from_limit NOT IN (coalesce(before, book_limit), book_limit);

-- name: limits_change_within_their_policy
-- No limit rose above, or fell below, what the card of the book that it names says; not by more than it says.
SELECT student, number, from_limit, to_limit, policy_from, policy_version
FROM limit_change AS change
JOIN credit_policy AS card ON (card.effective_from, card.version) = (change.policy_from, change.policy_version)
WHERE to_limit > from_limit AND (to_limit > (card.policy ->> 'raise_up_to')::bigint
                                 OR to_limit - from_limit > (card.policy ->> 'raise_by')::bigint)
   OR to_limit < from_limit AND (to_limit < (card.policy ->> 'fall_down_to')::bigint
                                 OR from_limit - to_limit > (card.policy ->> 'fall_by')::bigint);

-- name: no_limit_rises_in_a_dispute
-- No limit rose, but for a minute's race, while a dispute of a payment of the student was posted and not decided.
SELECT change.student, change.number, change.decided_at, dispute.dispute_id
FROM limit_change AS change
JOIN charge ON charge.student = change.student
JOIN dispute USING (charge_id)
JOIN posting AS opened ON opened.source = 'dispute:' || dispute.dispute_id
LEFT JOIN posting AS ended ON ended.source IN ('dispute-won:' || dispute.dispute_id, 'dispute-lost:' || dispute.dispute_id)
WHERE change.state = 'in_force' AND change.to_limit > change.from_limit
  AND change.decided_at > opened.requested_at + interval '1 minute'
  AND (ended.source IS NULL OR change.decided_at < ended.requested_at)
  AND NOT EXISTS (SELECT FROM payment_move AS moved WHERE moved.charge_id = charge.charge_id);

-- name: dunning_stands_as_it_was_told
-- A student's runs are counted as they began, the newest is open unless it ended, and what holds it is what was said last.
SELECT student, known.run, known.overdue_since, known.hold, told.begun, told.ended, told.last
FROM dunning_case AS known
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE what = 'begins') AS begun, count(*) FILTER (WHERE what = 'ends') AS ended,
           (array_agg(what ORDER BY place DESC) FILTER (WHERE what NOT IN ('begins', 'step')
                                                          AND NOT (what = 'ends' AND paused)))[1] AS last
    FROM (SELECT history.*, coalesce((SELECT before.what = 'paused' FROM dunning_history AS before
                                      WHERE before.student = history.student AND before.place < history.place
                                        AND before.what IN ('paused', 'promised', 'resumed', 'lapsed')
                                      ORDER BY before.place DESC LIMIT 1), false) AS paused
          FROM dunning_history AS history WHERE history.student = known.student) AS history) AS told
WHERE told.begun <> known.run OR told.begun - told.ended <> CASE WHEN known.overdue_since IS NULL THEN 0 ELSE 1 END
   OR known.hold IS DISTINCT FROM CASE WHEN told.last IN ('paused', 'promised') THEN told.last END;

-- name: dunning_rests_as_it_was_told
-- Nobody rests after a step that was not done: the day of the last step is not after that of the open run's newest.
SELECT student, run, stepped_on, told.day FROM dunning_case AS known
CROSS JOIN LATERAL (SELECT max(local_at)::date AS day FROM dunning_history AS step
                    WHERE (step.student, step.run) = (known.student, known.run) AND step.what = 'step') AS told
WHERE overdue_since IS NOT NULL AND stepped_on > coalesce(told.day, '1900-01-01');

-- name: no_step_while_it_is_held
-- No step was done while a person had paused it, or on a day of a promise.
SELECT step.student, step.run, step.step, step.local_at, said.what, said.until
FROM dunning_history AS step
CROSS JOIN LATERAL (
    SELECT what, until FROM dunning_history AS before
    WHERE before.student = step.student AND before.place < step.place
      AND before.what IN ('paused', 'promised', 'resumed', 'lapsed')
    ORDER BY before.place DESC LIMIT 1) AS said
WHERE step.what = 'step' AND (said.what = 'paused' OR said.what = 'promised' AND said.until >= step.local_at::date);

-- name: no_step_in_a_dispute
-- No step was done, but for a minute's race, while a dispute of a payment of the student was posted and not decided.
SELECT step.student, step.run, step.step, step.at, dispute.dispute_id
FROM dunning_history AS step
JOIN charge ON charge.student = step.student
JOIN dispute USING (charge_id)
JOIN posting AS opened ON opened.source = 'dispute:' || dispute.dispute_id
LEFT JOIN posting AS ended ON ended.source IN ('dispute-won:' || dispute.dispute_id, 'dispute-lost:' || dispute.dispute_id)
WHERE step.what = 'step' AND step.at > opened.requested_at + interval '1 minute'
  AND (ended.source IS NULL OR step.at < ended.requested_at)
  AND NOT EXISTS (SELECT FROM payment_move AS moved WHERE moved.charge_id = charge.charge_id);

-- name: no_step_on_a_quiet_day
-- No step was done on a holiday or, unless the book says so, on a weekend; by the card that it names.
SELECT step.student, step.run, step.step, step.local_at
FROM dunning_history AS step
JOIN credit_policy AS card ON (card.effective_from, card.version) = (step.policy_from, step.policy_version)
WHERE step.what = 'step'
  AND (card.policy -> 'dunning_holidays' ? to_char(step.local_at, 'YYYY-MM-DD')
       OR extract(isodow FROM step.local_at) >= 6 AND NOT coalesce((card.policy ->> 'dunning_on_weekends')::boolean, false));

-- name: a_step_charges_once
-- A step asked for one charge at most, of a student's own method.
SELECT student, cause, count(*) FROM auto_charge
WHERE cause LIKE 'dunning:%' AND state IN ('processing', 'succeeded')
GROUP BY student, cause HAVING count(*) > 1;

-- name: a_debit_that_failed_is_posted_back
-- A payment whose money was taken back was posted, and posted back, whole.
SELECT charge_id, amount, failed_at FROM charge
WHERE failed_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM posting, jsonb_to_recordset(entries) AS entry (wallet text, amount bigint)
                  WHERE posting.source = 'payment-failed:' || charge.charge_id
                    AND entry.wallet = 'external:stripe' AND entry.amount = charge.amount);

-- name: what_was_taken_back_is_no_charge_made
-- No charge of a saved method counts as made when its money was taken back: by a failure, or by a dispute that was lost.
SELECT request_id, made.student, made.charge_id, charge.failed_at
FROM auto_charge AS made JOIN charge ON charge.charge_id = made.charge_id
WHERE made.state = 'succeeded'
  AND (charge.failed_at IS NOT NULL
       OR EXISTS (SELECT FROM dispute WHERE dispute.charge_id = charge.charge_id
                                        AND withdrawn AND outcome = 'lost' AND reason IS NOT NULL));

-- name: recorded_payments_are_posted_as_they_stand
-- Of a payment by hand the student has its amount while it counts, liability:cheques while a cheque waits, nobody else ever.
SELECT payment.id, payment.student, payment.state, payment.amount, coalesce(sum(entry.amount) FILTER (
           WHERE entry.wallet = 'student:' || payment.student), 0) AS credited,
       coalesce(sum(entry.amount) FILTER (WHERE entry.wallet = 'liability:cheques'), 0) AS waiting
FROM recorded_payment AS payment
LEFT JOIN posting ON posting.payment_id = payment.id
LEFT JOIN LATERAL jsonb_to_recordset(posting.entries) AS entry (wallet text, amount bigint) ON true
GROUP BY payment.id
HAVING coalesce(sum(entry.amount) FILTER (WHERE entry.wallet = 'student:' || payment.student), 0)
           <> CASE WHEN payment.state = 'received' THEN payment.amount ELSE 0 END
    OR coalesce(sum(entry.amount) FILTER (WHERE entry.wallet = 'liability:cheques'), 0)
           <> CASE WHEN payment.state = 'held' THEN payment.amount ELSE 0 END
    OR coalesce(sum(entry.amount) FILTER (WHERE entry.wallet NOT LIKE 'external:%'), 0)
           <> CASE WHEN payment.state IN ('held', 'received') THEN payment.amount ELSE 0 END;

-- name: recorded_payments_stand_as_they_were_told
-- A payment by hand stands as was said of it last, in the deposit that took it last.
SELECT payment.id, payment.state, payment.deposit_id, said.what, said.state AS said, held.deposit_id AS held_by
FROM recorded_payment AS payment
LEFT JOIN LATERAL (SELECT what, state FROM recorded_change WHERE payment_id = payment.id
                   ORDER BY place DESC LIMIT 1) AS said ON true
LEFT JOIN LATERAL (SELECT CASE what WHEN 'deposited' THEN change.deposit_id END AS deposit_id
                   FROM recorded_change AS change WHERE payment_id = payment.id AND what IN ('deposited', 'taken_out')
                   ORDER BY place DESC LIMIT 1) AS held ON true
WHERE said.state IS DISTINCT FROM payment.state OR held.deposit_id IS DISTINCT FROM payment.deposit_id;

-- name: deposits_hold_what_they_say
-- A deposit is the sum of what it held, was posted so, and was posted back when it was reverted; what stands in none was taken out.
SELECT deposit.id, deposit.number, deposit.total, held.amount, posted.amount AS posted
FROM deposit
CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS amount FROM deposited_payment WHERE deposit_id = deposit.id) AS held
CROSS JOIN LATERAL (
    SELECT coalesce(-sum(entry.amount), 0) AS amount
    FROM posting CROSS JOIN LATERAL jsonb_to_recordset(posting.entries) AS entry (wallet text, amount bigint)
    WHERE posting.deposit_id = deposit.id AND entry.wallet = 'external:bank') AS posted
CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS amount FROM recorded_payment WHERE deposit_id = deposit.id) AS stands
WHERE deposit.total <> held.amount
   OR posted.amount <> CASE WHEN reverted_at IS NULL THEN deposit.total ELSE 0 END
   OR stands.amount <> CASE WHEN reverted_at IS NULL THEN deposit.total ELSE 0 END;

-- name: account_notes_are_posted_as_they_stand
-- What was refunded by hand, credited, written off or charged for a cheque left the student what it stands for, and nothing once reverted.
SELECT note.id, note.kind, note.student, note.state, note.amount, coalesce(sum(entry.amount), 0) AS posted
FROM account_note AS note
LEFT JOIN posting ON posting.note_id = note.id
LEFT JOIN LATERAL jsonb_to_recordset(posting.entries) AS entry (wallet text, amount bigint)
    ON entry.wallet = 'student:' || note.student
GROUP BY note.id
HAVING coalesce(sum(entry.amount), 0) <> CASE WHEN note.state <> 'posted' THEN 0
                                              WHEN note.kind IN ('credit_note', 'write_off') THEN note.amount
                                              ELSE -note.amount END;

-- name: bounced_cheques_cost_once
-- A fee is of a cheque that bounced, and of its student.
SELECT note.id, note.student, payment.student AS of_student, payment.state
FROM account_note AS note JOIN recorded_payment AS payment ON payment.id = note.payment_id
WHERE payment.state <> 'bounced' OR payment.student <> note.student;
