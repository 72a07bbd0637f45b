"""What a planned flight would be billed, for who asks before it is dispatched. Read only.

The cards come from one function of the database, which the gateway's login may call; the price from the
function that will bill the flight.
"""

from fleet.database import Tx
from schemas.dispatches import FlightDispatched, FlightEstimated
from services.billing import wire
from services.billing.desk.reads import book_of_cards
from services.billing.domain.billing import decide_bill

_CARDS = """
    SELECT book, kind, key, effective_from, version, document AS card
    FROM billing_public.cards_of_flight(CAST(:student AS text), CAST(:aircraft AS text),
                                        CAST(:instructor AS text))
"""


async def estimate(tx: Tx, planned: FlightDispatched) -> FlightEstimated:
    """What a flight would be billed if it were flown as planned, or why it cannot be priced."""
    named = {"student": planned.student, "aircraft": planned.aircraft, "instructor": planned.instructor}
    rows = await tx.all(_CARDS, **named)
    version = rows[0].book if rows else 0
    book = book_of_cards([dict(row._mapping) for row in rows], version=version)
    return wire.events.estimated(planned, decide_bill(wire.events.planned_flight(planned), book))
