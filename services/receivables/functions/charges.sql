-- What decides about asking students and charging them alike: what saved methods are, how often they were declined, who may owe less.

-- Whether a charge was made by a bank account, of which what a bank takes back is a debit that it returns, not a dispute.
CREATE OR REPLACE FUNCTION by_bank_account(method text)
    RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (SELECT FROM saved_method
                   WHERE saved_method.payment_method = method AND saved_method.method_type = 'us_bank_account');
END
$$;
GRANT EXECUTE ON FUNCTION by_bank_account(text) TO hobbs_receivables;

-- How often a student's method was declined since an instant; of a bank account also since its last debit that was paid, if
-- that was longer ago, but not before returns_began: what a bank returned is the same debt, whatever it was charged for.
CREATE OR REPLACE FUNCTION declines_of(
    of_student text, method text, declines_began timestamptz, returns_began timestamptz)
    RETURNS integer
    LANGUAGE sql STABLE
    SET search_path = receivables, pg_temp
    AS $$
    SELECT count(*)::integer FROM auto_charge AS made
    WHERE made.student = of_student AND made.payment_method = method AND made.state = 'declined'
      AND (made.answered_at > declines_began
           OR made.answered_at > returns_began AND by_bank_account(method)
              AND NOT EXISTS (SELECT FROM auto_charge AS paid
                              WHERE paid.student = of_student AND paid.payment_method = method
                                AND paid.state = 'succeeded' AND paid.answered_at > made.answered_at))
$$;
GRANT EXECUTE ON FUNCTION declines_of(text, text, timestamptz, timestamptz) TO hobbs_receivables;

-- Students of whom a correction of a flight (before or after it) is not decided or not posted: they may owe less than the
-- ledger says. Nobody of them is asked or charged (decision 0364).
CREATE OR REPLACE FUNCTION students_in_question()
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT of.student FROM adjustments_public.adjustments AS open
    CROSS JOIN LATERAL (VALUES (open.student), (open.student_before)) AS of (student)
    WHERE open.state IN ('proposed', 'waiting', 'approved', 'failed');
END
$$;
GRANT EXECUTE ON FUNCTION students_in_question() TO hobbs_receivables;
