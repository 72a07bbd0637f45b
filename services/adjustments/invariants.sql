-- name: adjustment_state_is_its_last_step
-- An adjustment stands where the last row of its history says.
SELECT adjustment.id, adjustment.state, step.to_state
FROM adjustment
LEFT JOIN LATERAL (SELECT to_state FROM adjustment_history WHERE adjustment_id = adjustment.id
                   ORDER BY id DESC LIMIT 1) AS step ON true
WHERE step.to_state IS DISTINCT FROM adjustment.state;

-- name: adjustment_history_has_no_gap
-- Each step of an adjustment begins where the one before ended.
SELECT adjustment_id, id, from_state, before
FROM (SELECT adjustment_id, id, from_state,
             lag(to_state) OVER (PARTITION BY adjustment_id ORDER BY id) AS before FROM adjustment_history) AS step
WHERE from_state IS DISTINCT FROM before;

-- name: nobody_approves_their_own
-- No approval is by whoever made the correction, or one that it covers.
SELECT approval.decision_id, adjustment.id
FROM approval JOIN adjustment ON adjustment.id = approval.adjustment_id
WHERE EXISTS (SELECT FROM unnest(makers) AS maker (name)
              WHERE lower(normalize(btrim(name), NFKC)) = lower(normalize(btrim(approver), NFKC)));

-- name: what_was_approved_is_what_was_posted
-- Every adjustment that a person had to approve was posted with approvals of that content, by as many persons as it needs.
SELECT adjustment.id, approvals_needed FROM adjustment
WHERE state IN ('approved', 'posted', 'settling', 'settled') AND approvals_needed > 0 AND differences <> '{}'
  AND approvals_needed > (SELECT count(DISTINCT lower(normalize(btrim(approver), NFKC))) FROM approval
                          WHERE adjustment_id = adjustment.id AND approval.content_hash = adjustment.content_hash)
  AND NOT EXISTS (  -- the approvals were lost with a restore; the ledger had posted it
      SELECT FROM adjustment_history AS step
      WHERE step.adjustment_id = adjustment.id AND step.to_state = 'posted'
        AND step.from_state IS DISTINCT FROM 'approved');

-- name: what_stands_is_the_newest_revision_that_stands
-- First bill and posted differences of a flight come to what the newest revision that stands leaves on each wallet.
WITH newest AS (
    SELECT DISTINCT ON (flight_id) flight_id, entries FROM adjustment
    WHERE state IN ('approved', 'posted', 'settling', 'settled') ORDER BY flight_id, revision DESC),
told AS (
    SELECT flight_id, party.wallet, party.amount::bigint AS amount
    FROM newest, jsonb_each_text(entries) AS party (wallet, amount)),
stands AS (
    SELECT flight_id, wallet, sum(amount) AS amount
    FROM (SELECT flight_id, party.wallet, party.amount::bigint AS amount
          FROM newest JOIN flight USING (flight_id), jsonb_each_text(first_entries) AS party (wallet, amount)
          UNION ALL
          SELECT flight_id, party.wallet, party.amount::bigint
          FROM adjustment, jsonb_each_text(differences) AS party (wallet, amount)
          WHERE state IN ('approved', 'posted', 'settling', 'settled')) AS part
    GROUP BY flight_id, wallet HAVING sum(amount) <> 0)
SELECT flight_id, wallet, told.amount AS told, stands.amount AS stands
FROM told FULL JOIN stands USING (flight_id, wallet)
WHERE told.amount IS DISTINCT FROM stands.amount;

-- name: posted_adjustment_is_the_ledgers_journal
-- Every adjustment that was posted is the ledger's journal of its source, amount for amount; and no journal is forgotten.
SELECT coalesce(adjustment.id::text, journal.source) AS adjustment, adjustment.state
FROM posted_journal AS journal
FULL JOIN (SELECT * FROM adjustment WHERE state IN ('posted', 'settling', 'settled') AND differences <> '{}')
    AS adjustment ON adjustment.journal_id = journal.journal_id
WHERE adjustment.id IS NULL AND EXISTS (
          SELECT FROM adjustments.adjustment AS one
          WHERE 'adjustment:' || one.flight_id || ':' || one.revision = journal.source)
   OR adjustment.id IS NOT NULL
      AND (adjustment.differences, adjustment.currency,
           'adjustment:' || adjustment.flight_id || ':' || adjustment.revision)
          IS DISTINCT FROM (journal.entries, journal.currency, journal.source);

-- name: adjustments_sum_to_zero
-- The differences of an adjustment sum to zero, and none of them is zero.
SELECT adjustment.id FROM adjustment, jsonb_each_text(differences) AS party (wallet, amount)
GROUP BY adjustment.id HAVING sum(amount::bigint) <> 0 OR bool_or(amount::bigint = 0);

-- name: one_journal_of_a_flight_is_under_way
-- Of a flight one adjustment at most waits for the ledger, and one at most waits to be decided: the newest.
SELECT flight_id, count(*) AS open FROM adjustment WHERE state = 'approved' GROUP BY flight_id HAVING count(*) > 1
UNION ALL
SELECT flight_id, count(*) FROM adjustment WHERE state IN ('proposed', 'waiting') GROUP BY flight_id HAVING count(*) > 1;

-- name: every_adjustment_ends_or_waits_for_somebody
-- Nothing is forgotten: what waits for a person expires, what waits for the ledger or for payment was told within the hour or day.
SELECT id, state, changed_at, expires_at FROM adjustment
WHERE state = 'waiting' AND expires_at < now() - interval '1 hour'
   OR state = 'approved' AND changed_at < now() - interval '1 hour'
   OR state = 'posted' AND changed_at < now() - interval '1 hour'
   OR state = 'proposed' AND changed_at < now() - interval '1 hour';

-- name: makers_sums_are_what_was_posted
-- What each maker moved for each payee is the sum of the absolute differences of their posted adjustments.
SELECT made_by, wallet, currency, moved, posted FROM (
    SELECT made_by, wallet, currency, sum(moved) AS moved FROM moved_by_maker GROUP BY 1, 2, 3) AS counted
FULL JOIN (
    SELECT made_by, key AS wallet, currency, sum(abs(value::bigint)) AS posted
    FROM adjustment, jsonb_each_text(differences)
    WHERE journal_id IS NOT NULL AND (key LIKE 'instructor:%' OR key LIKE 'aircraft\_owner:%')
    GROUP BY 1, 2, 3) AS posted USING (made_by, wallet, currency)
WHERE moved IS DISTINCT FROM posted;

-- name: approvals_are_guarded
-- The triggers that keep makers from approving are there, and fire in every session.
SELECT guard.name FROM (VALUES ('adjustment_keeps_the_rules'), ('maker_is_not_checker')) AS guard (name)
WHERE NOT EXISTS (SELECT FROM pg_trigger
                  WHERE tgrelid IN ('adjustment'::regclass, 'approval'::regclass)
                    AND tgname = guard.name AND tgenabled = 'A');

-- name: settlement_state_is_its_last_step
-- A settlement stands where the last row of its history says.
SELECT settlement.id, settlement.state, step.to_state
FROM settlement
LEFT JOIN LATERAL (SELECT to_state FROM settlement_history WHERE settlement_id = settlement.id
                   ORDER BY id DESC LIMIT 1) AS step ON true
WHERE step.to_state IS DISTINCT FROM settlement.state;

-- name: settlement_history_has_no_gap
-- Each step of a settlement begins where the one before ended.
SELECT settlement_id, id, from_state, before
FROM (SELECT settlement_id, id, from_state,
             lag(to_state) OVER (PARTITION BY settlement_id ORDER BY id) AS before FROM settlement_history) AS step
WHERE from_state IS DISTINCT FROM before;

-- name: settlements_sum_to_the_adjustment
-- Of each party of a posted adjustment the settlements in force sum to its difference: no cent is settled twice, none not at all.
SELECT coalesce(party.id, s.adjustment_id) AS adjustment, coalesce(party.wallet, s.wallet) AS wallet,
       party.difference, s.amount AS settlements
FROM (SELECT adjustment.id, wallet, difference::bigint AS difference
      FROM adjustment, jsonb_each_text(differences) AS party (wallet, difference)
      WHERE state IN ('settling', 'settled')) AS party
FULL JOIN (SELECT adjustment_id, wallet, sum(amount) AS amount FROM settlement
           WHERE state IN ('waiting', 'asked', 'settled') GROUP BY adjustment_id, wallet) AS s
    ON (s.adjustment_id, s.wallet) = (party.id, party.wallet)
WHERE party.difference IS DISTINCT FROM s.amount;

-- name: settled_adjustment_waits_for_nothing
-- An adjustment is settled when all its settlements are, and settling while one is not.
SELECT adjustment.id, adjustment.state, count(settlement.id) AS open
FROM adjustment
LEFT JOIN settlement ON settlement.adjustment_id = adjustment.id AND settlement.state IN ('waiting', 'asked')
WHERE adjustment.state IN ('settling', 'settled')
GROUP BY adjustment.id HAVING (adjustment.state = 'settled') <> (count(settlement.id) = 0);

-- name: nobody_settles_their_own
-- No claw back, forgiving or writing off was decided by whoever made the correction, or one that it covers.
SELECT settlement.id, settlement.method FROM settlement JOIN adjustment ON adjustment.id = settlement.adjustment_id
WHERE method IN ('stripe_reversal', 'forgiven', 'written_off')
  AND EXISTS (SELECT FROM unnest(makers) AS maker (name)
              WHERE lower(normalize(btrim(name), NFKC)) = lower(normalize(btrim(decided_by), NFKC)));

-- name: settled_by_a_transfer_that_carried_it
-- What a transfer is said to have settled is in the list of what transfers carried.
SELECT settlement.id, settlement.proof FROM settlement JOIN adjustment ON adjustment.id = settlement.adjustment_id
WHERE method IN ('payout', 'future_payout_offset') AND settlement.state = 'settled'
  AND NOT EXISTS (SELECT FROM carried_adjustment AS carried
                  WHERE carried.source = 'adjustment:' || adjustment.flight_id || ':' || adjustment.revision
                    AND carried.wallet = settlement.wallet AND carried.transfer_id::text = settlement.proof)
  AND NOT EXISTS (SELECT FROM partly_carried AS part
                  WHERE part.source = 'adjustment:' || adjustment.flight_id || ':' || adjustment.revision
                    AND part.wallet = settlement.wallet AND part.transfer_id::text = settlement.proof);

-- name: parts_that_transfers_took_are_settled
-- No debt waits for a part that a transfer took off already.
SELECT settlement.id, part.transfer_id FROM settlement JOIN adjustment ON adjustment.id = settlement.adjustment_id
JOIN partly_carried AS part ON part.wallet = settlement.wallet
  AND part.source = 'adjustment:' || adjustment.flight_id || ':' || adjustment.revision
WHERE settlement.state = 'waiting' AND settlement.method = 'future_payout_offset' AND part.amount > (
    SELECT coalesce(-sum(taken.amount), 0) FROM settlement AS taken
    WHERE taken.adjustment_id = settlement.adjustment_id AND taken.wallet = settlement.wallet
      AND taken.state = 'settled' AND taken.proof = part.transfer_id::text);

-- name: no_more_is_settled_than_a_transfer_took
-- What a transfer settles of a debt is at most what it took off of it.
SELECT part.source, part.wallet, part.transfer_id, part.amount, -sum(settlement.amount) AS settled
FROM partly_carried AS part
JOIN adjustment ON part.source = 'adjustment:' || adjustment.flight_id || ':' || adjustment.revision
JOIN settlement ON settlement.adjustment_id = adjustment.id AND settlement.wallet = part.wallet
    AND settlement.state = 'settled' AND settlement.proof = part.transfer_id::text
WHERE NOT EXISTS (SELECT FROM carried_adjustment AS carried  -- told before transfers said how much
                  WHERE (carried.source, carried.wallet) = (part.source, part.wallet))
GROUP BY part.source, part.wallet, part.transfer_id, part.amount HAVING -sum(settlement.amount) > part.amount;

-- name: what_a_transfer_carried_waits_no_more
-- Nothing still waits for a transfer that carried it.
SELECT settlement.id FROM settlement JOIN adjustment ON adjustment.id = settlement.adjustment_id
JOIN carried_adjustment AS carried ON carried.wallet = settlement.wallet
  AND carried.source = 'adjustment:' || adjustment.flight_id || ':' || adjustment.revision
WHERE settlement.state = 'waiting';

-- name: journal_of_a_settlement_has_its_answer
-- The ledger answers a settlement's journal within the hour.
SELECT id, method, changed_at FROM settlement
WHERE state = 'asked' AND method IN ('manual_check', 'forgiven', 'written_off')
  AND changed_at < now() - interval '1 hour';

-- name: settlements_are_guarded
-- The triggers that keep sums, states and makers apart from their settlements are there, and fire in every session.
SELECT guard.name FROM (VALUES ('settler_is_not_the_maker'), ('settlement_changes_in_its_states_only'),
    ('begun_settlements_sum_to_the_difference'), ('changed_settlements_sum_to_the_difference')) AS guard (name)
WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'settlement'::regclass
                  AND tgname = guard.name AND tgenabled = 'A');

-- name: early_answers_are_heard
-- No settlement waits for an answer that came before it began and was kept.
SELECT settlement_id, answer, heard_at FROM early_answer JOIN settlement ON settlement.id = settlement_id
WHERE settlement.state = 'asked' AND greatest(heard_at, changed_at) < now() - interval '5 minutes'
  AND CASE answer WHEN 'reversal' THEN method = 'stripe_reversal' WHEN 'refund' THEN method = 'refund'
                  ELSE method IN ('manual_check', 'forgiven', 'written_off') END;
