-- What changes students' limits by the book's policy: the one place that says it, and what nobody may do to a change.

-- Trigger: what was found stands; its state goes forward only, as domain/limit_changes.py says.
CREATE OR REPLACE FUNCTION guard_limit_change()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (OLD.id, OLD.student, OLD.number, OLD.cause, OLD.currency, OLD.from_limit, OLD.to_limit, OLD.book_limit,
            OLD.card_from, OLD.card_version, OLD.policy_from, OLD.policy_version, OLD.evidence, OLD.sentence, OLD.proposed_at)
        IS DISTINCT FROM
       (NEW.id, NEW.student, NEW.number, NEW.cause, NEW.currency, NEW.from_limit, NEW.to_limit, NEW.book_limit,
            NEW.card_from, NEW.card_version, NEW.policy_from, NEW.policy_version, NEW.evidence, NEW.sentence, NEW.proposed_at) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'what_was_found_stands',
            MESSAGE = 'change ' || OLD.number || ' of the limit of ' || OLD.student || ' was found so';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
            ('proposed', 'waits'), ('proposed', 'in_force'), ('proposed', 'refused'), ('proposed', 'lapsed'),
            ('waits', 'in_force'), ('waits', 'refused'), ('waits', 'lapsed')) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'limit_change_moves_as_it_may',
            MESSAGE = 'change ' || OLD.number || ' of the limit of ' || OLD.student || ' is ' || OLD.state
                      || ', which does not become ' || NEW.state;
    END IF;
    RETURN NEW;
END $$;
GRANT EXECUTE ON FUNCTION guard_limit_change() TO hobbs_receivables;

-- Payments that were declined, failed late, bounced or were disputed, each with its name and when; of these students,
-- or of everybody (NULL), from an instant on. Declines in which the bank asked for the student or for other data say nothing.
-- A charge of a card that is disputed is so named from the day on which its money was taken, and also once that is lost;
-- a dispute that was won says nothing any more.
CREATE OR REPLACE FUNCTION receivables_public.setbacks_of(
    from_instant timestamptz, names text[], OUT student text, OUT cause text, OUT at timestamptz)
    RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT found.student, found.cause, min(found.at)
    FROM (SELECT auto_charge.student, 'declined:' || split_part(auto_charge.cause, '#', 1) AS cause, answered_at AS at
          FROM auto_charge
          WHERE state = 'declined' AND kind IN ('later', 'stop') AND answered_at >= from_instant
            AND (names IS NULL OR auto_charge.student = ANY (names))
            AND (by_bank_account(auto_charge.payment_method)
                 OR NOT EXISTS (SELECT FROM dispute WHERE dispute.charge_id = auto_charge.charge_id AND withdrawn))
          UNION ALL
          SELECT charge.student, 'failed:' || charge_id, failed_at FROM charge
          WHERE failed_at >= from_instant AND (names IS NULL OR charge.student = ANY (names))
            AND NOT EXISTS (SELECT FROM auto_charge AS made WHERE made.charge_id = charge.charge_id
                                                              AND made.student = charge.student)
          UNION ALL
          SELECT charge.student, 'disputed:' || dispute_id, opened_at FROM dispute JOIN charge USING (charge_id)
          WHERE withdrawn AND outcome IS DISTINCT FROM 'won'
            AND opened_at >= from_instant AND (names IS NULL OR charge.student = ANY (names))
            AND NOT EXISTS (SELECT FROM auto_charge AS made WHERE made.charge_id = charge.charge_id
                                                              AND made.student = charge.student AND made.state = 'declined'
                                                              AND by_bank_account(made.payment_method))
          UNION ALL
          SELECT payment.student, 'bounced:' || payment.id, change.at
          FROM recorded_change AS change JOIN recorded_payment AS payment ON payment.id = change.payment_id
          WHERE change.what = 'bounced' AND change.at >= from_instant
            AND (names IS NULL OR payment.student = ANY (names))) AS found
    WHERE found.student IS NOT NULL
    GROUP BY found.student, found.cause ORDER BY 3, 2
$$;
GRANT EXECUTE ON FUNCTION receivables_public.setbacks_of(timestamptz, text[]) TO hobbs_reader;

-- The last day on which a student had a bill open for more than so many days after its due date; NULL: none was. By
-- days: what is late then is what was due so long before, less all that was paid until then and is not taken back.
CREATE OR REPLACE FUNCTION receivables_public.late_until(on_day date, late_after integer, one text, in_currency text)
    RETURNS date
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT max(least(next_day - 1, on_day))
    FROM (SELECT day, sum(sum(amount)) OVER (ORDER BY day) AS late, lead(day, 1, on_day + 1) OVER (ORDER BY day) AS next_day
          FROM (SELECT CASE WHEN amount < 0 THEN due_on + late_after + 1 ELSE booked_on END AS day, -amount AS amount
                FROM item WHERE student = one AND currency = in_currency AND amount <> 0) AS said
          WHERE day <= on_day GROUP BY day) AS summed
    WHERE late > 0
$$;
GRANT EXECUTE ON FUNCTION receivables_public.late_until(date, integer, text, text) TO hobbs_reader;

-- What decides about the limits of these students on a day; setbacks are told apart from those that changed a limit already
-- (that of the change that is open is among them, as long as it is one), and none counts that is older than the policy, the
-- student's own card or the last rise.
CREATE OR REPLACE FUNCTION receivables_public.limit_evidence_of(
    on_day date, late_after integer, names text[], OUT student text, OUT currency text, OUT credit_limit bigint,
    OUT book_limit bigint, OUT card_from date, OUT card_version integer, OUT fixed boolean, OUT known_from date,
    OUT late_until date, OUT flights integer, OUT disputes_open integer, OUT set_back_at timestamptz, OUT changed_on date,
    OUT risen_at timestamptz, OUT changes integer, OUT setbacks jsonb, OUT open jsonb)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT stands.student, stands.currency, stands.credit_limit,
           CASE WHEN own.student IS NULL THEN (SELECT default_limit FROM credit_policy_on(on_day)) ELSE own.amount END,
           own.effective_from, own.version, stands.frozen OR own.until IS NOT NULL,
           (SELECT min(item.booked_on) FROM item
            WHERE item.student = stands.student AND item.currency = stands.currency),
           receivables_public.late_until(on_day, late_after, stands.student, stands.currency),
           (SELECT count(DISTINCT bill.flight_id)::integer FROM billing_public.bills AS bill
            WHERE bill.student = stands.student AND bill.in_force AND bill.kind <> 'cancelled'
              AND (last.changed_on IS NULL OR bill.billed_on > last.changed_on)),
           (SELECT count(*)::integer FROM dispute JOIN charge USING (charge_id)
            WHERE charge.student = stands.student AND withdrawn AND outcome IS NULL),
           told.newest, last.changed_on, last.risen_at, coalesce(last.changes, 0), told.left_over, last.open
    FROM receivables_public.credits_of(on_day, names) AS stands
    LEFT JOIN LATERAL (
        SELECT each.student, each.amount, each.until, each.effective_from, each.version FROM credit_limit AS each
        WHERE each.student = stands.student AND NOT each.withdrawn AND each.effective_from <= on_day
          AND (each.until IS NULL OR each.until >= on_day)
        ORDER BY each.effective_from DESC LIMIT 1) AS own ON true
    LEFT JOIN LATERAL (
        SELECT max(effective_from) AS changed_on, max(number) AS changes,
               max(decided_at) FILTER (WHERE state = 'in_force' AND to_limit > from_limit) AS risen_at,
               (array_agg(to_jsonb(change)) FILTER (WHERE state IN ('proposed', 'waits')))[1] AS open
        FROM limit_change AS change WHERE change.student = stands.student) AS last ON true
    CROSS JOIN LATERAL (
        SELECT max(setback.at) AS newest,
               coalesce(jsonb_agg(jsonb_build_array(setback.cause, setback.at) ORDER BY setback.at, setback.cause)
                   FILTER (WHERE NOT EXISTS (
                       SELECT FROM limit_change AS used WHERE used.student = stands.student AND used.cause = setback.cause
                          AND used.state IN ('in_force', 'refused'))), '[]'::jsonb) AS left_over
        FROM receivables_public.setbacks_of('-infinity', ARRAY[stands.student]) AS setback) AS told
    ORDER BY stands.student;
END
$$;
GRANT EXECUTE ON FUNCTION receivables_public.limit_evidence_of(date, integer, text[]) TO hobbs_reader;
