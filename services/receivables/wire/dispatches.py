"""Estimates and the ledger's answers in; commands to holds and answers to the scheduler out."""

from collections.abc import Sequence

from fleet.cause import Cause
from fleet.envelope import Message, Record
from fleet.inbox import read
from schemas.dispatches import DispatchCleared, DispatchRefused, FlightEstimated
from schemas.holds import HoldChanged, HoldRefused, HoldRequested
from services.receivables.domain.dispatches import Dispatch, Estimated, HoldAnswer, HoldRefusal


def flight_estimated(record: Record) -> Estimated:
    """Read `flight.estimated`: a dispatch that waits to be decided."""
    event = read(record, FlightEstimated)
    dispatch = Dispatch(
        flight_id=event.flight_id,
        revision=event.revision,
        student=event.student,
        currency=event.currency,
        estimate=event.estimate,
        ends_at=event.ends_at,
        state="waits",
        activity=event.activity,
    )
    return Estimated(dispatch=dispatch, reason=event.reason, sentence=event.sentence)


def hold_changed(record: Record) -> HoldAnswer:
    """Read `hold.changed`."""
    event = read(record, HoldChanged)
    return HoldAnswer(
        hold=event.hold, wallet=event.wallet, state=event.state, available=event.available_balance
    )


def hold_refused(record: Record) -> HoldRefusal:
    """Read `hold.refused`."""
    event = read(record, HoldRefused)
    return HoldRefusal(
        hold=event.hold, reason=event.reason, sentence=event.sentence, shortfall=event.shortfall
    )


def place(dispatch: Dispatch, replaces: Dispatch | None, floor: int | None, cause: Cause) -> Message:
    """Ask the ledger for a dispatch's hold, whose amount and end are decided."""
    event = HoldRequested(
        action="place",
        hold=dispatch.hold,
        wallet=f"student:{dispatch.student}",
        currency=dispatch.currency,
        amount=dispatch.held,
        expires_at=dispatch.expires_at,
        memo=f"dispatched: flight {dispatch.flight_id}",
        floor=floor,
        replaces=replaces and replaces.hold,
    )
    return Message(topic="hold.requested", key=event.hold, event=event, cause=cause)


def void(dispatch: Dispatch, cause: Cause) -> Message:
    """Ask the ledger to give a dispatch's hold back."""
    event = HoldRequested(action="void", hold=dispatch.hold)
    return Message(topic="hold.requested", key=event.hold, event=event, cause=cause)


def cleared(dispatch: Dispatch, available: int, cause: Cause) -> Message:
    """Tell the scheduler that the student may fly."""
    if dispatch.currency is None or dispatch.estimate is None or dispatch.held is None:
        raise AssertionError(f"{dispatch.hold} was placed without an estimate")
    if dispatch.expires_at is None:
        raise AssertionError(f"{dispatch.hold} was placed without an end")
    event = DispatchCleared(
        flight_id=dispatch.flight_id,
        revision=dispatch.revision,
        student=dispatch.student,
        currency=dispatch.currency,
        estimate=dispatch.estimate,
        held=dispatch.held,
        expires_at=dispatch.expires_at,
        available_balance=available,
    )
    return Message(topic="dispatch.cleared", key=event.flight_id, event=event, cause=cause)


def refused(
    dispatch: Dispatch,
    *,
    reason: str,
    sentence: str,
    shortfall: int | None,
    ways: Sequence[str],
    cause: Cause,
) -> Message:
    """Tell the scheduler that the student may not fly as planned."""
    event = DispatchRefused(
        flight_id=dispatch.flight_id,
        revision=dispatch.revision,
        student=dispatch.student,
        reason=reason,
        sentence=sentence,
        shortfall=shortfall,
        ways=list(ways),
    )
    return Message(topic="dispatch.refused", key=event.flight_id, event=event, cause=cause)
