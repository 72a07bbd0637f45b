"""SQL of flights that a person allows beyond the limit."""

from datetime import datetime
from uuid import UUID

from fleet.database import Tx
from services.receivables.domain.allowances import Allowance

_LOCK_STUDENT = "SELECT pg_advisory_xact_lock(hashtextextended('receivables.allowance:' || :student, 0))"
_INSERT = """
    INSERT INTO credit_allowance (id, flight_id, student, currency, amount, until, asked_by, asked_at, why,
                                  needs_second)
    VALUES (:id, :flight_id, :student, :currency, :amount, :until, :asked_by, :asked_at, :why,
            :needs_second)
"""
_BY_ONE = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM credit_allowance
    WHERE student = :student AND closed_at IS NULL AND approved_at IS NULL AND NOT needs_second
      AND until > :now
"""
_OF_ID = """
    SELECT id, flight_id, student, currency, amount, until, asked_by, asked_at, why, needs_second,
           approved_by, closed_by
    FROM credit_allowance WHERE id = :id FOR UPDATE
"""
_APPROVE = "UPDATE credit_allowance SET approved_by = :who, approved_at = :at WHERE id = :id"
_CLOSE = "UPDATE credit_allowance SET closed_by = :who, closed_at = :at WHERE id = :id"


async def lock_student(tx: Tx, student: str) -> None:
    """Let allowances of a student be decided one after another, so that two at once see each other."""
    await tx.all(_LOCK_STUDENT, student=student)


async def insert(tx: Tx, one: Allowance) -> None:
    """Keep an allowance as it was asked for."""
    await tx.execute(
        _INSERT,
        id=one.id,
        flight_id=one.flight_id,
        student=one.student,
        currency=one.currency,
        amount=one.amount,
        until=one.until,
        asked_by=one.asked_by,
        asked_at=one.asked_at,
        why=one.why,
        needs_second=one.needs_second,
    )


async def allowed_by_one(tx: Tx, student: str, now: datetime) -> int:
    """What single persons allowed a student in all, as far as it stands."""
    return int((await tx.one(_BY_ONE, student=student, now=now)).amount)


async def lock(tx: Tx, id: UUID) -> Allowance | None:
    """Lock an allowance."""
    row = await tx.first(_OF_ID, id=id)
    return Allowance(**row._mapping) if row else None


async def approve(tx: Tx, id: UUID, who: str, at: datetime) -> None:
    """Note that a second person agrees."""
    await tx.execute(_APPROVE, id=id, who=who, at=at)


async def close(tx: Tx, id: UUID, who: str, at: datetime) -> None:
    """End an allowance."""
    await tx.execute(_CLOSE, id=id, who=who, at=at)
