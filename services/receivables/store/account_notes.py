"""SQL of what people give or take of students' accounts besides payments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx
from services.receivables.domain.account_notes import Note
from services.receivables.domain.charges import Posting
from services.receivables.store import recorded_payments

_LOCK_STUDENT = "SELECT pg_advisory_xact_lock(hashtextextended('receivables.note:' || :student, 0))"
# Asked for and not yet on the account: what a person or Stripe has to decide, and what is on its way.
_PROMISED = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM account_note AS note
    WHERE student = :student AND kind = 'refund'
      AND (state IN ('waits', 'asked')
           OR state = 'posted' AND NOT EXISTS (SELECT FROM ledger_public.journals AS posted
                                               WHERE posted.source = 'paid-out:' || note.id)
           OR state = 'settled' AND EXISTS (
               SELECT FROM unnest(refunds) AS made (id)
               WHERE NOT EXISTS (SELECT FROM ledger_public.journals AS posted
                                 WHERE posted.source = 'refund:' || made.id)))
"""
# Of a bill, what it is and what is open of it, each less the credits that are not on it yet. One statement:
# a credit is either promised or on the bill.
_BILL_LEFT = """
    SELECT (-item.amount - promised.amount)::bigint AS amount, (-item.open - promised.amount)::bigint AS open
    FROM item
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(note.amount), 0) AS amount FROM account_note AS note
        WHERE note.bill = item.document AND note.student = item.student
          AND (note.state = 'waits'
               OR note.state = 'posted' AND NOT EXISTS (
                   SELECT FROM item_line AS line
                   WHERE line.student = item.student AND line.currency = item.currency
                     AND line.document = item.document
                     AND line.source IN ('credit-note:' || note.id, 'write-off:' || note.id)))) AS promised
    WHERE (item.student, item.currency, item.document) = (:student, :currency, :bill)
"""
_BY_ONE = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM account_note
    WHERE student = :student AND asked_at > :since AND NOT needs_second AND kind <> 'cheque_fee'
      AND state NOT IN ('refused', 'reverted')
"""


async def lock_student(tx: Tx, student: str) -> None:
    """Let a student's account be decided about by one person after another."""
    await tx.all(_LOCK_STUDENT, student=student)


async def promised(tx: Tx, student: str) -> int:
    """What is to be refunded to a student and has not left the account yet."""
    return int((await tx.one(_PROMISED, student=student)).amount)


async def bill_left(tx: Tx, student: str, currency: str, bill: str) -> Row[Any] | None:
    """How much of a student's bill may still be credited (`amount`), and written off (`open`)."""
    return await tx.first(_BILL_LEFT, student=student, currency=currency, bill=bill)


async def given_by_one(tx: Tx, student: str, since: datetime) -> int:
    """What single persons gave a student since then, as far as it stands."""
    return int((await tx.one(_BY_ONE, student=student, since=since)).amount)


_INSERT = """
    INSERT INTO account_note (id, kind, student, currency, amount, bill, way, number, paid_on, payment_id,
                              needs_second, state, asked_by, asked_at, why)
    VALUES (:id, :kind, :student, :currency, :amount, :bill, :way, :number, :paid_on, :payment_id,
            :needs_second, :state, :asked_by, :asked_at, :why)
"""
_LOCK = """
    SELECT id, kind, student, currency, amount, bill, way, number, paid_on, payment_id, needs_second, state,
           asked_by, asked_at, why, approved_by
    FROM account_note WHERE id = :id FOR UPDATE
"""
_WRITE = """
    UPDATE account_note SET state = :state, approved_by = coalesce(:approved_by, approved_by),
        decided_by = :who, decided_at = :now, decided_why = :why
    WHERE id = :id
"""
_SETTLE = """
    UPDATE account_note SET state = 'settled', refunded = :refunded, refunds = CAST(:refunds AS text[]),
        sentence = :sentence, settled_at = :at
    WHERE id = :id AND state = 'asked'
    RETURNING student
"""


async def insert(tx: Tx, note: Note) -> None:
    """Keep an act as it was asked for."""
    named = {name: getattr(note, name) for name in Note.__slots__ if name != "approved_by"}
    await tx.execute(_INSERT, **named)


async def lock(tx: Tx, id: UUID) -> Note | None:
    """Lock an act."""
    row = await tx.first(_LOCK, id=id)
    return Note(**row._mapping) if row else None


async def write(tx: Tx, note: Note, *, who: str, why: str, now: datetime) -> None:
    """Write what somebody said of a locked act."""
    agreed = who if note.state in ("asked", "posted") else None
    await tx.execute(_WRITE, id=note.id, state=note.state, approved_by=agreed, who=who, why=why, now=now)


async def settle(
    tx: Tx, id: UUID, *, refunded: int, refunds: Sequence[str], sentence: str, at: datetime
) -> Row[tuple[str]] | None:
    """Write what payouts answered to a refund; None when it was answered before, or is nobody's."""
    return await tx.first(_SETTLE, id=id, refunded=refunded, refunds=list(refunds), sentence=sentence, at=at)


async def post(tx: Tx, posting: Posting, note_id: UUID) -> None:
    """Keep the journal of an act, once for its source."""
    await recorded_payments.post(tx, posting, note_id=note_id)


_WAITING = """
    SELECT count(*) FILTER (WHERE state = 'waits')::integer AS waits,
           count(*) FILTER (WHERE state = 'asked')::integer AS asked
    FROM account_note WHERE state IN ('waits', 'asked')
"""


async def count(tx: Tx) -> dict[str, int]:
    """How many acts wait for a second person, and for payouts."""
    row = await tx.one(_WAITING)
    return {"waits": row.waits, "asked": row.asked}
