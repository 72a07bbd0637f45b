-- How students stand with their credit: the one place that says it, for the worker, the gateway, lists and people.

-- The policy of the book on a day of the school's calendar, with its defaults; no row: the book has none.
CREATE OR REPLACE FUNCTION credit_policy_on(
    on_day date, OUT default_limit bigint, OUT margin_percent integer, OUT hold_hours integer,
    OUT near_percent integer, OUT close_percent integer, OUT allowed_by_one_up_to bigint)
    RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path = receivables, pg_temp
    AS $$
    SELECT (policy ->> 'limit')::bigint, (policy ->> 'margin_percent')::integer, (policy ->> 'hold_hours')::integer,
           (policy ->> 'near_percent')::integer, (policy ->> 'close_percent')::integer,
           (policy ->> 'allowed_by_one_up_to')::bigint
    FROM credit_policy WHERE effective_from <= on_day AND policy IS NOT NULL
    ORDER BY effective_from DESC LIMIT 1
$$;
GRANT EXECUTE ON FUNCTION credit_policy_on(date) TO hobbs_receivables;

-- These students, or everybody who has a wallet or a limit of their own (NULL). Apart from the statement that judges them,
-- whose plan then is one for both: to plan it took longer than to run it, and a dispatch waits for it.
CREATE OR REPLACE FUNCTION students_named(names text[])
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path = receivables, pg_temp
    AS $$
BEGIN
    IF names IS NOT NULL THEN
        RETURN QUERY SELECT DISTINCT unnest(names);
    ELSE
        RETURN QUERY
            SELECT substr(address, 9) FROM ledger_public.wallets
            WHERE kind = 'student' AND currency = (SELECT school.currency FROM school)
            UNION SELECT student FROM credit_limit WHERE NOT withdrawn;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION students_named(text[]) TO hobbs_receivables;

-- A student's wallet beside what they may owe. Amounts are minor units, credit positive. posted, pending and
-- available are the ledger's; disputed is what card holders' banks took back until it is decided. credit_limit is
-- NULL where there is none, and so is room: what may still be flown for. used_percent is NULL where the limit is
-- zero or none. A limit that changed by policy stands as long as the book says what it said then. These students, or everybody (NULL), by name; each wallet by its index (LIMIT 1), as joined as sets the
-- few of a page would read all wallets.
CREATE OR REPLACE FUNCTION receivables_public.credits_of(
    on_day date, names text[], OUT student text, OUT currency text, OUT posted bigint, OUT pending bigint,
    OUT available bigint, OUT disputed bigint, OUT credit_limit bigint, OUT room bigint, OUT used_percent bigint,
    OUT level text, OUT frozen boolean, OUT own_limit boolean, OUT until date)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH policy AS (
        SELECT p.default_limit, p.near_percent, p.close_percent
        FROM (VALUES (true)) AS always LEFT JOIN credit_policy_on(on_day) AS p ON true
    ), person AS (
        SELECT name FROM students_named(names) AS name
    ), sums AS (
        SELECT person.name, school.currency, coalesce(wallet.balance, 0) AS posted,
               coalesce(wallet.pending, 0) AS pending, coalesce(wallet.available, 0) AS available,
               coalesce((SELECT sum(dispute.amount) FROM dispute JOIN charge USING (charge_id)
                         WHERE dispute.withdrawn AND dispute.outcome IS NULL AND charge.student = person.name
                           AND dispute.currency = school.currency), 0)::bigint AS disputed,
               coalesce(changed.amount, book.amount) AS credit_limit,
               coalesce(own.frozen, false) AS frozen,
               own.student IS NOT NULL OR changed.amount IS NOT NULL AS own_limit, own.until,
               coalesce(policy.near_percent, 80) AS near_percent, coalesce(policy.close_percent, 95) AS close_percent
        FROM person CROSS JOIN school CROSS JOIN policy
        LEFT JOIN LATERAL (
            SELECT wallets.balance, wallets.pending, wallets.available FROM ledger_public.wallets
            WHERE wallets.address = 'student:' || person.name AND wallets.currency = school.currency
            LIMIT 1) AS wallet ON true
        LEFT JOIN LATERAL (
            SELECT each.student, each.amount, each.frozen, each.until, each.effective_from, each.version
            FROM credit_limit AS each
            WHERE each.student = person.name AND NOT each.withdrawn AND each.effective_from <= on_day
              AND (each.until IS NULL OR each.until >= on_day)
            ORDER BY each.effective_from DESC LIMIT 1) AS own ON true
        CROSS JOIN LATERAL (
            SELECT CASE WHEN own.student IS NULL THEN policy.default_limit ELSE own.amount END AS amount) AS book
        LEFT JOIN LATERAL (
            SELECT CASE WHEN (last.book_limit, last.card_from, last.card_version)
                             IS NOT DISTINCT FROM (book.amount, own.effective_from, own.version)
                        THEN last.to_limit END AS amount
            FROM limit_change AS last
            WHERE last.student = person.name AND last.state = 'in_force' AND last.effective_from <= on_day
            ORDER BY last.number DESC LIMIT 1) AS changed ON true
        WHERE school.currency IS NOT NULL
    ), used AS (
        SELECT sums.*, greatest(sums.disputed - sums.available, 0) AS amount FROM sums
    )
    SELECT used.name, used.currency, used.posted, used.pending, used.available, used.disputed, used.credit_limit,
           used.credit_limit + used.available - used.disputed,
           CASE WHEN used.credit_limit > 0 THEN div(used.amount::numeric * 100, used.credit_limit)::bigint END,
           CASE WHEN used.credit_limit IS NULL THEN 'ok'
                WHEN used.amount > used.credit_limit THEN 'exceeded'
                WHEN used.credit_limit = 0 THEN 'ok'
                WHEN used.amount::numeric * 100 >= used.credit_limit::numeric * used.close_percent THEN 'close'
                WHEN used.amount::numeric * 100 >= used.credit_limit::numeric * used.near_percent THEN 'near'
                ELSE 'ok' END,
           used.frozen, used.own_limit, used.until
    FROM used ORDER BY used.name;
END $$;
GRANT EXECUTE ON FUNCTION receivables_public.credits_of(date, text[]) TO hobbs_reader;

-- The same of one student, or of everybody (NULL).
CREATE OR REPLACE FUNCTION receivables_public.credit_of(
    on_day date, one text, OUT student text, OUT currency text, OUT posted bigint, OUT pending bigint,
    OUT available bigint, OUT disputed bigint, OUT credit_limit bigint, OUT room bigint, OUT used_percent bigint,
    OUT level text, OUT frozen boolean, OUT own_limit boolean, OUT until date)
    RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT * FROM receivables_public.credits_of(on_day, CASE WHEN one IS NOT NULL THEN ARRAY[one] END)
$$;
GRANT EXECUTE ON FUNCTION receivables_public.credit_of(date, text) TO hobbs_reader;

-- By how many percent more than its estimate a dispatched flight holds, by the book's policy of a day.
CREATE OR REPLACE FUNCTION receivables_public.margin_percent_on(on_day date)
    RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT coalesce((SELECT margin_percent FROM credit_policy_on(on_day)), 10)
$$;

GRANT EXECUTE ON FUNCTION receivables_public.margin_percent_on(date) TO hobbs_reader;

-- Where the school's days begin: who has no right to a view may compute the day that the next function takes.
CREATE OR REPLACE FUNCTION receivables_public.school_time_zone()
    RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT time_zone FROM school
$$;
GRANT EXECUTE ON FUNCTION receivables_public.school_time_zone() TO hobbs_reader;

-- What the book lets a student owe at most after a flight of a kind (solo, dual, ground), whatever their own limit is; NULL: no
-- less than their own.
CREATE OR REPLACE FUNCTION receivables_public.activity_limit_on(on_day date, activity text)
    RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
    SELECT (policy ->> ('limit_' || activity))::bigint
    FROM credit_policy WHERE effective_from <= on_day AND policy IS NOT NULL
    ORDER BY effective_from DESC LIMIT 1
$$;
GRANT EXECUTE ON FUNCTION receivables_public.activity_limit_on(date, text) TO hobbs_reader;

-- Whether a student may be charged so much more on a day of the school's calendar: what a dispatch with this estimate
-- would be answered. Nothing is held. held: the charge and the policy's margin; under_way: what is being charged to the saved card, which gives no
-- room. activity: of a planned flight; limit and room are those of its kind then. reason is NULL where it is allowed; overdue where a step of dunning blocks dispatches. No row: the book names no currency yet.
CREATE OR REPLACE FUNCTION receivables_public.credit_check(
    one text, charge bigint, on_day date, OUT currency text, OUT posted bigint, OUT pending bigint, OUT available bigint,
    OUT disputed bigint, OUT under_way bigint, OUT credit_limit bigint, OUT room bigint, OUT used_percent bigint,
    OUT level text, OUT held bigint, OUT reason text, OUT shortfall bigint,
    OUT overdue bigint, activity text DEFAULT NULL)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = receivables, pg_temp
    AS $$
DECLARE
    limit_of_kind bigint := receivables_public.activity_limit_on(on_day, activity);
    is_frozen boolean;
    known boolean;
BEGIN
    -- Statements of their own: together they were planned anew at each call, which took longer than all of them.
    SELECT of.currency, of.posted, of.pending, of.available, of.disputed, of.credit_limit, of.room, of.used_percent, of.level,
           of.frozen
    INTO currency, posted, pending, available, disputed, credit_limit, room, used_percent, level, is_frozen
    FROM receivables_public.credits_of(on_day, ARRAY[one]) AS of;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    held := greatest(ceil(charge::numeric * (100 + receivables_public.margin_percent_on(on_day)) / 100), 1);
    credit_limit := least(credit_limit, limit_of_kind);
    room := credit_limit + available - disputed;
    under_way := coalesce((SELECT sum(made.amount) FROM auto_charge AS made
                           WHERE made.student = one AND made.state IN ('asked', 'processing')), 0);
    SELECT blocked.total INTO overdue FROM receivables_public.overdue_that_blocks(on_day, one) AS blocked;
    known := EXISTS (SELECT FROM billing_public.cards WHERE kind = 'student' AND key = one);
    IF NOT known THEN
        known := EXISTS (SELECT FROM billing_public.bills WHERE student = one);
    END IF;
    IF NOT known THEN
        reason := 'unknown_student';
    ELSIF is_frozen THEN
        reason := 'frozen';
    ELSIF overdue IS NOT NULL THEN
        reason := 'overdue';
    ELSIF room < held THEN
        reason := 'limit_exceeded';
    END IF;
    IF room < held THEN
        shortfall := held - room;
    END IF;
    RETURN NEXT;
END
$$;
GRANT EXECUTE ON FUNCTION receivables_public.credit_check(text, bigint, date, text) TO hobbs_reader;
