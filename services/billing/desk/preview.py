"""What billing would refuse of flights that nobody has published yet, by the book as it is now."""

from collections.abc import Sequence

from fleet.database import Tx
from schemas.flights import FlightCompleted
from services.billing import wire
from services.billing.desk import reads
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import FlightRefusal


async def refusals(tx: Tx, flights: Sequence[FlightCompleted]) -> list[FlightRefusal | None]:
    """For each flight why it would be refused, or None; flights that were billed before are judged too."""
    whole = await reads.whole_book(tx)
    cards = [
        {
            "kind": card.kind,
            "key": card.key,
            "effective_from": card.effective_from,
            "version": card.version,
            "card": card.document,
        }
        for card in whole.cards
    ]
    book = reads.book_of_cards(cards, version=whole.version)
    results = [decide_bill(wire.events.flight_from_event(flight), book) for flight in flights]
    return [result if isinstance(result, FlightRefusal) else None for result in results]
