"""A second calculator: the same rules as services/billing/README.md, written another way, sharing no code.

One flight at a time, straight from school.toml and a flights CSV, in exact decimals of the currency. It
answers what every wallet gets of every flight; a system test compares its totals with the ledger's.
"""

import csv
import tomllib
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

zoneinfo.reset_tzpath(to=())  # the pinned tzdata package, also where this runs without the workers' code
CENT = Decimal("0.01")
BEGINNING = date(1900, 1, 1)
KINDS = ("rental", "instruction", "ground", "surcharge", "airport_fee", "convenience_fee", "fuel")


class Refused(Exception):
    """This flight is not billed."""


@dataclass
class Books:
    """What every flight did: amounts by wallet, and which flights were refused."""

    flights: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def totals(self) -> dict[str, Decimal]:
        totals: dict[str, Decimal] = {}
        for wallets in self.flights.values():
            for wallet, amount in wallets.items():
                totals[wallet] = totals.get(wallet, Decimal(0)) + amount
        return {wallet: amount for wallet, amount in sorted(totals.items()) if amount}


def calculate_file(school: Path, flights: Path) -> Books:
    """Bill a whole CSV by a school.toml."""
    with flights.open(newline="", encoding="utf-8-sig") as lines:
        return calculate(school.read_text(encoding="utf-8"), csv.DictReader(lines))


def calculate(school: str, rows: Iterable[Mapping[str, str]]) -> Books:
    """Bill rows of a flights CSV by a school.toml."""
    book, books = tomllib.loads(school, parse_float=Decimal), Books()
    for row in rows:
        try:
            books.flights[row["flight_id"]] = bill(book, row)
        except Refused as why:
            books.refused[row["flight_id"]] = str(why)
    return books


def rounded(exact: Fraction) -> Decimal:
    """Half up, to the cent: the only rounding there is."""
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(CENT, rounding=ROUND_HALF_UP)


def times(rate: Any, hours: Decimal) -> Decimal:
    return rounded(Fraction(Decimal(rate)) * Fraction(hours))


def percent_of(percent: Any, amount: Decimal) -> Decimal:
    return rounded(Fraction(Decimal(percent)) / 100 * Fraction(amount))


def bill(book: Mapping[str, Any], row: Mapping[str, str]) -> dict[str, Decimal]:
    """What one flight books on each wallet."""
    facts = {name: reading(name, row.get(name, "")) for name in READINGS}
    for out, back in (METERS[:2], METERS[2:]):
        if facts[out] == facts[back] == 0:
            facts[out] = facts[back] = None
    dual, ground = facts["dual_hours"] or Decimal(0), facts["ground_hours"] or Decimal(0)
    day = local_day(book, row)
    student = in_force(book, "student", day, id=row["student"])
    plane = in_force(book, "aircraft", day, tail=row["aircraft"]) if row["aircraft"] else None
    teacher = in_force(book, "instructor", day, id=row["instructor"]) if row["instructor"] else None
    if teacher is None and (dual or ground):
        raise Refused("instruction without instructor")
    if teacher and student.get("also_instructor") == teacher["id"]:
        raise Refused("self-instruction")
    if plane is None and (facts["flight_hours"] or dual or any(facts[name] is not None for name in METERS)):
        raise Refused("hours without aircraft")
    hours = billed_hours(plane, facts) if plane else Decimal(0)

    charged: list[tuple[str, Decimal]] = []
    owner = Decimal(0)
    if plane:
        rent, owner = rental(plane, hours, dual)
        charged += rent
    if dual and not (plane and plane["model"] == "bundled"):
        charged.append(("instruction", times(student_rate(book, "flight_per_hour", row, day), dual)))
    if ground:
        charged.append(("ground", times(student_rate(book, "ground_per_hour", row, day), ground)))
    if plane and hours:
        charged += extras(plane, hours, charged)
    tax = sum((percent_of(tax_rate(book, plane, kind, day), amount) for kind, amount in charged), Decimal(0))

    wallets: dict[str, Decimal] = {}
    charge = sum((amount for _, amount in charged), Decimal(0)) + tax
    wallets[f"student:{row['student']}"] = -charge
    if teacher:
        pay = times(teacher["flight_per_hour"], dual) + times(teacher["ground_per_hour"], ground)
        wallets[f"instructor:{row['instructor']}"] = pay
    if plane and "owner" in plane:
        in_force(book, "owner", day, id=plane["owner"])
        wallets[f"aircraft_owner:{plane['owner']}"] = owner
    if plane:
        wallets[f"liability:reserve-{row['aircraft']}"] = times(plane.get("reserve_per_hour", 0), hours)
    wallets["liability:tax"] = tax
    wallets["platform:school"] = -sum(wallets.values(), Decimal(0))
    return {wallet: amount for wallet, amount in wallets.items() if amount}


METERS = ("hobbs_out", "hobbs_in", "tach_out", "tach_in")
READINGS = (*METERS, "flight_hours", "dual_hours", "ground_hours")


def reading(name: str, text: str) -> Decimal | None:
    if not text.strip():
        return None
    value = Decimal(text)
    if value * 10 % 1:
        raise Refused(f"{name} has more than one decimal")
    limit = 24 if name.endswith("_hours") else Decimal("999999.9")
    if not 0 <= value <= limit:
        raise Refused(f"{name} is impossible")
    return value


def local_day(book: Mapping[str, Any], row: Mapping[str, str]) -> date:
    given = date.fromisoformat(row["date"])
    if not row.get("time_out_utc"):
        return given
    out = datetime.combine(given, datetime.strptime(row["time_out_utc"], "%H:%M").time(), UTC)  # noqa: DTZ007
    if row.get("time_in_utc"):
        back = datetime.combine(given, datetime.strptime(row["time_in_utc"], "%H:%M").time(), UTC)  # noqa: DTZ007
        assert (back if back >= out else back + timedelta(days=1)) - out <= timedelta(days=1)
    return out.astimezone(ZoneInfo(book["school"]["time_zone"])).date()


def in_force(book: Mapping[str, Any], table: str, day: date, **identity: str) -> dict[str, Any]:
    cards = [c for c in book.get(table, []) if all(c.get(k) == v for k, v in identity.items())]
    current = [c for c in cards if starts(c) <= day]
    if not current:
        raise Refused(f"{table} {identity}: {'not yet in force' if cards else 'unknown'}")
    newest: dict[str, Any] = max(current, key=starts)
    return newest


def starts(card: Mapping[str, Any]) -> date:
    first = card.get("effective_from", BEGINNING)
    return date.fromisoformat(str(first))


def billed_hours(plane: Mapping[str, Any], facts: Mapping[str, Decimal | None]) -> Decimal:
    differences = {}
    for meter in ("hobbs", "tach"):
        out, back = facts[f"{meter}_out"], facts[f"{meter}_in"]
        if out is not None and back is not None:
            differences[meter] = ran(plane.get(f"{meter}_digits"), out, back, facts["flight_hours"])
    if any(not 0 <= difference <= 24 for difference in differences.values()):
        raise Refused("meter runs backwards or more than a day")
    if plane["meter"] in differences:
        return differences[plane["meter"]]
    logged = facts["flight_hours"]
    if logged is None:
        raise Refused("no hours")
    return logged


def ran(digits: int | None, out: Decimal, back: Decimal, logged: Decimal | None) -> Decimal:
    """What a meter ran; one that shows less than before has gone past its end."""
    if digits and max(out, back) >= 10**digits:
        raise Refused("more than the meter can show")
    if back >= out:
        return back - out
    ends = [10**digits] if digits else [1000, 10_000, 100_000, 1_000_000]
    past = [end - out + back for end in ends if end > out and end - out + back <= 24]
    if not past or (not digits and past[0] != logged):
        raise Refused("meter runs backwards")
    return past[0]


def rental(
    plane: Mapping[str, Any], hours: Decimal, dual: Decimal
) -> tuple[list[tuple[str, Decimal]], Decimal]:
    """What the student pays for the aircraft, by kind of tax, and what the owner gets of it."""
    model = plane["model"]
    if model == "bundled":
        rates = [
            plane["aircraft_per_hour"],
            plane["instruction_per_hour"] if dual else 0,
            plane["fuel_per_hour"],
        ]
        whole = times(sum(Decimal(r) for r in rates), hours)
        parts = split(whole, [Decimal(r) for r in rates])
        return list(zip(("rental", "instruction", "fuel"), parts, strict=True)), share(plane, hours, parts[0])
    if model == "leased":
        rent = times(Decimal(plane["cost_per_hour"]) + Decimal(plane["margin_per_hour"]), hours)
        return [("rental", rent)], guaranteed(plane, hours, times(plane["cost_per_hour"], hours))
    rent = times(plane["cost_per_hour" if model == "passthrough" else "rate_per_hour"], hours)
    if model == "owned":
        return [("rental", rent)], share(plane, hours, rent)
    return [("rental", rent)], rent if "owner" in plane else Decimal(0)


def split(whole: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Whole cents down, then one more cent to the largest fractions, the earlier first."""
    total = sum(weights, Decimal(0))
    if not total:
        return [Decimal(0)] * len(weights)
    exact = [Fraction(whole) * Fraction(w) / Fraction(total) * 100 for w in weights]
    cents = [int(x) for x in exact]
    left = int(whole * 100) - sum(cents)
    order = sorted(range(len(weights)), key=lambda i: (-(exact[i] - cents[i]), i))
    for i in order[:left]:
        cents[i] += 1
    return [Decimal(c) * CENT for c in cents]


def share(plane: Mapping[str, Any], hours: Decimal, base: Decimal) -> Decimal:
    if "owner" not in plane:
        return Decimal(0)
    if "owner_share_percent" in plane:
        return guaranteed(plane, hours, percent_of(plane["owner_share_percent"], base))
    return guaranteed(plane, hours, times(plane["owner_share_per_hour"], hours))


def guaranteed(plane: Mapping[str, Any], hours: Decimal, amount: Decimal) -> Decimal:
    if not hours:
        return amount
    least = times(plane.get("owner_minimum_per_hour", 0), hours)
    return max(amount, least, Decimal(plane.get("owner_minimum_per_flight", 0)))


def extras(
    plane: Mapping[str, Any], hours: Decimal, charged: list[tuple[str, Decimal]]
) -> list[tuple[str, Decimal]]:
    rent = sum((amount for kind, amount in charged if kind == "rental"), Decimal(0))
    found = [("surcharge", times(plane.get("surcharge_per_hour", 0), hours))]
    found += [("airport_fee", Decimal(fee["amount"])) for fee in plane.get("airport_fees", [])]
    if "convenience_fee_per_flight" in plane:
        found.append(("convenience_fee", Decimal(plane["convenience_fee_per_flight"])))
    if "convenience_fee_per_hour" in plane:
        found.append(("convenience_fee", times(plane["convenience_fee_per_hour"], hours)))
    if "convenience_fee_percent" in plane:
        found.append(("convenience_fee", percent_of(plane["convenience_fee_percent"], rent)))
    return found


def student_rate(book: Mapping[str, Any], figure: str, row: Mapping[str, str], day: date) -> Any:
    for scope in ({"student": row["student"]}, {"instructor": row["instructor"]}, {}):
        cards = [
            c
            for c in book.get("student_rate", [])
            if {k: v for k, v in c.items() if k in ("student", "instructor")} == scope and starts(c) <= day
        ]
        if cards and figure in (newest := max(cards, key=starts)):
            return newest[figure]
    raise Refused(f"no {figure}")


def tax_rate(book: Mapping[str, Any], plane: Mapping[str, Any] | None, kind: str, day: date) -> Any:
    if plane and kind in plane.get("tax", {}):
        return plane["tax"][kind]
    cards = [c for c in book.get("tax", []) if c["line"] == kind and starts(c) <= day]
    return max(cards, key=starts)["percent"] if cards else 0
