-- The cards that may price one flight, and the version at which the book stands, for whoever may not read the book:
-- a flight that is planned is priced by them before it is dispatched. Each part compares kind and key with arrays:
-- only that is pushed into the view, to its index.
CREATE OR REPLACE FUNCTION billing_public.cards_of_flight(
    of_student text, of_aircraft text, of_instructor text, OUT book integer, OUT kind text, OUT key text,
    OUT effective_from date, OUT version integer, OUT document jsonb)
    RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = billing, pg_temp
    AS $$
    SELECT (SELECT book.version FROM book), found.kind, found.key, found.effective_from, found.version, found.document
    FROM (
        SELECT card.kind, card.key, card.effective_from, card.version, card.document FROM card
        WHERE card.kind IN ('school', 'tax')
        UNION ALL
        SELECT card.kind, card.key, card.effective_from, card.version, card.document FROM card
        WHERE card.kind IN ('aircraft', 'instructor', 'student', 'student_rate')
          AND card.key = ANY (ARRAY[of_aircraft, of_instructor, of_student, 'default', 'student:' || of_student,
                                    'instructor:' || of_instructor])
        UNION ALL
        SELECT card.kind, card.key, card.effective_from, card.version, card.document FROM card
        WHERE card.kind = 'owner' AND card.key = ANY (ARRAY(
            SELECT own.document ->> 'owner' FROM card AS own WHERE own.kind = 'aircraft' AND own.key = of_aircraft))
    ) AS found
$$;
GRANT EXECUTE ON FUNCTION billing_public.cards_of_flight(text, text, text) TO hobbs_reader;

-- The version at which the book stands: whoever keeps cards of it asks whether they still are what it says.
CREATE OR REPLACE FUNCTION billing_public.book_version()
    RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = billing, pg_temp
    AS $$
    SELECT version FROM book
$$;
GRANT EXECUTE ON FUNCTION billing_public.book_version() TO hobbs_reader;
