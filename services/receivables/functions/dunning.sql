-- What decides about asking students for what is overdue: the one place that says it, for the worker, lists and people.

-- The book's card on credit of a day, with its steps of dunning; no row: the book has none.
CREATE OR REPLACE FUNCTION receivables_public.dunning_policy_on(
    on_day date, OUT effective_from date, OUT version integer, OUT policy jsonb)
    RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT card.effective_from, card.version, card.policy FROM credit_policy AS card
    WHERE card.effective_from <= on_day AND card.policy IS NOT NULL
    ORDER BY card.effective_from DESC LIMIT 1
$$;
GRANT EXECUTE ON FUNCTION receivables_public.dunning_policy_on(date) TO hobbs_reader;

-- Students of whom something is overdue on a day, or whose run or hold is open, by name after `after`; at most `most`.
CREATE OR REPLACE FUNCTION receivables_public.dunning_candidates(on_day date, after text, most integer, OUT student text)
    RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT found.student FROM (
        (SELECT DISTINCT item.student FROM item
         WHERE item.open <> 0 AND item.open < 0 AND item.due_on < on_day AND item.student > after
           AND item.currency = (SELECT school.currency FROM school)
         ORDER BY item.student LIMIT most)
        UNION
        (SELECT known.student FROM dunning_case AS known
         WHERE (known.overdue_since IS NOT NULL OR known.hold IS NOT NULL) AND known.student > after
         ORDER BY known.student LIMIT most)) AS found
    ORDER BY found.student LIMIT most
$$;
GRANT EXECUTE ON FUNCTION receivables_public.dunning_candidates(date, text, integer) TO hobbs_reader;

-- How these students stand on a day. total: overdue bills less what was paid and is on its way into the account: what the
-- ledger has and the items have not, and what the ledger was asked to post. done: the steps of the open run. Each
-- student by its indexes (LIMIT 1): joined as sets, every part of a school would read all wallets. declines: of the method
-- that would be charged, no method: null; since when they count, and what was asked of the ledger: domain/auto_charges.py.
CREATE OR REPLACE FUNCTION receivables_public.dunning_of(
    on_day date, declines_began timestamptz, returns_began timestamptz, asked_since timestamptz, names text[],
    OUT student text, OUT currency text, OUT total bigint, OUT oldest_due date,
    OUT bills integer, OUT disputed bigint, OUT in_question boolean, OUT charge_under_way boolean, OUT declines integer,
    OUT is_bank_account boolean, OUT run integer, OUT running boolean, OUT hold text, OUT until date, OUT done jsonb)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH named AS (
        SELECT DISTINCT each.student, school.currency FROM unnest(names) AS each (student) CROSS JOIN school
        WHERE school.currency IS NOT NULL
    ), disputes AS MATERIALIZED (
        SELECT charge.student, sum(dispute.amount)::bigint AS amount FROM dispute JOIN charge USING (charge_id)
        WHERE dispute.withdrawn AND dispute.outcome IS NULL GROUP BY charge.student
    ), undecided AS MATERIALIZED (
        SELECT of.student FROM students_in_question() AS of (student)
    )
    SELECT named.student, named.currency,
           greatest(coalesce(overdue.total, 0) - greatest(coalesce(wallet.balance - account.balance, 0), 0)
                    - greatest(coming.amount, 0), 0)::bigint,
           overdue.oldest_due, coalesce(overdue.bills, 0)::integer, coalesce(disputes.amount, 0),
           EXISTS (SELECT FROM undecided WHERE undecided.student = named.student),
           EXISTS (SELECT FROM auto_charge AS way
                   WHERE way.student = named.student AND way.state IN ('asked', 'processing')),
           chargeable.declines, coalesce(chargeable.is_bank_account, false),
           coalesce(known.run, 0), known.overdue_since IS NOT NULL, known.hold, known.until,
           coalesce(steps.done, '[]'::jsonb)
    FROM named
    LEFT JOIN LATERAL (
        SELECT declines_of(named.student, newest.payment_method, declines_began, returns_began) AS declines,
               newest.method_type = 'us_bank_account' AS is_bank_account
        FROM charge_choice AS choice
        CROSS JOIN LATERAL (SELECT * FROM saved_method WHERE saved_method.student = named.student
                            ORDER BY set_up_at DESC, payment_method LIMIT 1) AS newest
        WHERE choice.student = named.student AND choice.occasion <> 'off' AND newest.detached_at IS NULL
          AND newest.stopped_at IS NULL AND (newest.expires_on IS NULL OR newest.expires_on > on_day)
          AND coalesce(newest.method_type, 'card') IN ('card', 'us_bank_account')) AS chargeable ON true
    LEFT JOIN LATERAL (
        SELECT * FROM dunning_case WHERE dunning_case.student = named.student LIMIT 1) AS known ON true
    LEFT JOIN LATERAL (
        SELECT account.balance FROM account
        WHERE (account.student, account.currency) = (named.student, named.currency) LIMIT 1) AS account ON true
    LEFT JOIN LATERAL (
        SELECT wallets.balance FROM ledger_public.wallets
        WHERE wallets.address = 'student:' || named.student AND wallets.currency = named.currency
        LIMIT 1) AS wallet ON true
    LEFT JOIN disputes ON disputes.student = named.student
    CROSS JOIN LATERAL (
        SELECT -sum(item.open) AS total, min(item.due_on) AS oldest_due, count(*) AS bills FROM item
        WHERE item.student = named.student AND item.currency = named.currency
          AND item.open <> 0 AND item.open < 0 AND item.due_on < on_day) AS overdue
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(entry.amount), 0)::bigint AS amount
        FROM (SELECT posting.* FROM charge JOIN posting USING (charge_id) WHERE charge.student = named.student
              UNION ALL
              SELECT posting.* FROM recorded_payment AS recorded JOIN posting ON posting.payment_id = recorded.id
              WHERE recorded.student = named.student AND recorded.state <> 'reverted'
              UNION ALL
              SELECT posting.* FROM account_note AS note JOIN posting ON posting.note_id = note.id
              WHERE note.student = named.student) AS posting
        CROSS JOIN LATERAL jsonb_to_recordset(posting.entries) AS entry (wallet text, amount bigint)
        WHERE posting.requested_at > asked_since
          AND posting.currency = named.currency AND entry.wallet = 'student:' || named.student
          AND NOT EXISTS (SELECT FROM ledger_public.journals AS posted WHERE posted.source = posting.source)) AS coming
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_array(history.step, history.local_at::date) ORDER BY history.place) AS done
        FROM dunning_history AS history
        WHERE history.student = named.student AND history.run = known.run AND history.what = 'step'
          AND known.overdue_since IS NOT NULL) AS steps ON true
    ORDER BY named.student;
END
$$;
GRANT EXECUTE ON FUNCTION receivables_public.dunning_of(date, timestamptz, timestamptz, timestamptz, text[]) TO hobbs_reader;

-- What is overdue of a student whose dispatches a step of the open run blocked; no row: nothing is blocked. A person's
-- pause lifts a block.
CREATE OR REPLACE FUNCTION receivables_public.overdue_that_blocks(
    on_day date, one text, OUT currency text, OUT total bigint)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
#variable_conflict use_column
BEGIN
    -- Of most students nothing is overdue: who waits for a dispatch does not wait for the statement below then.
    IF NOT EXISTS (SELECT FROM dunning_case WHERE student = one AND overdue_since IS NOT NULL) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT item.currency, -sum(item.open)::bigint
    FROM dunning_case AS known CROSS JOIN school
    JOIN item ON item.student = known.student AND item.currency = school.currency
    WHERE known.student = one AND known.overdue_since IS NOT NULL AND known.hold IS DISTINCT FROM 'paused'
      AND item.open <> 0 AND item.open < 0 AND item.due_on < on_day
      AND EXISTS (SELECT FROM dunning_history AS history
                  WHERE history.student = known.student AND history.run = known.run
                    AND history.action = 'block_dispatch')
    GROUP BY item.currency;
END
$$;
GRANT EXECUTE ON FUNCTION receivables_public.overdue_that_blocks(date, text) TO hobbs_reader;
