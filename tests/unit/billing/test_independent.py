"""The domain and a second calculator that shares no code with it agree to the cent."""

import csv
import random
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hobbs.flights.file import read_flights_file
from hobbs.school.file import book_of, read_school_file
from services.billing.domain.billing import decide_bills
from services.billing.domain.bills import Bill
from services.billing.wire.events import flight_from_event
from tests.unit.billing.independent import calculate

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "services" / "billing" / "school.example.toml"
COLUMNS = (
    "flight_id", "date", "time_out_utc", "time_in_utc", "aircraft", "student", "instructor", "hobbs_out",
    "hobbs_in", "tach_out", "tach_in", "flight_hours", "dual_hours", "ground_hours",
)  # fmt: skip


def by_domain(school: str, flights: str) -> tuple[dict[str, dict[str, Decimal]], set[str]]:
    """Amounts by flight and wallet, and the flights refused, as billing has it."""
    stated = read_school_file(school)
    assert stated.problems == []
    read = read_flights_file(flights.encode(), jsonl=False)
    assert read.rejected == []
    facts = [flight_from_event(one.flight) for one in read.flights]
    results = decide_bills(facts, book_of(stated.cards), {})
    billed = {
        result.flight.flight_id: {wallet: Decimal(amount) / 100 for wallet, amount in result.entries()}
        for result in results
        if isinstance(result, Bill)
    }
    return billed, {v.flight.flight_id for v in results if not isinstance(v, Bill)}


def agree(school: str, flights: str) -> int:
    books = calculate(school, csv.DictReader(flights.splitlines()))
    billed, refused = by_domain(school, flights)
    assert set(books.refused) == refused
    assert books.flights == billed
    assert sum(books.totals().values()) == 0
    return len(billed)


def test_both_agree_on_the_demos_school_and_real_flights() -> None:
    folder = ROOT / "school"
    flights = (folder / "flights.csv").read_text()
    assert agree((folder / "school.toml").read_text(), flights) > 90


@pytest.mark.parametrize("seed", range(60))
def test_both_agree_on_any_school_and_any_log(seed: int) -> None:
    chance = random.Random(seed)
    assert agree(a_school(chance), a_log(chance, 120)) > 20


def money(chance: random.Random, most: int = 30_000) -> str:
    return f"{chance.randrange(most) / 100:.2f}"


def percent(chance: random.Random) -> str:
    return f"{chance.choice([0, 100, chance.randrange(1_000_000) / 10_000]):.4f}"


def a_day(chance: random.Random) -> date:
    return date(2025, 1, 1) + timedelta(days=chance.randrange(365))


def table(name: str, **settings: Any) -> str:
    lines = [f"{key} = {value}" for key, value in settings.items()]
    return f"[[{name}]]\n" + "\n".join(lines) + "\n\n"


def dated(chance: random.Random, name: str, make: Any) -> str:
    """A card from the beginning (mostly), and perhaps a later one."""
    first = {"effective_from": a_day(chance)} if chance.random() < 0.1 else {}
    versions = [make() | first]
    if chance.random() < 0.5:
        versions.append(make() | {"effective_from": a_day(chance) + timedelta(days=400 if first else 0)})
    return "".join(table(name, **version) for version in versions)


def a_school(chance: random.Random) -> str:
    zone = chance.choice(["America/New_York", "UTC", "Pacific/Auckland", "America/Los_Angeles"])
    text = f'[school]\nname = "S"\ntime_zone = "{zone}"\ncurrency = "USD"\n\n'
    for line in ("rental", "instruction", "ground", "surcharge", "airport_fee", "convenience_fee", "fuel"):
        if chance.random() < 0.5:
            text += dated(chance, "tax", partial(a_tax, chance, line))
    if chance.random() < 0.9:
        text += dated(chance, "student_rate", partial(default_rate, chance))
    for scope, key in (("student", "s1"), ("instructor", "i1")):
        text += dated(chance, "student_rate", partial(a_rate, chance, scope, key))
    for number in range(2):
        text += dated(
            chance,
            "instructor",
            partial(an_instructor, chance, number),
        )
        text += table("owner", id=f'"o{number}"')
        text += table(
            "student",
            id=f'"s{number}"',
            **({"also_instructor": '"i0"'} if number and chance.random() < 0.2 else {}),
        )
    for number in range(6):
        text += dated(chance, "aircraft", partial(an_aircraft, chance, number))
    return text


def a_tax(chance: random.Random, line: str) -> dict[str, Any]:
    return {"line": f'"{line}"', "percent": percent(chance)}


def default_rate(chance: random.Random) -> dict[str, Any]:
    return {"flight_per_hour": money(chance), "ground_per_hour": money(chance)}


def a_rate(chance: random.Random, scope: str, key: str) -> dict[str, Any]:
    figure = chance.choice(["flight_per_hour", "ground_per_hour"])
    return {scope: f'"{key}"', figure: money(chance)}


def an_instructor(chance: random.Random, number: int) -> dict[str, Any]:
    return {"id": f'"i{number}"', "flight_per_hour": money(chance), "ground_per_hour": money(chance)}


def an_aircraft(chance: random.Random, number: int) -> dict[str, Any]:
    model = chance.choice(["owned", "leased", "third_party", "passthrough", "bundled"])
    card: dict[str, Any] = {
        "tail": f'"N{number}"',
        "model": f'"{model}"',
        "meter": f'"{chance.choice(["hobbs", "tach", "none"])}"',
        **({chance.choice(["hobbs_digits", "tach_digits"]): 4} if chance.random() < 0.3 else {}),
        "surcharge_per_hour": money(chance, 2000),
        "reserve_per_hour": money(chance, 3000),
        "airport_fees": f'[{{ name = "a", amount = {money(chance, 2000)} }}]'
        if chance.random() < 0.3
        else "[]",
        "tax": f"{{ rental = {percent(chance)}, fuel = {percent(chance)} }}"
        if chance.random() < 0.3
        else "{}",
    }
    if model in ("owned", "third_party"):
        card["rate_per_hour"] = money(chance)
    if model in ("leased", "passthrough"):
        card["cost_per_hour"] = money(chance)
    if model == "leased":
        card["margin_per_hour"] = money(chance)
    if model == "third_party" and chance.random() < 0.8:
        fee = chance.choice(["per_flight", "per_hour", "percent"])
        card[f"convenience_fee_{fee}"] = percent(chance) if fee == "percent" else money(chance, 3000)
    if model == "bundled":
        parts = [money(chance, 15_000) for _ in range(3)]
        card |= dict(zip(("aircraft_per_hour", "instruction_per_hour", "fuel_per_hour"), parts, strict=True))
        card["bundle_per_hour"] = sum(Decimal(part) for part in parts)
    if model in ("leased", "third_party") or chance.random() < 0.6:
        card["owner"] = f'"o{chance.randrange(2)}"'
        if model in ("owned", "bundled"):
            share = chance.choice(["percent", "per_hour"])
            card[f"owner_share_{share}"] = percent(chance) if share == "percent" else money(chance)
        if model in ("owned", "bundled", "leased"):
            for minimum in ("owner_minimum_per_hour", "owner_minimum_per_flight"):
                if chance.random() < 0.3:
                    card[minimum] = money(chance, 10_000)
    return card


def a_log(chance: random.Random, flights: int) -> str:
    rows = [",".join(COLUMNS)]
    for number in range(flights):
        rows.append(",".join(str(value) for value in a_flight(chance, number)))
    return "\n".join(rows) + "\n"


def a_flight(chance: random.Random, number: int) -> list[Any]:
    tenths = chance.choice([0, chance.randrange(40), chance.randrange(245)])
    out = chance.randrange(90_000) if chance.random() < 0.95 else 100_000 - chance.randrange(1, 30)
    hobbs = (f"{out / 10}", f"{(out + tenths - chance.choice([0] * 50 + [20])) % 100_000 / 10}")
    tach = (f"{out / 10}", f"{(out + tenths * 8 // 10) % 100_000 / 10}")
    hobbs, tach = (("0.00", "0.0") if chance.random() < 0.05 else pair for pair in (hobbs, tach))
    clock = (
        (f"{chance.randrange(24):02d}:{chance.randrange(60):02d}", "") if chance.random() < 0.7 else ("", "")
    )
    instructor = chance.choice(["", "i0", "i1", "i2"] if chance.random() < 0.1 else ["", "i0", "i1"])
    taught = instructor or chance.random() < 0.05
    ground_only = chance.random() < 0.05
    return [
        f"f{number}",
        a_day(chance),
        *clock,
        "" if ground_only else f"N{chance.randrange(7 if chance.random() < 0.1 else 6)}",
        f"s{chance.randrange(3 if chance.random() < 0.1 else 2)}",
        instructor,
        *(hobbs if chance.random() < 0.6 and not ground_only else ("", hobbs[1] if not ground_only else "")),
        *(tach if chance.random() < 0.4 and not ground_only else ("", "")),
        "" if ground_only or chance.random() < 0.05 else f"{tenths / 10}",
        f"{chance.randrange(30) / 10}" if taught and not ground_only else "0.0",
        f"{chance.randrange(20) / 10}" if taught else "0.0",
    ]
