-- What saved methods are and how they fared: the one place that counts their declines.

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
