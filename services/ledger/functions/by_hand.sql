-- Posting for DBAs, by the same rules as through Kafka.

-- Which service posts journals of this event type, or of a source that begins like this one; null: none, so people
-- may. Capital letters make no difference: FLIGHT:F1 would be read as a flight's. schemas/journal_types.py is the
-- same table; a test compares them.
CREATE OR REPLACE FUNCTION service_of_journal(event_type text, source text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT service
      FROM (SELECT lower(btrim(service_of_journal.event_type)) AS event_type,
                   lower(btrim(split_part(source, ':', 1))) AS prefix OFFSET 0) AS asked,
           (VALUES
            ('flight', 'flight', 'billing'),
            ('adjustment', 'adjustment', 'adjustments'),
            ('settlement', 'settlement', 'adjustments'),
            ('transfer', 'transfer', 'payouts'),
            ('reversal', 'reversal', 'payouts'),
            ('instant_fee', 'instant-fee', 'payouts'),
            ('stripe_account_fee', 'stripe', 'payouts'),
            ('stripe_payout', 'stripe', 'payouts'),
            ('stripe_topup', 'stripe', 'payouts'),
            ('payment', 'charge', 'receivables'),
            ('payment_failed', 'payment-failed', 'receivables'),
            ('stripe_fee', 'charge-fee', 'receivables'),
            ('allocation', 'allocation', 'receivables'),
            ('payment_moved', 'payment-moved', 'receivables'),
            ('refund', 'refund', 'receivables'),
            ('refund_failed', 'refund-failed', 'receivables'),
            ('dispute', 'dispute', 'receivables'),
            ('dispute_fee', 'dispute-fee', 'receivables'),
            ('dispute_won', 'dispute-won', 'receivables'),
            ('dispute_lost', 'dispute-lost', 'receivables'),
            ('payment_recorded', 'recorded', 'receivables'),
            ('payment_reverted', 'recorded-reverted', 'receivables'),
            ('cheque_cleared', 'recorded-cleared', 'receivables'),
            ('cheque_bounced', 'recorded-bounced', 'receivables'),
            ('bank_deposit', 'bank-deposit', 'receivables'),
            ('bank_deposit_reverted', 'bank-deposit-reverted', 'receivables'),
            ('refund_paid_out', 'paid-out', 'receivables'),
            ('credit_note', 'credit-note', 'receivables'),
            ('write_off', 'write-off', 'receivables'),
            ('cheque_fee', 'cheque-fee', 'receivables'),
            ('note_reverted', 'note-reverted', 'receivables'),
            ('stripe_reconciliation', 'stripe', 'reserves'),
            ('revert', 'revert', 'ledger'),
            ('hold', 'hold', 'ledger'),
            ('opening', 'opening', 'ledger')
           ) AS owned (event_type, prefix, service)
     WHERE asked.event_type IN (owned.event_type, owned.prefix)
        OR asked.prefix IN (owned.event_type, owned.prefix)
     LIMIT 1
$$;

-- Posts one journal by hand. Event types and sources of services are refused: payouts pays what a flight's journal
-- owes, and the service's own journal would find its source taken. `entries` is [{"wallet": "student:s-1", "amount": -100}, ...]; "wallet_id" may
-- stand in for "wallet". The source is <event_type>:<event_id>: the same journal again returns the id of the one
-- that stands, other content for the same source is refused. A journal that comes late is dated into the open
-- period. Wallets and balances are looked up by their keys, one row at a time, so that each statement has one
-- sensible plan, made once for a session (docs/decisions/0141). The limits are those of domain.py.
CREATE OR REPLACE FUNCTION post_journal_with_locks(
    journal_id uuid, event_type text, event_id text, currency text, entries jsonb,
    occurred_at timestamptz DEFAULT NULL, memo text DEFAULT '')
    RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
DECLARE
    service CONSTANT text := service_of_journal(event_type, event_type || ':' || event_id);
BEGIN
    IF service IS NOT NULL THEN
        PERFORM refuse('journal_is_not_a_services', format(
            'journal %s:%s is not for people to post: %s posts it; take an event type of your own, such as manual, '
            'or revert the journal that is wrong', event_type, event_id, service));
    END IF;
    RETURN post_with_locks(journal_id, event_type, event_id, currency, entries, occurred_at, memo);
END $$;
GRANT EXECUTE ON FUNCTION post_journal_with_locks(uuid, text, text, text, jsonb, timestamptz, text) TO hobbs_ledger;

-- The same for whatever event type: for the functions of the ledger that post journals of their own.
CREATE OR REPLACE FUNCTION post_with_locks(
    journal_id uuid, event_type text, event_id text, currency text, entries jsonb,
    occurred_at timestamptz DEFAULT NULL, memo text DEFAULT '')
    RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ledger, pg_temp
    SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
    AS $$
#variable_conflict use_column
DECLARE
    new_source CONSTANT text := post_with_locks.event_type || ':' || event_id;
    wallets text[];
    amounts bigint[];
    lines text[];
    ids bigint[];             -- of the wallets, once they are open in this currency
    held bigint[];            -- each of them once, in the order of locks
    held_amounts bigint[] := '{}';
    held_versions bigint[] := '{}';
    balances_after bigint[] := '{}';
    versions bigint[] := '{}';
    held_id bigint;
    strange_entries boolean;
    held_balance record;
    slot integer;
    standing record;
    happened_at timestamptz;
    dated_at timestamptz;
    closed timestamptz;
    recorded timestamptz;
    held_to CONSTANT bigint := locked_to();
BEGIN
    IF new_source IS NULL OR journal_id IS NULL OR post_with_locks.currency IS NULL THEN
        PERFORM refuse('journal_is_complete', 'journal_id, event_type, event_id and currency are required');
    END IF;
    SELECT array_agg(address ORDER BY nr), array_agg(amount ORDER BY nr),
           array_agg(entry_line(address, post_with_locks.currency, amount)),
           array_agg(opened ORDER BY nr), array_agg(DISTINCT opened ORDER BY opened), bool_or(strange)
      INTO wallets, amounts, lines, ids, held, strange_entries
      FROM (SELECT nr, address, amount, strange,
                   (SELECT wallet_id FROM balance
                     WHERE wallet_id = (SELECT id FROM wallet WHERE wallet.address = named.address COLLATE "C")
                       AND balance.currency = post_with_locks.currency COLLATE "C") AS opened
              FROM (SELECT nr,
                           CASE WHEN jsonb_typeof(item -> 'amount') = 'number' AND item ->> 'amount' ~ '^-?[0-9]{1,16}$'
                                THEN (item ->> 'amount')::bigint END AS amount,
                           jsonb_typeof(item) <> 'object' OR item ?& '{wallet,wallet_id}'::text[]
                               OR item - '{wallet,wallet_id,amount}'::text[] <> '{}'::jsonb AS strange,
                           coalesce(item ->> 'wallet', (SELECT wallet.address FROM wallet
                                                         WHERE wallet.id = (item ->> 'wallet_id')::bigint)) AS address
                      FROM jsonb_array_elements(entries) WITH ORDINALITY AS given (item, nr) OFFSET 0) AS named
            OFFSET 0) AS line;
    IF coalesce(cardinality(wallets), 0) < 2 THEN
        PERFORM refuse('journal_has_entries', format('journal %s has fewer than two entries', new_source));
    END IF;
    IF strange_entries OR array_position(wallets, NULL) IS NOT NULL OR array_position(amounts, NULL) IS NOT NULL THEN
        PERFORM refuse('entry_is_complete', format(
            'journal %s: every entry names a wallet, or a wallet_id that exists, and an amount, a whole number of '
            'minor units, and nothing else', new_source));
    END IF;
    IF cardinality(wallets) > 200 THEN
        PERFORM refuse('journal_has_at_most_200_entries', format(
            'journal %s has %s entries, the limit is 200; split it', new_source, cardinality(wallets)));
    END IF;
    IF array_position(ids, NULL) IS NOT NULL THEN
        PERFORM open_balances(wallets, array_fill(post_with_locks.currency, ARRAY[cardinality(wallets)]));
        SELECT array_agg(opened ORDER BY nr), array_agg(DISTINCT opened ORDER BY opened) INTO ids, held
          FROM (SELECT nr, (SELECT id FROM wallet WHERE wallet.address = given.address COLLATE "C") AS opened
                  FROM unnest(wallets) WITH ORDINALITY AS given (address, nr) OFFSET 0) AS line;
    END IF;

    FOREACH held_id IN ARRAY held LOOP
        IF held_id <= held_to THEN
            PERFORM take_balance(held_id, post_with_locks.currency);
        END IF;
        SELECT amount, version INTO held_balance FROM balance
         WHERE wallet_id = held_id AND balance.currency = post_with_locks.currency COLLATE "C"
           FOR NO KEY UPDATE;
        held_amounts := held_amounts || held_balance.amount;
        held_versions := held_versions || held_balance.version;
    END LOOP;
    PERFORM note_locked_to(held[cardinality(held)]);

    SELECT journal.id, journal.content_hash,
           coalesce((SELECT belongs_at FROM late_journal WHERE late_journal.journal_id = journal.id),
                    journal.occurred_at) AS occurred_at INTO standing
      FROM journal WHERE journal.source = new_source;
    happened_at := coalesce(post_with_locks.occurred_at, standing.occurred_at, clock_timestamp());
    IF NOT (happened_at >= first_instant() AND happened_at < last_instant()) THEN
        PERFORM refuse('journal_occurred_within_the_calendar', format(
            'journal %s occurred at %s, not between 1900 and 2200', new_source, happened_at));
    END IF;
    IF standing.id IS NOT NULL THEN
        IF standing.content_hash <> journal_content_hash(
               new_source, post_with_locks.event_type, happened_at, lines) THEN
            PERFORM refuse('journal_repeats_with_the_same_content', format(
                'journal %s is already posted with other content; correct it with a journal of its own',
                new_source));
        END IF;
        RETURN standing.id;
    END IF;

    FOR nr IN 1 .. cardinality(ids) LOOP
        slot := array_position(held, ids[nr]);
        held_amounts[slot] := held_amounts[slot] + amounts[nr];
        held_versions[slot] := held_versions[slot] + 1;
        balances_after := balances_after || held_amounts[slot];
        versions := versions || held_versions[slot];
    END LOOP;

    closed := (SELECT max(until) FROM closed_period);
    dated_at := greatest(happened_at, closed);
    recorded := clock_timestamp();  -- the statement began before the wallets were locked
    WITH posted AS (
        INSERT INTO journal (id, source, event_type, occurred_at, recorded_at, entry_count, content_hash, memo)
        VALUES (post_with_locks.journal_id, new_source, post_with_locks.event_type,
                dated_at, recorded, cardinality(ids),
                journal_content_hash(new_source, post_with_locks.event_type, happened_at, lines),
                post_with_locks.memo)
    )
    INSERT INTO entry (journal_id, position, wallet_id, currency, amount, version, balance_after,
                       occurred_at, recorded_at)
    SELECT post_with_locks.journal_id, nr, wallet_id, post_with_locks.currency, amount, version,
           balance_after, dated_at, recorded
      FROM unnest(ids, amounts, versions, balances_after) WITH ORDINALITY
           AS line (wallet_id, amount, version, balance_after, nr);
    IF dated_at > happened_at THEN
        PERFORM link_late(ARRAY[post_with_locks.journal_id], ARRAY[happened_at]);
    END IF;
    RETURN post_with_locks.journal_id;
END $$;
