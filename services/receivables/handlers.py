"""Kafka in: admit, lock, decide, write, stage. Also the one command a person has, to allocate a payment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fleet.cause import Cause
from fleet.database import Database, Tx
from fleet.dead_letters import Refusal, bury
from fleet.envelope import Message, Record, first_cause
from fleet.faults import fault_point
from fleet.inbox import Admitted, admit
from fleet.outbox import stage
from services.receivables import metrics, store, wire
from services.receivables.domain.charges import Charge, Contradiction, Fact, PaymentSucceeded, StudentNamed
from services.receivables.domain.failures import PaymentFailed, worth_telling
from services.receivables.domain.postings import Step, decide
from services.receivables.wire.stripe_objects import Kind, Seen

FROM_STRIPE = "stripe metadata"


@dataclass(slots=True, kw_only=True)
class Decided:
    """What a batch of facts came to; steps and refusals in the order of their facts."""

    charges: dict[str, Charge]
    steps: list[tuple[Step, Cause]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


async def take_stripe_events(db: Database, batch: Sequence[Record]) -> None:
    """Post what Stripe tells of payments, refunds and disputes, each once."""
    async with db.transaction() as tx:
        seen = await admit(
            tx, batch, wire.stripe_objects.stripe_event, natural_key=wire.stripe_objects.stripe_event_key
        )
        await store.keep_webhooks(tx, [s.event.webhook for s in seen if s.event.kind is Kind.UNKNOWN])
        await _learn(tx, [(fact, s) for s in seen for fact in s.event.facts])
        await _tell_failures(tx, [(s.event.failure, s.cause) for s in seen if s.event.failure])
    for admitted in seen:
        metrics.WEBHOOKS.labels(admitted.event.kind, _label(admitted.event)).inc()


async def take_settled_charges(db: Database, batch: Sequence[Record]) -> None:
    """Post Stripe's fee of each settled charge."""
    async with db.transaction() as tx:
        settled = await admit(
            tx, batch, wire.stripe_objects.charge_settled, natural_key=lambda fact: fact.fee.transaction_id
        )
        await _learn(tx, [(s.event, s) for s in settled])


async def allocate_payment(
    tx: Tx, charge_id: str, student: str, *, who: str, now: datetime
) -> Step | Contradiction:
    """Give an unallocated payment to its student; the caller's transaction commits it, or (a dry run) not."""
    known = await store.load_charges(tx, [charge_id])
    if charge_id not in known:
        return Contradiction(reason="unknown_charge", sentence=f"no charge {charge_id} is known")
    charge = (await store.lock_charges(tx, [charge_id]))[charge_id]
    step = decide(charge, StudentNamed(charge_id=charge_id, student=student, at=now), now=now)
    if isinstance(step, Step):
        decided = Decided(charges={charge_id: step.charge}, steps=[(step, first_cause())])
        await _write(tx, decided, allocated_by=who, now=now)
    return step


async def measure_waiting(db: Database) -> None:
    """Set the gauges of what waits for a payment or for a person."""
    async with db.transaction() as tx:
        row = await store.waiting(tx)
    metrics.WAITING.labels("payment").set(row.charges)
    metrics.WAITING.labels("student").set(row.students)
    metrics.WAITING.labels("refund").set(row.unexplained_refunds)
    metrics.WAITING_AGE.labels("payment").set(row.charge_age_s)
    metrics.WAITING_AGE.labels("student").set(row.student_age_s)


async def _learn(tx: Tx, facts: Sequence[tuple[Fact, Admitted[Any]]]) -> None:
    if not facts:
        return
    now = datetime.now(UTC)
    decided = decide_facts(await store.lock_charges(tx, (fact.charge_id for fact, _ in facts)), facts, now)
    await _write(tx, decided, allocated_by=FROM_STRIPE, now=now)
    await bury(tx, decided.refusals)


def decide_facts(
    charges: dict[str, Charge], facts: Iterable[tuple[Fact, Admitted[Any]]], now: datetime
) -> Decided:
    """Fold facts into their charges, one after the other; a contradiction changes nothing."""
    decided = Decided(charges=dict(charges))
    for fact, admitted in facts:
        step = decide(decided.charges[fact.charge_id], fact, now=now)
        if isinstance(step, Contradiction):
            decided.refusals.append(_refusal(step, fact, admitted))
            continue
        if isinstance(fact, PaymentSucceeded) and fact.student not in (None, step.charge.student):
            metrics.STUDENT_CLASHES.inc()
        decided.charges[fact.charge_id] = step.charge
        decided.steps.append((step, admitted.cause))
    return decided


async def _write(tx: Tx, decided: Decided, *, allocated_by: str, now: datetime) -> None:
    """Write the charges, then ask for the journals that are new."""
    await store.write_charges(tx, list(decided.charges.values()))
    await fault_point("receivables.charges_written")
    unallocated = [s.charge.charge_id for s, _ in decided.steps if s.received and s.charge.student is None]
    await store.queue_unallocated(tx, unallocated)
    allocated = {s.charge.charge_id: s.charge.student for s, _ in decided.steps if s.allocated}
    students = {charge_id: student for charge_id, student in allocated.items() if student}
    await store.close_unallocated(tx, students, allocated_by=allocated_by, at=now)
    postings = [(s.charge.charge_id, posting) for s, _ in decided.steps for posting in s.postings]
    new = await store.insert_postings(tx, postings)
    await fault_point("receivables.postings_written")
    await stage(tx, [message for s, cause in decided.steps for message in _messages(s, cause, new)])


def _messages(step: Step, cause: Cause, new: set[str]) -> list[Message]:
    journals = [posting for posting in step.postings if posting.source in new]
    for posting in journals:
        metrics.JOURNALS.labels(posting.event_type).inc()
    messages = [wire.messages.journal_message(posting, cause) for posting in journals]
    payment = step.charge.payment
    if payment and (step.received or step.allocated):
        messages.append(wire.messages.payment_message(step.charge, payment, cause))
    if payment and step.received and step.charge.student is None:
        messages.append(wire.messages.unallocated_message(step.charge, payment, cause))
    return messages


async def _tell_failures(tx: Tx, failures: Sequence[tuple[PaymentFailed, Cause]]) -> None:
    """Tell each student once of each attempt that failed, unless the payment went through since."""
    if not failures:
        return
    new = await store.insert_failures(tx, [failure for failure, _ in failures])
    paid = await store.paid_intents(tx, [failure.payment_intent_id for failure, _ in failures])
    messages = []
    for failure, cause in failures:
        identity = (failure.payment_intent_id, failure.attempt)
        if identity in new and worth_telling(failure, paid):
            new.discard(identity)  # told twice in one batch is one failure
            messages.append(wire.messages.failure_message(failure, cause))
    await stage(tx, [message for message in messages if message])


def _refusal(told: Contradiction, fact: Fact, admitted: Admitted[Any]) -> Refusal:
    return Refusal(
        admitted=admitted,
        reason=told.reason,
        sentence=told.sentence,
        subject=f"charge:{fact.charge_id}:{admitted.event_key}",
    )


def _label(seen: Seen) -> str:
    return seen.webhook.event_type if seen.kind is not Kind.ELSEWHERE else "elsewhere"
