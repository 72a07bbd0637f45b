"""Flights that other software billed before the school came: a bill on which nobody owes anything here. Pure.

It stands for the flight in the meter chain, in lists and on statements. No card of it is needed: people and
aircraft may be gone.
"""

from services.billing.domain.applied_rates import find_school
from services.billing.domain.bills import Bill, FlightRefusal, Hours, refuse
from services.billing.domain.fact_checks import HOURS_MAX, check_facts
from services.billing.domain.flights import Flight
from services.billing.domain.hours import METER_NAMES
from services.billing.domain.rates import Book


def bill_elsewhere(flight: Flight, book: Book) -> Bill | FlightRefusal:
    """The bill of a flight that says `billed_by`, or why its facts cannot be true."""
    hours = check_facts(flight) or _hours(flight)
    school = find_school(flight, book)
    if isinstance(hours, FlightRefusal):
        return hours
    if isinstance(school, FlightRefusal):
        return school
    return Bill(
        flight=flight,
        fingerprint=flight.fingerprint(),
        billed_on=school.on,
        occurred_at=flight.occurred_at(school.zone),
        currency=school.card.currency,
        charge=0,
        margin=0,
        hours=hours,
        lines=(),
        legs=(),
        flags=(),
        named=school.named,
        school_version=book.version,
    )


def _hours(flight: Flight) -> Hours | FlightRefusal:
    """Hobbs, else tach, else what was logged; nobody says which meter the aircraft was billed by."""
    for name in METER_NAMES:
        difference = flight.meter(name).difference()
        if difference is not None and difference > HOURS_MAX:
            said = f"{METER_NAMES[name]} shows less after the flight than before it"
            return refuse(flight, "meter_in_before_out", said)
        if difference is not None:
            return Hours(billed=difference, source=name)
    return Hours(billed=flight.logged or 0, source="none" if flight.logged is None else "logged")
