"""Which flights are billed, which are refused, and which were billed before. Pure.

The parts: flights.py (facts), rates.py (cards), fact_checks.py (facts that cannot be), applied_rates.py
(cards in force), pricing.py (lines and legs), bills.py (what comes out); revisions.py: their corrections.
"""

from collections.abc import Mapping, Sequence

from services.billing.domain.applied_rates import find_applied_rates
from services.billing.domain.bills import Bill, Billed, BillingResult, FlightRefusal, Repeat, refuse
from services.billing.domain.elsewhere import bill_elsewhere
from services.billing.domain.fact_checks import check_facts
from services.billing.domain.flights import Flight
from services.billing.domain.pricing import price
from services.billing.domain.rates import Book
from services.billing.domain.rollovers import check_rollovers


def decide_bills(flights: Sequence[Flight], book: Book, billed: Mapping[str, Billed]) -> list[BillingResult]:
    """Price each flight once: one result for each, in order. billed: the bills there are, by flight id."""
    seen = dict(billed)
    results: list[BillingResult] = []
    for flight in flights:
        result = _again(flight, seen.get(flight.flight_id)) or decide_bill(flight, book)
        if isinstance(result, Bill):
            seen[flight.flight_id] = Billed(revision=flight.revision, fingerprint=result.fingerprint)
        results.append(result)
    return results


def _again(flight: Flight, billed: Billed | None) -> FlightRefusal | Repeat | None:
    """What to say of a flight that is decided: a repeat, or a refusal. None when it may be billed."""
    if billed is None:
        return None
    if billed.cancelled:
        return None if flight.revision > billed.revision else _cancelled(flight, billed)
    if billed.revision != flight.revision:
        return refuse(
            flight,
            "billed_under_another_revision",
            f"revision {billed.revision} is billed; what changes a billed flight is sent as flight.corrected "
            "(hobbs flights correct)",
        )
    if billed.fingerprint == flight.fingerprint() and not flight.not_tenths:
        return Repeat(flight=flight)
    return refuse(
        flight,
        "billed_with_other_content",
        f"revision {flight.revision} is billed with other content; the right facts are sent as "
        "flight.corrected, under the next revision (hobbs flights correct)",
    )


def _cancelled(flight: Flight, billed: Billed) -> FlightRefusal:
    return refuse(
        flight,
        "flight_is_cancelled",
        f"revision {billed.revision} cancelled it before it had a bill; when it took place, it is sent as "
        f"flight.corrected, revision {billed.revision + 1}",
    )


def decide_bill(flight: Flight, book: Book) -> Bill | FlightRefusal:
    """Price one flight from the cards in force on its school-local date, unless it was billed elsewhere."""
    if flight.billed_by is not None:
        return bill_elsewhere(flight, book)
    found = check_facts(flight) or find_applied_rates(flight, book)
    if isinstance(found, FlightRefusal):
        return found
    return check_rollovers(flight, found) or price(flight, found, book.version)
