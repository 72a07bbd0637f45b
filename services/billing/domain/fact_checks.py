"""Refuses a flight whose facts cannot be true, with a sentence that says which. Pure."""

from collections.abc import Callable

from services.billing.domain.bills import FlightRefusal, refuse
from services.billing.domain.flights import Flight, Meter, hours_text

FLIGHT_ID_MAX = 80  # "flight:<id>:<revision>" must fit an identifier of 100
HOURS_MAX = 240
READING_MAX = 9_999_999
UNREAD = "; a reading that nobody took is left out, not written as 0.0"
_MINUTE = "%Y-%m-%d %H:%M %Z"


def check_facts(flight: Flight) -> FlightRefusal | None:
    """The refusal of the first fact that cannot be true; None when all can."""
    return next((found for check in _CHECKS if (found := check(flight))), None)


def _identifiers(flight: Flight) -> FlightRefusal | None:
    if len(flight.flight_id) > FLIGHT_ID_MAX:
        return refuse(flight, "identifier_too_long", f"its id is longer than {FLIGHT_ID_MAX} characters")
    return None


def _decimals(flight: Flight) -> FlightRefusal | None:
    if flight.not_tenths:
        figures = ", ".join(flight.not_tenths)
        return refuse(flight, "hours_not_tenths", f"{figures}: hours and readings have one decimal")
    return None


def _clock(flight: Flight) -> FlightRefusal | None:
    if flight.departed_at is None or flight.arrived_at is None:
        return None
    seconds = (flight.arrived_at - flight.departed_at).total_seconds()
    if seconds < 0:
        return refuse(
            flight,
            "arrived_before_departed",
            f"arrived at {flight.arrived_at:{_MINUTE}} is before departed at {flight.departed_at:{_MINUTE}}",
        )
    if seconds > 24 * 3600:
        return refuse(flight, "hours_over_24", "more than 24 h between departure and arrival")
    return None


def _figures(flight: Flight) -> FlightRefusal | None:
    for name, tenths in (("flight", flight.logged), ("dual", flight.dual), ("ground", flight.ground)):
        if tenths is not None and tenths < 0:
            return refuse(flight, "hours_negative", f"{name} hours {hours_text(tenths)} are negative")
        if tenths is not None and tenths > HOURS_MAX:
            return refuse(flight, "hours_over_24", f"{name} hours {hours_text(tenths)} are more than 24")
    return None


def _meters(flight: Flight) -> FlightRefusal | None:
    return _meter(flight, "Hobbs", flight.hobbs) or _meter(flight, "tach", flight.tach)


def _meter(flight: Flight, name: str, meter: Meter) -> FlightRefusal | None:
    for end, reading in (("out", meter.out), ("in", meter.in_)):
        if reading is not None and not 0 <= reading <= READING_MAX:
            text = (
                f"{name} {end} {hours_text(reading)} is not a reading between 0 and {hours_text(READING_MAX)}"
            )
            return refuse(flight, "meter_out_of_range", text)
    if meter.out is None or meter.in_ is None or meter.runs_backwards:
        return None  # whether it rolled over depends on the aircraft: rollovers.py
    difference = meter.in_ - meter.out
    if difference > HOURS_MAX:
        text = (
            f"{name} out {hours_text(meter.out)} to {name} in {hours_text(meter.in_)} "
            f"is {hours_text(difference)} h, more than 24"
        )
        return refuse(flight, "hours_over_24", text + (UNREAD if meter.out == 0 else ""))
    return None


def _participants(flight: Flight) -> FlightRefusal | None:
    if flight.instructor is None and (flight.dual or flight.ground):
        return refuse(
            flight,
            "instructor_missing",
            f"{hours_text(flight.dual)} h dual and {hours_text(flight.ground)} h ground, but no instructor",
        )
    if flight.aircraft is not None:
        return None
    if flight.logged or flight.dual or not (flight.hobbs.is_unread and flight.tach.is_unread):
        return refuse(
            flight, "aircraft_missing", "it has flight hours or meter readings, but no aircraft is named"
        )
    return None


_CHECKS: tuple[Callable[[Flight], FlightRefusal | None], ...] = (
    _identifiers,
    _decimals,
    _clock,
    _figures,
    _meters,
    _participants,
)
