"""Charge students' saved payment methods, when it is asked for: order charges, answer what became of them.

Decision 0351. The caller commits. None of this calls Stripe.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fleet import outbox
from fleet.database import Tx
from fleet.faults import fault_point
from services.payouts import metrics, store, wire
from services.payouts.domain.charges import (
    LAPSES_AFTER,
    Answer,
    Answered,
    Outcome,
    ToCharge,
    declined,
    page_for,
    taken,
)
from services.payouts.domain.orders import order_charge
from services.payouts.domain.outcomes import OperationOutcome


async def request(tx: Tx, requests: Sequence[ToCharge], now: datetime) -> None:
    """Order the charges that are asked for, each once. What was answered is answered again, as it was."""
    if not requests:
        return
    orders = [order_charge(one, not_after=one.decided_at + LAPSES_AFTER) for one in requests]
    await store.operations.insert(tx, orders, now)  # a cause that has its operation keeps it
    kept = [(one, order.id) for one, order in zip(requests, orders, strict=True)]
    new = await store.charges.keep(tx, kept, now)
    await fault_point("payouts.charges_ordered")
    again = await store.charges.answered(tx, {one.request_id for one in requests} - new)
    await outbox.stage(tx, [wire.messages.charge_answered(one) for one in again])


async def note_made(tx: Tx, made: Mapping[UUID, tuple[Mapping[str, Any], datetime]], now: datetime) -> None:
    """Answer charges that Stripe made. made: operation -> its payment intent, and when it was made."""
    asked = await store.charges.of_operations(tx, made)
    answers = [
        Answered(asked=one, answer=taken(made[i][0], one.amount, one.currency, made[i][1]))
        for i, one in asked.items()
    ]
    await _answer(tx, answers, now)


async def note_refused(tx: Tx, refused: Sequence[OperationOutcome], now: datetime) -> set[UUID]:
    """Answer charges that Stripe declined, and end their operations; those operations.

    They are not tried again: receivables decides on that, and it is another charge. Where a bank asks for the
    student, a page is made where they can pay.
    """
    heard = {o.operation.id: o.answer for o in refused}
    asked = await store.charges.of_operations(tx, heard)
    answers = [
        Answered(asked=one, answer=declined(heard[i].error, heard[i].sentence, now, one.amount, one.currency))
        for i, one in asked.items()
    ]
    if asked:
        steps: list[tuple[UUID, str, str | None, str]] = [
            (i, "refused", heard[i].refusal, heard[i].sentence) for i in asked
        ]
        steps += [(i, "closed", None, "receivables decides whether it is charged again") for i in asked]
        await store.stopped.note(tx, steps, now)
        await store.stopped.close(tx, asked, now)
    await _answer(tx, answers, now)
    for page in filter(None, map(page_for, answers)):
        await store.student_links.request(tx, page, now)
    return set(asked)


async def close_lapsed(tx: Tx, now: datetime) -> int:
    """Give up charges that were not made in time, and say so; how many."""
    lapsed = await store.charges.close_lapsed(tx, now)
    sentence = "it was not sent within six hours, and Stripe has nothing of it"
    answer = Answer(outcome=Outcome.NOT_MADE, sentence=sentence, at=now)
    await _answer(tx, [Answered(asked=one, answer=answer) for one in lapsed], now)
    return len(lapsed)


async def _answer(tx: Tx, answers: Sequence[Answered], now: datetime) -> None:
    if not answers:
        return
    await store.charges.answer(tx, answers)
    for one in answers:
        metrics.CHARGES_ANSWERED.labels(str(one.answer.outcome)).inc()
    await outbox.stage(tx, [wire.messages.charge_answered(one) for one in answers])
    await fault_point("payouts.charge_answered")
