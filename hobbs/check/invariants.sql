-- Invariants across services, asked of what they publish (`*_public` views) in one snapshot. What travels
-- through Kafka may be ten minutes on its way before its absence counts.

-- name: bills_are_posted_as_billed
-- Every bill stands in the ledger once, to the cent and on every wallet: charge, each leg, and the margin.
WITH billed AS (
    SELECT source, currency, wallet, sum(amount) AS amount, max(billed_at) AS billed_at
    FROM (
        SELECT bill_id, 'flight:' || flight_id || ':' || revision AS source, currency, billed_at,
               'student:' || student AS wallet, -charge AS amount
        FROM billing_public.bills WHERE corrects IS NULL
        UNION ALL
        SELECT bill_id, 'flight:' || flight_id || ':' || revision, currency, billed_at, 'platform:school', margin
        FROM billing_public.bills WHERE corrects IS NULL
        UNION ALL
        SELECT leg.bill_id, 'flight:' || leg.flight_id || ':' || leg.revision, leg.currency, bill.billed_at,
               leg.wallet, leg.amount
        FROM billing_public.bill_legs AS leg
        JOIN billing_public.bills AS bill ON bill.bill_id = leg.bill_id
        WHERE bill.corrects IS NULL
    ) AS part
    GROUP BY source, currency, wallet
), posted AS (
    SELECT source, currency, address AS wallet, sum(amount) AS amount
    FROM ledger_public.entries WHERE event_type = 'flight'
    GROUP BY source, currency, address
)
SELECT source, currency, wallet, billed.amount AS billed, posted.amount AS posted
FROM billed FULL JOIN posted USING (source, currency, wallet)
WHERE coalesce(billed.amount, 0) <> coalesce(posted.amount, 0)
  AND (billed.billed_at IS NULL
       OR billed.billed_at < now() - interval '10 minutes'
       OR EXISTS (SELECT 1 FROM ledger_public.journals AS journal WHERE journal.source = billed.source));

-- name: bills_in_force_stand_in_the_ledger
-- The journals of a corrected flight, its own and its adjustments', add up to the newest revision posted, on every wallet.
WITH moved AS (
    SELECT substring(source FROM '^[a-z]+:(.*):[0-9]+$') AS flight_id,
           CAST(substring(source FROM ':([0-9]{1,9})$') AS integer) AS revision,
           event_type, currency, address AS wallet, amount
    FROM ledger_public.entries WHERE event_type IN ('flight', 'adjustment')
      AND source NOT IN (  -- of what a lost dispute took there is no bill
          SELECT 'adjustment:' || flight_id || ':' || revision FROM adjustments_public.adjustments
          WHERE kind = 'recovered')
), in_force AS (
    SELECT flight_id, max(revision) AS revision FROM moved WHERE event_type = 'adjustment' GROUP BY flight_id
), posted AS (
    SELECT flight_id, in_force.revision, currency, wallet, sum(amount) AS amount
    FROM moved JOIN in_force USING (flight_id)
    GROUP BY flight_id, in_force.revision, currency, wallet
), billed AS (
    SELECT flight_id, revision, currency, wallet, sum(amount) AS amount
    FROM (
        SELECT flight_id, revision, currency, 'student:' || student AS wallet, -charge AS amount
        FROM billing_public.bills
        UNION ALL
        SELECT flight_id, revision, currency, 'platform:school', margin FROM billing_public.bills
        UNION ALL
        SELECT flight_id, revision, currency, wallet, amount FROM billing_public.bill_legs
    ) AS part
    JOIN in_force USING (flight_id, revision)
    GROUP BY flight_id, revision, currency, wallet
)
SELECT flight_id, revision, currency, wallet, billed.amount AS billed, posted.amount AS posted
FROM billed FULL JOIN posted USING (flight_id, revision, currency, wallet)
WHERE coalesce(billed.amount, 0) <> coalesce(posted.amount, 0);

-- name: settlements_by_journal_stand_in_the_ledger
-- Each cheque and what was forgiven or written off is one journal of its amount on both wallets; the ledger has no other settlement.
WITH chosen AS (
    SELECT 'settlement:' || id AS source, state, currency, amount,
           CASE WHEN instead_of = 'written_off' THEN 'platform:written-off' ELSE wallet END AS ended,
           CASE method WHEN 'manual_check' THEN 'external:bank' WHEN 'forgiven' THEN 'platform:forgiven'
                       ELSE 'platform:written-off' END AS against
    FROM adjustments_public.settlements
    WHERE method IN ('manual_check', 'forgiven', 'written_off') AND state IN ('asked', 'settled', 'replaced')
), told AS (
    SELECT source, state, currency, ended AS wallet, -amount AS amount FROM chosen
    UNION ALL
    SELECT source, state, currency, against, amount FROM chosen
), posted AS (
    SELECT source, currency, address AS wallet, sum(amount) AS amount
    FROM ledger_public.entries WHERE event_type = 'settlement'
    GROUP BY source, currency, address
)
SELECT source, currency, wallet, told.amount AS told, posted.amount AS posted
FROM told FULL JOIN posted USING (source, currency, wallet)
WHERE coalesce(told.amount, 0) <> coalesce(posted.amount, 0)
  AND NOT (told.state = 'asked' AND posted.amount IS NULL);

-- name: settlements_by_reversal_are_what_came_back
-- What is settled by a reversal came back at Stripe for that request; whoever waits for an answer gets it in ten minutes.
SELECT coalesce(asked.id, answer.settlement_id) AS settlement, coalesce(asked.wallet, answer.wallet) AS wallet,
       asked.state, CASE asked.state WHEN 'settled' THEN -asked.amount ELSE 0 END AS told,
       answer.state AS at_payouts, answer.reversed AS came_back
FROM (SELECT coalesce(forgotten.id, s.id) AS id, s.wallet, s.currency, s.amount, s.state, s.begun_at
      FROM adjustments_public.settlements AS s
      LEFT JOIN LATERAL (  -- a restore has lost who approved it: the debt began as an offset under the request's id
          SELECT id FROM adjustments_public.settlements AS debt
          WHERE s.decided_by = 'payouts' AND debt.method = 'future_payout_offset'
            AND (debt.adjustment_id, debt.wallet) = (s.adjustment_id, s.wallet)
            AND EXISTS (SELECT FROM payouts_public.clawbacks WHERE settlement_id = debt.id)) AS forgotten ON true
      WHERE s.method = 'stripe_reversal') AS asked
FULL JOIN payouts_public.clawbacks AS answer ON answer.settlement_id = asked.id
WHERE CASE
    WHEN asked.id IS NULL THEN answer.requested_at < now() - interval '10 minutes' AND NOT (
        answer.reversed = 0 AND EXISTS (SELECT FROM adjustments_public.settlements WHERE id = answer.settlement_id))
    WHEN asked.state = 'asked' AND answer.settlement_id IS NULL THEN asked.begun_at < now() - interval '10 minutes'
    WHEN asked.state = 'asked' THEN answer.settled_at < now() - interval '10 minutes'
    ELSE (asked.wallet, asked.currency, CASE asked.state WHEN 'settled' THEN -asked.amount ELSE 0 END)
         IS DISTINCT FROM (answer.wallet, answer.currency, answer.reversed) END;

-- name: settlements_by_transfer_were_sent
-- The transfer that is said to have paid or deducted a correction was sent to that payee, and has it in it.
SELECT settlement.id AS settlement, settlement.wallet, settlement.proof AS transfer
FROM adjustments_public.settlements AS settlement
WHERE settlement.method IN ('payout', 'future_payout_offset') AND settlement.state = 'settled'
  AND NOT EXISTS (
      SELECT FROM payouts_public.payables AS payable
      JOIN payouts_public.transfers AS transfer ON transfer.id = payable.transfer_id
      WHERE transfer.id::text = settlement.proof AND transfer.stripe_transfer_id IS NOT NULL
        AND payable.wallet = settlement.wallet
        AND 'adjustment:' || settlement.flight_id || ':' || settlement.revision
            IN (payable.source, payable.stands_for));

-- name: compared_journals_are_the_ledgers
-- What reserves compares with Stripe's rows is what the ledger holds at Stripe, to the cent; a journal may be on its way for ten minutes.
SELECT currency, sum(amount) AS difference FROM (
    SELECT currency, amount FROM ledger_public.entries
    WHERE address = 'external:stripe' AND recorded_at < now() - interval '10 minutes'
    UNION ALL
    SELECT currency, -amount FROM reserves_public.book_lines WHERE recorded_at < now() - interval '10 minutes'
) AS part GROUP BY currency HAVING sum(amount) <> 0;

-- name: compared_rows_are_payouts
-- What reserves compares with the books is every row that payouts told of, ten minutes later at the latest.
SELECT told.transaction_id, told.version
FROM payouts_public.told_movements AS told LEFT JOIN reserves_public.stripe_lines AS line USING (transaction_id)
WHERE told.noted_at < now() - interval '10 minutes' AND line.transaction_id IS NULL;

-- name: sent_transfers_are_posted
-- Every transfer that Stripe took left the payee's wallet once, for the same amount; nothing else did.
WITH sent AS (
    SELECT 'transfer:' || id AS source, currency, wallet, -amount AS amount, sent_at
    FROM payouts_public.transfers WHERE stripe_transfer_id IS NOT NULL
), posted AS (
    SELECT source, currency, address AS wallet, sum(amount) AS amount
    FROM ledger_public.entries WHERE event_type = 'transfer' AND address <> 'external:stripe'
    GROUP BY source, currency, address
)
SELECT source, currency, wallet, sent.amount AS sent, posted.amount AS posted
FROM sent FULL JOIN posted USING (source, currency, wallet)
WHERE coalesce(sent.amount, 0) <> coalesce(posted.amount, 0)
  AND (sent.sent_at IS NULL
       OR sent.sent_at < now() - interval '10 minutes'
       OR posted.amount IS NOT NULL);

-- name: payments_are_posted
-- Every card payment that receivables knows is in the ledger once, gross; the ledger has no other.
WITH received AS (
    SELECT 'charge:' || charge_id AS source, currency, amount, received_at FROM receivables_public.payments
), posted AS (
    SELECT source, currency, -sum(amount) AS amount
    FROM ledger_public.entries WHERE event_type = 'payment' AND address = 'external:stripe'
    GROUP BY source, currency
)
SELECT source, currency, received.amount AS received, posted.amount AS posted
FROM received FULL JOIN posted USING (source, currency)
WHERE coalesce(received.amount, 0) <> coalesce(posted.amount, 0)
  AND (received.received_at IS NULL
       OR received.received_at < now() - interval '10 minutes'
       OR posted.amount IS NOT NULL);

-- name: payments_stand_where_receivables_put_them
-- What payments leave on each student's wallet, and on the unallocated one, is what receivables asked for.
WITH asked AS (
    SELECT wallet, currency, sum(amount) AS amount, max(requested_at) AS requested_at
    FROM receivables_public.postings WHERE wallet LIKE 'student:%' OR wallet = 'liability:unallocated'
    GROUP BY wallet, currency
), posted AS (
    SELECT address AS wallet, currency, sum(amount) AS amount
    FROM ledger_public.entries
    WHERE split_part(source, ':', 1) IN ('charge', 'allocation', 'payment-moved', 'refund', 'refund-failed',
                                         'dispute-lost', 'dispute-won', 'payment-failed', 'recorded',
                                         'recorded-cleared', 'recorded-bounced', 'recorded-reverted')
      AND (address LIKE 'student:%' OR address = 'liability:unallocated')
    GROUP BY address, currency
)
SELECT wallet, currency, asked.amount AS asked, posted.amount AS posted
FROM asked FULL JOIN posted USING (wallet, currency)
WHERE coalesce(asked.amount, 0) <> coalesce(posted.amount, 0)
  AND (asked.requested_at IS NULL OR asked.requested_at < now() - interval '10 minutes');

-- name: payees_balances_are_paid
-- What a payee's wallet shows as owed is what payables pay: nothing is owed that nobody pays, or paid that is not owed.
WITH posted AS (
    SELECT entry.journal_id, entry.address AS wallet, entry.currency, sum(entry.amount) AS amount,
           max(journal.recorded_at) AS recorded_at,
           bool_or(entry.event_type IN ('flight', 'adjustment', 'settlement', 'opening', 'revert')) AS may_be_on_its_way
    FROM ledger_public.entries AS entry
    JOIN ledger_public.journals AS journal ON journal.journal_id = entry.journal_id
    WHERE (entry.address LIKE 'instructor:%' OR entry.address LIKE 'aircraft\_owner:%')
      AND entry.event_type NOT IN ('transfer', 'reversal', 'instant_fee')
    GROUP BY entry.journal_id, entry.address, entry.currency
), owed AS (
    SELECT journal_id, wallet, currency, sum(amount) AS amount FROM payouts_public.payables
    GROUP BY journal_id, wallet, currency
)
SELECT wallet, currency, sum(coalesce(posted.amount, 0)) AS in_the_ledger,
       sum(coalesce(owed.amount, 0)) AS in_payables
FROM posted FULL JOIN owed USING (journal_id, wallet, currency)
WHERE coalesce(posted.amount, 0) <> coalesce(owed.amount, 0)
  AND (owed.amount IS NOT NULL OR NOT posted.may_be_on_its_way
       OR posted.recorded_at < now() - interval '10 minutes')
GROUP BY wallet, currency
HAVING sum(coalesce(posted.amount, 0)) <> sum(coalesce(owed.amount, 0));

-- name: nobody_is_sent_more_than_they_were_owed
-- What was transferred to a payee, less what came back, was credited to the payee's wallet before.
SELECT transfer.wallet, transfer.currency, transfer.sent, coalesce(credited.amount, 0) AS credited
FROM (
    SELECT wallet, currency, sum(amount - amount_reversed) AS sent
    FROM payouts_public.transfers WHERE stripe_transfer_id IS NOT NULL
    GROUP BY wallet, currency
) AS transfer
LEFT JOIN (
    SELECT address AS wallet, currency, sum(amount) AS amount
    FROM ledger_public.entries WHERE amount > 0 AND event_type NOT IN ('transfer', 'reversal', 'instant_fee')
    GROUP BY address, currency
) AS credited USING (wallet, currency)
WHERE transfer.sent > coalesce(credited.amount, 0);

-- name: payouts_follows_the_accepted_book
-- Payouts has every payee's card and the time zone as billing's newest accepted version says, and no other.
WITH newest AS (
    SELECT DISTINCT ON (kind, key, effective_from) kind, key, effective_from, version, new
    FROM billing_public.card_history WHERE kind IN ('instructor', 'owner', 'school')
    ORDER BY kind, key, effective_from, version DESC
), accepted AS (
    SELECT CASE kind WHEN 'school' THEN 'the school''s time zone' WHEN 'owner' THEN 'aircraft_owner:' || key
                     ELSE 'instructor:' || key END AS wallet,
           effective_from, version, school_versions.applied_at,
           CASE WHEN new IS NULL THEN 'withdrawn' WHEN kind = 'school' THEN new ->> 'time_zone'
                ELSE concat_ws(', ', coalesce(new ->> 'country', 'US'),
                               coalesce(new ->> 'payout_schedule', 'per_flight'),
                               coalesce(new ->> 'payout_minimum', '0'),
                               coalesce(new ->> 'payout_hold_hours', '0'),
                               coalesce(new ->> 'instant_payout', 'false')) END AS says
    FROM newest JOIN billing_public.school_versions USING (version)
), followed AS (
    SELECT wallet, effective_from, version,
           CASE WHEN withdrawn THEN 'withdrawn'
                ELSE concat_ws(', ', country, schedule, minimum_amount, hold_hours,
                               CASE WHEN instant THEN 'true' ELSE 'false' END) END AS says
    FROM payouts_public.payee_cards
    UNION ALL
    SELECT 'the school''s time zone', date '1900-01-01', time_zone_version, time_zone
    FROM payouts_public.school WHERE time_zone_version > 0
)
SELECT wallet, effective_from, accepted.version AS accepted_in, followed.version AS followed_in
FROM accepted FULL JOIN followed USING (wallet, effective_from)
WHERE (accepted.version, accepted.says) IS DISTINCT FROM (followed.version, followed.says)
  AND NOT (coalesce(followed.version, 0) < coalesce(accepted.version, 0)
           AND accepted.applied_at > now() - interval '10 minutes');

-- name: cash_journals_are_the_ledgers
-- What payouts compares with Stripe's rows is every journal of the ledger that moves Stripe's cash, to the cent.
WITH posted AS (
    SELECT journal.source, entry.currency, sum(entry.amount) AS amount, max(journal.recorded_at) AS recorded_at
    FROM ledger_public.entries AS entry
    JOIN ledger_public.journals AS journal ON journal.journal_id = entry.journal_id
    WHERE entry.address = 'external:stripe'
      AND journal.recorded_at > (SELECT opened_at FROM payouts_public.movement_listing)
    GROUP BY journal.source, entry.currency
), noted AS (
    SELECT source, currency, amount FROM payouts_public.cash_journals
    WHERE recorded_at > (SELECT opened_at FROM payouts_public.movement_listing)
)
SELECT source, currency, posted.amount AS posted, noted.amount AS noted
FROM posted FULL JOIN noted USING (source, currency)
WHERE coalesce(posted.amount, 0) <> coalesce(noted.amount, 0)
  AND (posted.recorded_at IS NULL
       OR posted.recorded_at < now() - interval '10 minutes'
       OR noted.amount IS NOT NULL);

-- name: refunds_are_what_they_settle
-- What a refund to a card settles is what receivables booked of it, to the cent.
SELECT settlement.flight_id, settlement.revision, settlement.wallet, settlement.amount, booked.amount AS booked
FROM adjustments_public.settlements AS settlement
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0) AS amount FROM receivables_public.refunds
    WHERE refund_id = ANY (string_to_array(settlement.proof, ', ')) AND moved AND NOT failed) AS booked
WHERE settlement.method = 'refund' AND settlement.state = 'settled' AND booked.amount <> settlement.amount
  AND settlement.changed_at < now() - interval '10 minutes';

-- name: ageing_is_the_ledgers_balance
-- What is open of each student's items is the ledger's balance; a journal may be on its way for ten minutes.
SELECT coalesce(aged.student, posted.student) AS student, currency, coalesce(aged.open, 0) AS open,
       coalesce(posted.balance, 0) AS in_the_ledger
FROM (SELECT student, currency, sum(open) AS open FROM receivables_public.items GROUP BY student, currency) AS aged
FULL JOIN (SELECT substr(address, 9) AS student, currency, balance FROM ledger_public.wallets
           WHERE kind = 'student') AS posted USING (student, currency)
WHERE coalesce(aged.open, 0) <> coalesce(posted.balance, 0)
  AND EXISTS (SELECT FROM receivables_public.accounts)  -- receivables has read the ledger's journals
  AND NOT EXISTS (
      SELECT FROM ledger_public.entries AS entry
      WHERE entry.address = 'student:' || coalesce(aged.student, posted.student)
        AND entry.recorded_at > now() - interval '10 minutes');

-- name: positions_are_the_ledgers
-- What reserves holds for each wallet is the ledger's balance; a journal may be on its way for ten minutes.
SELECT coalesce(held.wallet, posted.address) AS wallet, currency, coalesce(held.amount, 0) AS in_reserves,
       coalesce(posted.balance, 0) AS in_the_ledger
FROM (SELECT wallet AS address, wallet, currency, amount FROM reserves_public.wallet_positions) AS held
FULL JOIN (SELECT address, currency, balance FROM ledger_public.wallets) AS posted USING (address, currency)
WHERE coalesce(held.amount, 0) <> coalesce(posted.balance, 0)
  AND EXISTS (SELECT FROM reserves_public.wallet_positions)  -- it has read the ledger's journals
  AND NOT EXISTS (
      SELECT FROM ledger_public.entries AS entry
      JOIN ledger_public.journals AS journal ON journal.journal_id = entry.journal_id
      WHERE entry.address = posted.address AND journal.recorded_at > now() - interval '10 minutes');
