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
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT of.currency, of.posted, of.pending, of.available, of.disputed, coalesce(way.amount, 0), stands.credit_limit,
           stands.room, of.used_percent, of.level, hold.amount,
           CASE WHEN NOT EXISTS (SELECT FROM billing_public.cards WHERE kind = 'student' AND key = one)
                     AND NOT EXISTS (SELECT FROM billing_public.bills WHERE student = one) THEN 'unknown_student'
                WHEN of.frozen THEN 'frozen'
                WHEN blocked.total IS NOT NULL THEN 'overdue'
                WHEN stands.room < hold.amount THEN 'limit_exceeded' END,
           CASE WHEN stands.room < hold.amount THEN hold.amount - stands.room END, blocked.total
    FROM receivables_public.credit_of(on_day, one) AS of
    CROSS JOIN LATERAL (
        SELECT greatest(ceil(charge::numeric * (100 + receivables_public.margin_percent_on(on_day)) / 100),
                        1)::bigint AS amount) AS hold
    CROSS JOIN LATERAL (
        SELECT least(of.credit_limit, kind.amount) AS credit_limit,
               least(of.credit_limit, kind.amount) + of.available - of.disputed AS room
        FROM (SELECT receivables_public.activity_limit_on(on_day, activity) AS amount) AS kind) AS stands
    LEFT JOIN LATERAL (SELECT sum(amount)::bigint AS amount FROM auto_charge
                       WHERE student = one AND state IN ('asked', 'processing')) AS way ON true
    LEFT JOIN LATERAL receivables_public.overdue_that_blocks(on_day, one) AS blocked ON true;
END
$$;
GRANT EXECUTE ON FUNCTION receivables_public.credit_check(text, bigint, date, text) TO hobbs_reader;
