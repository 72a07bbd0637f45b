"""Writes what people say of payments by hand, and asks the ledger for the journals. The caller commits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fleet.database import Tx
from fleet.envelope import first_cause
from fleet.outbox import stage
from services.receivables import metrics, store, wire
from services.receivables.domain.charges import Posting
from services.receivables.domain.recorded_payments import (
    Deposit,
    RecordedPayment,
    What,
    deposit_posting,
    posting,
)


async def record(tx: Tx, one: RecordedPayment, *, why: str, at: datetime) -> Posting | None:
    """Keep a payment that is new. at: when the money came; returns what the ledger is asked to post."""
    await store.recorded_payments.insert(tx, one)
    return await _tell(tx, one, one, "recorded", who=one.recorded_by, why=why, now=one.recorded_at, at=at)


async def change(
    tx: Tx,
    before: RecordedPayment,
    after: RecordedPayment,
    what: What,
    *,
    who: str,
    why: str,
    now: datetime,
    at: datetime | None = None,
    deposit_id: UUID | None = None,
) -> Posting | None:
    """Write what became of a locked payment; returns what the ledger is asked to post."""
    await store.recorded_payments.write(tx, after)
    return await _tell(
        tx, before, after, what, who=who, why=why, now=now, at=at or now, deposit_id=deposit_id
    )


async def deposit(
    tx: Tx, made: Deposit, payments: Sequence[tuple[RecordedPayment, RecordedPayment]], *, why: str
) -> Posting:
    """Keep a deposit that is new, with its payments before and after it."""
    await store.recorded_payments.insert_deposit(tx, made, [before for before, _ in payments])
    for before, after in payments:
        await change(
            tx, before, after, "deposited", who=made.made_by, why=why, now=made.made_at, deposit_id=made.id
        )
    return await _post_deposit(tx, made, made.made_at)


async def revert_deposit(
    tx: Tx,
    reverted: Deposit,
    payments: Sequence[tuple[RecordedPayment, RecordedPayment]],
    *,
    why: str,
    now: datetime,
) -> Posting:
    """Note that a locked deposit was a mistake; its payments, before and after, are in none then."""
    who = str(reverted.reverted_by)
    await store.recorded_payments.revert_deposit(tx, reverted.id, who, now)
    for before, after in payments:
        await change(tx, before, after, "taken_out", who=who, why=why, now=now, deposit_id=reverted.id)
    return await _post_deposit(tx, reverted, now)


async def _tell(
    tx: Tx,
    before: RecordedPayment,
    after: RecordedPayment,
    what: What,
    *,
    who: str,
    why: str,
    now: datetime,
    at: datetime,
    deposit_id: UUID | None = None,
) -> Posting | None:
    await store.recorded_payments.note(tx, after, what, who=who, why=why, at=now, deposit_id=deposit_id)
    metrics.RECORDED.labels(what, after.method).inc()
    due = posting(before, after, what, at)
    if due is not None:
        await store.recorded_payments.post(tx, due, payment_id=after.id)
        await _ask(tx, due)
    if what == "bounced":
        await stage(tx, [wire.messages.bounced_message(after, first_cause())])
    return due


async def _post_deposit(tx: Tx, deposit: Deposit, now: datetime) -> Posting:
    due = deposit_posting(deposit, now)
    await store.recorded_payments.post(tx, due, deposit_id=deposit.id)
    await _ask(tx, due)
    return due


async def _ask(tx: Tx, due: Posting) -> None:
    metrics.JOURNALS.labels(due.event_type).inc()
    await stage(tx, [wire.messages.journal_message(due, None, first_cause())])
