"""Learns facts about charges and asks the ledger for the journals that are due then. The caller commits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fleet.admitted import Admitted
from fleet.cause import Cause
from fleet.database import Tx
from fleet.dead_letters import Refusal, bury
from fleet.envelope import Message
from fleet.faults import fault_point
from fleet.outbox import stage
from services.receivables import metrics, store, wire
from services.receivables.domain.charges import Charge, Contradiction, Fact, PaymentSucceeded
from services.receivables.domain.postings import Step, decide
from services.receivables.wire.stripe_objects import WebhookRead

FROM_STRIPE = "stripe metadata"


@dataclass(slots=True, kw_only=True)
class FactsLearnt:
    """What a batch of facts changed, and which were refused, both in the order of the facts."""

    charges: dict[str, Charge]
    steps: list[tuple[Step, Cause]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


async def learn(tx: Tx, facts: Sequence[tuple[Fact, Admitted[Any]]], *, now: datetime) -> None:
    """Lock the charges of these facts, learn each fact, and bury those that contradict what is known."""
    if not facts:
        return
    charges = await store.charges.lock(tx, (fact.charge_id for fact, _ in facts))
    learnt = learn_facts(charges, facts, now)
    await write(tx, learnt, allocated_by=FROM_STRIPE, now=now)
    await bury(tx, learnt.refusals)


async def refuse_parts(tx: Tx, events: Sequence[Admitted[WebhookRead]]) -> None:
    """Keep records as dead letters of which a part could not be read; their other facts were learnt."""
    refusals = [
        Refusal(
            admitted=one,
            reason=problem.reason,
            sentence=problem.sentence,
            subject=f"part:{one.event.webhook.event_id}",
        )
        for one in events
        for problem in one.event.odd
    ]
    await bury(tx, refusals)


def learn_facts(
    charges: dict[str, Charge], facts: Iterable[tuple[Fact, Admitted[Any]]], now: datetime
) -> FactsLearnt:
    """Merge facts into their charges, one after the other; a fact that contradicts changes nothing."""
    learnt = FactsLearnt(charges=dict(charges))
    for fact, admitted in facts:
        step = decide(learnt.charges[fact.charge_id], fact, now=now)
        if isinstance(step, Contradiction):
            learnt.refusals.append(_refusal(step, fact, admitted))
            continue
        if isinstance(fact, PaymentSucceeded) and fact.student not in (None, step.charge.student):
            metrics.STUDENT_CLASHES.inc()
        learnt.charges[fact.charge_id] = step.charge
        learnt.steps.append((step, admitted.cause))
    return learnt


async def write(tx: Tx, learnt: FactsLearnt, *, allocated_by: str, now: datetime) -> None:
    """Write the charges, then ask for the journals that are new.

    allocated_by: who named the student, for payments that get theirs with these facts.
    """
    await store.charges.write(tx, list(learnt.charges.values()))
    await fault_point("receivables.charges_written")
    unallocated = [s.charge.charge_id for s, _ in learnt.steps if s.received and s.charge.student is None]
    await store.unallocated.queue(tx, unallocated)
    allocated = {s.charge.charge_id: s.charge.student for s, _ in learnt.steps if s.allocated}
    students = {charge_id: student for charge_id, student in allocated.items() if student}
    await store.unallocated.close(tx, students, allocated_by=allocated_by, at=now)
    postings = [(s.charge.charge_id, posting) for s, _ in learnt.steps for posting in s.postings]
    new = await store.charges.insert_postings(tx, postings)
    await fault_point("receivables.postings_written")
    await stage(tx, [message for s, cause in learnt.steps for message in _messages(s, cause, new)])


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


def _refusal(told: Contradiction, fact: Fact, admitted: Admitted[Any]) -> Refusal:
    return Refusal(
        admitted=admitted,
        reason=told.reason,
        sentence=told.sentence,
        subject=f"charge:{fact.charge_id}:{admitted.event_key}",
    )
