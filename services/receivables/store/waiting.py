"""The statement that counts what waits. A refund that waits for the balance at Stripe explains its amount."""

from fleet.database import Tx
from services.receivables.domain.waiting import Waiting

_COUNT = """
    SELECT count(*) FILTER (WHERE what = 'charge') AS charges,
           count(*) FILTER (WHERE what = 'student') AS students,
           (SELECT count(*) FROM receivables_public.unexplained_refunds AS told
            WHERE told_refunded - known_refunds >
                  (SELECT coalesce(sum(amount), 0) FROM refund
                   WHERE refund.charge_id = told.charge_id AND NOT moved AND NOT failed)
           ) AS unexplained_refunds,
           coalesce(extract(epoch FROM now() - min(since) FILTER (WHERE what = 'charge')), 0)::bigint
               AS charge_age_s,
           coalesce(extract(epoch FROM now() - min(since) FILTER (WHERE what = 'student')), 0)::bigint
               AS student_age_s
    FROM (SELECT 'charge' AS what, first_seen_at AS since FROM charge WHERE amount IS NULL
          UNION ALL
          SELECT 'student', queued_at FROM unallocated_payment WHERE student IS NULL) AS waiting
"""


async def count(tx: Tx) -> Waiting:
    """How many charges wait for their payment and payments for a student, and how long the oldest has."""
    return Waiting(**(await tx.one(_COUNT))._mapping)
