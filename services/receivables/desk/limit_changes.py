"""What people may decide about limits that would rise or fall by the book's policy: accept, refuse."""

from datetime import date, datetime
from uuid import UUID

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from fleet.persons import same_person
from fleet.zones import local_date
from services.receivables import steps, store
from services.receivables.domain.limit_changes import Action, Change, Policy, in_words, moved, still_holds


async def accept(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Let a proposed change of a limit be in force from today on. object: its id.

    What it was found by must still hold. A rise by more than the book's `allowed_by_one_up_to` waits until
    somebody else accepts it too.
    """
    return await _say(tx, decision, "accept", now)


async def refuse(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Leave the limit as it is; what speaks for a rise counts anew from today. A reason is needed."""
    return await _say(tx, decision, "refuse", now)


async def _say(tx: Tx, decision: Decision, action: Action, now: datetime) -> Ruling:
    if action == "refuse" and not decision.why.strip():
        return refused("refusing a change of a limit needs a reason (--why)")
    zone, _ = await store.credit.school(tx)
    today = local_date(now, zone)
    change = await _locked(tx, decision.object)
    if change is None:
        return refused(f"there is no change {decision.object} of a limit; hobbs credit proposals shows them")
    policy = await store.limit_changes.policy(tx, today)
    who, second = decision.who.name, change.state == "waits"
    after = moved(change, action, who, policy)
    if isinstance(after, str):
        return refused(after)
    if action == "accept" and second and same_person(str(change.accepted_by), who):
        return refused(f"{who} accepted this change already: another person has to accept it too")
    if action == "accept" and not await _holds(tx, change, policy, now, today, zone):
        return refused(f"{in_words(change)} no longer: what it was found by has changed")
    agrees = second and action == "accept"
    await steps.limit_changes.write(tx, after, who=who, why=decision.why, second=agrees, now=now, today=today)
    return _ruling(after, today)


async def _holds(tx: Tx, change: Change, policy: Policy, now: datetime, today: date, zone: str) -> bool:
    found = await store.limit_changes.standings(tx, [change.student], policy, today, now, zone)
    return bool(found) and still_holds(policy, found[0], today)


async def _locked(tx: Tx, named: str) -> Change | None:
    try:
        id = UUID(named)
    except ValueError:
        return None
    change = await store.limit_changes.of_id(tx, id)
    if change is None:
        return None
    await store.limit_changes.lock(tx, change.student)
    return await store.limit_changes.of_id(tx, id)


def _ruling(change: Change, today: date) -> Ruling:
    then = {
        "waits": "once another person accepts it too",
        "in_force": f"from {today} on",
        "refused": "not: it is refused",
    }[change.state]
    effect = {
        "student": change.student,
        "currency": change.currency,
        "from_limit": change.from_limit,
        "to_limit": change.to_limit,
        "state": change.state,
    }
    return Ruling(done=True, sentence=f"{in_words(change)} {then}", effects=(effect,))
