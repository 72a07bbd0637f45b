"""A school's flights beside another system's figures, both from a seed: each difference, and no other.

The other system is calculated here, by other code than billing's; what differs is sown into what it
calculates with, so that its cause is known. Its file is written as such programs write files.
"""

import csv
import io
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from openpyxl import Workbook

from services.billing.handlers import bill_flights, configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, completed, configured
from tests.integration.ops.conftest import Hobbs

FLIGHTS: Final = 120
FIRST: Final = date(2026, 5, 1)
HEADER: Final = ("Flug Nr", "Datum", "Bemerkung", "Schüler", "Lehrer", "Halter", "Steuer", "Zeit", "Satz")
MAPS: Final = ("flight_id", "date", "", "student", "instructor", "owner", "tax", "hours", "rate")
# What is sown, and the causes that it has: of the student's amount, and of each other party's that differs.
SOWN: Final[Mapping[str, Mapping[str, str]]] = {
    "hours": {},
    "rate version": {},
    "tax": {},
    "rounding": {},
    "several": {"owner": "hours"},
    "untaxed hours": {"student": "several", "tax": "several", "owner": "hours"},
    "untaxed rate": {"student": "several", "tax": "several"},
    "owner's share": {"owner": "rate version"},
    "missing there": {},
    "lesson": dict.fromkeys(("student", "instructor"), "hours"),
    "both hours": dict.fromkeys(("student", "instructor", "owner", "tax"), "hours"),
    "lesson and rate": {"student": "several", "tax": "several", "instructor": "hours"},
}
WITHOUT_A_LESSON: Final = tuple(SOWN)[:-3]
PARTIES: Final = ("student", "instructor", "owner", "tax")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flown:
    """A flight, and by what it is billed: hours in tenths, rates and the correction in cents."""

    flight_id: str
    day: date
    rental: int
    dual: int
    ground: int
    rate: int
    taxed: bool = True
    more: int = 0
    shared_before: bool = False

    def amounts(self, rates: "Rates") -> dict[str, int]:
        rental = cents(self.rate, self.rental)
        tax = int((Decimal(rental) * 56 / 1000).quantize(Decimal(1), ROUND_HALF_UP)) if self.taxed else 0
        lessons = cents(rates.lesson, self.dual) + cents(rates.ground, self.ground)
        paid = cents(rates.paid_lesson, self.dual) + cents(rates.paid_ground, self.ground)
        owner = cents(rates.owner_before if self.shared_before else rates.owner, self.rental)
        student = rental + tax + lessons + self.more
        return {"student": student, "instructor": paid, "owner": owner, "tax": tax}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Cents an hour. before: of the aircraft and its owner, in an earlier version of the book."""

    aircraft: int
    before: int
    lesson: int
    ground: int
    paid_lesson: int
    paid_ground: int
    owner: int
    owner_before: int

    def book(self) -> list[dict[str, Any]]:
        of = {
            "student_rate": {"flight_per_hour": self.lesson, "ground_per_hour": self.ground},
            "instructor": {"flight_per_hour": self.paid_lesson, "ground_per_hour": self.paid_ground},
            "aircraft": {"rate_per_hour": self.aircraft, "owner_share_per_hour": self.owner},
        }
        return [one | {"new": {**one["new"], **of.get(one["kind"], {})}} for one in CHANGES]

    def book_before(self) -> list[dict[str, Any]]:
        return replace(self, aircraft=self.before, owner=self.owner_before).book()


def cents(rate: int, tenths: int) -> int:
    return int((Decimal(rate) * tenths / 10).quantize(Decimal(1), ROUND_HALF_UP))


def sown(seed: int) -> tuple[Rates, list[Flown], dict[str, tuple[str, Flown | None]]]:
    """Rates, the flights as they were flown, and by flight what differs there and what is there instead."""
    rng = random.Random(seed)
    rates = Rates(
        aircraft=rng.randint(14_003, 19_997),
        before=rng.randint(11_003, 13_997),
        lesson=rng.randint(6_001, 7_999),
        ground=rng.randint(5_001, 5_999),
        paid_lesson=rng.randint(4_001, 4_999),
        paid_ground=rng.randint(3_001, 3_999),
        owner=rng.randint(9_003, 10_997),
        owner_before=rng.randint(7_003, 8_997),
    )
    flown = [
        Flown(
            flight_id=f"{rng.choice('ABC')}-{number:04}",
            day=FIRST + timedelta(days=number // 4),
            rental=rng.randint(6, 29),
            dual=rng.choice((0, rng.randint(8, 32))),
            ground=rng.choice((0, 0, rng.randint(2, 9))),
            rate=rates.aircraft,
        )
        for number in range(FLIGHTS)
    ]
    others: dict[str, tuple[str, Flown | None]] = {}
    for one in rng.sample(flown, FLIGHTS // 3):
        cause = rng.choice(tuple(SOWN) if one.dual else WITHOUT_A_LESSON)
        others[one.flight_id] = (cause, _differently(one, cause, rates, rng))
    strange = Flown(flight_id="Z-1", day=FIRST, rental=10, dual=0, ground=0, rate=rates.aircraft)
    others[strange.flight_id] = ("missing here", strange)
    return rates, flown, others


def _differently(one: Flown, cause: str, rates: Rates, rng: random.Random) -> Flown | None:
    hours = one.rental + rng.choice((-3, -2, -1, 1, 2, 3))
    match cause:
        case "hours":
            return replace(one, rental=hours)
        case "rate version":
            return replace(one, rate=rates.before)
        case "tax":
            return replace(one, taxed=False)
        case "rounding":
            return replace(one, more=rng.choice((-1, 1)))
        case "several":
            return replace(one, rental=hours, rate=rates.before)
        case "untaxed hours":
            return replace(one, rental=hours, taxed=False)
        case "untaxed rate":
            return replace(one, rate=rates.before, taxed=False)
        case "owner's share":
            return replace(one, shared_before=True)
        case "both hours":
            return replace(one, rental=hours, dual=one.dual + rng.choice((1, 2, 3)))
        case "lesson and rate":
            return replace(one, rate=rates.before, dual=one.dual + rng.choice((1, 2, 3)))
        case "lesson":  # hours as well, but not the aircraft's
            return replace(one, dual=one.dual + rng.choice((1, 2, 3)))
        case _:
            return None


def expected(
    rates: Rates, flown: Sequence[Flown], others: Mapping[str, tuple[str, Flown | None]]
) -> dict[tuple[str, str], tuple[int, str]]:
    """Of each flight and party that differ: here less there, and the cause."""
    found = {}
    here = {one.flight_id: one.amounts(rates) for one in flown}
    for flight_id, (cause, other) in others.items():
        left = other.amounts(rates) if other else dict.fromkeys(PARTIES, 0)
        right = here.get(flight_id, dict.fromkeys(PARTIES, 0))
        for party in PARTIES:
            if amount := right[party] - left[party]:
                of_party = SOWN.get(cause, {}).get(party, cause)
                found[flight_id, party] = (amount, of_party)
    return found


def table(
    rates: Rates, flown: Sequence[Flown], others: Mapping[str, tuple[str, Flown | None]], date_format: str
) -> Iterator[list[Any]]:
    """The other system's rows, with decimals: Decimal amounts, hours as h:mm."""
    there = {one.flight_id: one for one in flown} | {name: other for name, (_, other) in others.items()}
    for name in random.Random(len(there)).sample(sorted(there), len(there)):
        one = there[name]
        if one is None:
            continue
        amounts = [Decimal(one.amounts(rates)[party]) / 100 for party in PARTIES]
        hours = f"{one.rental * 6 // 60}:{one.rental * 6 % 60:02}"
        rate = Decimal(one.rate) / 100
        yield [name, one.day.strftime(date_format), 'wie "immer",\nohne Wind', *amounts, hours, rate]


def semicolons(rows: Sequence[Sequence[Any]]) -> bytes:
    """Windows-1252, a title, a decimal comma, points before thousands, empty lines, a row of totals."""
    out = io.StringIO(newline="")
    out.write("Flugschule Beispiel;;;;;;;;\r\nAbrechnung 05/2026;;;;;;;;\r\n\r\n")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for row in rows:
        writer.writerow([german(cell) for cell in row])
        out.write(";;;;;;;;\r\n")
    writer.writerow(["Summe", "", "", "9.999,99", "", "", "", "", ""])
    return out.getvalue().encode("cp1252")


def german(cell: Any) -> Any:
    if not isinstance(cell, Decimal):
        return cell
    return f"{cell:,.2f}".translate(str.maketrans(",.", ".,")) + (" $" if cell > 500 else "")


def tabs(rows: Sequence[Sequence[Any]]) -> bytes:
    """UTF-16 with tabs, as a spreadsheet saves Unicode text; thousands have commas, debts brackets."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="\t")
    writer.writerow(HEADER)
    for row in rows:
        writer.writerow([f"${cell:,.2f}" if isinstance(cell, Decimal) else cell for cell in row])
    writer.writerow(["", "Total", "", "$9,999.99"])
    return out.getvalue().encode("utf-16")


def sheets(rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook: numbers are numbers, some are texts with a comma."""
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Flugschule Beispiel"])
    sheet.append(HEADER)
    for number, row in enumerate(rows):
        written = [german(cell) if number % 3 == 0 else cell for cell in row]
        sheet.append([float(cell) if isinstance(cell, Decimal) else cell for cell in written])
    sheet.append(["Gesamtsumme", None, None, 9999.99])
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
async def test_what_was_sown_is_found_with_its_cause_and_nothing_else(
    open_db: OpenDatabase, hobbs: Hobbs, tmp_path: Path, seed: int
) -> None:
    rates, flown, others = sown(seed)
    billing = open_db("billing")
    await configure_school(billing, [configured(1, rates.book_before())])
    await configure_school(billing, [configured(2, [rates.book()[-1]])])
    await bill_flights(billing, [event(one) for one in flown])
    kind, date_format, decimals = [
        (semicolons, "%d.%m.%Y", "comma"),
        (tabs, "%m/%d/%Y", "point"),
        (sheets, "%d.%m.%Y", "comma"),
    ][seed % 3]
    file = tmp_path / ("old.xlsx" if kind is sheets else "old.csv")
    file.write_bytes(kind(list(table(rates, flown, others, date_format))))
    maps = [part for ours, c in zip(MAPS, HEADER, strict=True) if ours for part in ("--map", f"{c}={ours}")]
    how = ["--decimals", decimals, "--date-format", date_format, "--minutes", "tenths", "--most", "1000"]
    result = await hobbs("shadow", "diff", str(file), *maps, *how, "-o", "json")
    rows = json.loads(result.stdout)
    found = {(row["flight_id"], row["party"]): (row["amount"], row["cause"]) for row in rows}
    assert found == expected(rates, flown, others), result.stderr
    assert all(row["day"] for row in rows)
    assert f"{FLIGHTS + 1} flights compared, {len(others)} differ" in result.stderr


def event(one: Flown) -> Any:
    out = Decimal("1000.0")
    hours = {"flight_hours": None, "hobbs_out": str(out), "hobbs_in": str(out + Decimal(one.rental) / 10)}
    lessons = {"dual_hours": f"{one.dual / 10:.1f}", "ground_hours": f"{one.ground / 10:.1f}"}
    alone = {} if one.dual or one.ground else {"instructor": None}
    at = {"date": one.day.isoformat(), "departed_at": None, "arrived_at": None}
    return completed(flight_id=one.flight_id, **hours, **lessons, **alone, **at)
