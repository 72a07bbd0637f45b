"""What people may decide about asking a student for what is overdue: pause, resume, note a promise to pay."""

from datetime import date, datetime

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from fleet.money import format_minor
from fleet.zones import local_time
from services.receivables import store
from services.receivables.desk.known import unless_known
from services.receivables.domain.dunning import PROMISE_MOST, Standing, has_lapsed


async def pause(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Ask a student for nothing until it is resumed. object: the student. A block is lifted as well."""
    found = await _locked(tx, decision, now)
    if isinstance(found, Ruling):
        return found
    standing, local = found
    if standing.hold == "paused":
        return refused(f"{standing.student} is asked for nothing already")
    await _keep(tx, decision, "paused", None, local, now)
    return Ruling(done=True, sentence=f"{standing.student} is asked for nothing until it is resumed")


async def resume(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """End a pause or a promise. object: the student. Steps that were done in the run are not done again."""
    found = await _locked(tx, decision, now)
    if isinstance(found, Ruling):
        return found
    standing, local = found
    if standing.hold is None:
        return refused(f"{standing.student} is neither paused nor promised to pay")
    await _keep(tx, decision, "resumed", None, local, now)
    return Ruling(done=True, sentence=f"{standing.student} is asked for what is overdue again")


async def promise(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Note that a student promised to pay. object: the student; parameters: until, the last day of it.

    Nothing is asked for up to and on that day; what is overdue the day after is asked for again.
    """
    found = await _locked(tx, decision, now)
    if isinstance(found, Ruling):
        return found
    standing, local = found
    until = _day(decision.parameters.get("until"))
    if until is None or not local.date() <= until <= local.date() + PROMISE_MOST:
        return refused(f"a promise is for a day within {PROMISE_MOST.days} days, as 2026-12-31")
    if standing.total <= 0:
        return refused(f"nothing of {standing.student} is overdue")
    if standing.hold == "paused":
        return refused(f"{standing.student} is paused: resume first")
    if standing.hold == "promised" and standing.until == until and not has_lapsed(standing, local.date()):
        return refused(f"{standing.student} promised to pay until {until} already")
    await _keep(tx, decision, "promised", until, local, now)
    total = f"{format_minor(standing.total, standing.currency)} {standing.currency}"
    return Ruling(done=True, sentence=f"{standing.student} promised to pay {total} until {until}")


async def _locked(tx: Tx, decision: Decision, now: datetime) -> tuple[Standing, datetime] | Ruling:
    """The student's standing, whose row is locked, and the time at the school; or why it cannot be."""
    student = decision.object
    if not decision.why.strip():
        return refused("this needs a reason (--why)")
    if unknown := await unless_known(tx, student):
        return unknown
    zone, currency = await store.credit.school(tx)
    if currency is None:
        return refused("the school's book names no currency yet")
    local = local_time(now, zone)
    await store.dunning.open_and_lock(tx, [student])
    return (await store.dunning.standings(tx, [student], local.date(), now))[student], local


async def _keep(
    tx: Tx, decision: Decision, what: str, until: date | None, local: datetime, now: datetime
) -> None:
    who, why = decision.who.name, decision.why
    await store.dunning.hold(tx, decision.object, what, until=until, who=who, why=why, local=local, at=now)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
