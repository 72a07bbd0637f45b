"""What billed flights would have come to if a card of the book had said otherwise. Publishes nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from fleet.database import Tx
from fleet.inbox import describe
from schemas.flights import FlightCompleted
from schemas.school import CARDS
from services.billing import wire
from services.billing.desk import reads
from services.billing.desk.reads import revisions as revision_reads
from services.billing.desk.reads.revisions import StandingFlight
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import FlightRefusal
from services.billing.domain.card_documents import read_card
from services.billing.domain.flights import HOURS_OF_FACTS, hours_text
from services.billing.domain.rates import AircraftCard, Book, aircraft_problems

TURN: Final = 100  # flights that are priced before somebody else's page is answered


class UnfitCard(ValueError):
    """A card that the book would not take: the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightDifference:
    """One flight by today's book and by the changed one: what each leaves on each wallet, credit positive."""

    flight_id: str
    billed_on: date
    before: Mapping[str, int]
    after: Mapping[str, int]

    def differences(self) -> dict[str, int]:
        wallets = dict.fromkeys([*self.before, *self.after])
        changed = {wallet: self.after.get(wallet, 0) - self.before.get(wallet, 0) for wallet in wallets}
        return {wallet: amount for wallet, amount in changed.items() if amount}


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChange:
    """flights: how many were looked at. refused: what today's or the changed book would not bill."""

    flights: int
    changed: Sequence[FlightDifference]
    refused: Sequence[FlightRefusal]


async def would_change(
    tx: Tx, kind: str, key: str, document: Mapping[str, Any], *, since: date, until: date
) -> RateChange:
    """Price the flights of these days, both included, by today's book and with this card in its place.

    Both sides are priced by today's book, so that what differs is this card's doing; only the card's own
    flights are looked at. Others go on while a month is priced. Raises UnfitCard.
    """
    whole = await reads.whole_book(tx)
    book, changed = _book(whole, whole.cards), _book(whole, _with(whole, kind, key, document, since))
    found: list[FlightDifference] = []
    refused: list[FlightRefusal] = []
    standing = await revision_reads.standing_flights(tx, since=since, until=until, **_flights_of(kind, key))
    for number, one in enumerate(standing):
        if number % TURN == 0:
            await asyncio.sleep(0)
        flight = wire.events.flight_from_event(_event(one))
        before, after = decide_bill(flight, book), decide_bill(flight, changed)
        if isinstance(before, FlightRefusal):
            refused.append(before)
        elif isinstance(after, FlightRefusal):
            refused.append(after)
        else:
            difference = FlightDifference(
                flight_id=flight.flight_id,
                billed_on=before.billed_on,
                before=dict(before.entries()),
                after=dict(after.entries()),
            )
            found += [difference] if difference.differences() else []
    return RateChange(flights=len(standing), changed=found, refused=refused)


def _flights_of(kind: str, key: str) -> dict[str, str]:
    """Which flights a card can price: an aircraft's, an instructor's, a student's, or all."""
    whose, _, name = key.partition(":") if kind == "student_rate" else (kind, "", key)
    return {whose: name} if whose in ("aircraft", "instructor", "student") and name else {}


def _with(
    whole: reads.WholeBook, kind: str, key: str, document: Mapping[str, Any], since: date
) -> list[reads.StandingCard]:
    """The book's cards with this one from a day on, in place of any later one. Raises UnfitCard."""
    try:
        CARDS[kind].model_validate(document)  # type: ignore[index]  # whoever asks names a kind of the book
        card = read_card(kind, document)
    except ValidationError as error:
        raise UnfitCard(describe(error)) from None
    if isinstance(card, AircraftCard) and (problems := aircraft_problems(card)):
        raise UnfitCard("; ".join(problems))
    kept = [one for one in whole.cards if (one.kind, one.key) != (kind, key) or one.effective_from < since]
    new = reads.StandingCard(
        kind=kind, key=key, effective_from=since, version=whole.version + 1, document=dict(document)
    )
    return [*kept, new]


def _book(whole: reads.WholeBook, cards: Sequence[reads.StandingCard]) -> Book:
    rows = [
        {
            "kind": one.kind,
            "key": one.key,
            "effective_from": one.effective_from,
            "version": one.version,
            "card": one.document,
        }
        for one in cards
    ]
    return reads.book_of_cards(rows, version=whole.version)


def _event(flight: StandingFlight) -> FlightCompleted:
    names = ("flight_id", "date", "departed_at", "arrived_at", "aircraft", "student", "instructor")
    facts = flight.facts
    said = {name: facts[name] for name in names}
    said |= {
        field: None if facts[name] is None else hours_text(facts[name])
        for name, field in HOURS_OF_FACTS.items()
    }
    return FlightCompleted.model_validate(said | {"revision": flight.revision})
