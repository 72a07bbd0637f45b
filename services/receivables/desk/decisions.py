"""What people may decide about payments: whose an unallocated one is."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.envelope import first_cause
from services.receivables import steps, store
from services.receivables.desk import reads
from services.receivables.domain.charges import Contradiction, StudentNamed
from services.receivables.domain.postings import Step, decide
from services.receivables.domain.students import is_student_name


async def allocate(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Give an unallocated payment to its student: what liability:unallocated holds for it moves, once.

    object: the charge. parameters: student, and new_student (true when they are in no book yet). The effects
    are the entries of the journals that follow.
    """
    student, new = decision.parameters.get("student"), decision.parameters.get("new_student") is True
    if not isinstance(student, str) or not is_student_name(student):
        return refused(f"{student!r} cannot name a student")
    if not new and not await reads.student_is_known(tx, student):
        return refused(
            f"no student {student!r} has a card or a bill; spell it as in the school's book, or --new-student"
        )
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


def _entries(step: Step) -> Iterator[dict[str, Any]]:
    for posting in step.postings:
        for entry in posting.entries:
            yield {
                "source": posting.source,
                "wallet": entry.wallet,
                "amount": entry.amount,
                "currency": posting.currency,
            }


ACTIONS: Final[Mapping[str, Action]] = {"allocate": Action(judge=allocate)}
