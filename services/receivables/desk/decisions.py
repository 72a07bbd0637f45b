"""What people may decide about payments: whose an unallocated one is, and whose one is that has a student."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.envelope import first_cause
from services.receivables import steps, store
from services.receivables.desk import (
    account_notes,
    allowances,
    auto_charges,
    dunning,
    limit_changes,
    named_bills,
    recorded_payments,
)
from services.receivables.domain import postings
from services.receivables.domain.charges import Charge, Contradiction, StudentNamed
from services.receivables.domain.postings import Step, decide
from services.receivables.domain.students import closest_student, is_student_name, wallet_of


async def allocate(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Give an unallocated payment to its student: what liability:unallocated holds for it moves, once.

    object: the charge. parameters: student, and new_student (true when they are in no book yet). The effects
    are the entries of the journals that follow.
    """
    student = await _student(tx, decision)
    if isinstance(student, Ruling):
        return student
    if decision.object not in await store.charges.load(tx, [decision.object]):
        return refused(f"no charge {decision.object} is known")
    charge = (await store.charges.lock(tx, [decision.object]))[decision.object]
    step = decide(charge, StudentNamed(charge_id=charge.charge_id, student=student, at=now), now=now)
    if isinstance(step, Contradiction):
        return refused(step.sentence)
    learnt = steps.charges.FactsLearnt(charges={charge.charge_id: step.charge}, steps=[(step, first_cause())])
    await steps.charges.write(tx, learnt, allocated_by=decision.who.name, now=now)
    return Ruling(
        done=True,
        sentence=f"{charge.charge_id} belongs to {student}",
        effects=tuple(_entries(step)),
    )


async def move(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Give a payment that has a student to another one: what the first one's wallet holds of it moves.

    object: the charge. parameters: student, the one it goes to, and new_student as for allocate. A reason is
    needed. The effects are the entries of the journal that follows.
    """
    student = await _student(tx, decision)
    if isinstance(student, Ruling):
        return student
    if not decision.why.strip():
        return refused("moving a payment from one student to another needs a reason (--why)")
    if decision.object not in await store.charges.load(tx, [decision.object]):
        return refused(f"no charge {decision.object} is known")
    charge = (await store.charges.lock(tx, [decision.object]))[decision.object]
    moved = postings.move(charge, student, now=now)
    if isinstance(moved, Contradiction):
        return refused(moved.sentence)
    who, step = decision.who.name, moved.step
    learnt = steps.charges.FactsLearnt(charges={charge.charge_id: step.charge}, steps=[(step, first_cause())])
    await steps.charges.write(tx, learnt, allocated_by=who, now=now)
    await store.moves.insert(tx, moved, moved_by=who, why=decision.why, at=now)
    return Ruling(
        done=True,
        sentence=f"{charge.charge_id} belongs to {student}, no longer to {charge.student}{_later(charge)}",
        effects=tuple(_entries(step)),
    )


async def _student(tx: Tx, decision: Decision) -> str | Ruling:
    """The student whom the decision names, or why it cannot be that one."""
    student, new = decision.parameters.get("student"), decision.parameters.get("new_student") is True
    if not isinstance(student, str) or not is_student_name(student):
        return refused(f"{student!r} cannot name a student")
    if new or student in await store.students.known(tx, [student]):
        return student
    near = closest_student(student, await store.students.everyone(tx))
    meant = f"did you mean {near!r}? " if near else ""
    return refused(
        f"no student {student!r} has a card or a bill; {meant}"
        "spell it as in the school's book, or --new-student"
    )


def _later(charge: Charge) -> str:
    """What is still open of a payment and will be the new student's."""
    opened = [dispute for dispute in charge.disputes.values() if dispute.withdrawn and not dispute.outcome]
    return "; a dispute of it is open, and what it costs will be theirs" if opened else ""


def _entries(step: Step) -> Iterator[dict[str, Any]]:
    for posting in step.postings:
        for entry in posting.entries:
            yield {
                "source": posting.source,
                "wallet": entry.wallet,
                "amount": entry.amount,
                "currency": posting.currency,
            }


ACTIONS: Final[Mapping[str, Action]] = {
    "allocate": Action(judge=allocate),
    "move": Action(judge=move),
    "choose_charges": Action(judge=auto_charges.choose, holder=wallet_of),
    "allow_flight": Action(judge=allowances.allow),
    "approve_allowance": Action(judge=allowances.approve),
    "close_allowance": Action(judge=allowances.close),
    "accept_limit": Action(judge=limit_changes.accept),
    "refuse_limit": Action(judge=limit_changes.refuse),
    "pause_dunning": Action(judge=dunning.pause),
    "resume_dunning": Action(judge=dunning.resume),
    "promise_payment": Action(judge=dunning.promise),
    "name_bill": Action(judge=named_bills.name),
    "record_payment": Action(judge=recorded_payments.record),
    "approve_payment": Action(judge=recorded_payments.approve),
    "clear_cheque": Action(judge=recorded_payments.clear),
    "bounce_cheque": Action(judge=recorded_payments.bounce),
    "revert_payment": Action(judge=recorded_payments.revert),
    "refund_credit": Action(judge=account_notes.refund),
    "credit_bill": Action(judge=account_notes.credit),
    "write_off_bill": Action(judge=account_notes.write_off),
    "approve_note": Action(judge=account_notes.approve),
    "refuse_note": Action(judge=account_notes.refuse),
    "revert_note": Action(judge=account_notes.revert),
    "deposit_payments": Action(judge=recorded_payments.deposit),
    "revert_deposit": Action(judge=recorded_payments.revert_deposit),
}
