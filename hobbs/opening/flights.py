"""Flights whose money would be in the books twice beside an opening, or in no books at all.

Balances of a day hold what the old software charged for the flights before it. Whether it charged one,
nobody here knows: so such flights are counted and said, and whoever signs the opening answers for them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fleet.database import Tx
from fleet.money import format_minor
from services.billing.desk.reads import around_a_day
from services.billing.desk.reads.around_a_day import FlightsOfASide
from services.ledger.desk.reads import openings

ITEM_KIND = "student_item"


@dataclass(frozen=True, slots=True, kw_only=True)
class AstrideFlights:
    """before: charged here, though of before the day. since: billed elsewhere, though of the day or later.

    items: flights charged here whose number an open item of the opening has as its reference.
    """

    day: date
    before: Sequence[FlightsOfASide]
    since: Sequence[FlightsOfASide]
    items: Sequence[FlightsOfASide]

    def newest(self) -> datetime | None:
        """When the last of them came."""
        return max((one.newest for one in (*self.before, *self.since, *self.items)), default=None)

    def sentences(self) -> list[str]:
        """What to look at; none: nothing."""
        told = ((self.before, self._twice), (self.items, self._of_items), (self.since, self._nowhere))
        return [sentence() for flights, sentence in told if flights]

    def _twice(self) -> str:
        many, to = _many(self.before, f"of before {self.day}"), self.day - timedelta(days=1)
        return (
            f"{many} charged here ({_charged(self.before)}): in the books twice where the old software "
            "charged it too, for the balances of that day hold it then; cancel it (hobbs flights correct). "
            f"All: hobbs flights list --to {to}"
        )

    def _of_items(self) -> str:
        return (
            f"{_many(self.items)} charged here and an open item of the opening by the same number "
            f"({_charged(self.items)}): in the books twice; cancel the flight (hobbs flights correct), or "
            "revert the line (hobbs opening revert)"
        )

    def _nowhere(self) -> str:
        many, example = _many(self.since, f"from {self.day} on"), self.since[0].example
        return (
            f"{many} here as billed elsewhere ({example} is one): balances of that day cannot hold it, so "
            "its money is in no books unless it is posted by hand. "
            f"All: hobbs flights list --from {self.day}"
        )


def _many(flights: Sequence[FlightsOfASide], which: str = "") -> str:
    count = sum(one.flights for one in flights)
    return " ".join(
        filter(None, (f"{count} flight{'s' * (count != 1)}", which, "is" if count == 1 else "are"))
    )


def _charged(flights: Sequence[FlightsOfASide]) -> str:
    sums = ", ".join(f"{format_minor(one.charge, one.currency)} {one.currency}" for one in flights)
    return f"{sums}; {flights[0].example} is one"


async def astride_flights(tx: Tx, day: date, references: Collection[str]) -> AstrideFlights:
    """Flights on the wrong side of an opening's day. references: those of its open items."""
    return AstrideFlights(
        day=day,
        before=await around_a_day.billed_before(tx, day),
        since=await around_a_day.elsewhere_since(tx, day),
        items=await around_a_day.charged_here(tx, references),
    )


async def astride_the_newest_opening(tx: Tx) -> AstrideFlights | None:
    """Flights on the wrong side of the newest opening's day; None: no line stands."""
    lines = [one for one in await openings.lines(tx, None) if one.stands]
    if not lines:
        return None
    references = {one.reference for one in lines if one.kind == ITEM_KIND}
    return await astride_flights(tx, max(one.as_of for one in lines), references)
