"""Carries a rate card that was changed back in time to the flights it touches, as corrections of them."""

from dataclasses import dataclass, replace
from datetime import date

from pydantic import ValidationError

from fleet.database import Tx
from fleet.inbox import describe
from schemas.flights import FlightCorrected
from services.billing.desk import preview
from services.billing.desk.preview import RevisionPreview
from services.billing.desk.reads import revisions as revision_reads
from services.billing.desk.reads.revisions import StandingFlight
from services.billing.domain.flights import HOURS_OF_FACTS, hours_text
from services.billing.domain.revisions import History

_AS_THEY_ARE = ("flight_id", "date", "departed_at", "arrived_at", "aircraft", "student", "instructor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """A flight that today's book prices otherwise: its correction, and what that would do.

    event: None when there can be none now; `preview` says why.
    """

    event: FlightCorrected | None
    preview: RevisionPreview


async def repriced(
    tx: Tx,
    *,
    why: str,
    who: str,
    since: date,
    until: date | None = None,
    aircraft: str | None = None,
    instructor: str | None = None,
    student: str | None = None,
) -> list[Repriced]:
    """The flights from `since` on that the newest book prices otherwise, oldest first; publishes nothing."""
    standing = await revision_reads.standing_flights(
        tx, since=since, until=until, aircraft=aircraft, instructor=instructor, student=student
    )
    known = await revision_reads.flight_histories(tx, {flight.flight_id for flight in standing})
    blocked: list[Repriced] = []
    events: list[FlightCorrected] = []
    for flight in standing:
        event = _correction(flight, known[flight.flight_id], why=why, who=who)
        if isinstance(event, FlightCorrected):
            events.append(event)
        else:
            blocked.append(Repriced(event=None, preview=event))
    previews = await preview.revisions(tx, events)
    return [
        *(
            Repriced(event=event if shown.state == "due" else None, preview=shown)
            for event, shown in zip(events, previews, strict=True)
            if shown.state != "due" or shown.differences()
        ),
        *blocked,
    ]


def _correction(
    flight: StandingFlight, history: History, *, why: str, who: str
) -> FlightCorrected | RevisionPreview:
    """The facts as they stand, under the next revision; or why there can be none."""
    revision = max([flight.revision, *history.refused]) + 1
    blocked = RevisionPreview(
        flight_id=flight.flight_id, revision=revision, state="refused", before={}, after={}
    )
    if flight.waits:
        return _because(blocked, "revision_waits", "a revision of it waits; it is repriced after that")
    facts = flight.facts
    said = {name: facts[name] for name in _AS_THEY_ARE}
    said |= {
        ours: None if facts[name] is None else hours_text(facts[name])
        for name, ours in HOURS_OF_FACTS.items()
    }
    try:
        return FlightCorrected.model_validate(
            said | {"revision": revision, "reason": why, "corrected_by": who, "priced_by": "book"}
        )
    except ValidationError as error:
        return _because(blocked, "invalid", describe(error))


def _because(blocked: RevisionPreview, reason: str, sentence: str) -> RevisionPreview:
    return replace(blocked, reason=reason, sentence=f"flight {blocked.flight_id}: {sentence}")
