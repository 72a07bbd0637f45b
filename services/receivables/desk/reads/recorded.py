"""What people ask of payments by hand, read from published views. Amounts are minor units of `currency`."""

from typing import Any, Final, Literal
from uuid import UUID

from fleet.database import Tx

Shown = Literal["all", "kept", "waits", "held", "received", "bounced", "reverted"]
SHOWN: Final = ("all", "kept", "waits", "held", "received", "bounced", "reverted")

_PAYMENTS = """
    SELECT one.id, recorded_at, student, method, one.number, paid_on, one.currency, amount, state,
           deposit.number AS deposit, recorded_by, approved_by
    FROM receivables_public.recorded_payments AS one
    LEFT JOIN receivables_public.deposits AS deposit ON deposit.id = one.deposit_id
    WHERE (CAST(:student AS text) IS NULL OR student = :student)
      AND (:shown = 'all' OR state = :shown
           OR :shown = 'kept' AND one.deposit_id IS NULL AND method <> 'bank_transfer'
              AND state IN ('held', 'received'))
    ORDER BY recorded_at DESC, one.id DESC LIMIT :most OFFSET :skip
"""
_HISTORY = """
    SELECT at, what, state, who, why, deposit.number AS deposit
    FROM receivables_public.recorded_changes AS change
    LEFT JOIN receivables_public.deposits AS deposit ON deposit.id = change.deposit_id
    WHERE payment_id = :id ORDER BY place
"""
_DEPOSITS = """
    SELECT id, number, deposited_on, currency, total, payments, made_by, made_at, reverted_by
    FROM receivables_public.deposits ORDER BY made_at DESC, id DESC LIMIT :most OFFSET :skip
"""
_DEPOSITED = """
    SELECT payment_id, student, method, one.number, currency, held.amount, state
    FROM receivables_public.deposited_payments AS held
    JOIN receivables_public.recorded_payments AS one ON one.id = held.payment_id
    WHERE held.deposit_id = :id ORDER BY payment_id
"""


async def payments(
    tx: Tx, *, shown: Shown = "all", student: str | None = None, most: int = 1000, skip: int = 0
) -> list[dict[str, Any]]:
    """Payments that people recorded, the newest `most`, newest last. kept: cash and cheques in no deposit."""
    rows = await tx.all(_PAYMENTS, shown=shown, student=student, most=most, skip=skip)
    return [dict(row._mapping) for row in reversed(rows)]


_PAYMENT = """
    SELECT one.id, recorded_at, student, method, one.number, paid_on, one.currency, amount, state,
           when_cleared, deposit.number AS deposit, recorded_by, approved_by
    FROM receivables_public.recorded_payments AS one
    LEFT JOIN receivables_public.deposits AS deposit ON deposit.id = one.deposit_id
    WHERE one.id = :id
"""
_DEPOSIT = """
    SELECT id, number, deposited_on, currency, total, made_by, made_at, reverted_by, reverted_at
    FROM receivables_public.deposits WHERE id = :id
"""


async def payment(tx: Tx, id: UUID) -> dict[str, Any] | None:
    """One payment that a person recorded."""
    row = await tx.first(_PAYMENT, id=id)
    return dict(row._mapping) if row else None


async def deposit(tx: Tx, id: UUID) -> dict[str, Any] | None:
    """One deposit."""
    row = await tx.first(_DEPOSIT, id=id)
    return dict(row._mapping) if row else None


async def history(tx: Tx, id: UUID) -> list[dict[str, Any]]:
    """What people said of one payment, in order."""
    return [dict(row._mapping) for row in await tx.all(_HISTORY, id=id)]


async def deposits(tx: Tx, *, most: int = 1000, skip: int = 0) -> list[dict[str, Any]]:
    """What was brought to the bank, newest last."""
    return [dict(row._mapping) for row in reversed(await tx.all(_DEPOSITS, most=most, skip=skip))]


async def deposited(tx: Tx, id: UUID) -> list[dict[str, Any]]:
    """What a deposit held when it was made, and how it stands now."""
    return [dict(row._mapping) for row in await tx.all(_DEPOSITED, id=id)]
