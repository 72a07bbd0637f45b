"""The hours a flight is billed by, and flags for a person about its meter readings. Pure."""

from services.billing.domain.bills import Flag, Hours
from services.billing.domain.flights import Flight, hours_text
from services.billing.domain.rates import AircraftCard

METER_NAMES = {"hobbs": "Hobbs", "tach": "tach"}


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
    meters = {"hobbs": flight.hobbs, "tach": flight.tach}
    return meters[aircraft.meter].difference() if aircraft.meter in meters else None


def meter_flags(flight: Flight, card: AircraftCard) -> list[Flag]:
    """Flags of a billing meter that was read only once, or that differs from the logged hours."""
    if card.meter not in METER_NAMES:
        return []
    name, difference = METER_NAMES[card.meter], billing_difference(flight, card)
    meter = flight.hobbs if card.meter == "hobbs" else flight.tach
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
