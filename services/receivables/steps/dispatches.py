"""Asks the ledger for the holds of dispatched flights, and answers the scheduler. The caller commits.

Every step locks the flights' rows first, in their order, and then does what domain/dispatches.py says is due.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from fleet import outbox
from fleet.admitted import Admitted
from fleet.cause import Cause
from fleet.database import Tx
from fleet.envelope import Message, first_cause
from fleet.faults import fault_point
from fleet.zones import local_date
from services.receivables import store, wire
from services.receivables.domain.credit import Refused, too_little_room
from services.receivables.domain.dispatches import (
    Dispatch,
    Ended,
    Estimated,
    HoldAnswer,
    HoldRefusal,
    Place,
    Refuse,
    State,
    Void,
    decide,
    expires_at,
    floor,
    named,
    over_already,
    refused_by,
    students_of,
    to_hold,
)

ENDED_AT_ONCE = 500


async def take_estimates(tx: Tx, estimated: Sequence[Admitted[Estimated]], now: datetime) -> None:
    """Keep what flights would cost, refuse what cannot be priced, and ask for the holds that are due."""
    if not estimated:
        return
    causes = {one.event.dispatch.flight_id: one.cause for one in estimated}
    await store.dispatches.open_flights(tx, causes.keys())
    ended = await store.dispatches.lock(tx, causes.keys())
    new = await store.dispatches.add(tx, [one.event.dispatch for one in estimated], now)
    messages: list[Message] = []
    for one in estimated:
        dispatch, reason = one.event.dispatch, one.event.reason
        state = new.get((dispatch.flight_id, dispatch.revision))
        if state == "refused":  # nobody waits in vain for its answer
            again = f"flight {dispatch.flight_id}: it was dispatched again before this dispatch was read"
            messages.append(_refused(dispatch, ("dispatched_again", again, None, ()), one.cause))
        elif reason is not None and state is not None:
            told = (reason, one.event.sentence, None, ())
            messages.append(await _refuse(tx, dispatch, told, one.cause, now))
    await _go_on(tx, ended, causes, messages, now)


async def take_changed(tx: Tx, changed: Sequence[Admitted[HoldAnswer]], now: datetime) -> None:
    """Take the ledger's answers: holds that stand clear their dispatch, others have ended."""
    ours = [(place, one) for one in changed if (place := named(one.event.hold))]
    causes = {flight_id: one.cause for (flight_id, _), one in ours}
    ended = await store.dispatches.lock(tx, causes.keys())
    known = {(d.flight_id, d.revision): d for d in await _all_open(tx, ended)}
    messages, moved = list[Message](), list[tuple[Dispatch, State]]()
    for place, one in ours:
        dispatch = known.get(place)
        if dispatch is None:
            continue
        if one.event.state != "open":
            moved.append((dispatch, "closed"))
            if dispatch.state == "asked":
                sentence = f"flight {dispatch.flight_id}: its hold is {one.event.state}"
                messages.append(_refused(dispatch, ("hold_has_ended", sentence, None, ()), one.cause))
            del known[place]
        elif dispatch.state == "asked":
            moved.append((dispatch, "cleared"))
            known[place] = replace(dispatch, state="cleared")
            messages.append(wire.dispatches.cleared(dispatch, one.event.available, one.cause))
    await store.dispatches.set_states(tx, moved, now)
    await _go_on(tx, ended, causes, messages, now)
    await store.credit_levels.mark(tx, students_of(one.event.wallet for one in changed))


async def take_refused(tx: Tx, refused: Sequence[Admitted[HoldRefusal]], now: datetime) -> None:
    """Take the ledger's refusals: of a hold that was asked for, or of the end of one that is over."""
    ours = [(place, one) for one in refused if (place := named(one.event.hold))]
    causes = {flight_id: one.cause for (flight_id, _), one in ours}
    ended = await store.dispatches.lock(tx, causes.keys())
    known = {(d.flight_id, d.revision): d for d in await _all_open(tx, ended)}
    messages, moved = list[Message](), list[tuple[Dispatch, State]]()
    for place, one in ours:
        dispatch = known.pop(place, None)
        if dispatch is None:
            continue
        if dispatch.state == "voiding":
            moved.append((dispatch, "closed"))
        elif dispatch.state == "asked":
            told = _in_words(dispatch, one.event, await store.auto_charges.under_way(tx, dispatch.student))
            messages.append(await _refuse(tx, dispatch, told, one.cause, now))
    await store.dispatches.set_states(tx, moved, now)
    await _go_on(tx, ended, causes, messages, now)


async def end_flights(tx: Tx, now: datetime) -> int:
    """Note which flights were billed or cancelled, and ask for the end of their holds; returns how many."""
    over = await store.dispatches.over(tx, most=ENDED_AT_ONCE)
    if not over:
        return 0
    await store.dispatches.lock(tx, over.keys())
    await store.dispatches.end(tx, over, now)
    await _go_on(tx, over, {flight_id: first_cause() for flight_id in over}, [], now)
    return len(over)


async def _all_open(tx: Tx, flights: Mapping[str, Ended | None]) -> list[Dispatch]:
    found = await store.dispatches.open_of(tx, flights.keys())
    return [one for dispatches in found.values() for one in dispatches]


async def _go_on(
    tx: Tx,
    ended: Mapping[str, Ended | None],
    causes: Mapping[str, Cause],
    messages: list[Message],
    now: datetime,
) -> None:
    """Do what is due of locked flights, and stage it after `messages`."""
    places, moved = list[Place](), list[tuple[Dispatch, State]]()
    for flight_id, dispatches in (await store.dispatches.open_of(tx, ended.keys())).items():
        cause = causes[flight_id]
        for step in decide(dispatches, ended[flight_id]):
            if isinstance(step, Place):
                places.append(step)
            elif isinstance(step, Void):
                moved.append((step.dispatch, "voiding"))
                messages.append(wire.dispatches.void(step.dispatch, cause))
            else:
                messages.append(await _refuse_step(tx, step, cause, now))
    await store.dispatches.set_states(tx, moved, now)
    if places:
        messages += await _place(tx, places, causes, now)
    await fault_point("receivables.dispatches_written")
    await outbox.stage(tx, messages)


async def _place(tx: Tx, steps: Sequence[Place], causes: Mapping[str, Cause], now: datetime) -> list[Message]:
    """Ask for holds, one of a flight, or refuse what may not be asked for."""
    zone, _ = await store.credit.school(tx)
    day = local_date(now, zone)
    policy = await store.credit.policy(tx, day)
    terms = await store.dispatches.terms(tx, [step.dispatch for step in steps], day, now)
    messages, asked = list[Message](), list[Dispatch]()
    for step in steps:
        dispatch, by = step.dispatch, terms[step.dispatch.flight_id]
        cause = causes[dispatch.flight_id]
        refused = refused_by(dispatch.student, by)
        if refused is not None:
            messages.append(await _refuse(tx, dispatch, _told(refused), cause, now))
            continue
        if dispatch.estimate is None:
            raise AssertionError(f"{dispatch.hold} waits without an estimate")
        one = replace(
            dispatch,
            allowed=by.allowed,
            held=to_hold(dispatch.estimate, policy),
            expires_at=expires_at(dispatch.ends_at, policy),
        )
        if (late := over_already(one, now)) is not None:
            messages.append(await _refuse(tx, dispatch, ("over_already", late, None, ()), cause, now))
            continue
        asked.append(one)
        messages.append(wire.dispatches.place(one, step.replaces, floor(by), cause))
    await store.dispatches.ask(tx, asked)
    return messages


_Told = tuple[str, str, int | None, Sequence[str]]


def _in_words(dispatch: Dispatch, event: HoldRefusal, under_way: int) -> _Told:
    """A refusal of the ledger for the scheduler: over the limit, in words of credit."""
    if event.shortfall is None or dispatch.currency is None or dispatch.held is None:
        return event.reason, event.sentence, event.shortfall, ()
    why = too_little_room(dispatch.student, dispatch.currency, dispatch.held, event.shortfall, under_way)
    return why.reason, why.sentence, why.shortfall, why.ways


def _told(why: Refused) -> _Told:
    return why.reason, why.sentence, why.shortfall, why.ways


async def _refuse_step(tx: Tx, step: Refuse, cause: Cause, now: datetime) -> Message:
    return await _refuse(tx, step.dispatch, (step.reason, step.sentence, None, ()), cause, now)


async def _refuse(tx: Tx, dispatch: Dispatch, told: _Told, cause: Cause, now: datetime) -> Message:
    reason, sentence, shortfall, _ = told
    await store.dispatches.refuse(tx, dispatch, reason=reason, sentence=sentence, shortfall=shortfall, at=now)
    return _refused(dispatch, told, cause)


def _refused(dispatch: Dispatch, told: _Told, cause: Cause) -> Message:
    reason, sentence, shortfall, ways = told
    return wire.dispatches.refused(
        dispatch, reason=reason, sentence=sentence, shortfall=shortfall, ways=ways, cause=cause
    )
