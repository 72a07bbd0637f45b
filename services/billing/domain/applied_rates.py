"""The rates one flight is priced by: the cards in force on its school-local date. Pure.

A flight for which a card or a figure is missing is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from fleet.zones import time_zone
from services.billing.domain.bills import FlightRefusal, Reason, refuse
from services.billing.domain.flights import Flight, hours_text
from services.billing.domain.hours import METER_NAMES, billing_difference, billing_meter
from services.billing.domain.rates import (
    LINE_KINDS,
    AircraftCard,
    Book,
    BookCard,
    DatedCard,
    InstructorCard,
    OwnerCard,
    SchoolCard,
    StudentCard,
    StudentRateCard,
    TaxCard,
)

_UNKNOWN: dict[str, Reason] = {
    "aircraft": "unknown_aircraft",
    "instructor": "unknown_instructor",
    "owner": "unknown_owner",
    "student": "unknown_student",
}
YEARS = range(1901, 2200)  # a day less than events can state at each end: no time zone leads beyond that
C = TypeVar("C", bound=BookCard)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRates:
    """What a flight is priced by. A rate is None when the flight has no hours of its kind.

    flight_rate, ground_rate: what the student pays, minor units per hour. taxes: millionths by kind of line.
    """

    school: SchoolCard
    zone: ZoneInfo
    on: date
    student: StudentCard
    aircraft: AircraftCard | None
    instructor: InstructorCard | None
    flight_rate: int | None
    ground_rate: int | None
    taxes: Mapping[str, int]
    named: tuple[DatedCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightsSchool:
    """The school's card, and the date of a flight there. `named`: the card with its version."""

    card: SchoolCard
    zone: ZoneInfo
    on: date
    named: tuple[DatedCard, ...]


class _Missing(Exception):
    """Ends the search at the first card that is missing; carries the refusal."""

    def __init__(self, refusal: FlightRefusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


def find_applied_rates(flight: Flight, book: Book) -> AppliedRates | FlightRefusal:
    """Find every card that prices the flight; `named` notes the version of each."""
    school = find_school(flight, book)
    if isinstance(school, FlightRefusal):
        return school
    try:
        return _Search(flight, book, school).found()
    except _Missing as missing:
        return missing.refusal


def find_school(flight: Flight, book: Book) -> FlightsSchool | FlightRefusal:
    """The school's own card, and the flight's date there."""
    card = book.school()
    if card is None:
        return refuse(
            flight, "school_not_configured", "there is no school card yet; run `hobbs school apply`"
        )
    zone = time_zone(card.time_zone)
    on = flight.local_date(zone)
    if on.year not in YEARS:
        years = f"{YEARS.start} to {YEARS.stop - 1}"
        return refuse(flight, "date_out_of_range", f"its date is {on}; flights are of the years {years}")
    dated = book.in_force("school", "school", date.max)
    return FlightsSchool(card=card, zone=zone, on=on, named=(dated,) if dated else ())


def _no_hours(flight: Flight, card: AircraftCard) -> str:
    said = "it has neither two readings nor flight hours to bill by"
    meter = billing_meter(card)
    written = flight.hobbs if meter == "hobbs" else flight.tach
    if meter and written.out is not None and written.in_ is not None:
        said += f"; {METER_NAMES[meter]} 0.0 to 0.0 is a meter that nobody read"
    return f"{said}; send revision {flight.revision + 1} with its flight_hours, 0.0 when there were none"


class _Search:
    def __init__(self, flight: Flight, book: Book, school: FlightsSchool) -> None:
        self.flight, self.book, self.on, self.school = flight, book, school.on, school
        self.named: list[DatedCard] = [*school.named]

    def found(self) -> AppliedRates:
        student = self._card("student", self.flight.student, StudentCard)
        aircraft, instructor = self._aircraft(), self._instructor(student)
        in_bundle = aircraft is not None and aircraft.model == "bundled"
        return AppliedRates(
            school=self.school.card,
            zone=self.school.zone,
            on=self.on,
            student=student,
            aircraft=aircraft,
            instructor=instructor,
            flight_rate=self._rate("flight_per_hour", 0 if in_bundle else self.flight.dual),
            ground_rate=self._rate("ground_per_hour", self.flight.ground),
            taxes=self._taxes(aircraft),
            named=tuple({(one.kind, one.key): one for one in self.named}.values()),
        )

    def _aircraft(self) -> AircraftCard | None:
        if self.flight.aircraft is None:
            return None
        card = self._card("aircraft", self.flight.aircraft, AircraftCard)
        if self.flight.logged is None and billing_difference(self.flight, card) is None:
            raise self._missing("hours_missing", _no_hours(self.flight, card))
        if card.owner is not None:
            self._card("owner", card.owner, OwnerCard)
        return card

    def _instructor(self, student: StudentCard) -> InstructorCard | None:
        instructor = self.flight.instructor
        if instructor is None:
            return None
        if student.also_instructor == instructor:
            raise self._missing(
                "self_instruction",
                f"student {self.flight.student} and instructor {instructor} are the same person",
            )
        return self._card("instructor", instructor, InstructorCard)

    def _card(self, kind: str, key: str, card_type: type[C]) -> C:
        dated = self.book.in_force(kind, key, self.on)
        if dated is not None and isinstance(dated.card, card_type):
            self.named.append(dated)
            return dated.card
        if not self.book.knows(kind, key):
            raise self._missing(_UNKNOWN[kind], f"{kind} {key} is not in the school's book")
        since = self.book.first_day(kind, key)
        raise self._missing(
            "no_rate_in_force", f"the first card of {kind} {key} is from {since}, the flight is of {self.on}"
        )

    def _rate(self, figure: str, tenths: int) -> int | None:
        """The figure, per hour, of the most specific card that states it: student, instructor, default."""
        if not tenths:
            return None
        keys = (f"student:{self.flight.student}", f"instructor:{self.flight.instructor}", "default")
        for key in keys:
            dated = self.book.in_force("student_rate", key, self.on)
            if dated is None or not isinstance(dated.card, StudentRateCard):
                continue
            rate: int | None = getattr(dated.card, figure)
            if rate is not None:
                self.named.append(dated)
                return rate
        raise self._missing(
            "no_rate_in_force",
            f"no student rate {figure} is in force on {self.on} for {hours_text(tenths)} h"
            f" with instructor {self.flight.instructor}",
        )

    def _taxes(self, aircraft: AircraftCard | None) -> dict[str, int]:
        """Tax by kind of line: the aircraft's own where it names the kind, else the school's."""
        own = aircraft.tax if aircraft else {}
        taxes = dict(own)
        for line in LINE_KINDS:
            dated = self.book.in_force("tax", line, self.on)
            if line not in own and dated is not None and isinstance(dated.card, TaxCard):
                self.named.append(dated)
                taxes[line] = dated.card.tax_ppm
        return taxes

    def _missing(self, reason: Reason, sentence: str) -> _Missing:
        return _Missing(refuse(self.flight, reason, sentence))
