"""SQL of payment methods that students saved. Facts about one come in any order; the newest stands."""

from collections.abc import Sequence
from datetime import date, datetime

from fleet.database import Tx, json_parameter
from services.receivables.domain.saved_methods import MethodDetached, MethodFact, MethodSeen, MethodSetUp

# A method keeps its first student. One that was stopped because its data were wrong may have better ones now.
_SET_UP = """
    INSERT INTO saved_method (payment_method, customer, student, set_up_at)
    SELECT payment_method, customer, student, at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (
        payment_method text, customer text, student text, at timestamptz)
    ORDER BY payment_method
    ON CONFLICT (payment_method) DO UPDATE SET
        customer = CASE WHEN saved_method.student IS NULL THEN excluded.customer
                        ELSE saved_method.customer END,
        student = coalesce(saved_method.student, excluded.student),
        set_up_at = greatest(saved_method.set_up_at, excluded.set_up_at)
"""
_SEEN = """
    INSERT INTO saved_method (payment_method, customer, method_type, expires_on, seen_at)
    SELECT payment_method, customer, method_type, expires_on, at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (
        payment_method text, customer text, method_type text, expires_on date, at timestamptz)
    ORDER BY payment_method
    ON CONFLICT (payment_method) DO UPDATE SET
        customer = coalesce(saved_method.customer, excluded.customer), method_type = excluded.method_type,
        expires_on = excluded.expires_on,
        seen_at = excluded.seen_at,
        stopped_at = CASE WHEN saved_method.stopped_why = 'another_card'
                               AND saved_method.expires_on IS DISTINCT FROM excluded.expires_on THEN NULL
                          ELSE saved_method.stopped_at END,
        stopped_why = CASE WHEN saved_method.stopped_why = 'another_card'
                                AND saved_method.expires_on IS DISTINCT FROM excluded.expires_on THEN NULL
                           ELSE saved_method.stopped_why END
    WHERE saved_method.seen_at IS NULL OR saved_method.seen_at <= excluded.seen_at
"""
_DETACHED = """
    INSERT INTO saved_method (payment_method, detached_at)
    SELECT payment_method, at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (payment_method text, at timestamptz)
    ORDER BY payment_method
    ON CONFLICT (payment_method) DO UPDATE SET detached_at = excluded.detached_at
"""


async def learn(tx: Tx, facts: Sequence[MethodFact]) -> None:
    """Keep what Stripe tells of payment methods; of several facts of one kind the newest."""
    by_time = sorted(facts, key=lambda fact: fact.at)
    set_up = {f.payment_method: f for f in by_time if isinstance(f, MethodSetUp)}
    seen = {f.payment_method: f for f in by_time if isinstance(f, MethodSeen)}
    gone = {f.payment_method: f for f in by_time if isinstance(f, MethodDetached)}
    if set_up:
        await tx.execute(_SET_UP, rows=json_parameter(list(set_up.values())))
    if seen:
        await tx.execute(_SEEN, rows=json_parameter([_seen_row(fact) for fact in seen.values()]))
    if gone:
        await tx.execute(_DETACHED, rows=json_parameter(list(gone.values())))


def _seen_row(fact: MethodSeen) -> dict[str, object]:
    return {
        "payment_method": fact.payment_method,
        "customer": fact.customer,
        "method_type": fact.method_type,
        "expires_on": fact.expires and _last_day(*fact.expires).isoformat(),
        "at": fact.at,
    }


def _last_day(year: int, month: int) -> date:
    """A card is good until the end of its month; the first day of the next one is kept."""
    return date(year + month // 12, month % 12 + 1, 1)


_STOP = """
    UPDATE saved_method SET stopped_at = :at, stopped_why = :why
    WHERE payment_method = (SELECT payment_method FROM auto_charge WHERE request_id = :request_id)
      AND stopped_why IS DISTINCT FROM 'stop'
"""


async def stop(tx: Tx, request_id: object, why: str, at: datetime) -> None:
    """Note that the method of a charge is not charged again: for good, or until it has other data."""
    await tx.execute(_STOP, request_id=request_id, why=why, at=at)
