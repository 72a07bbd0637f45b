-- name: transfer_state_is_its_last_step
-- A transfer stands where the last row of its history says.
SELECT transfer.id, transfer.state, step.to_state
FROM transfer
LEFT JOIN LATERAL (SELECT to_state FROM transfer_history WHERE transfer_id = transfer.id
                   ORDER BY id DESC LIMIT 1) AS step ON true
WHERE step.to_state IS DISTINCT FROM transfer.state;

-- name: history_has_no_gap
-- Each step of a transfer begins where the one before ended.
SELECT transfer_id, id, from_state, before
FROM (SELECT transfer_id, id, from_state,
             lag(to_state) OVER (PARTITION BY transfer_id ORDER BY id) AS before FROM transfer_history) AS step
WHERE from_state IS DISTINCT FROM before;

-- name: transfer_is_the_sum_of_its_payables
-- Every transfer that was not dissolved pays exactly the payables in it, what was owed taken off.
SELECT transfer.id, transfer.amount, sum(payable.amount) AS payables
FROM transfer LEFT JOIN payable ON payable.transfer_id = transfer.id
WHERE transfer.state <> 'cancelled'
GROUP BY transfer.id HAVING transfer.amount IS DISTINCT FROM sum(payable.amount);

-- name: payable_is_of_its_transfers_payee
-- No payable is paid to somebody else, or in another currency.
SELECT payable.id, payable.wallet, transfer.wallet AS paid_to
FROM payable JOIN transfer ON transfer.id = payable.transfer_id
WHERE (payable.wallet, payable.currency) <> (transfer.wallet, transfer.currency);

-- name: operation_is_what_its_transfer_says
-- What Stripe is asked for is the transfer's amount and currency, for the transfer's payee.
SELECT operation.id, operation.amount, transfer.amount AS transfer_amount
FROM operation JOIN transfer ON transfer.id = operation.transfer_id
WHERE operation.kind = 'transfer'
  AND (operation.amount, operation.currency, operation.wallet, operation.cause)
      <> (transfer.amount, transfer.currency, transfer.wallet, transfer.id::text);

-- name: one_effect_per_transfer
-- A sent transfer has one succeeded operation, with the same Stripe id; no other transfer has one.
SELECT transfer.id, transfer.state, transfer.stripe_transfer_id, operation.stripe_id
FROM transfer LEFT JOIN operation
  ON operation.transfer_id = transfer.id AND operation.kind = 'transfer' AND operation.state = 'succeeded'
WHERE transfer.stripe_transfer_id IS DISTINCT FROM operation.stripe_id;

-- name: transfer_and_operation_agree
-- A transfer's state and its operation's fit together.
SELECT transfer.id, transfer.state, operation.state AS operation_state
FROM transfer JOIN operation ON operation.transfer_id = transfer.id AND operation.kind = 'transfer'
WHERE NOT CASE transfer.state
    WHEN 'pending' THEN operation.state = 'due'
    WHEN 'held' THEN operation.state = 'held'
    WHEN 'sending' THEN operation.state IN ('due', 'in_flight')
    WHEN 'refused' THEN operation.state = 'refused'
    WHEN 'parked' THEN operation.state = 'parked'
    WHEN 'cancelled' THEN operation.state = 'cancelled'
    ELSE operation.state = 'succeeded' END;

-- name: pending_transfer_has_an_operation
-- Whatever is to be sent, or was, has an operation that says what.
SELECT transfer.id, transfer.state FROM transfer
WHERE state NOT IN ('held', 'cancelled')
  AND NOT EXISTS (SELECT FROM operation WHERE operation.transfer_id = transfer.id AND kind = 'transfer');

-- name: every_operation_is_terminal_due_or_alarmed
-- No operation is forgotten: what is open is due within a day, leased for minutes, or waits with a reason.
SELECT id, kind, state, due_at, lease_until FROM operation
WHERE state = 'due' AND due_at > now() + interval '1 day'
   OR state = 'in_flight' AND lease_until > now() + interval '1 hour';

-- name: nothing_due_is_overdue
-- What is due and not kept back by its line or by the balance is taken within ten minutes, unless the relay is stopped.
SELECT operation.id, operation.wallet, operation.due_at FROM operation
WHERE operation.state = 'due' AND operation.due_at < now() - interval '10 minutes'
  AND NOT EXISTS (SELECT FROM operation AS other WHERE other.wallet = operation.wallet
                  AND other.state IN ('due', 'in_flight', 'held', 'parked') AND other.id <> operation.id
                  AND (other.state = 'in_flight' OR other.sequence < operation.sequence))
  AND NOT EXISTS (SELECT FROM operation AS short WHERE short.state = 'held'
                  AND short.reason = 'balance_insufficient' AND short.sequence < operation.sequence)
  AND NOT EXISTS (SELECT FROM relay_stop WHERE since IS NOT NULL);

-- name: attempts_use_the_operations_key
-- Every attempt used the key of its operation and generation, and no generation that never was.
SELECT attempt.lease_token, attempt.idempotency_key, operation.generation
FROM attempt JOIN operation ON operation.id = attempt.operation_id
WHERE attempt.idempotency_key <> 'op:' || attempt.operation_id || ':' || attempt.generation
   OR attempt.generation > operation.generation;

-- name: a_new_generation_follows_proof
-- Before each new generation an answer, or two clean lookups, or a person, proved that the last had no effect.
SELECT later.operation_id, later.generation
FROM (SELECT DISTINCT operation_id, generation FROM attempt WHERE generation > 1) AS later
WHERE NOT EXISTS (
    SELECT FROM attempt AS proof
    WHERE proof.operation_id = later.operation_id AND proof.generation = later.generation - 1
      AND proof.verdict IN ('insufficient', 'refused', 'clean', 'misused', 'ambiguous', 'mismatch'))
  AND NOT EXISTS (
    SELECT FROM operation JOIN transfer_history USING (transfer_id)
    WHERE operation.id = later.operation_id AND actor LIKE 'operator:%')
  AND NOT EXISTS (
    SELECT FROM operation_history AS step WHERE step.operation_id = later.operation_id AND actor LIKE 'operator:%');

-- name: reversals_sum_to_what_came_back
-- A transfer's reversed amount is the sum of its reversals.
SELECT transfer.id, transfer.amount_reversed, sum(reversal.amount) AS reversals
FROM transfer LEFT JOIN reversal ON reversal.transfer_id = transfer.id
GROUP BY transfer.id HAVING transfer.amount_reversed <> coalesce(sum(reversal.amount), 0);

-- name: payouts_carry_no_more_than_they_hold
-- The parts of a payout never exceed it and its fee (or what it took from the payee's bank), nor a transfer's
-- parts the transfer, and no more goes off payouts than was taken back of a transfer.
SELECT payout.stripe_payout_id AS id, sum(part.amount) AS parts
FROM payout JOIN payout_part AS part USING (stripe_payout_id)
GROUP BY payout.stripe_payout_id, payout.amount, payout.fee
HAVING CASE WHEN payout.amount > 0 THEN sum(part.amount) > payout.amount + coalesce(payout.fee, 0)
       ELSE sum(part.amount) NOT BETWEEN payout.amount AND 0 END
UNION ALL
SELECT transfer.id::text, sum(part.amount)
FROM transfer JOIN payout_part AS part ON part.transfer_id = transfer.id
GROUP BY transfer.id, transfer.amount, transfer.amount_reversed
HAVING sum(part.amount) > transfer.amount
    OR sum(part.amount) FILTER (WHERE part.amount < 0) < -transfer.amount_reversed;

-- name: no_second_effect_was_seen
-- No webhook ever showed a second effect of an operation, or one that differs from what was decided.
SELECT event_id, reason, sentence FROM webhook_kept WHERE reason IN ('second_effect', 'effect_differs');

-- name: what_stripe_made_is_recorded
-- Whatever Stripe made for an operation of ours is recorded here, ten minutes after it was found at the latest.
SELECT stripe_id, wallet, standing, sentence FROM found_effect
WHERE standing = 'doubtful' OR standing = 'waiting' AND found_at < now() - interval '10 minutes';

-- name: stripe_objects_could_be_read
-- Every object of Stripe's could be read, or a person closed it.
SELECT kind, object_id, stripe_account, sentence FROM odd_object WHERE closed_at IS NULL;

-- name: movements_are_explained
-- Every row of the school's Stripe balance is in the books, or a person closed it.
SELECT transaction_id, type, net, currency, sentence FROM movement
WHERE standing = 'unexplained' AND closed_at IS NULL;

-- name: cash_journals_have_their_row
-- What the books say moved at Stripe since rows are listed is a row of Stripe's, a day later at the latest.
SELECT cash.source, cash.currency, cash.amount, cash.recorded_at
FROM cash_journal AS cash CROSS JOIN movement_listing AS listing
WHERE cash.at_stripe AND cash.transaction_id IS NULL
  AND least(cash.occurred_at, cash.recorded_at) > listing.opened_at
  AND cash.recorded_at < listing.completed_at - interval '1 day';

-- name: a_row_is_what_its_journals_moved
-- The journals of an explained row move exactly its net, and only one row has each of them.
SELECT movement.transaction_id, movement.net, sum(cash.amount) AS moved
FROM movement JOIN cash_journal AS cash USING (transaction_id)
WHERE movement.closed_at IS NULL
GROUP BY movement.transaction_id, movement.net HAVING sum(cash.amount) <> -movement.net;
-- name: stopped_operations_are_dealt_with
-- Nothing that Stripe refused, and nothing that is parked, waits for somebody; an instant payout may come too late.
SELECT id, kind, wallet, state, amount, currency, reason, sentence, retry_at
FROM payouts_public.stopped_operations
WHERE NOT (kind = 'instant_payout' AND state = 'refused' AND reason IN ('balance_insufficient', 'insufficient_funds'))
ORDER BY stopped_at;

-- name: stopped_operations_are_in_the_history
-- Each operation that is refused or parked has a step in its history that says so, with Stripe's sentence.
SELECT operation.id, operation.kind, operation.state, operation.stopped_at
FROM operation
WHERE operation.state IN ('refused', 'parked') AND NOT EXISTS (
    SELECT FROM operation_history AS step
    WHERE step.operation_id = operation.id AND step.what = operation.state AND step.sentence = operation.sentence);

-- name: no_retry_is_overdue
-- What is to be tried again by itself is tried within an hour, or put off.
SELECT id, kind, wallet, retry_at FROM operation
WHERE state IN ('refused', 'parked') AND retry_at < now() - interval '1 hour';

-- name: held_transfers_say_what_stripe_said
-- Money that waits for a refused request for an account says so, with Stripe's present sentence.
SELECT transfer.id, transfer.wallet, transfer.reason, transfer.sentence
FROM transfer JOIN payouts_public.stopped_operations AS stopped USING (wallet)
WHERE transfer.state = 'held' AND stopped.kind = 'account' AND stopped.state = 'refused'
  AND (transfer.reason <> 'account_refused' OR position(stopped.sentence IN transfer.sentence) = 0)
  AND transfer.reason IN ('account_missing', 'account_refused');

-- name: a_closed_operation_never_moves_money
-- What was closed after Stripe refused it has no effect, and is no transfer or account.
SELECT operation.id, operation.kind, operation.stripe_id FROM operation
WHERE operation.state = 'cancelled' AND operation.reason = 'closed'
  AND (operation.stripe_id IS NOT NULL OR operation.kind NOT IN ('reversal', 'instant_payout', 'refund', 'charge'));

-- name: a_clawback_is_the_sum_of_its_payables
-- What a request keeps out of payments is what it claims, and once it is answered exactly what came back.
SELECT clawback.settlement_id, clawback.state, coalesce(clawback.reversed, clawback.claimed) AS said,
       sum(payable.amount) AS payables
FROM clawback LEFT JOIN payable ON payable.clawback_id = clawback.settlement_id
GROUP BY clawback.settlement_id
HAVING coalesce(clawback.reversed, clawback.claimed, 0) <> -coalesce(sum(payable.amount), 0);

-- name: an_answer_is_what_came_back
-- What a request was answered is the sum of the reversals that closed its debt.
SELECT clawback.settlement_id, clawback.reversed, sum(back.amount) AS came_back
FROM clawback LEFT JOIN clawback_return AS back USING (settlement_id)
WHERE clawback.state = 'settled'
GROUP BY clawback.settlement_id HAVING clawback.reversed <> coalesce(sum(back.amount), 0);

-- name: a_reversal_closes_no_more_than_it_brought
-- No money that came back closes two debts.
SELECT reversal.stripe_reversal_id, reversal.amount, sum(back.amount) AS closed
FROM reversal JOIN clawback_return AS back USING (stripe_reversal_id)
GROUP BY reversal.stripe_reversal_id HAVING sum(back.amount) > reversal.amount;

-- name: what_stands_for_a_debt_adds_up_to_nothing
-- What is left open of a claimed debt is left out of the claim: no debt grows, and no credit is made.
SELECT wallet, currency, sum(amount) AS made FROM payable WHERE event_type = 'clawback'
GROUP BY wallet, currency HAVING sum(amount) <> 0
UNION ALL
SELECT wallet, currency, amount FROM payable
WHERE event_type = 'clawback' AND (clawback_id IS NULL) <> (amount < 0) AND (clawback_id IS NULL OR amount > 0);

-- name: nothing_comes_back_beyond_what_was_sent_or_too_late
-- No reversal of ours was made after its transfer's 72 hours, and no transfer gave back more than was sent.
SELECT transfer.id, reversal.stripe_reversal_id, reversal.reversed_at, transfer.clawback_until
FROM reversal JOIN transfer ON transfer.id = reversal.transfer_id JOIN operation ON operation.id = reversal.operation_id
WHERE operation.not_after IS NOT NULL AND reversal.reversed_at > transfer.clawback_until
UNION ALL
SELECT transfer.id, NULL, NULL, transfer.clawback_until FROM transfer WHERE amount_reversed > amount;

-- name: reversals_of_requests_are_decided
-- A reversal that was ordered for a request had its effect, or ended, or its request is not answered.
SELECT part.operation_id, operation.state, clawback.state AS clawback_state
FROM clawback_part AS part JOIN operation ON operation.id = part.operation_id
JOIN clawback USING (settlement_id)
WHERE operation.state = 'refused'
   OR clawback.state = 'settled' AND operation.state NOT IN ('succeeded', 'cancelled')
   OR operation.state <> 'succeeded'
      AND EXISTS (SELECT FROM reversal WHERE reversal.operation_id = operation.id);

-- name: requests_to_take_money_back_are_answered
-- No request waits for a journal for ten minutes, and none for its answer for longer than money can be taken back.
SELECT settlement_id, wallet, source, state, sentence, requested_at FROM clawback
WHERE state = 'waiting' AND requested_at < now() - interval '10 minutes'
   OR state <> 'settled' AND requested_at < now() - interval '73 hours'
   OR due_at < now() - interval '10 minutes';

-- name: no_payment_is_refunded_beyond_what_was_paid
-- What requests refunded of a card payment, or are about to, is never more than was paid with it.
SELECT payment.charge_id, payment.amount, given.amount AS refunded
FROM card_payment AS payment
JOIN (SELECT charge_id, sum(amount) AS amount FROM (
          SELECT charge_id, amount FROM refund_made WHERE standing <> 'failed'
          UNION ALL
          SELECT parent_id, amount FROM operation
          WHERE kind = 'refund' AND state NOT IN ('succeeded', 'cancelled')) AS part
      GROUP BY charge_id) AS given USING (charge_id)
WHERE given.amount > payment.amount;

-- name: an_answer_to_a_refund_is_what_went_back
-- What a request to refund was answered is the sum of its refunds that Stripe made.
SELECT request.settlement_id, request.refunded, sum(made.amount) AS made
FROM refund_request AS request
LEFT JOIN refund_made AS made ON made.settlement_id = request.settlement_id AND made.standing = 'succeeded'
WHERE request.state = 'settled'
GROUP BY request.settlement_id HAVING request.refunded <> coalesce(sum(made.amount), 0);

-- name: refunds_of_requests_are_decided
-- A refund that was ordered for a request had its effect, or ended, or its request is not answered.
SELECT part.operation_id, operation.state, request.state AS request_state
FROM refund_part AS part JOIN operation ON operation.id = part.operation_id
JOIN refund_request AS request USING (settlement_id)
WHERE operation.state = 'refused'
   OR request.state = 'settled' AND operation.state NOT IN ('succeeded', 'cancelled');

-- name: requests_to_refund_are_looked_at
-- Every request to refund that is not answered has refunds under way, or is looked at in time.
SELECT settlement_id, wallet, state, sentence, due_at FROM refund_request
WHERE due_at < now() - interval '10 minutes'
   OR state = 'refunding' AND NOT EXISTS (
       SELECT FROM refund_part AS part JOIN operation ON operation.id = part.operation_id
       WHERE part.settlement_id = refund_request.settlement_id
         AND operation.state NOT IN ('succeeded', 'cancelled'));

-- name: a_charge_is_what_was_asked_for
-- Every request to charge has one operation, for its student and of its amount, and no charge is anybody else's.
SELECT coalesce(request.operation_id, operation.id) AS operation_id, request.amount, operation.amount AS ordered
FROM charge_request AS request
FULL JOIN (SELECT * FROM operation WHERE kind = 'charge') AS operation ON operation.id = request.operation_id
WHERE request.request_id IS NULL OR operation.id IS NULL OR operation.wallet <> request.wallet
   OR operation.amount <> request.amount OR operation.currency <> request.currency
   OR operation.params ->> 'payment_method' <> request.payment_method;

-- name: an_answer_to_a_charge_is_what_became_of_it
-- What a request to charge was answered is what its operation came to; an operation that ended is answered.
SELECT request_id, outcome, operation.state, stripe_id
FROM charge_request JOIN operation ON operation.id = operation_id
WHERE (operation.state = 'succeeded') <> coalesce(outcome IN ('succeeded', 'processing'), false)
   OR (operation.state = 'cancelled') <> coalesce(outcome IN ('declined', 'not_made'), false)
   OR operation.state = 'succeeded' AND stripe_id IS DISTINCT FROM payment_intent;

-- name: requests_to_charge_are_answered
-- No request to charge waits for its answer for longer than it may be sent and looked up, unless it is parked.
SELECT request_id, charge_request.wallet, requested_at, operation.state
FROM charge_request JOIN operation ON operation.id = operation_id
WHERE outcome IS NULL AND operation.state <> 'parked' AND requested_at < now() - interval '2 days';

-- name: the_rest_of_a_debt_adds_up_to_nothing
-- What a transfer does not take of a debt is owed beside it: no debt grows, and no credit is made.
SELECT wallet, currency, stands_for, sum(amount) AS made FROM payable WHERE event_type = 'offset'
GROUP BY wallet, currency, stands_for HAVING sum(amount) <> 0
UNION ALL
SELECT wallet, currency, stands_for, amount FROM payable
WHERE event_type = 'offset' AND amount > 0 AND transfer_id IS NULL;

-- name: histories_are_guarded
-- The triggers that keep attempts, transfers, payables, accounts and histories are there, and fire in every session.
SELECT guard.of_table, guard.name
FROM (VALUES ('attempt', 'attempt_is_written_once'), ('attempt', 'attempt_is_not_removed'),
             ('transfer', 'transfer_keeps_what_was_sent'), ('transfer', 'transfer_is_not_removed'),
             ('payable', 'payable_is_what_was_posted'), ('payable', 'payable_is_not_removed'),
             ('payee', 'payee_keeps_the_account'), ('payee', 'payee_is_not_removed'),
             ('transfer_history', 'history_is_only_added_to'), ('operation_history', 'history_is_only_added_to'),
             ('erasure', 'history_is_only_added_to'), ('erasure', 'table_is_not_emptied'),
             ('attempt', 'table_is_not_emptied'), ('transfer', 'table_is_not_emptied'),
             ('payable', 'table_is_not_emptied'), ('payee', 'table_is_not_emptied'),
             ('transfer_history', 'table_is_not_emptied'), ('operation_history', 'table_is_not_emptied'))
     AS guard (of_table, name)
WHERE NOT EXISTS (SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
                  WHERE tgrelid = to_regclass(guard.of_table) AND tgname = guard.name AND tgenabled = 'A'
                    AND proname = 'refuse_rewriting');

-- name: what_was_let_out_is_counted
-- What was let out under a reserve's gate is its transfers' amounts, each once.
SELECT gate.currency, allowed_total, coalesce(let_out.amount, 0) AS let_out FROM reserve_gate AS gate
LEFT JOIN (SELECT currency, sum(amount) AS amount FROM operation WHERE let_out_at IS NOT NULL GROUP BY currency)
    AS let_out USING (currency)
WHERE allowed_total <> coalesce(let_out.amount, 0);

-- name: nothing_is_sent_past_the_gate
-- While the school keeps a reserve, every transfer under way was let out.
SELECT operation.id, operation.wallet, operation.amount FROM operation JOIN reserve_gate USING (currency)
WHERE operation.kind = 'transfer' AND operation.state = 'in_flight' AND let_out_at IS NULL;

-- name: what_needs_two_persons_was_said_by_two
-- A transfer that was released, and of which somebody's word waits for a second person, was released by enough.
SELECT transfer.id, transfer.amount
FROM transfer
WHERE waived
  AND EXISTS (SELECT FROM forced_act WHERE subject = transfer.id AND act = 'release')
  AND NOT EXISTS (SELECT FROM forced_act WHERE subject = transfer.id AND act = 'release'
                    AND (NOT needs_second OR approved_by IS NOT NULL));
