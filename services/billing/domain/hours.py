"""The hours a flight is billed by, and flags for a person about its meter readings. Pure."""

from services.billing.domain.bills import Flag, Hours
from services.billing.domain.flights import Flight, MeterName, hours_text
from services.billing.domain.rates import AircraftCard

METER_NAMES: dict[MeterName, str] = {"hobbs": "Hobbs", "tach": "tach"}


def billed_hours(flight: Flight, aircraft: AircraftCard | None) -> Hours:
    """The billing meter's difference when both readings are there, else the logged hours."""
    if aircraft is None:
        return Hours(billed=0, source="none")
    difference = billing_difference(flight, aircraft)
    if difference is not None:
        return Hours(billed=difference, source="tach" if aircraft.meter == "tach" else "hobbs")
    return Hours(billed=flight.logged or 0, source="logged")


def billing_difference(flight: Flight, aircraft: AircraftCard) -> int | None:
    """Tenths run by the meter the aircraft is billed by, when both readings are there."""
    meter = billing_meter(aircraft)
    return flight.meter(meter).difference() if meter else None


def billing_meter(aircraft: AircraftCard) -> MeterName | None:
    """The meter the aircraft is billed by; None: it is billed by logged hours."""
    return next((name for name in METER_NAMES if name == aircraft.meter), None)


def meter_flags(flight: Flight, card: AircraftCard) -> list[Flag]:
    """Flags of a billing meter that was read only once, or that differs from the logged hours."""
    billed_by = billing_meter(card)
    if billed_by is None:
        return []
    name, meter = METER_NAMES[billed_by], flight.meter(billed_by)
    difference = meter.difference()
    if difference is None:
        if meter.out is None and meter.in_ is None:
            return []
        text = f"only one {name} reading of {flight.aircraft}; billed by logged hours"
        return [Flag(kind="reading_missing", sentence=text)]
    if flight.logged is None or flight.logged == difference:
        return []
    text = (
        f"{name} shows {hours_text(difference)} h, logged are {hours_text(flight.logged)} h; billed by {name}"
    )
    return [Flag(kind="meter_mismatch", sentence=text)]
