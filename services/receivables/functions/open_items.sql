-- Open items and ageing: the one place that says them, for the worker, lists and people.

-- When what is booked on a day of the school's calendar is due, by the book's policy of that day.
CREATE OR REPLACE FUNCTION due_on(on_day date)
    RETURNS date
    LANGUAGE sql STABLE
    SET search_path = receivables, pg_temp
    AS $$
    SELECT CASE terms.policy ->> 'terms'
               WHEN 'end_of_month' THEN (date_trunc('month', on_day) + interval '1 month' - interval '1 day')::date
               ELSE on_day END
           + coalesce((terms.policy ->> 'terms_days')::integer, 0)
    FROM (VALUES (true)) AS always
    LEFT JOIN (SELECT policy FROM credit_policy WHERE effective_from <= on_day AND policy IS NOT NULL
               ORDER BY effective_from DESC LIMIT 1) AS terms ON true
$$;
GRANT EXECUTE ON FUNCTION due_on(date) TO hobbs_receivables;

-- Which item a journal belongs to: a flight's bill and its corrections are one, a payment and its refunds, failures,
-- reverts and lost disputes are one, a credit note is of its bill, anything else stands alone.
CREATE OR REPLACE FUNCTION document_of(of_source text)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = receivables, pg_temp
    AS $$
    SELECT coalesce(
        (SELECT coalesce('charge:' || posting.charge_id, 'recorded:' || posting.payment_id,
                         (SELECT coalesce(note.bill, 'note:' || note.id) FROM account_note AS note
                          WHERE note.id = posting.note_id)) FROM posting
         WHERE posting.source = of_source),
        'flight:' || substring(of_source FROM '^(?:flight|adjustment):(.+):[^:]+$'),
        of_source)
$$;
GRANT EXECUTE ON FUNCTION document_of(text) TO hobbs_receivables;

-- What students owe on a day, by how long it is overdue; amounts are minor units and positive. credit is what they
-- paid or were given beyond it, disputed what card holders' banks took back until it is decided (not in the sums).
-- balance is credit less what is owed: the ledger's. These students, or everybody (NULL), by name; nobody at zero.
-- Planned for the names it is given: a plan for any would read the items of all to find those of one.
CREATE OR REPLACE FUNCTION receivables_public.ageings_of(
    on_day date, names text[], OUT student text, OUT currency text, OUT balance bigint, OUT not_due bigint,
    OUT days_1_30 bigint, OUT days_31_60 bigint, OUT days_61_90 bigint, OUT over_90 bigint, OUT owed bigint,
    OUT overdue bigint, OUT credit bigint, OUT oldest_due date, OUT items integer)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    SET plan_cache_mode = force_custom_plan
    AS $$
    #variable_conflict use_column
    BEGIN RETURN QUERY
    SELECT aged.student, aged.currency, aged.credit + owed.late + aged.not_due, -aged.not_due, -aged.days_1_30,
           -aged.days_31_60, -aged.days_61_90, -aged.over_90, -(owed.late + aged.not_due), -owed.late, aged.credit,
           aged.oldest_due, aged.items
    FROM (
        SELECT item.student, item.currency,
               coalesce((sum(item.open) FILTER (WHERE item.open < 0 AND item.due_on >= on_day))::bigint, 0) AS not_due,
               coalesce((sum(item.open) FILTER (WHERE item.open < 0 AND on_day - item.due_on BETWEEN 1 AND 30))::bigint,
                        0) AS days_1_30,
               coalesce((sum(item.open) FILTER (WHERE item.open < 0 AND on_day - item.due_on BETWEEN 31 AND 60))::bigint,
                        0) AS days_31_60,
               coalesce((sum(item.open) FILTER (WHERE item.open < 0 AND on_day - item.due_on BETWEEN 61 AND 90))::bigint,
                        0) AS days_61_90,
               coalesce((sum(item.open) FILTER (WHERE item.open < 0 AND on_day - item.due_on > 90))::bigint, 0) AS over_90,
               coalesce((sum(item.open) FILTER (WHERE item.open > 0))::bigint, 0) AS credit,
               min(item.due_on) FILTER (WHERE item.open < 0) AS oldest_due,
               (count(*) FILTER (WHERE item.open < 0))::integer AS items
        FROM item WHERE item.open <> 0 AND (names IS NULL OR item.student = ANY (names))
        GROUP BY item.student, item.currency) AS aged
    CROSS JOIN LATERAL (
        SELECT aged.days_1_30 + aged.days_31_60 + aged.days_61_90 + aged.over_90 AS late) AS owed
    ORDER BY aged.student, aged.currency;
    END
$$;
GRANT EXECUTE ON FUNCTION receivables_public.ageings_of(date, text[]) TO hobbs_reader;

-- The same of one student, or of everybody (NULL).
CREATE OR REPLACE FUNCTION receivables_public.ageing_of(
    on_day date, one text, OUT student text, OUT currency text, OUT balance bigint, OUT not_due bigint,
    OUT days_1_30 bigint, OUT days_31_60 bigint, OUT days_61_90 bigint, OUT over_90 bigint, OUT owed bigint,
    OUT overdue bigint, OUT credit bigint, OUT oldest_due date, OUT items integer)
    RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT * FROM receivables_public.ageings_of(on_day, CASE WHEN one IS NOT NULL THEN ARRAY[one] END)
$$;
GRANT EXECUTE ON FUNCTION receivables_public.ageing_of(date, text) TO hobbs_reader;

-- The students of whom most is overdue on a day, by amount and by name, the last first; at most `most`.
CREATE OR REPLACE FUNCTION receivables_public.most_overdue(on_day date, most integer)
    RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT ARRAY(
        SELECT owing.student FROM (
            SELECT item.student, item.currency,
                   coalesce(sum(item.open) FILTER (WHERE item.open < 0 AND item.due_on < on_day), 0) AS late
            FROM item WHERE item.open <> 0 GROUP BY item.student, item.currency) AS owing
        ORDER BY owing.late, owing.student || ' ' || owing.currency DESC LIMIT most)
$$;
GRANT EXECUTE ON FUNCTION receivables_public.most_overdue(date, integer) TO hobbs_reader;

-- The same of everybody together, one row for each currency; students: how many owe something.
CREATE OR REPLACE FUNCTION receivables_public.ageing_in_total(
    on_day date, OUT currency text, OUT students integer, OUT balance bigint, OUT not_due bigint,
    OUT days_1_30 bigint, OUT days_31_60 bigint, OUT days_61_90 bigint, OUT over_90 bigint, OUT owed bigint,
    OUT overdue bigint, OUT credit bigint)
    RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT each.currency, (count(*) FILTER (WHERE each.owed > 0))::integer, sum(each.balance)::bigint,
           sum(each.not_due)::bigint, sum(each.days_1_30)::bigint, sum(each.days_31_60)::bigint,
           sum(each.days_61_90)::bigint, sum(each.over_90)::bigint, sum(each.owed)::bigint,
           sum(each.overdue)::bigint, sum(each.credit)::bigint
    FROM receivables_public.ageing_of(on_day, NULL) AS each GROUP BY each.currency ORDER BY each.currency
$$;
GRANT EXECUTE ON FUNCTION receivables_public.ageing_in_total(date) TO hobbs_reader;
