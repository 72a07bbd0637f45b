-- What nobody may do to a settlement, not even the service itself. Refusals as in guards.sql.

-- Trigger on settlement: a claw back, forgiving and writing off are decided by nobody who made the correction.
CREATE OR REPLACE FUNCTION guard_settlement()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM adjustment, unnest(adjustment.makers) AS maker (name)
               WHERE adjustment.id = NEW.adjustment_id AND person(maker.name) = person(NEW.decided_by)) THEN
        PERFORM refuse('settler_is_not_the_maker',
            'whoever made a correction cannot claw back, forgive or write off what follows from it');
    END IF;
    RETURN NEW;
END $$;

-- Trigger on settlement: what was decided is frozen, a state follows as in the table, and a reversal, a
-- refund and an offset settle what came back, went back or was taken off, which is at most what they were for.
CREATE OR REPLACE FUNCTION guard_settlement_change()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    step text := OLD.state || '>' || NEW.state;
BEGIN
    IF (NEW.id, NEW.adjustment_id, NEW.number, NEW.wallet, NEW.currency, NEW.method, NEW.instead_of, NEW.decided_by,
            NEW.cheque_number, NEW.paid_on, NEW.begun_at)
        IS DISTINCT FROM
       (OLD.id, OLD.adjustment_id, OLD.number, OLD.wallet, OLD.currency, OLD.method, OLD.instead_of, OLD.decided_by,
            OLD.cheque_number, OLD.paid_on, OLD.begun_at)
        OR NEW.proof IS DISTINCT FROM OLD.proof AND step NOT IN ('waiting>settled', 'asked>settled')
        OR NEW.amount <> OLD.amount AND NOT (
               step = 'waiting>settled' AND OLD.method = 'future_payout_offset' AND NEW.amount BETWEEN OLD.amount AND -1
               OR step = 'asked>settled' AND (
               OLD.method = 'stripe_reversal' AND NEW.amount BETWEEN OLD.amount AND -1
               OR OLD.method = 'refund' AND NEW.amount BETWEEN 1 AND OLD.amount)) THEN
        PERFORM refuse('settlement_is_frozen', 'settlement ' || OLD.id || ': what was decided stands; begin another one');
    END IF;
    IF step NOT IN ('waiting>settled', 'waiting>replaced', 'asked>settled', 'asked>failed', 'settled>replaced')
        OR step = 'settled>replaced' AND OLD.method NOT IN ('credit', 'charge', 'written_off', 'refund') THEN
        PERFORM refuse('settlement_step_is_in_the_table',
            'settlement ' || OLD.id || ' by ' || OLD.method || ' cannot go from ' || OLD.state || ' to ' || NEW.state);
    END IF;
    RETURN NEW;
END $$;

-- Trigger on settlement, after each statement: those in force of a wallet sum to its adjustment's difference, so no
-- cent is settled twice and none is forgotten.
CREATE OR REPLACE FUNCTION guard_settlement_sums()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    wrong record;
BEGIN
    SELECT s.adjustment_id, s.wallet, coalesce(sum(s.amount) FILTER (WHERE s.state IN ('waiting', 'asked', 'settled')), 0)
               AS total, coalesce((a.differences ->> s.wallet)::bigint, 0) AS difference
    INTO wrong
    FROM settlement AS s JOIN adjustment AS a ON a.id = s.adjustment_id
    WHERE (s.adjustment_id, s.wallet) IN (SELECT adjustment_id, wallet FROM changed)
    GROUP BY a.id, s.adjustment_id, s.wallet
    HAVING coalesce(sum(s.amount) FILTER (WHERE s.state IN ('waiting', 'asked', 'settled')), 0)
               <> coalesce((a.differences ->> s.wallet)::bigint, 0)
        OR count(*) FILTER (WHERE s.currency <> a.currency) > 0
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('settlements_sum_to_the_difference', 'adjustment ' || wrong.adjustment_id || ': settlements of '
            || wrong.wallet || ' sum to ' || wrong.total || ', its difference is ' || wrong.difference);
    END IF;
    RETURN NULL;
END $$;

-- Trigger on adjustment: it is settling once each of its parties has settlements, and settled once all of them are.
CREATE OR REPLACE FUNCTION guard_settled_adjustment()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM jsonb_each_text(NEW.differences) AS party (wallet, difference)
               WHERE party.difference::bigint <> coalesce(
                   (SELECT sum(amount) FROM settlement AS s
                    WHERE s.adjustment_id = NEW.id AND s.wallet = party.wallet
                      AND s.state IN ('waiting', 'asked', 'settled')), 0)) THEN
        PERFORM refuse('settling_adjustment_has_settlements',
            'adjustment ' || NEW.flight_id || ':' || NEW.revision || ' has a party whose difference nothing settles');
    END IF;
    IF NEW.state = 'settled' AND EXISTS (SELECT FROM settlement
            WHERE adjustment_id = NEW.id AND state IN ('waiting', 'asked')) THEN
        PERFORM refuse('settled_adjustment_waits_for_nothing',
            'adjustment ' || NEW.flight_id || ':' || NEW.revision || ' has a settlement that waits');
    END IF;
    RETURN NEW;
END $$;
