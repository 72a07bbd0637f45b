"""A meter that shows less after a flight than before it: it rolled over, or a reading is wrong. Pure.

It rolled over when the aircraft's card says how many figures the meter has and it ran at most a day in all;
without that setting, when the logged hours say exactly the same.
"""

from services.billing.domain.applied_rates import AppliedRates
from services.billing.domain.bills import Flag, FlightRefusal, refuse
from services.billing.domain.fact_checks import HOURS_MAX, UNREAD
from services.billing.domain.flights import Flight, Meter, MeterName, hours_text
from services.billing.domain.hours import METER_NAMES
from services.billing.domain.rates import AircraftCard


def check_rollovers(flight: Flight, rates: AppliedRates) -> FlightRefusal | None:
    """The refusal of a meter that cannot show what it is said to show; None when both can."""
    if rates.aircraft is None:
        return None
    for name in METER_NAMES:
        if sentence := _impossible(flight, name, rates.aircraft):
            return refuse(flight, "meter_out_of_range", sentence)
        if _runs_backwards(flight, name, rates.aircraft):
            return refuse(flight, "meter_in_before_out", _advice(flight, name, rates))
    return None


def rollover_flags(flight: Flight) -> list[Flag]:
    """One flag for each meter of a billed flight that rolled over."""
    return [
        Flag(
            kind="meter_rolled_over",
            sentence=f"{said} of {flight.aircraft} rolled over: {_from_to(meter)} is "
            f"{hours_text(meter.difference() or 0)} h",
        )
        for name, said in METER_NAMES.items()
        if (meter := flight.meter(name)).runs_backwards
    ]


def _impossible(flight: Flight, name: MeterName, card: AircraftCard) -> str | None:
    digits, meter = card.digits(name), flight.meter(name)
    largest = max(meter.out or 0, meter.in_ or 0)
    if digits is None or largest < 10 * 10**digits:
        return None
    return (
        f"{METER_NAMES[name]} {hours_text(largest)} is more than the meter of {flight.aircraft} can show: "
        f"its card says {name}_digits = {digits}"
    )


def _runs_backwards(flight: Flight, name: MeterName, card: AircraftCard) -> bool:
    meter, digits = flight.meter(name), card.digits(name)
    ran = meter.difference()
    if not meter.runs_backwards or ran is None:
        return False
    if digits is None:
        return ran > HOURS_MAX or ran != flight.logged
    return ran > HOURS_MAX or digits != meter.digits


def _advice(flight: Flight, name: MeterName, rates: AppliedRates) -> str:
    """What is wrong, and every way out that works."""
    meter, said = flight.meter(name), METER_NAMES[name]
    text = f"{said} in {hours_text(meter.in_ or 0)} is before {said} out {hours_text(meter.out or 0)}; "
    ran = meter.difference() or 0
    if ran <= HOURS_MAX and rates.aircraft and rates.aircraft.digits(name) is None:
        text += (
            f"if the meter rolled over ({hours_text(ran)} h), write {name}_digits = {meter.digits} in the "
            f"card of {flight.aircraft} that is in force on {rates.on}, apply it, and redrive this flight "
            "(hobbs dead redrive); else "
        )
    text += (
        f"send revision {flight.revision + 1} with the right {said} readings, or with both {said} readings "
        "left out and its flight_hours"
    )
    return text + (UNREAD if meter.in_ == 0 else "")


def _from_to(meter: Meter) -> str:
    return f"{hours_text(meter.out or 0)} to {hours_text(meter.in_ or 0)}"
