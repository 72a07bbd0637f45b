"""What of a flight's bill makes up a line of a statement: hours, rate and amount of each part. Pure.

Bills are never changed: a revision's parts are the same whenever they are asked for, so they belong to the
statement as it was issued.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

ADJUSTMENT: Final = "adjustment"
_REVISION_DIGITS_MAX: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a flight. Hours are tenths; rate and amount are minor units.

    counted: it is in the holder's money; what the school keeps for the aircraft's reserve is not.
    """

    day: date
    flight_id: str
    revision: int
    aircraft: str | None
    other: str | None
    title: str
    tenths: int | None
    rate: int | None
    amount: int
    counted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Parts of one kind, or of one aircraft, together."""

    title: str
    tenths: int
    amount: int


def flight_of(source: str) -> tuple[str, int] | None:
    """The flight and revision whose bill or correction a journal is; None: it is neither."""
    kind, _, rest = source.partition(":")
    flight, _, revision = rest.rpartition(":")
    if kind not in ("flight", ADJUSTMENT) or not (revision.isascii() and revision.isdecimal()):
        return None
    return (flight, int(revision)) if flight and len(revision) <= _REVISION_DIGITS_MAX else None


def correction_of(line: Mapping[str, Any], day: date) -> Part | None:
    """A correction as a part: what it changes, dated by the day it is booked on; None: the line is none."""
    named = flight_of(line["source"])
    if named is None or not line["source"].startswith(f"{ADJUSTMENT}:"):
        return None
    flight, revision = named
    return Part(
        day=day,
        flight_id=flight,
        revision=revision,
        aircraft=None,
        other=None,
        title="correction",
        tenths=None,
        rate=None,
        amount=line["amount"],
    )


def parts_of(wallet: str, bill: Mapping[str, Any]) -> Iterator[Part]:
    """The parts of a bill for a wallet: a student's lines, else what the wallet gets."""
    kind = wallet.partition(":")[0]
    common: dict[str, Any] = {
        "day": bill["billed_on"],
        "flight_id": bill["flight_id"],
        "revision": bill["revision"],
        "aircraft": bill["aircraft"],
        "other": bill["student"]
        if kind == "instructor"
        else bill["instructor"]
        if kind == "student"
        else None,
    }
    for line in bill["lines"]:
        yield Part(
            **common,
            title=line["description"],
            tenths=line.get("tenths"),
            rate=line.get("rate"),
            amount=-line["amount"],
        )
    paid = {
        "instruction": (bill["dual"], bill["flight_pay"]),
        "ground": (bill["ground"], bill["ground_pay"]),
    }
    for leg in bill["legs"]:
        tenths, rate = paid.get(leg["kind"], (bill["tenths"], None))
        kept = "" if leg["wallet"] == wallet else ", kept for the aircraft"
        yield Part(
            **common,
            title=leg["kind"].replace("_", " ") + kept,
            tenths=tenths,
            rate=rate,
            amount=leg["amount"],
            counted=leg["wallet"] == wallet,
        )


def sums(wallet: str, parts: Iterable[Part]) -> list[Sum]:
    """An owner's parts by aircraft and kind, an instructor's by kind; of a student none."""
    kind = wallet.partition(":")[0]
    if kind == "student":
        return []
    together: dict[str, tuple[int, int]] = {}
    for part in parts:
        title = f"{part.aircraft}, {part.title}" if kind == "aircraft_owner" and part.aircraft else part.title
        tenths, amount = together.get(title, (0, 0))
        together[title] = (tenths + (part.tenths or 0), amount + part.amount)
    return [Sum(title=title, tenths=t, amount=amount) for title, (t, amount) in sorted(together.items())]
