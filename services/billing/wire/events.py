"""Events to domain and back: one small function for each message."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from fleet.cause import Cause
from fleet.envelope import Message, Record
from fleet.inbox import read
from schemas.dispatches import FlightDispatched, FlightEstimated
from schemas.flights import (
    BilledEntry,
    BillFlag,
    BillLeg,
    BillLine,
    FlightBilled,
    FlightCancelled,
    FlightCompleted,
    FlightCorrected,
    FlightRevised,
)
from schemas.journals import EntryRequest, JournalRequested
from schemas.school import SchoolAccepted, SchoolChange, SchoolConfigured, SchoolVersion
from services.billing.domain.bills import Bill, FlightRefusal
from services.billing.domain.card_documents import read_card
from services.billing.domain.flights import Flight, Meter
from services.billing.domain.revisions import FiledBill, Revision
from services.billing.domain.versions import CardChange, ChangeSet, accepted_event_id

_HOURS = (
    "hobbs_out",
    "hobbs_in",
    "tach_out",
    "tach_in",
    "flight_hours",
    "dual_hours",
    "ground_hours",
)
_PLANNED = ("flight_hours", "dual_hours", "ground_hours")


def flight_completed(record: Record) -> Flight:
    """Read `flight.completed`. Figures with more than one decimal are named, for the rules to refuse."""
    return flight_from_event(read(record, FlightCompleted))


def flight_from_event(event: FlightCompleted) -> Flight:
    """Turn the event into facts in tenths."""
    figures = {name: _tenths(getattr(event, name)) for name in _HOURS}
    return Flight(
        flight_id=event.flight_id,
        revision=event.revision,
        student=event.student,
        given_date=event.date,
        departed_at=event.departed_at,
        arrived_at=event.arrived_at,
        aircraft=event.aircraft,
        instructor=event.instructor,
        hobbs=Meter(out=figures["hobbs_out"], in_=figures["hobbs_in"]),
        tach=Meter(out=figures["tach_out"], in_=figures["tach_in"]),
        logged=figures["flight_hours"],
        dual=figures["dual_hours"] or 0,
        ground=figures["ground_hours"] or 0,
        billed_by=event.billed_by,
        not_tenths=tuple(
            f"{name} {getattr(event, name)}"
            for name in _HOURS
            if getattr(event, name) is not None and figures[name] is None
        ),
    )


def flight_dispatched(record: Record) -> FlightDispatched:
    """Read `flight.dispatched`."""
    return read(record, FlightDispatched)


def planned_flight(event: FlightDispatched) -> Flight:
    """A dispatch as the flight it would be if it were flown as planned."""
    figures = {name: _tenths(getattr(event, name)) for name in _PLANNED}
    return Flight(
        flight_id=event.flight_id,
        revision=event.revision,
        student=event.student,
        departed_at=event.departs_at,
        aircraft=event.aircraft,
        instructor=event.instructor,
        logged=figures["flight_hours"],
        dual=figures["dual_hours"] or 0,
        ground=figures["ground_hours"] or 0,
        not_tenths=tuple(
            f"{name} {getattr(event, name)}"
            for name in _PLANNED
            if getattr(event, name) is not None and figures[name] is None
        ),
    )


def flight_estimated(event: FlightDispatched, result: Bill | FlightRefusal, cause: Cause) -> Message:
    """Say what a dispatched flight would be billed, or why it cannot be priced."""
    told = estimated(event, result)
    return Message(topic="flight.estimated", key=event.flight_id, event=told, cause=cause)


def estimated(event: FlightDispatched, result: Bill | FlightRefusal) -> FlightEstimated:
    """The same as it is said to who asks before a dispatch."""
    return FlightEstimated(
        flight_id=event.flight_id,
        revision=event.revision,
        student=event.student,
        ends_at=event.ends_at(),
        activity=event.activity,
        currency=result.currency if isinstance(result, Bill) else None,
        estimate=result.charge if isinstance(result, Bill) else None,
        reason=None if isinstance(result, Bill) else result.reason,
        sentence="" if isinstance(result, Bill) else result.sentence,
    )


def flight_corrected(record: Record) -> Revision:
    """Read `flight.corrected`: the next revision of a flight, with all its facts."""
    return revision_from_event(read(record, FlightCorrected))


def flight_cancelled(record: Record) -> Revision:
    """Read `flight.cancelled`: the next revision of a flight, on which nobody owes anything."""
    return revision_from_event(read(record, FlightCancelled))


def revision_from_event(event: FlightCorrected | FlightCancelled) -> Revision:
    """Turn a correction or a cancellation into what the rules decide."""
    if isinstance(event, FlightCancelled):
        return Revision(
            flight_id=event.flight_id,
            revision=event.revision,
            flight=None,
            reason=event.reason,
            made_by=event.cancelled_by,
        )
    return Revision(
        flight_id=event.flight_id,
        revision=event.revision,
        flight=flight_from_event(event),
        reason=event.reason,
        made_by=event.corrected_by,
        priced_by=event.priced_by,
    )


REVISIONS: Mapping[str, Callable[[Record], Revision]] = {
    "flight.corrected": flight_corrected,
    "flight.cancelled": flight_cancelled,
}


def _tenths(hours: Decimal | None) -> int | None:
    """Hours in tenths; None when there are none, or more than one decimal."""
    if hours is None or hours * 10 != int(hours * 10):
        return None
    return int(hours * 10)


def school_configured(record: Record) -> ChangeSet:
    """Read `school.configured`; the event's model has validated every card in it as one of its kind."""
    return change_set_of(read(record, SchoolConfigured))


def change_set_of(event: SchoolConfigured) -> ChangeSet:
    """A version as this service judges it."""
    return ChangeSet(
        version=event.version,
        base_version=event.base_version,
        who=event.who,
        why=event.why,
        at=event.at,
        changes=tuple(
            CardChange(
                kind=change.kind,
                key=change.key,
                effective_from=change.effective_from,
                document=change.new,
                card=None if change.new is None else read_card(change.kind, change.new),
            )
            for change in event.changes
        ),
    )


def school_configured_of(changes: ChangeSet, event_key: UUID, cause: Cause) -> Message:
    """A version of the book as it is published, for one that was decided here."""
    event = _version(SchoolConfigured, changes)
    return Message(topic="school.configured", key="school", event=event, cause=cause, event_id=event_key)


def school_accepted(changes: ChangeSet, event_key: UUID, cause: Cause) -> Message:
    """Tell other services of a version that is in force. Told again, it is the same event."""
    return Message(
        topic="school.accepted",
        key="school",
        event=_version(SchoolAccepted, changes),
        cause=cause,
        event_id=accepted_event_id(event_key),
        content=f"school.accepted {event_key}",
    )


def _version(told: type[SchoolConfigured | SchoolAccepted], changes: ChangeSet) -> SchoolVersion:
    return told(
        version=changes.version,
        base_version=changes.base_version,
        who=changes.who,
        why=changes.why,
        at=changes.at,
        changes=[
            SchoolChange(
                kind=change.kind,
                key=change.key,
                effective_from=change.effective_from,
                new=None if change.document is None else dict(change.document),
            )
            for change in changes.changes
        ],
    )


def messages(bills: Iterable[tuple[UUID, Bill, Cause]]) -> list[Message]:
    """What a batch of first bills publishes: each, and the journal it asks for when anything is owed."""
    staged: list[Message] = []
    for bill_id, bill, cause in bills:
        staged.append(flight_billed(bill_id, bill, cause))
        staged += journal_requests(bill, cause)
    return staged


def flight_revised(bill_id: UUID, bill: Bill, first: FiledBill, cause: Cause) -> Message:
    """Tell of a bill that corrects the flight's `first`, both whole; the ledger is not asked for anything."""
    correction = bill.correction
    if correction is None:
        raise AssertionError(f"{bill.flight.name} corrects a bill and says not why")
    event = FlightRevised(
        flight_id=bill.flight.flight_id,
        revision=bill.flight.revision,
        kind=correction.kind,
        bill_id=bill_id,
        currency=bill.currency,
        first_source=first.source,
        first_entries=[BilledEntry(wallet=wallet, amount=amount) for wallet, amount in first.entries],
        entries=[BilledEntry(wallet=wallet, amount=amount) for wallet, amount in bill.entries()],
        student_before=first.student,
        student=bill.flight.student,
        flown_on=first.billed_on,
        occurred_at=bill.occurred_at,
        priced_by=correction.priced_by,
        reason=correction.reason,
        made_by=correction.made_by,
    )
    return Message(topic="flight.revised", key=event.flight_id, event=event, cause=cause)


def flight_billed(bill_id: UUID, bill: Bill, cause: Cause) -> Message:
    """Announce a bill."""
    event = FlightBilled(
        bill_id=bill_id,
        flight_id=bill.flight.flight_id,
        revision=bill.flight.revision,
        billed_on=bill.billed_on,
        student=bill.flight.student,
        currency=bill.currency,
        charge=bill.charge,
        margin=bill.margin,
        hours_from=bill.hours.source,
        lines=[
            BillLine(kind=x.kind, description=x.description, amount=x.amount, tenths=x.tenths, rate=x.rate)
            for x in bill.lines
        ],
        legs=[BillLeg(wallet=leg.wallet, kind=leg.kind, amount=leg.amount) for leg in bill.legs],
        flags=[BillFlag(kind=flag.kind, sentence=flag.sentence) for flag in bill.flags],
    )
    return Message(topic="flight.billed", key=bill.flight.flight_id, event=event, cause=cause)


def journal_requests(bill: Bill, cause: Cause) -> Sequence[Message]:
    """Ask the ledger to post the bill; a bill on which nobody owes anything asks for nothing."""
    entries = bill.entries()
    if not entries:
        return []
    event = JournalRequested(
        source=bill.flight.name,
        event_type="flight",
        currency=bill.currency,
        occurred_at=bill.occurred_at,
        memo=f"flight {bill.flight.flight_id}",
        entries=[EntryRequest(wallet=wallet, amount=amount) for wallet, amount in entries],
    )
    return [Message(topic="journal.requested", key=event.source, event=event, cause=cause)]
