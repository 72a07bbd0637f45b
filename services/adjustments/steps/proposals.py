"""Proposes revisions of flights as adjustments, and decides what waited for the ledger's answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from fleet import outbox
from fleet.admitted import Admitted
from fleet.cause import Cause
from fleet.database import Tx
from fleet.dead_letters import Refusal as Buried
from fleet.dead_letters import bury
from fleet.envelope import Message
from fleet.faults import fault_point
from fleet.zones import local_date
from services.adjustments import metrics, store, wire
from services.adjustments.domain import flights, proposals
from services.adjustments.domain.adjustments import Adjustment, Move, State, Through
from services.adjustments.domain.flights import FirstBill, Revision
from services.adjustments.domain.journals import PostedJournal
from services.adjustments.domain.proposals import Proposal, Refusal, Terms
from services.adjustments.steps import moves, settlements, settlements_early

TOLD_EACH_MAX: Final = 20  # of one batch; a corrected month is one sentence, not thousands
_OPEN = frozenset({State.PROPOSED, State.WAITING})


@dataclass(slots=True, kw_only=True)
class _Decided:
    """What a batch of revisions came to: adjustments to insert and to move, and records to bury."""

    new: list[Proposal] = field(default_factory=list)
    superseded: list[Move] = field(default_factory=list)
    buried: list[Buried] = field(default_factory=list)


async def propose(tx: Tx, revised: Sequence[Admitted[Revision]], now: datetime) -> None:
    """Make an adjustment of each revision, each against what stands when its turn comes."""
    if not revised:
        return
    first_told: dict[str, FirstBill] = {}
    for one in revised:
        first_told.setdefault(one.event.flight_id, one.event.first)
    await store.flights.know(tx, first_told)
    firsts = await store.flights.lock(tx, first_told)
    known = by_flight(await store.adjustments.of_flights(tx, firsts))
    posted = await store.journals.known(tx, {f"adjustment:{one.event.name}" for one in revised})
    decided = _decide(revised, firsts, known, posted, await terms(tx, now, firsts))
    await bury(tx, decided.buried)
    await _write(tx, decided, now)


async def propose_one(
    tx: Tx, revision: Revision, known: Sequence[Adjustment], cause: Cause, now: datetime
) -> Proposal:
    """Make an adjustment of a revision that a person asks for. The flight is locked; known: what it has."""
    by = await terms(tx, now, [revision.flight_id])
    made = proposals.propose(revision, revision.first, known, None, by, cause)
    assert isinstance(made, Proposal), "a new revision of a locked flight is no repeat"
    await _write(tx, _Decided(new=[made], superseded=list(made.superseded)), now)
    return made


def _decide(
    revised: Sequence[Admitted[Revision]],
    firsts: Mapping[str, FirstBill],
    known: dict[str, list[Adjustment]],
    posted: Mapping[str, PostedJournal],
    by: Terms,
) -> _Decided:
    """One after the other: a revision sees what became of those before it in the same batch."""
    decided = _Decided()
    for one in revised:
        revision = one.event
        of_flight = known.setdefault(revision.flight_id, [])
        journal = posted.get(f"adjustment:{revision.name}")
        result = proposals.propose(revision, firsts[revision.flight_id], of_flight, journal, by, one.cause)
        if isinstance(result, Refusal):
            decided.buried.append(_buried(one, result))
        elif result is not None:
            decided.new.append(result)
            decided.superseded += result.superseded
            gone = {move.adjustment.id: replace(move.adjustment, state=move.to) for move in result.superseded}
            merged = [gone.get(old.id, old) for old in of_flight] + [result.adjustment]
            known[revision.flight_id] = sorted(merged, key=lambda adjustment: adjustment.revision)
    return decided


async def _write(tx: Tx, decided: _Decided, now: datetime) -> None:
    new = await store.adjustments.insert(tx, [(one.adjustment, one.who) for one in decided.new])
    await fault_point("adjustments.proposed")
    passed = {move.adjustment.id for move in decided.superseded}  # within this very batch
    stay = [one for one in new if one.id not in passed]
    await outbox.stage(tx, [wire.messages.changed(one, now) for one in stay] + consequences_of(stay))
    await moves.make(tx, decided.superseded, now)
    for one in stay:
        metrics.PROPOSED.labels(str(one.state)).inc()
    await begin(tx, [one for one in stay if one.state is State.POSTED], now)


async def begin(
    tx: Tx, posted: Sequence[Adjustment], now: datetime, *, through: Through | None = None
) -> None:
    """Count what makers moved for payees, and begin to settle adjustments that were just posted.

    through: the step to `posted`, when it is not written yet.
    """
    if posted:
        await store.makers.count(tx, posted, local_date(now, await store.policy.time_zone(tx)))
        owed = await settlements.begin(tx, posted, now, through)
        await settlements_early.hear(tx, owed, now)


async def resume(
    tx: Tx,
    firsts: Mapping[str, FirstBill],
    known: Mapping[str, Sequence[Adjustment]],
    now: datetime,
) -> None:
    """Decide what waited for the ledger's answer, and anew what was computed against something else.

    The flights are locked; known: their adjustments as they are now.
    """
    back, ended, again = [], [], []
    open_ = {
        flight_id: adjustments
        for flight_id, adjustments in known.items()
        if any(one.state in _OPEN for one in adjustments) and not flights.under_way(adjustments)
    }
    if not open_:
        return
    by = await terms(tx, now, open_)
    for flight_id, adjustments in open_.items():
        for one in adjustments:
            if one.state not in _OPEN:
                continue
            fresh = proposals.anew(one, firsts[flight_id], adjustments, by)
            if one.state is State.WAITING:
                if fresh.differences == one.differences:
                    continue
                why = "what stands in the ledger changed: approvals so far count for nothing"
                back.append(Move(adjustment=one, to=State.PROPOSED, who=proposals.LEDGER, why=why))
            again.append(fresh)
            ended += proposals.superseded_by(one, adjustments)
    await moves.make(tx, back, now)
    await moves.make(tx, ended, now)
    if again:
        await decide(tx, [replace(one, state=State.PROPOSED) for one in again], by)


async def decide(tx: Tx, proposed: Sequence[Adjustment], by: Terms) -> None:
    """Write what was proposed anew, and take each where the policy lets it go."""
    rewritten = await store.adjustments.rewrite(tx, proposed)
    steps = []
    for one in rewritten:
        to, who, why = proposals.outcome(one, by)
        steps.append(Move(adjustment=one, to=to, who=who, why=why))
    moved = await moves.make(tx, steps, by.now)
    await outbox.stage(tx, consequences_of(moved))


def consequences_of(adjustments: Sequence[Adjustment]) -> list[Message]:
    """What follows from where these have come; of many that wait, or expired, finance reads one sentence."""
    messages: list[Message] = []
    for state in (State.WAITING, State.EXPIRED):
        alike = [one for one in adjustments if one.state is state]
        if len(alike) > TOLD_EACH_MAX:
            messages.append(wire.notifications.many(alike))
            adjustments = [one for one in adjustments if one.state is not state]
    return [message for one in adjustments for message in consequences(one)] + messages


def consequences(adjustment: Adjustment) -> list[Message]:
    """What follows from where an adjustment has come, beside `adjustment.changed`."""
    if adjustment.state is State.APPROVED:
        return [wire.messages.journal_requested(adjustment)]
    if adjustment.state is State.WAITING:
        return [wire.notifications.waiting(adjustment)]
    if adjustment.state is State.FAILED:
        return [wire.notifications.failed(adjustment)]
    return [wire.notifications.expired(adjustment)] if adjustment.state is State.EXPIRED else []


async def terms(tx: Tx, now: datetime, of: Collection[str] = ()) -> Terms:
    """By what adjustments of these flights are judged at this time."""
    zone = await store.policy.time_zone(tx)
    return Terms(
        policy=await store.policy.in_force(tx, local_date(now, zone)),
        zone=zone,
        now=now,
        recovered=await store.recoveries.recovered(tx, of),
    )


def by_flight(adjustments: Collection[Adjustment]) -> dict[str, list[Adjustment]]:
    """Adjustments by their flights, in their order."""
    grouped: dict[str, list[Adjustment]] = {}
    for one in adjustments:
        grouped.setdefault(one.flight_id, []).append(one)
    return grouped


def _buried(admitted: Admitted[Revision], refusal: Refusal) -> Buried:
    return Buried(
        admitted=admitted,
        reason=refusal.reason,
        sentence=refusal.sentence,
        subject=f"adjustment:{admitted.event.name}",
    )
