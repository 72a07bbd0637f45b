"""Lines, legs and margin of one flight. Pure; the arithmetic is stated line by line in README.md.

Every amount is rounded once, half up, where it is made: `_hourly` and `_percent` are the only places.
The platform takes what the other legs leave, so it bears every rounding remainder.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fleet.money import half_up, percent_text, split_by_largest_remainder
from services.billing.domain.applied_rates import AppliedRates
from services.billing.domain.bills import TAX, Bill, Flag, Hours, Leg, Line
from services.billing.domain.flights import Flight, hours_text
from services.billing.domain.hours import METER_NAMES, billed_hours, meter_flags
from services.billing.domain.rates import AircraftCard
from services.billing.domain.rollovers import rollover_flags

LINE_NAMES = {
    "rental": "rental",
    "instruction": "flight instruction",
    "ground": "ground instruction",
    "surcharge": "surcharge",
    "airport_fee": "airport fee",
    "convenience_fee": "convenience fee",
    "fuel": "fuel",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rental:
    """The line for the aircraft itself, and the owner's part of it in minor units."""

    line: Line
    owner_amount: int = 0


def price(flight: Flight, rates: AppliedRates, school_version: int) -> Bill:
    """Make the bill of a flight whose facts were checked. Money is minor units, hours are tenths."""
    hours = billed_hours(flight, rates.aircraft)
    rental = _rental(flight, rates.aircraft, hours) if rates.aircraft else None
    lines = _with_taxes(_untaxed_lines(flight, rates, hours, rental), rates.taxes)
    legs = _legs(flight, rates, hours, rental, lines)
    charge = sum(line.amount for line in lines)
    margin = charge - sum(leg.amount for leg in legs)
    taxed = {kind for line in lines for kind, _ in _taxable(line)}
    return Bill(
        flight=flight,
        fingerprint=flight.fingerprint(),
        billed_on=rates.on,
        occurred_at=flight.occurred_at(rates.zone),
        currency=rates.school.currency,
        charge=charge,
        margin=margin,
        hours=hours,
        lines=lines,
        legs=legs,
        flags=_flags(flight, rates, margin),
        named=tuple(dated for dated in rates.named if dated.kind != "tax" or dated.key in taxed),
        school_version=school_version,
    )


def _hourly(rate: int, tenths: int) -> int:
    return half_up(rate * tenths, 10)


def _percent(ppm: int, amount: int) -> int:
    return half_up(amount * ppm, 1_000_000)


def _rental(flight: Flight, card: AircraftCard, hours: Hours) -> Rental:
    line = _bundle_line(flight, card, hours) if card.model == "bundled" else _rental_line(flight, card, hours)
    return Rental(line=line, owner_amount=_OWNER_AMOUNTS[card.model](card, hours.billed, line))


def _rental_line(flight: Flight, card: AircraftCard, hours: Hours) -> Line:
    rate = sum(card.price(name) for name in _RENTAL_PRICES[card.model])
    return Line(
        kind="rental",
        description=f"{flight.aircraft} {hours_text(hours.billed)} h {card.fuel}, {_by(hours)}",
        amount=_hourly(rate, hours.billed),
        tenths=hours.billed,
        rate=rate,
    )


def _by(hours: Hours) -> str:
    return f"by {METER_NAMES[hours.source]}" if hours.source in METER_NAMES else "by logged hours"


_RENTAL_PRICES: Mapping[str, tuple[str, ...]] = {
    "owned": ("rate_per_hour",),
    "leased": ("cost_per_hour", "margin_per_hour"),
    "third_party": ("rate_per_hour",),
    "passthrough": ("cost_per_hour",),
}


def _bundle_line(flight: Flight, card: AircraftCard, hours: Hours) -> Line:
    """One line for aircraft, instruction and fuel; without dual hours it has no instruction."""
    prices = {
        "rental": card.price("aircraft_per_hour"),
        "instruction": card.price("instruction_per_hour") if flight.dual else 0,
        "fuel": card.price("fuel_per_hour"),
    }
    rate = sum(prices.values())
    amount = _hourly(rate, hours.billed)
    split = split_by_largest_remainder(amount, list(prices.values())) if rate else [0, 0, 0]
    what = "aircraft, instruction and fuel" if flight.dual else "aircraft and fuel, solo"
    return Line(
        kind="bundle",
        description=f"{flight.aircraft} {hours_text(hours.billed)} h {what}, {_by(hours)}",
        amount=amount,
        tenths=hours.billed,
        rate=rate,
        parts=tuple(zip(prices, split, strict=True)),
    )


def _nothing(card: AircraftCard, tenths: int, line: Line) -> int:
    return 0


def _share(card: AircraftCard, tenths: int, line: Line) -> int:
    base = dict(line.parts)["rental"] if line.parts else line.amount
    if card.owner_share_ppm is not None:
        return _at_least(card, tenths, _percent(card.owner_share_ppm, base))
    return _at_least(card, tenths, _hourly(card.owner_share_per_hour or 0, tenths))


def _cost(card: AircraftCard, tenths: int, line: Line) -> int:
    return _at_least(card, tenths, _hourly(card.price("cost_per_hour"), tenths))


def _in_full(card: AircraftCard, tenths: int, line: Line) -> int:
    return line.amount


def _at_least(card: AircraftCard, tenths: int, amount: int) -> int:
    """The amount, raised to the owner's minimum; a flight without hours has no minimum."""
    if not tenths:
        return amount
    by_hour = _hourly(card.owner_minimum_per_hour or 0, tenths)
    return max(amount, by_hour, card.owner_minimum_per_flight or 0)


def _if_owner(rule: Callable[[AircraftCard, int, Line], int]) -> Callable[[AircraftCard, int, Line], int]:
    return lambda card, tenths, line: rule(card, tenths, line) if card.owner else 0


_OWNER_AMOUNTS: Mapping[str, Callable[[AircraftCard, int, Line], int]] = {
    "owned": _if_owner(_share),
    "leased": _cost,
    "third_party": _in_full,
    "passthrough": _if_owner(_in_full),
    "bundled": _if_owner(_share),
}


def _untaxed_lines(flight: Flight, rates: AppliedRates, hours: Hours, rental: Rental | None) -> list[Line]:
    lines = [rental.line] if rental else []
    lines += [
        _instruction("instruction", flight, rates.flight_rate, flight.dual),
        _instruction("ground", flight, rates.ground_rate, flight.ground),
    ]
    if rates.aircraft and rental:
        lines += _aircraft_extras(rates.aircraft, hours.billed, rental.line)
    return [line for line in lines if line.amount]


def _instruction(kind: str, flight: Flight, rate: int | None, tenths: int) -> Line:
    return Line(
        kind=kind,
        description=f"{LINE_NAMES[kind]} {hours_text(tenths)} h with {flight.instructor}",
        amount=_hourly(rate or 0, tenths),
        tenths=tenths,
        rate=rate or 0,
    )


def _aircraft_extras(card: AircraftCard, tenths: int, rental: Line) -> list[Line]:
    """Surcharge and fees; the flat ones only on a flight with hours."""
    surcharge = Line(
        kind="surcharge",
        description=f"surcharge {hours_text(tenths)} h",
        amount=_hourly(card.surcharge_per_hour, tenths),
        tenths=tenths,
        rate=card.surcharge_per_hour,
    )
    fees = [Line(kind="airport_fee", description=fee.name, amount=fee.amount) for fee in card.airport_fees]
    convenience = Line(
        kind="convenience_fee",
        description="convenience fee",
        amount=_convenience_fee(card, tenths, rental),
    )
    return [surcharge, *fees, convenience] if tenths else []


def _convenience_fee(card: AircraftCard, tenths: int, rental: Line) -> int:
    if card.convenience_fee_ppm is not None:
        return _percent(card.convenience_fee_ppm, rental.amount)
    if card.convenience_fee_per_hour is not None:
        return _hourly(card.convenience_fee_per_hour, tenths)
    return card.convenience_fee_per_flight or 0


def _taxable(line: Line) -> tuple[tuple[str, int], ...]:
    return line.parts or ((line.kind, line.amount),)


def _with_taxes(lines: list[Line], taxes: Mapping[str, int]) -> tuple[Line, ...]:
    """One tax line for each taxed line (each part of a bundle), of its rounded amount."""
    taxed = [
        Line(kind="tax", description=f"tax {percent_text(ppm)} on {LINE_NAMES[kind]}", amount=tax)
        for line in lines
        for kind, amount in _taxable(line)
        if (ppm := taxes.get(kind, 0)) and (tax := _percent(ppm, amount))
    ]
    return (*lines, *taxed)


def _legs(
    flight: Flight, rates: AppliedRates, hours: Hours, rental: Rental | None, lines: tuple[Line, ...]
) -> tuple[Leg, ...]:
    legs = _instructor_legs(flight, rates)
    card = rates.aircraft
    if card and rental:
        legs += [
            Leg(wallet=f"aircraft_owner:{card.owner}", kind="owner", amount=rental.owner_amount),
            Leg(
                wallet=f"liability:reserve-{flight.aircraft}",
                kind="reserve",
                amount=_hourly(card.reserve_per_hour, hours.billed),
            ),
        ]
    tax = sum(line.amount for line in lines if line.kind == "tax")
    legs.append(Leg(wallet=TAX, kind="tax", amount=tax))
    return tuple(leg for leg in legs if leg.amount)


def _instructor_legs(flight: Flight, rates: AppliedRates) -> list[Leg]:
    card = rates.instructor
    if card is None:
        return []
    wallet = f"instructor:{flight.instructor}"
    return [
        Leg(wallet=wallet, kind="instruction", amount=_hourly(card.flight_per_hour, flight.dual)),
        Leg(wallet=wallet, kind="ground", amount=_hourly(card.ground_per_hour, flight.ground)),
    ]


def _flags(flight: Flight, rates: AppliedRates, margin: int) -> tuple[Flag, ...]:
    flags = [*meter_flags(flight, rates.aircraft), *rollover_flags(flight)] if rates.aircraft else []
    if rates.aircraft and rates.aircraft.owner and rates.student.also_owner == rates.aircraft.owner:
        text = f"student {flight.student} flew their own aircraft {flight.aircraft}; billed like any student"
        flags.append(Flag(kind="owner_flies_own_aircraft", sentence=text))
    if margin < 0:
        text = "the school pays more for this flight than the student is charged"
        flags.append(Flag(kind="negative_margin", sentence=text))
    return tuple(flags)
