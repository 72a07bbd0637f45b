"""Charges students' saved methods: decides, asks payouts, hears what became of it. The caller commits.

A charge is decided under the lock of what its student allows, and frozen with its row: decision 0351.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from fleet import outbox
from fleet.admitted import Admitted
from fleet.cause import Cause
from fleet.database import Tx
from fleet.envelope import Message, first_cause
from fleet.faults import fault_point
from fleet.zones import local_date, time_zone
from services.receivables import metrics, store, wire
from services.receivables.domain.auto_charges import (
    ChargeAnswer,
    DeclineClass,
    KnownCharge,
    NewCharge,
    State,
    TakenBack,
    causes_of,
    decide,
    decline_class,
    next_try,
    retry_of,
    taken_back_class,
)
from services.receivables.domain.charges import DisputeReported, Fact, PaymentSucceeded, PaymentTakenBack
from services.receivables.domain.failures import PaymentFailed
from services.receivables.steps import charges


async def decide_due(tx: Tx, after: str, most: int, now: datetime) -> str | None:
    """Decide on charging students who owe something, by name from `after` on; the last one, None: no more."""
    students = await store.auto_charges.lock_owing(tx, after, most)
    if not students:
        return None
    zone, _ = await store.credit.school(tx)
    today = local_date(now, zone)
    began = datetime(today.year, today.month, today.day, tzinfo=time_zone(zone)).astimezone(UTC)
    decided = await _decide(tx, students, now, today, began)
    for charge in decided:
        await store.auto_charges.insert(tx, charge, now)
        metrics.AUTO_CHARGES.labels("decided").inc()
    if decided:
        await fault_point("receivables.charges_decided")
    await outbox.stage(tx, [wire.auto_charges.requested(charge, now, first_cause()) for charge in decided])
    return students[-1] if len(students) == most else None


async def _decide(
    tx: Tx, students: Sequence[str], now: datetime, today: date, began: datetime
) -> list[NewCharge]:
    known = await store.auto_charges.standing(tx, students, now, today, began)
    named = [
        (choice.student, cause)
        for choice, _, standing in known
        for cause in [
            *causes_of(choice, standing.newest_flight, standing.thresholds, today),
            *([retry_of(standing.last.cause, standing.last.attempt)] if standing.last else []),
            *([standing.dunning] if standing.dunning else []),
        ]
    ]
    used = await store.auto_charges.used(tx, named)
    decided = []
    for choice, method, standing in known:
        mine = frozenset(cause for student, cause in used if student == choice.student)
        if charge := decide(choice, method, replace(standing, used=mine), now, today):
            decided.append(charge)
    return decided


async def take_answers(tx: Tx, answers: Sequence[Admitted[ChargeAnswer]], now: datetime) -> None:
    """Keep what became of charges. What was paid is posted as every card payment is; a webhook may follow."""
    if not answers:
        return
    paid: list[tuple[Fact, Admitted[Any]]] = [
        (fact, one) for one in answers if (fact := wire.auto_charges.payment(one.event))
    ]
    await charges.learn(tx, paid, now=now)
    known = await store.auto_charges.lock(tx, [one.event.request_id for one in answers])
    messages: list[Message] = []
    for one in answers:
        row = known.get(one.event.request_id)
        if row is None:
            await store.auto_charges.take_over(tx, one.event, _attempt_named(one.event.cause))
        elif row.state in ("succeeded", "declined", "not_made"):
            continue  # told again
        attempt = row.attempt if row is not None else _attempt_named(one.event.cause)
        method = row.payment_method if row is not None else None
        messages += await _answer(tx, one.event, attempt, method, one.cause, now)
    made = {one.event.charge: one.cause for one in answers if one.event.charge}
    messages += await _take_back(tx, made, now)  # its end may have been heard first
    await fault_point("receivables.charge_answered")
    await outbox.stage(tx, messages)


async def _answer(
    tx: Tx, answer: ChargeAnswer, attempt: int, method: str | None, cause: Cause, now: datetime
) -> list[Message]:
    """Write one answer; a bank debit may have ended before it was heard that it is under way."""
    state: State = answer.outcome
    code, charge, intent = answer.code, answer.charge, answer.payment_intent
    if state == "processing" and intent is not None:
        if paid := (await store.charge_ends.paid(tx, [intent])).get(intent):
            state, charge = "succeeded", paid
        elif failed := (await store.charge_ends.failed(tx, [intent])).get(intent):
            state, code = "declined", failed
    told = replace(answer, code=code, charge=charge)
    return await _write(tx, told, state, attempt, method, cause, now)


async def _write(
    tx: Tx,
    answer: ChargeAnswer,
    state: State,
    attempt: int,
    method: str | None,
    cause: Cause,
    now: datetime,
) -> list[Message]:
    metrics.AUTO_CHARGES.labels(state).inc()
    if state != "declined":
        await store.auto_charges.answer(tx, answer, state, None, None)
        return []
    kind = decline_class(answer.code, answer.advice)
    zone, _ = await store.credit.school(tx)
    use = await store.auto_charges.method_use(tx, method, now)
    use = replace(use, declines=use.declines + 1)
    retry_at = next_try(kind, answer.code, attempt, use, now, local_date(now, zone))
    await store.auto_charges.answer(tx, answer, state, kind, retry_at)
    if kind in (DeclineClass.STOP, DeclineClass.ANOTHER_CARD):
        await store.saved_methods.stop(tx, answer.request_id, str(kind), now)
    metrics.AUTO_CHARGES_DECLINED.labels(str(kind)).inc()
    return wire.auto_charges.declined(answer, kind, cause)


async def note_ended(
    tx: Tx,
    paid: Sequence[tuple[Fact, Cause]],
    failures: Sequence[tuple[PaymentFailed, Cause]],
    now: datetime,
) -> None:
    """End the bank debits that webhooks say were paid, or failed, days after they were made.

    A charge that was paid ends for a second time when its money is taken back.
    """
    done = {
        fact.payment.payment_intent_id: (None, fact.charge_id, cause)
        for fact, cause in paid
        if isinstance(fact, PaymentSucceeded) and fact.payment.payment_intent_id
    }
    back = {
        fact.payment.payment_intent_id: (fact.failure.code, fact.charge_id, cause)
        for fact, cause in paid
        if isinstance(fact, PaymentTakenBack) and fact.payment.payment_intent_id
    }
    ended = {**back, **{f.payment_intent_id: (f.code, None, cause) for f, cause in failures}, **done}
    messages: list[Message] = []
    for row in await store.charge_ends.lock_processing(tx, [intent for intent in ended if intent]):
        code, charge_id, cause = ended[str(row.payment_intent)]
        messages += await _ended(tx, row, code, charge_id, cause, now)
    lost = {
        fact.charge_id: cause for fact, cause in paid if isinstance(fact, PaymentTakenBack | DisputeReported)
    }
    messages += await _take_back(tx, lost, now)
    await outbox.stage(tx, messages)


async def _take_back(tx: Tx, charges: Mapping[str, Cause], now: datetime) -> list[Message]:
    """Take charges that were made for declined, where a bank took the money back."""
    messages: list[Message] = []
    for back in await store.charge_ends.lock_taken_back(tx, charges):
        messages += await _taken_back(tx, back, charges[back.charge_id], now)
    return messages


async def _taken_back(tx: Tx, back: TakenBack, cause: Cause, now: datetime) -> list[Message]:
    row, kind = back.charge, taken_back_class(back.code, disputed=back.disputed)
    zone, _ = await store.credit.school(tx)
    use = await store.auto_charges.method_use(tx, row.payment_method, now)
    use = replace(use, declines=use.declines + 1)
    retry_at = next_try(kind, back.code, row.attempt, use, now, local_date(now, zone))
    sentence = "the bank took back what it had paid"
    await store.charge_ends.note_taken_back(tx, back, kind, sentence, retry_at, now)
    if kind in (DeclineClass.STOP, DeclineClass.ANOTHER_CARD):
        await store.saved_methods.stop(tx, row.request_id, str(kind), now)
    metrics.AUTO_CHARGES.labels("taken_back").inc()
    metrics.AUTO_CHARGES_DECLINED.labels(str(kind)).inc()
    return wire.auto_charges.taken_back(row, kind, back.code, cause)


async def _ended(
    tx: Tx, row: KnownCharge, code: str | None, charge_id: str | None, cause: Cause, now: datetime
) -> list[Message]:
    answer = ChargeAnswer(
        request_id=row.request_id,
        student=row.student,
        cause=row.cause,
        currency=row.currency,
        amount=row.amount,
        outcome="succeeded" if code is None else "declined",
        payment_intent=row.payment_intent,
        charge=charge_id,
        code=code,
        advice=None,
        sentence="the bank paid it" if code is None else "the bank did not pay it",
        at=now,
    )
    return await _write(tx, answer, answer.outcome, row.attempt, row.payment_method, cause, now)


def _attempt_named(cause: str) -> int:
    """Which attempt a cause is by its number; of an unknown charge nothing else says it."""
    number = cause.rpartition("#")[2]
    return int(number) if "#" in cause and number.isdecimal() and len(number) < 4 else 1
