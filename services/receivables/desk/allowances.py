"""What people may decide about flights beyond the limit: allow one, agree to it, end it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from fleet.persons import same_person
from fleet.zones import local_date
from schemas.fields import MINOR_UNITS_MAX
from schemas.identifiers import identifier_problem
from services.receivables import store
from services.receivables.desk.known import unless_known
from services.receivables.domain.allowances import LONGEST, Allowance


async def allow(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Let a student's balance go so much further for one flight. object: the flight.

    parameters: student, amount (minor units), until (an instant with its zone, within seven days). Above the
    policy's `allowed_by_one_up_to` a second person has to agree; what single persons allowed the student
    already counts, so that no large allowance is made of small ones. The flight is then dispatched again.
    """
    if problem := identifier_problem(decision.object):
        return refused(f"flight: {problem}")
    if not decision.why.strip():
        return refused("allowing a flight beyond the limit needs a reason (--why)")
    student = decision.parameters.get("student")
    if not isinstance(student, str):
        return refused(f"no student {student!r} has a card or a bill")
    if unknown := await unless_known(tx, student):
        return unknown
    asked = _asked(decision.parameters)
    if asked is None:
        return refused("an allowance needs an amount above zero and the instant of its end")
    amount, until = asked
    if not now < until <= now + LONGEST:
        return refused(f"an allowance ends within {LONGEST.days} days, not at {until:%Y-%m-%d %H:%M} UTC")
    zone, currency = await store.credit.school(tx)
    if currency is None:
        return refused("the school's book names no currency yet")
    policy = await store.credit.policy(tx, local_date(now, zone))
    await store.allowances.lock_student(tx, student)
    alone = amount + await store.allowances.allowed_by_one(tx, student, now)
    one = Allowance(
        id=decision.decision_id,
        flight_id=decision.object,
        student=student,
        currency=currency,
        amount=amount,
        until=until,
        asked_by=decision.who.name,
        asked_at=now,
        why=decision.why,
        needs_second=alone > policy.allowed_by_one_up_to,
    )
    await store.allowances.insert(tx, one)
    waits = "a second person has to agree: hobbs credit allowances shows its id"
    return _ruling(one, waits if one.needs_second else "dispatch it again")


async def approve(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Agree to an allowance that needs a second person. object: its id."""
    one = await _locked(tx, decision.object)
    if one is None or one.closed_by is not None or one.until <= now:
        return refused(f"no allowance {decision.object} waits; hobbs credit allowances shows all")
    if not one.needs_second or one.approved_by is not None:
        return refused(f"allowance {one.id} is in force already")
    if same_person(one.asked_by, decision.who.name):
        return refused(f"{decision.who.name} asked for this allowance: another person has to agree")
    await store.allowances.approve(tx, one.id, decision.who.name, now)
    return _ruling(replace(one, approved_by=decision.who.name), "dispatch it again")


async def close(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """End an allowance before its time. object: its id. A hold that it let through stands."""
    one = await _locked(tx, decision.object)
    if one is None or one.closed_by is not None:
        return refused(f"there is no allowance {decision.object} to end; hobbs credit allowances shows all")
    await store.allowances.close(tx, one.id, decision.who.name, now)
    return Ruling(done=True, sentence=f"the allowance for flight {one.flight_id} is ended")


def _asked(parameters: Mapping[str, Any]) -> tuple[int, datetime] | None:
    try:
        amount, until = parameters["amount"], datetime.fromisoformat(str(parameters["until"]))
    except (KeyError, ValueError):
        return None
    whole = type(amount) is int and 0 < amount <= MINOR_UNITS_MAX
    return (amount, until) if whole and until.tzinfo is not None else None


async def _locked(tx: Tx, named: str) -> Allowance | None:
    try:
        return await store.allowances.lock(tx, UUID(named))
    except ValueError:
        return None


def _ruling(one: Allowance, then: str) -> Ruling:
    """A preview has another id, so neither sentence nor effects have one."""
    effect = {
        "flight_id": one.flight_id,
        "student": one.student,
        "amount": one.amount,
        "currency": one.currency,
        "until": one.until.isoformat(),
        "needs_second": one.needs_second,
    }
    return Ruling(done=True, sentence=f"{one.in_words()}; {then}", effects=(effect,))
