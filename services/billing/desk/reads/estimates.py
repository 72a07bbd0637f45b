"""What a planned flight would be billed, for who asks before it is dispatched. Read only.

The cards come from one function of the database, which the gateway's login may call; the price from the
function that will bill the flight.
"""

from collections.abc import Sequence

from fleet.database import Tx
from schemas.dispatches import FlightDispatched, FlightEstimated
from services.billing import wire
from services.billing.desk.reads import dated_card
from services.billing.domain.billing import decide_bill
from services.billing.domain.rates import Book, DatedCard

_CARDS = """
    SELECT book, kind, key, effective_from, version, document AS card
    FROM billing_public.cards_of_flight(CAST(:student AS text), CAST(:aircraft AS text),
                                        CAST(:instructor AS text))
"""


async def estimate(tx: Tx, planned: FlightDispatched) -> FlightEstimated:
    """What a flight would be billed if it were flown as planned, or why it cannot be priced."""
    named = {"student": planned.student, "aircraft": planned.aircraft, "instructor": planned.instructor}
    rows = [dict(row._mapping) for row in await tx.all(_CARDS, **named)]
    return price(planned, list(map(dated_card, rows)), rows[0]["book"] if rows else 0)


def price(planned: FlightDispatched, cards: Sequence[DatedCard], version: int) -> FlightEstimated:
    """The same by cards that the caller read, and the version at which the book stood."""
    return wire.events.estimated(
        planned, decide_bill(wire.events.planned_flight(planned), Book(cards, version=version))
    )
