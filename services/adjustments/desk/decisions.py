"""What people may decide about adjustments: approve one, or reject it. The maker is never the checker."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from fleet import outbox
from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.faults import fault_point
from fleet.persons import same_person
from services.adjustments import steps, store
from services.adjustments.domain.adjustments import Adjustment, Move, State
from services.adjustments.domain.policy import waits_for


async def approve(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Approve an adjustment that waits; the last approval that it needs has its journal asked for.

    object: `<flight>:<revision>`. A failed one whose approvals stand is asked for again. The effects are what
    each party gets or owes.
    """
    found = await locked(tx, decision.object)
    if isinstance(found, Ruling):
        return found
    if found.state is State.FAILED:
        return await _ask_again(tx, decision, found, now)
    if found.state is not State.WAITING:
        return refused(
            f"adjustment {found.name} is {found.state} ({found.sentence}): there is nothing to approve"
        )
    given = await store.approvals.of_content(tx, found.id, found.content_hash)
    if objection := _objection(found, given, decision.who.name, now):
        return refused(objection)
    await store.approvals.add(
        tx,
        decision_id=decision.decision_id,
        adjustment_id=found.id,
        content_hash=found.content_hash,
        approver=decision.who.name,
        why=decision.why,
        now=now,
    )
    await fault_point("adjustments.approved")
    missing = found.approvals_needed - len(given) - 1
    if missing > 0:
        steps.counts.decided(decision)
        rest = waits_for(found.approvals_needed, len(given) + 1)
        return _ruling(
            found, f"adjustment {found.name} has {decision.who.name}'s approval; it waits for {rest}"
        )
    by = " and ".join([*given, decision.who.name])
    await _ask_ledger(tx, found, decision, f"approved by {by}", now)
    steps.counts.decided(decision)
    return _ruling(found, f"adjustment {found.name} is approved by {by}: the ledger is asked to post it")


async def reject(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """End an adjustment that waits, or has failed: nothing moves. A reason is needed.

    Whoever made the correction may withdraw it so. Another correction of the flight is judged anew.
    """
    found = await locked(tx, decision.object)
    if isinstance(found, Ruling):
        return found
    if found.state not in (State.WAITING, State.FAILED):
        return refused(f"adjustment {found.name} is {found.state} ({found.sentence}): it cannot be rejected")
    if not decision.why.strip():
        return refused("rejecting an adjustment needs a reason (--why)")
    step = Move(adjustment=found, to=State.REJECTED, who=decision.who.name, why=decision.why)
    await steps.moves.make(tx, [step], now)
    steps.counts.decided(decision)
    return _ruling(found, f"adjustment {found.name} is rejected: nothing moves")


ACTIONS: Final = {"approve": Action(judge=approve), "reject": Action(judge=reject)}


async def locked(tx: Tx, name: str) -> Adjustment | Ruling:
    """Lock the flight of `<flight>:<revision>` and find its adjustment, or say that there is none."""
    flight_id, _, revision = name.rpartition(":")
    none = refused(f"there is no adjustment {name}; `hobbs adjustments list` shows all")
    if not flight_id or not revision.isdecimal():
        return none
    await store.flights.lock(tx, [flight_id])
    known = await store.adjustments.of_flights(tx, [flight_id])
    return next((one for one in known if one.name == name), none)


def _objection(found: Adjustment, given: list[str], who: str, now: datetime) -> str | None:
    """Why this person cannot approve this content now. The database says the same: functions/guards.sql."""
    if any(same_person(maker, who) for maker in found.makers):
        return f"{who} made this correction or one that it covers: another person has to approve {found.name}"
    if any(same_person(approver, who) for approver in given):
        return f"{who} has approved {found.name} already; it waits for another person"
    if found.expires_at <= now:
        return f"adjustment {found.name} waited too long; correct the flight again"
    return None


async def _ask_again(tx: Tx, decision: Decision, found: Adjustment, now: datetime) -> Ruling:
    """Ask the ledger for a refused journal again, once what it refused it for is put right."""
    if not decision.why.strip():
        return refused("asking the ledger again needs a reason (--why): what was put right?")
    given = await store.approvals.of_content(tx, found.id, found.content_hash)
    if len(given) < found.approvals_needed:
        return refused(
            f"adjustment {found.name} failed, and its approvals were of other amounts; correct it anew"
        )
    await _ask_ledger(tx, found, decision, f"asked for again: {decision.why}", now)
    steps.counts.decided(decision)
    return _ruling(found, f"adjustment {found.name} failed before; the ledger is asked to post it again")


async def _ask_ledger(tx: Tx, found: Adjustment, decision: Decision, why: str, now: datetime) -> None:
    step = Move(adjustment=found, to=State.APPROVED, who=decision.who.name, why=why)
    moved = await steps.moves.make(tx, [step], now)
    await outbox.stage(tx, [message for one in moved for message in steps.proposals.consequences(one)])


def _ruling(found: Adjustment, sentence: str) -> Ruling:
    return Ruling(done=True, sentence=sentence, effects=tuple(parties(found)))


def parties(adjustment: Adjustment) -> Iterator[dict[str, Any]]:
    """What each party gets or owes: before, after, and the difference. Minor units."""
    for wallet, amount in adjustment.differences.items():
        yield {
            "adjustment": adjustment.name,
            "wallet": wallet,
            "before": adjustment.before(wallet),
            "after": adjustment.entries.get(wallet, 0),
            "difference": amount,
            "currency": adjustment.currency,
        }
