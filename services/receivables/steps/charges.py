"""Learns facts about charges and asks the ledger for the journals that are due then. The caller commits."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from services.receivables.domain.charges import (
    Charge,
    Contradiction,
    Fact,
    PaymentSucceeded,
    PaymentTakenBack,
    StudentNamed,
)
from services.receivables.domain.open_items import Account
from services.receivables.domain.postings import Step, decide
from services.receivables.domain.students import closest_student
from services.receivables.steps import open_items
from services.receivables.wire.stripe_objects import WebhookRead

FROM_STRIPE = store.students.FROM_STRIPE
NAMED_MAX = 500
NAMING = (PaymentSucceeded, PaymentTakenBack)  # facts that carry whom the metadata names


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
    students = {f.student for f, _ in facts if isinstance(f, NAMING) and f.student}
    known = await store.students.known(tx, students)
    believed = [(_believed(fact, known), admitted) for fact, admitted in facts]
    charges = await store.charges.lock(tx, (fact.charge_id for fact, _ in facts))
    learnt = learn_facts(charges, believed, now)
    await _name_bills(tx, learnt, [fact for fact, _ in believed], now)
    await write(tx, learnt, allocated_by=FROM_STRIPE, now=now)
    await bury(tx, learnt.refusals)


async def _name_bills(tx: Tx, learnt: FactsLearnt, facts: Sequence[Fact], now: datetime) -> None:
    """Have payments pay the bill that their metadata name, unless a bill of theirs was named before.

    What is no bill of the student's pays the oldest, like any other payment (decision 0360). Accounts are
    locked after charges and before levels, as wherever items change.
    """
    words = [
        (f"charge:{fact.charge_id}", Account(charge.student, charge.payment.currency), f"flight:{fact.bill}")
        for fact in facts
        if isinstance(fact, PaymentSucceeded) and fact.bill
        for charge in [learnt.charges[fact.charge_id]]
        if charge.student and charge.payment and charge.failure is None
    ]
    if not words:
        return
    accounts = {account for _, account, _ in words}
    await store.open_items.lock(tx, accounts)
    for payment, account, bill in words:
        await store.open_items.insert_first_name(tx, payment, account, bill, who=FROM_STRIPE, at=now)
    await open_items.settle(tx, accounts)


async def refuse_parts(tx: Tx, events: Sequence[Admitted[WebhookRead]]) -> None:
    """Keep records as dead letters of which a part could not be read; their other facts were learnt."""
    refusals = [
        Refusal(
            admitted=one,
            reason=problem.reason,
            sentence=problem.sentence,
            subject=f"{one.event.webhook.event_id}:part",
        )
        for one in events
        for problem in one.event.odd
    ]
    await bury(tx, refusals)


async def allocate_named(tx: Tx, cause: Cause, *, now: datetime) -> None:
    """Give payments to the students they named, now that the school knows them: by its book, or by a bill."""
    named = await store.charges.named(tx, NAMED_MAX)
    known = await store.students.known(tx, set(named.values()))
    charges = await store.charges.lock(tx, (charge for charge, name in named.items() if name in known))
    learnt = FactsLearnt(charges=charges)
    for charge in list(charges.values()):
        if charge.named not in known:
            continue  # another event named somebody else meanwhile
        step = decide(charge, StudentNamed(charge_id=charge.charge_id, student=charge.named, at=now), now=now)
        if isinstance(step, Step):
            learnt.charges[charge.charge_id] = step.charge
            learnt.steps.append((step, cause))
    await write(tx, learnt, allocated_by=FROM_STRIPE, now=now)


def _believed(fact: Fact, known: Collection[str]) -> Fact:
    """A payment for a name that no student has is for nobody, so that a typing error makes no wallet."""
    if isinstance(fact, NAMING) and fact.student and fact.student not in known:
        return replace(fact, student=None, named=fact.student)
    return fact


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
        if isinstance(fact, PaymentSucceeded) and _clashes(fact, step.charge):
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
    closest = await _closest(tx, [s for s, _ in learnt.steps if _waits(s)])
    await store.unallocated.queue(tx, closest)
    allocated = {s.charge.charge_id: s.charge.student for s, _ in learnt.steps if s.allocated}
    students = {charge_id: student for charge_id, student in allocated.items() if student}
    await store.unallocated.close(tx, students, allocated_by=allocated_by, at=now)
    postings = [(s.charge.charge_id, posting) for s, _ in learnt.steps for posting in s.postings]
    new = await store.charges.insert_postings(tx, postings)
    await store.credit_levels.mark(tx, _whose_disputes_changed(learnt))
    await fault_point("receivables.postings_written")
    await stage(tx, [message for s, cause in learnt.steps for message in _messages(s, cause, new, closest)])


def _whose_disputes_changed(learnt: FactsLearnt) -> set[str]:
    """Students whose disputed payments are others than before: they count in the limit at once."""
    return {
        student
        for step, _ in learnt.steps
        if step.before.disputes != step.charge.disputes
        or (step.charge.disputes and step.before.student != step.charge.student)
        for student in (step.before.student, step.charge.student)
        if student
    }


def _clashes(fact: PaymentSucceeded, charge: Charge) -> bool:
    """Whether the metadata names another student than the payment's."""
    told = fact.student or fact.named
    return charge.student is not None and told not in (None, charge.student)


def _waits(step: Step) -> bool:
    """Whether a payment begins to wait for its student, or is named otherwise while it waits."""
    if step.charge.student is not None or step.charge.failure is not None:
        return False
    return bool(step.received) or step.before.named != step.charge.named


async def _closest(tx: Tx, waiting: Sequence[Step]) -> dict[str, str | None]:
    """By charge: the student whose name is closest to the one that the metadata gives."""
    everyone = await store.students.everyone(tx) if any(s.charge.named for s in waiting) else []
    named = {s.charge.charge_id: s.charge.named for s in waiting if s.charge.payment}
    return {charge: name and closest_student(name, everyone) for charge, name in named.items()}


def _messages(step: Step, cause: Cause, new: set[str], closest: Mapping[str, str | None]) -> list[Message]:
    journals = [posting for posting in step.postings if posting.source in new]
    for posting in journals:
        metrics.JOURNALS.labels(posting.event_type).inc()
    messages = [wire.messages.journal_message(posting, step.charge, cause) for posting in journals]
    payment = step.charge.payment
    got_another = step.before.payment is not None and step.before.student != step.charge.student
    if payment and (step.received or got_another):
        messages.append(wire.messages.payment_message(step.charge, payment, cause))
    if payment and step.received and step.charge.student is None:
        near = closest.get(step.charge.charge_id)
        messages.append(wire.messages.unallocated_message(step.charge, payment, near, cause))
    return messages


def _refusal(told: Contradiction, fact: Fact, admitted: Admitted[Any]) -> Refusal:
    return Refusal(
        admitted=admitted,
        reason=told.reason,
        sentence=told.sentence,
        subject=f"charge:{fact.charge_id}:{admitted.event_key}",
    )
