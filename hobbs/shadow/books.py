"""The figures of the live books, and those of another rate card for the same flights. Asks no Stripe."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any, Final

import orjson

from fleet.money import half_up
from hobbs.shadow.figures import STUDENT, Figure, FlightFigures, Part, party_of, role_of
from services.billing.desk.reads import CardHistory
from services.billing.desk.reads.in_order import FiledFlight, FlightDetails
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill, lines_and_legs
from services.billing.domain.flights import flight_from_facts
from services.billing.domain.pricing import LINE_NAMES
from services.billing.domain.rates import Book

_TAX: Final = re.compile(r"tax (?P<percent>[\d.]+) % on (?P<name>.+)")
_KINDS: Final = {name: kind for kind, name in LINE_NAMES.items()}
_RENTAL: Final = ("rate_per_hour", "cost_per_hour", "margin_per_hour")
_BUNDLE: Final = ("aircraft_per_hour", "instruction_per_hour", "fuel_per_hour")

DetailsOf = Callable[[str], FlightDetails]  # of a flight by its id, asked only where they are needed


class RatesOfTheBook:
    """Every hourly rate that any version of the book had: for telling an old version from a mistake."""

    def __init__(self, history: Iterable[CardHistory]) -> None:
        self._rates: dict[tuple[str, str, str], set[int]] = defaultdict(set)
        for one in history:
            for document in (one.old, one.new):
                self._keep(one.kind, one.key, document or {})

    def _keep(self, kind: str, key: str, card: Mapping[str, Any]) -> None:
        if kind == "aircraft":
            self._rates["aircraft", key, "rental"].add(sum(card.get(name) or 0 for name in _RENTAL))
            whole, solo = (sum(card.get(n) or 0 for n in names) for names in (_BUNDLE, _BUNDLE[::2]))
            self._rates["aircraft", key, "bundle"] |= {whole, solo}
            for name, part in (("surcharge", "surcharge"), ("reserve", "reserve"), ("owner_share", "owner")):
                self._rates["aircraft", key, part].add(card.get(f"{name}_per_hour") or 0)
            self._rates["aircraft", key, "owner"].add(card.get("cost_per_hour") or 0)
        elif kind in ("instructor", "student_rate"):
            owner = key if kind == "instructor" else ""
            for name, part in (("flight_per_hour", "instruction"), ("ground_per_hour", "ground")):
                self._rates[kind, owner, part].add(card.get(name) or 0)

    def of(self, flight: FlightDetails, role: str, part: str) -> Iterable[int]:
        """The rates that a part of a party's amount had in some version."""
        if part in ("instruction", "ground"):
            whose = ("instructor", flight.instructor or "") if role == "instructor" else ("student_rate", "")
        else:
            whose = ("aircraft", flight.aircraft or "")
        return self._rates.get((*whose, part), set()) - {0}


class Amounts:
    """The quick side of the live books' figures: of a flight an amount for each party of these roles."""

    def __init__(self, roles: Set[str], *, named: bool) -> None:
        self._student, self._school = STUDENT in roles, "school" in roles
        self._roles, self._named = roles, named
        self._parties: dict[str, str | None] = {}  # by wallet; None: of no role that is asked for

    def __call__(self, flight: FiledFlight) -> dict[str, int]:
        amounts: dict[str, int] = {}
        if self._student:
            amounts[f"{STUDENT}:{flight.student}" if self._named else STUDENT] = flight.charge
        parties = self._parties
        for leg in orjson.loads(flight.legs):
            wallet = leg["wallet"]
            party = parties[wallet] if wallet in parties else self._know(wallet)
            if party is not None:
                amounts[party] = amounts.get(party, 0) + leg["amount"]
        if self._school:
            amounts["school"] = flight.margin
        return amounts

    def _know(self, wallet: str) -> str | None:
        party = party_of(wallet, named=self._named)
        self._parties[wallet] = party if role_of(party) in self._roles else None
        return self._parties[wallet]


def filed(
    flights: Iterable[FiledFlight], rates: RatesOfTheBook, details: DetailsOf, *, named: bool
) -> Iterator[FlightFigures]:
    """The live books' figures, all of them, of flights whose details are expected."""
    for flight in flights:
        known, legs = details(flight.flight_id), flight.leg_amounts()
        figures = _figures(flight, flight.charge, flight.margin, legs, named=named, hours=known.billed_tenths)
        yield FlightFigures(
            flight.flight_id,
            known.billed_on.isoformat(),
            figures,
            partial(_parts, known, legs),
            partial(rates.of, known),
        )


def repriced(
    flights: Iterable[FiledFlight], book: Book, rates: RatesOfTheBook, details: DetailsOf, *, named: bool
) -> Iterator[FlightFigures]:
    """The figures of the same flights under another book; a flight that it refuses is not there."""
    for flight in flights:
        known = details(flight.flight_id)
        bill = decide_bill(flight_from_facts(orjson.loads(known.facts), hours_from=known.hours_from), book)
        if isinstance(bill, Bill):
            yield _of_bill(flight, known, bill, rates, named=named)


def _of_bill(
    flight: FiledFlight, known: FlightDetails, bill: Bill, rates: RatesOfTheBook, *, named: bool
) -> FlightFigures:
    lines, legs = lines_and_legs(bill)
    hours = bill.hours.billed

    def parts(party: str) -> list[Part]:
        facts = orjson.loads(known.facts)
        return _made_of(role_of(party), facts=facts, lines=lines, legs=legs, billed=hours)

    return FlightFigures(
        flight.flight_id,
        bill.billed_on.isoformat(),
        _figures(flight, bill.charge, bill.margin, legs, named=named, hours=hours),
        parts,
        partial(rates.of, known),
    )


def _figures(
    flight: FiledFlight,
    charge: int,
    margin: int,
    legs: Sequence[Mapping[str, Any]],
    *,
    named: bool,
    hours: int,
) -> list[Figure]:
    amounts: dict[str, int] = {}
    for leg in legs:
        party = party_of(leg["wallet"], named=named)
        amounts[party] = amounts.get(party, 0) + leg["amount"]
    student = f"{STUDENT}:{flight.student}" if named else STUDENT
    found = [Figure(student, charge, hours, None, amounts.get("tax", 0))]
    found += [Figure(party, amount, hours) for party, amount in amounts.items()]
    return [*found, Figure("school", margin, hours)]


def _parts(known: FlightDetails, legs: Sequence[Mapping[str, Any]], party: str) -> list[Part]:
    return _made_of(
        role_of(party),
        facts=orjson.loads(known.facts),
        lines=orjson.loads(known.lines),
        legs=legs,
        billed=known.billed_tenths,
    )


def _made_of(
    role: str,
    *,
    facts: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    legs: Sequence[Mapping[str, Any]],
    billed: int,
) -> list[Part]:
    """The lines of a student's bill, or a payee's legs with the hours each was paid for."""
    if role == STUDENT:
        return _lines(lines)
    hours = {"instruction": facts["dual"], "ground": facts["ground"], "owner": billed, "reserve": billed}
    kinds = {"instructor": ("instruction", "ground"), "owner": ("owner",), "reserve": ("reserve",)}
    return [
        _leg(leg, hours[leg["kind"]])
        for leg in legs
        if leg["kind"] in kinds.get(role, ()) and hours[leg["kind"]]
    ]


def _leg(leg: Mapping[str, Any], tenths: int) -> Part:
    return Part(leg["kind"], leg["amount"], tenths, half_up(leg["amount"] * 10, tenths))


def _lines(lines: Sequence[Mapping[str, Any]]) -> list[Part]:
    taxes: dict[str, int] = {}
    for line in lines:
        if line["kind"] == "tax" and (said := _TAX.fullmatch(line["description"])):
            whole, _, part = said["percent"].partition(".")
            taxes[_KINDS[said["name"]]] = int(whole + part.ljust(4, "0"))
    return [
        Part(line["kind"], line["amount"], line["tenths"], line["rate"], taxes.get(line["kind"], 0))
        for line in lines
        if line["kind"] != "tax"
    ]
