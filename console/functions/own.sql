-- What a holder may read: the rows of the wallet that app.actor names, and no others, whatever a query asks for.
-- They run as their owner, because hobbs_holder can read no view. Their bodies name published views in text, so that
-- no service's migration is held up by the console.

CREATE OR REPLACE FUNCTION console_public.own_wallet() RETURNS text
    LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('app.actor', true), '') $$;

CREATE OR REPLACE FUNCTION console_public.own_balances()
    RETURNS TABLE (address text, currency text, balance bigint, pending bigint, available bigint, floor bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT w.address::text, w.currency::text, w.balance::bigint, w.pending::bigint, w.available::bigint,
                        w."limit"::bigint
        FROM ledger_public.wallets AS w WHERE w.address = console_public.own_wallet() ORDER BY w.currency;
END $$;

CREATE OR REPLACE FUNCTION console_public.own_entries()
    RETURNS TABLE (place text, occurred_at timestamptz, event_type text, source text, memo text, currency text,
                   amount bigint, balance_after bigint, version bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT e.currency || lpad(e.version::text, 19, '0'), e.occurred_at, e.event_type::text,
                        e.source::text, e.memo::text, e.currency::text, e.amount::bigint, e.balance_after::bigint,
                        e.version::bigint
        FROM ledger_public.entries AS e
        WHERE e.wallet_id IN (SELECT w.wallet_id FROM ledger_public.wallets AS w
                              WHERE w.address = console_public.own_wallet());
END $$;

-- The same, with when each was recorded: what a month was known to be at an instant.
CREATE OR REPLACE FUNCTION console_public.own_dated_entries()
    RETURNS TABLE (occurred_at timestamptz, recorded_at timestamptz, event_type text, source text, memo text,
                   currency text, amount bigint, version bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT e.occurred_at, e.recorded_at, e.event_type::text, e.source::text, e.memo::text,
                        e.currency::text, e.amount::bigint, e.version::bigint
        FROM ledger_public.entries AS e
        WHERE e.wallet_id IN (SELECT mine.wallet_id FROM ledger_public.wallets AS mine
                              WHERE mine.address = console_public.own_wallet());
END $$;

CREATE OR REPLACE FUNCTION console_public.own_holds()
    RETURNS TABLE (hold text, amount bigint, currency text, placed_at timestamptz, expires_at timestamptz, memo text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT h.hold::text, h.amount::bigint, h.currency::text, h.placed_at, h.expires_at, h.memo::text
        FROM ledger_public.holds AS h
        WHERE h.address = console_public.own_wallet() AND h.state = 'open' ORDER BY h.placed_at DESC;
END $$;

-- What each flight means to the wallet: what a student is charged is below zero, what a payee earns above.
CREATE OR REPLACE FUNCTION console_public.own_flights()
    RETURNS TABLE (bill_id uuid, flight_id text, revision integer, kind text, billed_on date, aircraft text,
                   instructor text, tenths integer, currency text, amount bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT b.bill_id, b.flight_id::text, b.revision::integer, b.kind::text, b.billed_on,
                        b.aircraft::text, b.instructor::text, b.billed_tenths::integer, b.currency::text,
                        (CASE WHEN 'student:' || b.student = console_public.own_wallet() THEN -b.charge ELSE 0 END
                         + (SELECT coalesce(sum((leg ->> 'amount')::bigint), 0) FROM jsonb_array_elements(b.legs) AS leg
                            WHERE leg ->> 'wallet' = console_public.own_wallet()))::bigint
        FROM billing_public.bills AS b
        WHERE b.in_force
          AND (b.student = CASE WHEN starts_with(console_public.own_wallet(), 'student:')
                                THEN substr(console_public.own_wallet(), length('student:') + 1) END
               OR b.legs @> jsonb_build_array(jsonb_build_object('wallet', console_public.own_wallet())));
END $$;

-- Of these bills what is one wallet's: the readings, what it gets (and what of it the school keeps for the aircraft's
-- reserve), and for the student the lines. pay: what the instructor was paid an hour, by the card that priced it.
CREATE OR REPLACE FUNCTION console_public.bills_of(of_wallet text, flights text[], revisions integer[])
    RETURNS TABLE (flight_id text, revision integer, billed_on date, aircraft text, student text, instructor text,
                   tenths integer, dual integer, ground integer, flight_pay bigint, ground_pay bigint, legs jsonb,
                   lines jsonb)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT b.flight_id::text, b.revision::integer, b.billed_on, b.aircraft::text, b.student::text, b.instructor::text,
           b.billed_tenths::integer, (b.facts ->> 'dual')::integer, (b.facts ->> 'ground')::integer,
           (pay.card ->> 'flight_per_hour')::bigint, (pay.card ->> 'ground_per_hour')::bigint,
           (SELECT coalesce(jsonb_agg(leg), '[]'::jsonb) FROM jsonb_array_elements(b.legs) AS leg
            WHERE leg ->> 'wallet' = of_wallet
               OR starts_with(of_wallet, 'aircraft_owner:') AND leg ->> 'kind' = 'reserve'),
           CASE WHEN 'student:' || b.student = of_wallet THEN b.lines ELSE '[]'::jsonb END
    FROM unnest(flights, revisions) AS named (flight_id, revision)
    JOIN billing_public.bills AS b ON b.flight_id = named.flight_id AND b.revision = named.revision
    LEFT JOIN LATERAL (
        SELECT h.new AS card FROM jsonb_array_elements(b.rates) AS used
        JOIN billing_public.card_history AS h
             ON h.kind = used ->> 'kind' AND h.key = used ->> 'key'
            AND h.effective_from = (used ->> 'effective_from')::date AND h.version = (used ->> 'version')::integer
        WHERE used ->> 'kind' = 'instructor' AND starts_with(of_wallet, 'instructor:') LIMIT 1) AS pay ON true
    WHERE 'student:' || b.student = of_wallet
       OR b.legs @> jsonb_build_array(jsonb_build_object('wallet', of_wallet))
    ORDER BY b.billed_on, b.flight_id, b.revision;
END $$;
GRANT EXECUTE ON FUNCTION console_public.bills_of(text, text[], integer[]) TO hobbs_console;

CREATE OR REPLACE FUNCTION console_public.own_bills(flights text[], revisions integer[])
    RETURNS TABLE (flight_id text, revision integer, billed_on date, aircraft text, student text, instructor text,
                   tenths integer, dual integer, ground integer, flight_pay bigint, ground_pay bigint, legs jsonb,
                   lines jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
BEGIN
    RETURN QUERY SELECT * FROM console_public.bills_of(console_public.own_wallet(), flights, revisions);
END $$;

-- What was issued of the wallet's own months.
CREATE OR REPLACE FUNCTION console_public.own_issued()
    RETURNS TABLE (month text, currency text, opening bigint, closing bigint, content_hash text, issued_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT i.month, i.currency, i.opening, i.closing, i.content_hash, i.issued_at
        FROM console.issued_statement AS i WHERE i.wallet = console_public.own_wallet();
END $$;

CREATE OR REPLACE FUNCTION console_public.own_transfers()
    RETURNS TABLE (id uuid, created_at timestamptz, amount bigint, currency text, state text, reason text,
                   sentence text, sent_at timestamptz, in_bank_at timestamptz, amount_reversed bigint, sources text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT t.id, t.created_at, t.amount::bigint, t.currency::text, t.state::text, t.reason::text,
                        t.sentence::text, t.sent_at, t.in_bank_at, t.amount_reversed::bigint, t.sources::text[]
        FROM payouts_public.transfers AS t WHERE t.wallet = console_public.own_wallet();
END $$;

CREATE OR REPLACE FUNCTION console_public.own_payments()
    RETURNS TABLE (charge_id text, received_at timestamptz, amount bigint, currency text, refunded bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT p.charge_id::text, p.received_at, p.amount::bigint, p.currency::text, p.refunded::bigint
        FROM receivables_public.payments AS p WHERE 'student:' || p.student = console_public.own_wallet();
END $$;

CREATE OR REPLACE FUNCTION console_public.own_items()
    RETURNS TABLE (place text, document text, currency text, booked_on date, due_on date, amount bigint, settled bigint,
                   open bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT i.currency || ' ' || i.document, i.document, i.currency, i.booked_on, i.due_on, -i.amount,
            i.open - i.amount, -i.open
        FROM receivables_public.items AS i
        WHERE i.student = substr(console_public.own_wallet(), 9) AND console_public.own_wallet() LIKE 'student:%'
          AND i.open <> 0;
END $$;

CREATE OR REPLACE FUNCTION console_public.own_ageing(on_day date)
    RETURNS TABLE (student text, currency text, not_due bigint, days_1_30 bigint, days_31_60 bigint,
                   days_61_90 bigint, over_90 bigint, owed bigint, overdue bigint, credit bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT a.student, a.currency, a.not_due, a.days_1_30, a.days_31_60, a.days_61_90, a.over_90, a.owed,
                        a.overdue, a.credit
        FROM (SELECT substr(console_public.own_wallet(), 9) AS name
              WHERE console_public.own_wallet() LIKE 'student:%') AS mine
        CROSS JOIN LATERAL receivables_public.ageing_of(on_day, mine.name) AS a;
END $$;

-- What of it is overdue on a day, and how far the limit is used.
CREATE OR REPLACE FUNCTION console_public.own_standing(on_day date)
    RETURNS TABLE (currency text, owed bigint, overdue bigint, oldest_due date, credit_limit bigint, room bigint,
                   used_percent bigint, level text, frozen boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT c.currency::text, coalesce(a.owed, 0)::bigint, coalesce(a.overdue, 0)::bigint, a.oldest_due,
                        c.credit_limit::bigint, c.room::bigint, c.used_percent::bigint, c.level::text, c.frozen
        FROM (SELECT substr(console_public.own_wallet(), 9) AS name
              WHERE console_public.own_wallet() LIKE 'student:%') AS mine
        CROSS JOIN LATERAL receivables_public.credit_of(on_day, mine.name) AS c
        LEFT JOIN LATERAL receivables_public.ageing_of(on_day, mine.name) AS a ON a.currency = c.currency;
END $$;

CREATE OR REPLACE FUNCTION console_public.own_methods()
    RETURNS TABLE (method_type text, expires_on date, set_up_at timestamptz, detached_at timestamptz,
                   stopped_at timestamptz, stopped_why text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT coalesce(m.method_type, 'card')::text, m.expires_on, m.set_up_at, m.detached_at, m.stopped_at,
                        m.stopped_why::text
        FROM receivables_public.saved_methods AS m
        WHERE m.student = substr(console_public.own_wallet(), 9) AND console_public.own_wallet() LIKE 'student:%'
        ORDER BY m.set_up_at DESC;
END $$;

CREATE OR REPLACE FUNCTION console_public.own_choice()
    RETURNS TABLE (student text, occasion text, threshold bigint, day integer, most bigint, most_a_day bigint,
                   chosen_on date, currency text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT c.student::text, c.occasion::text, c.threshold::bigint, c.day::integer, c.most::bigint,
                        c.most_a_day::bigint, c.chosen_on, s.currency::text
        FROM receivables_public.charge_choices AS c CROSS JOIN receivables_public.school AS s
        WHERE c.student = substr(console_public.own_wallet(), 9) AND console_public.own_wallet() LIKE 'student:%';
END $$;

CREATE OR REPLACE FUNCTION console_public.own_charges()
    RETURNS TABLE (id uuid, decided_at timestamptz, cause text, amount bigint, currency text, state text,
                   sentence text, retry_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT a.request_id, a.decided_at, a.cause::text, a.amount::bigint, a.currency::text, a.state::text,
                        coalesce(a.sentence, '')::text, a.retry_at
        FROM receivables_public.auto_charges AS a
        WHERE a.student = substr(console_public.own_wallet(), 9) AND console_public.own_wallet() LIKE 'student:%';
END $$;

-- What the school asked of the student about overdue bills, and what was agreed; who decided it and why are not theirs.
CREATE OR REPLACE FUNCTION console_public.own_requests()
    RETURNS TABLE (place bigint, at timestamptz, what text, step text, currency text, total bigint, until date,
                   sentence text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT h.place, h.at, h.what::text, coalesce(h.step, '')::text, coalesce(h.currency, '')::text,
                        h.total::bigint, h.until, h.sentence::text
        FROM receivables_public.dunning_history AS h
        WHERE h.student = substr(console_public.own_wallet(), 9) AND console_public.own_wallet() LIKE 'student:%'
          AND h.what IN ('step', 'promised');
END $$;

CREATE OR REPLACE FUNCTION console_public.own_corrections()
    RETURNS TABLE (place text, flight_id text, revision integer, state text, currency text, before bigint, after bigint,
                   difference bigint, reason text, proposed_at timestamptz, changed_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT d.flight_id || ':' || d.revision, d.flight_id::text, d.revision::integer, d.state::text,
                        d.currency::text, d.before::bigint, d.after::bigint, d.difference::bigint, a.reason::text,
                        a.proposed_at, a.changed_at
        FROM adjustments_public.differences AS d JOIN adjustments_public.adjustments AS a ON a.id = d.adjustment_id
        WHERE d.wallet = console_public.own_wallet();
END $$;

CREATE OR REPLACE FUNCTION console_public.own_questions()
    RETURNS TABLE (id uuid, asked_at timestamptz, about text, words text, answered_at timestamptz, answer text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT q.id, q.asked_at, q.about, q.words, q.answered_at, q.answer
        FROM console.question AS q WHERE q.wallet = console_public.own_wallet();
END $$;

CREATE OR REPLACE FUNCTION console_public.own_payee()
    RETURNS TABLE (status text, ready boolean, schedule text, hold_hours integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT p.status::text, p.ready, p.schedule::text, p.hold_hours::integer
        FROM payouts_public.payees AS p WHERE p.wallet = console_public.own_wallet();
END $$;

-- The page at Stripe that somebody asked for in the console. Its address is a secret, and whose it is the console knows:
-- it reads one at a time, by its decision, and none that was asked for elsewhere.
CREATE OR REPLACE FUNCTION console_public.page_at_stripe(decision uuid)
    RETURNS TABLE (url text, expires_at timestamptz, problem text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT made.url, made.expires_at, made.problem
        FROM (SELECT l.id, l.url::text, l.expires_at, l.problem::text FROM payouts_public.student_links AS l
              WHERE l.id = decision
              UNION ALL
              SELECT l.id, l.url::text, l.expires_at, l.problem::text FROM payouts_public.links AS l
              WHERE l.id = decision) AS made
        WHERE (made.url IS NOT NULL OR made.problem IS NOT NULL)
          AND EXISTS (SELECT FROM console.act WHERE act.decision_id = decision);
END $$;
GRANT EXECUTE ON FUNCTION console_public.page_at_stripe(uuid) TO hobbs_console;

GRANT EXECUTE ON FUNCTION console_public.own_wallet(), console_public.own_balances(), console_public.own_entries(),
    console_public.own_holds(), console_public.own_flights(),
    console_public.own_transfers(), console_public.own_payments(), console_public.own_items(), console_public.own_corrections(),
    console_public.own_questions(), console_public.own_payee(), console_public.own_dated_entries(),
    console_public.own_standing(date), console_public.own_methods(), console_public.own_choice(),
    console_public.own_charges(), console_public.own_requests(), console_public.own_bills(text[], integer[]),
    console_public.own_issued(), console_public.own_ageing(date) TO hobbs_holder;
