"""A small school and one flight, to vary in tests. Money in cents, hours in tenths."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from services.billing.domain.flights import Flight, Meter
from services.billing.domain.rates import (
    BEGINNING,
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

OWNED = AircraftCard(
    model="owned", meter="hobbs", rate_per_hour=16500, owner="owner-01", owner_share_per_hour=12000
)
CARDS: dict[tuple[str, str], BookCard] = {
    ("school", "school"): SchoolCard(name="School", time_zone="America/New_York", currency="USD"),
    ("tax", "rental"): TaxCard(tax_ppm=56_000),
    ("student_rate", "default"): StudentRateCard(flight_per_hour=7000, ground_per_hour=6000),
    ("student", "student-01"): StudentCard(),
    ("instructor", "instructor-01"): InstructorCard(flight_per_hour=4500, ground_per_hour=4000),
    ("owner", "owner-01"): OwnerCard(),
    ("aircraft", "N364MA"): OWNED,
}


def dated(
    kind: str, key: str, card: BookCard, effective_from: date = BEGINNING, version: int = 1
) -> DatedCard:
    return DatedCard(kind=kind, key=key, effective_from=effective_from, version=version, card=card)


def book(
    changed: Mapping[tuple[str, str], Any] | None = None,
    *,
    without: Iterable[tuple[str, str]] = (),
    later: Iterable[DatedCard] = (),
) -> Book:
    """The small school's book, with cards changed, taken out, or dated later."""
    cards = {**CARDS, **(changed or {})}
    entries = [dated(kind, key, card) for (kind, key), card in cards.items() if (kind, key) not in without]
    return Book([*entries, *later], version=1)


def aircraft(card: AircraftCard) -> Book:
    """The small school's book with another card for its aircraft."""
    return book({("aircraft", "N364MA"): card})


FLIGHT = Flight(
    flight_id="F123",
    revision=1,
    student="student-01",
    given_date=date(2026, 5, 22),
    departed_at=datetime(2026, 5, 22, 15, 10, tzinfo=UTC),
    arrived_at=datetime(2026, 5, 22, 16, 45, tzinfo=UTC),
    aircraft="N364MA",
    instructor="instructor-01",
    hobbs=Meter(out=12536, in_=12549),
    logged=13,
    dual=15,
    ground=5,
)


def flight(**changes: Any) -> Flight:
    """The design's worked flight, changed."""
    return replace(FLIGHT, **changes)


def solo(tenths: int, **changes: Any) -> Flight:
    """A flight without instructor of so many tenths by the meter."""
    hobbs = Meter(out=10000, in_=10000 + tenths)
    return replace(
        FLIGHT, **({"instructor": None, "dual": 0, "ground": 0, "hobbs": hobbs, "logged": tenths} | changes)
    )
