"""The statement about payments that were moved from one student to another."""

from datetime import datetime

from fleet.database import Tx
from services.receivables.domain.postings import Move

_INSERT = """
    INSERT INTO payment_move (charge_id, number, from_student, to_student, amount, currency, moved_at,
                              moved_by, why)
    VALUES (:charge_id, :number, :from_student, :to_student, :amount, :currency, :moved_at, :moved_by, :why)
"""


async def insert(tx: Tx, move: Move, *, moved_by: str, why: str, at: datetime) -> None:
    """Keep who moved a payment, and why."""
    await tx.execute(
        _INSERT,
        charge_id=move.step.charge.charge_id,
        number=move.number,
        from_student=move.step.before.student,
        to_student=move.step.charge.student,
        amount=move.amount,
        currency=move.currency,
        moved_at=at,
        moved_by=moved_by,
        why=why,
    )
