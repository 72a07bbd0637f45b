"""SQL of acts by which money is sent on a person's word, and of the second persons who agreed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleet.database import Tx

_AMOUNT = """
    SELECT wallet, currency, amount FROM transfer WHERE id = :subject
    UNION ALL
    SELECT wallet, currency, amount FROM operation WHERE id = :subject AND amount IS NOT NULL
"""
_WAITING = """
    SELECT id, asked_by FROM forced_act
    WHERE (act, subject, amount, currency) = (:act, :subject, :amount, :currency)
      AND needs_second AND approved_by IS NULL AND asked_at > :since
    ORDER BY asked_at DESC, id LIMIT 1
"""
_BY_ONE = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM forced_act
    WHERE (wallet, currency) = (:wallet, :currency) AND NOT needs_second AND asked_at > :since
"""
_INSERT = """
    INSERT INTO forced_act (id, act, subject, wallet, currency, amount, needs_second, asked_by, asked_at, why)
    VALUES (:id, :act, :subject, :wallet, :currency, :amount, :needs_second, :asked_by, :asked_at, :why)
"""
_APPROVE = "UPDATE forced_act SET approved_by = :who, approved_at = :now WHERE id = :id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedMoney:
    """What would be sent: minor units of the payee's, or of the student's who is refunded."""

    wallet: str
    currency: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedAct:
    """An act as it is asked for. `act`: "release" or "vouch"; `subject`: a transfer's or operation's id."""

    id: UUID
    act: str
    subject: UUID
    money: ForcedMoney
    needs_second: bool
    asked_by: str
    asked_at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingAct:
    """An act that a second person has to do as well."""

    id: UUID
    asked_by: str


async def money_of(tx: Tx, subject: UUID) -> ForcedMoney | None:
    """What a transfer or an operation would send; None: no money."""
    row = await tx.first(_AMOUNT, subject=subject)
    return row and ForcedMoney(wallet=row.wallet, currency=row.currency, amount=row.amount)


async def waiting(tx: Tx, act: str, subject: UUID, money: ForcedMoney, since: datetime) -> WaitingAct | None:
    """The newest of these acts with this amount that waits for a second person; the payee is locked."""
    row = await tx.first(
        _WAITING, act=act, subject=subject, amount=money.amount, currency=money.currency, since=since
    )
    return row and WaitingAct(id=row.id, asked_by=row.asked_by)


async def by_one(tx: Tx, money: ForcedMoney, since: datetime) -> int:
    """What single persons had sent to a payee since then, in minor units."""
    row = await tx.one(_BY_ONE, wallet=money.wallet, currency=money.currency, since=since)
    return int(row.amount)


async def keep(tx: Tx, one: ForcedAct) -> None:
    """Keep an act that is asked for."""
    await tx.execute(
        _INSERT,
        id=one.id,
        act=one.act,
        subject=one.subject,
        wallet=one.money.wallet,
        currency=one.money.currency,
        amount=one.money.amount,
        needs_second=one.needs_second,
        asked_by=one.asked_by,
        asked_at=one.asked_at,
        why=one.why,
    )


async def approve(tx: Tx, act: UUID, who: str, now: datetime) -> None:
    """Note that a second person did the same."""
    await tx.execute(_APPROVE, id=act, who=who, now=now)
