"""Which students the school knows: by its book, by a bill, or by a person's decision about a payment."""

from collections.abc import Collection

from fleet.database import Tx

_STUDENTS = """
    SELECT student FROM (
        SELECT key AS student FROM billing_public.cards WHERE kind = 'student'
        UNION SELECT substr(key, 9) FROM billing_public.cards
              WHERE kind = 'student_rate' AND starts_with(key, 'student:')
        UNION SELECT student FROM billing_public.bills
        UNION SELECT student FROM unallocated_payment WHERE allocated_by <> :stripe
        UNION SELECT to_student FROM payment_move) AS known
    WHERE student IS NOT NULL AND (CAST(:names AS text[]) IS NULL OR student = ANY (CAST(:names AS text[])))
    ORDER BY student
"""
FROM_STRIPE = "stripe metadata"  # unallocated_payment.allocated_by, when no person said it


async def known(tx: Tx, names: Collection[str]) -> set[str]:
    """Which of these names are a student's."""
    if not names:
        return set()
    return {row.student for row in await tx.all(_STUDENTS, names=sorted(names), stripe=FROM_STRIPE)}


async def everyone(tx: Tx) -> list[str]:
    """Every student there is, by name."""
    return [row.student for row in await tx.all(_STUDENTS, names=None, stripe=FROM_STRIPE)]
