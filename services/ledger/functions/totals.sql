-- Totals of balances.

-- Adds up all wallets of a kind. Without a currency there must be only one to add up; a currency that does
-- not exist has no total.
CREATE OR REPLACE FUNCTION total_balances(kind text, currency text)
    RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    found_currencies text[];
    total numeric;
BEGIN
    IF currency IS NOT NULL AND NOT EXISTS (
        SELECT FROM iso_currency WHERE code = total_balances.currency COLLATE "C") THEN
        PERFORM refuse('balance_currency_is_iso_4217', format(
            '%L is not an ISO 4217 code such as USD', total_balances.currency));
    END IF;
    SELECT array_agg(DISTINCT balance.currency), sum(balance.amount) INTO found_currencies, total
      FROM balance JOIN wallet ON wallet.id = balance.wallet_id
     WHERE wallet.kind = total_balances.kind
       AND (total_balances.currency IS NULL OR balance.currency = total_balances.currency);
    IF cardinality(found_currencies) > 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'cardinality_violation',
            MESSAGE = format('%s balances are in %s: name the currency', total_balances.kind,
                             array_to_string(found_currencies, ', '));
    END IF;
    RETURN coalesce(total, 0);
END $$;
GRANT EXECUTE ON FUNCTION total_balances(text, text) TO hobbs_ledger;

-- The same for one kind each.
CREATE OR REPLACE FUNCTION get_total_student_balances(currency text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE sql STABLE
    AS $$ SELECT ledger.total_balances('student', currency) $$;
GRANT EXECUTE ON FUNCTION get_total_student_balances(text) TO hobbs_ledger;

CREATE OR REPLACE FUNCTION get_total_instructor_balances(currency text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE sql STABLE
    AS $$ SELECT ledger.total_balances('instructor', currency) $$;
GRANT EXECUTE ON FUNCTION get_total_instructor_balances(text) TO hobbs_ledger;

CREATE OR REPLACE FUNCTION get_total_liability_balances(currency text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE sql STABLE
    AS $$ SELECT ledger.total_balances('liability', currency) $$;
GRANT EXECUTE ON FUNCTION get_total_liability_balances(text) TO hobbs_ledger;
