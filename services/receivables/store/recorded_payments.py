"""SQL of payments that people record, and of deposits."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from fleet.database import Tx, json_parameter
from services.receivables.domain.charges import Posting
from services.receivables.domain.recorded_payments import (
    Deposit,
    RecordedPayment,
    RecordingPolicy,
    What,
)

_POLICY = """
    SELECT coalesce(policy ->> 'cheques_count', 'when_cleared') AS cheques_count,
           CAST(policy ->> 'recorded_by_one_up_to' AS bigint) AS by_one_up_to,
           coalesce(CAST(policy ->> 'given_by_one_up_to' AS bigint), 0) AS given_by_one_up_to,
           coalesce(CAST(policy ->> 'bounced_cheque_fee' AS bigint), 0) AS bounced_cheque_fee
    FROM receivables_public.dunning_policy_on(:day)
"""


async def policy(tx: Tx, day: date) -> RecordingPolicy:
    """What the book says of a day about payments by hand; its defaults where it has no card."""
    row = await tx.first(_POLICY, day=day)
    return RecordingPolicy(**row._mapping) if row else RecordingPolicy()


_LOCK_STUDENT = "SELECT pg_advisory_xact_lock(hashtextextended('receivables.recorded:' || :student, 0))"
_BY_ONE = """
    SELECT CAST(coalesce(sum(amount), 0) AS bigint) AS amount FROM recorded_payment
    WHERE student = :student AND recorded_at > :since AND approved_by IS NULL AND NOT needs_second
      AND state <> 'reverted'
"""
_SAME = """
    SELECT id, state, amount, recorded_at FROM recorded_payment
    WHERE (student, method, number) = (:student, :method, :number) AND state NOT IN ('reverted', 'bounced')
"""


async def lock_student(tx: Tx, student: str) -> None:
    """Let payments of a student be recorded one after another, so that two at once see each other."""
    await tx.all(_LOCK_STUDENT, student=student)


async def recorded_by_one(tx: Tx, student: str, since: datetime) -> int:
    """What single persons recorded for a student since then, as far as it stands."""
    return int((await tx.one(_BY_ONE, student=student, since=since)).amount)


async def same(tx: Tx, student: str, method: str, number: str) -> Row[Any] | None:
    """The payment that was recorded with this number already."""
    return await tx.first(_SAME, student=student, method=method, number=number)


_INSERT = """
    INSERT INTO recorded_payment (id, student, method, number, paid_on, amount, currency, when_cleared,
                                  needs_second, state, recorded_by, recorded_at)
    VALUES (:id, :student, :method, :number, :paid_on, :amount, :currency, :when_cleared, :needs_second,
            :state, :recorded_by, :recorded_at)
"""
_COLUMNS_OF = """
    SELECT id, student, method, number, paid_on, amount, currency, when_cleared, needs_second, state,
           recorded_by, recorded_at, approved_by, cleared, deposit_id
    FROM recorded_payment WHERE id = ANY (CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE
"""
_UPDATE = """
    UPDATE recorded_payment
    SET state = :state, approved_by = :approved_by, cleared = :cleared, deposit_id = :deposit_id
    WHERE id = :id
"""


async def insert(tx: Tx, one: RecordedPayment) -> None:
    """Keep a payment as it was recorded."""
    await tx.execute(
        _INSERT,
        id=one.id,
        student=one.student,
        method=one.method,
        number=one.number,
        paid_on=one.paid_on,
        amount=one.amount,
        currency=one.currency,
        when_cleared=one.when_cleared,
        needs_second=one.needs_second,
        state=one.state,
        recorded_by=one.recorded_by,
        recorded_at=one.recorded_at,
    )


async def lock(tx: Tx, ids: Sequence[UUID]) -> list[RecordedPayment]:
    """Lock payments in the order of their ids; unknown ones are left out."""
    rows = await tx.all(_COLUMNS_OF, ids=sorted(ids))
    return [RecordedPayment(**row._mapping) for row in rows]


async def write(tx: Tx, one: RecordedPayment) -> None:
    """Write where a locked payment stands now."""
    await tx.execute(
        _UPDATE,
        id=one.id,
        state=one.state,
        approved_by=one.approved_by,
        cleared=one.cleared,
        deposit_id=one.deposit_id,
    )


_NOTE = """
    INSERT INTO recorded_change (payment_id, what, state, deposit_id, who, why, at)
    VALUES (:id, :what, :state, :deposit_id, :who, :why, :at)
"""


async def note(
    tx: Tx, one: RecordedPayment, what: What, *, who: str, why: str, at: datetime, deposit_id: UUID | None
) -> None:
    """Add to the history what a person said of a payment. deposit_id: the one that it is about."""
    await tx.execute(
        _NOTE, id=one.id, what=what, state=one.state, deposit_id=deposit_id, who=who, why=why, at=at
    )


_INSERT_DEPOSIT = """
    INSERT INTO deposit (id, number, deposited_on, currency, total, made_by, made_at)
    VALUES (:id, :number, :deposited_on, :currency, :total, :made_by, :made_at)
"""
_HOLDS = """
    INSERT INTO deposited_payment (deposit_id, payment_id, amount)
    SELECT :deposit_id, id, amount FROM recorded_payment WHERE id = ANY (CAST(:ids AS uuid[]))
"""
_DEPOSIT = """
    SELECT id, number, deposited_on, currency, total, made_by, made_at, reverted_by
    FROM deposit WHERE id = :id FOR UPDATE
"""
_SAME_DEPOSIT = "SELECT id, total FROM deposit WHERE number = :number AND reverted_at IS NULL"
_HELD = "SELECT id FROM recorded_payment WHERE deposit_id = :id ORDER BY id"
_KEPT = """
    SELECT id FROM recorded_payment
    WHERE deposit_id IS NULL AND method <> 'bank_transfer' AND state IN ('held', 'received')
    ORDER BY id LIMIT :most
"""
_REVERT_DEPOSIT = "UPDATE deposit SET reverted_by = :who, reverted_at = :at WHERE id = :id"
_LOCK_DEPOSITS = "SELECT pg_advisory_xact_lock(hashtextextended('receivables.deposit', 0))"


async def lock_deposits(tx: Tx) -> None:
    """Let deposits be made one after another: their number is the bank's, and two may name one payment."""
    await tx.all(_LOCK_DEPOSITS)


async def insert_deposit(tx: Tx, deposit: Deposit, payments: Sequence[RecordedPayment]) -> None:
    """Keep a deposit and what it holds."""
    await tx.execute(
        _INSERT_DEPOSIT,
        id=deposit.id,
        number=deposit.number,
        deposited_on=deposit.deposited_on,
        currency=deposit.currency,
        total=deposit.total,
        made_by=deposit.made_by,
        made_at=deposit.made_at,
    )
    await tx.execute(_HOLDS, deposit_id=deposit.id, ids=[one.id for one in payments])


async def lock_deposit(tx: Tx, id: UUID) -> Deposit | None:
    """Lock a deposit."""
    row = await tx.first(_DEPOSIT, id=id)
    return Deposit(**row._mapping) if row else None


async def same_deposit(tx: Tx, number: str) -> bool:
    """Whether a deposit with this number stands."""
    return await tx.first(_SAME_DEPOSIT, number=number) is not None


async def held_by(tx: Tx, id: UUID) -> list[UUID]:
    """The payments that a deposit holds now."""
    return [row.id for row in await tx.all(_HELD, id=id)]


async def kept(tx: Tx, most: int) -> list[UUID]:
    """Cash and cheques that are in no deposit, in the order in which they were recorded."""
    return [row.id for row in await tx.all(_KEPT, most=most)]


async def revert_deposit(tx: Tx, id: UUID, who: str, at: datetime) -> None:
    """Note that a deposit was a mistake."""
    await tx.execute(_REVERT_DEPOSIT, id=id, who=who, at=at)


_POST = """
    INSERT INTO posting (source, payment_id, deposit_id, note_id, event_type, currency, occurred_at, entries,
                         memo)
    VALUES (:source, :payment_id, :deposit_id, :note_id, :event_type, :currency, :occurred_at,
            CAST(:entries AS jsonb), :memo)
"""


async def post(
    tx: Tx,
    posting: Posting,
    *,
    payment_id: UUID | None = None,
    deposit_id: UUID | None = None,
    note_id: UUID | None = None,
) -> None:
    """Keep a journal of a payment, a deposit or an act on an account, once for its source."""
    entries = orjson.loads(json_parameter(list(posting.entries)))
    await tx.execute(
        _POST,
        source=posting.source,
        payment_id=payment_id,
        deposit_id=deposit_id,
        note_id=note_id,
        event_type=posting.event_type,
        currency=posting.currency,
        occurred_at=posting.occurred_at,
        entries=json_parameter(entries),
        memo=posting.memo,
    )
