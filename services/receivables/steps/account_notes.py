"""Writes what people give or take of accounts, and asks the ledger or payouts. The caller commits."""

from datetime import datetime

from fleet.database import Tx
from fleet.envelope import first_cause
from fleet.outbox import stage
from services.receivables import metrics, store, wire
from services.receivables.domain.account_notes import Note, posting
from services.receivables.domain.charges import Posting


async def keep(tx: Tx, note: Note, now: datetime) -> Posting | None:
    """Keep an act that is new; what the ledger is asked to post."""
    await store.account_notes.insert(tx, note)
    return await _ask(tx, note, now)


async def change(tx: Tx, note: Note, *, who: str, why: str, now: datetime) -> Posting | None:
    """Write what became of a locked act; what the ledger is asked to post."""
    await store.account_notes.write(tx, note, who=who, why=why, now=now)
    return await _ask(tx, note, now)


async def _ask(tx: Tx, note: Note, now: datetime) -> Posting | None:
    metrics.NOTES.labels(note.kind, note.state).inc()
    if note.state == "asked":
        await stage(tx, [wire.account_notes.refund_requested(note, first_cause())])
    due = posting(note, now)
    if due is not None:
        await store.account_notes.post(tx, due, note.id)
        metrics.JOURNALS.labels(due.event_type).inc()
        await stage(tx, [wire.messages.journal_message(due, None, first_cause())])
    return due


async def take_answers(tx: Tx, answers: list[wire.account_notes.Answer]) -> None:
    """Keep what payouts answered to refunds; their journals follow from what Stripe reports."""
    for one in answers:
        known = await store.account_notes.settle(
            tx,
            one.id,
            refunded=one.refunded,
            refunds=one.refunds,
            sentence=one.sentence,
            at=one.at,
        )
        if known is not None:
            metrics.NOTES.labels("refund", "settled").inc()
