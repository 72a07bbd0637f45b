"""A month's flights priced twice: by the book as it is, and with a card as somebody would have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from console.context import Visit
from console.reads import school
from console.statements import MONTH
from console.times import next_month
from fleet.database import Tx
from services.billing.desk import rate_changes, reads
from services.billing.desk.rate_changes import FlightDifference, RateChange, UnfitCard

FLIGHTS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A month by the book and by a change: sums by wallet, and the flights that change most."""

    first: date
    found: RateChange | None = None
    problem: str = ""
    sums: Sequence[Mapping[str, Any]] = field(default_factory=list)
    flights: Sequence[Mapping[str, Any]] = field(default_factory=list)


async def not_yet(visit: Visit, tx: Tx) -> Priced:
    """The month that would be priced, and nothing of it."""
    return Priced(first=await _first_day(visit, tx))


async def priced(visit: Visit, tx: Tx, kind: str, key: str, document: Mapping[str, Any]) -> Priced:
    """What a card as it would be does to the flights of a month."""
    first = await _first_day(visit, tx)
    until = next_month(first) - timedelta(days=1)
    try:
        found = await rate_changes.would_change(tx, kind, key, document, since=first, until=until)
    except UnfitCard as unfit:
        return Priced(first=first, problem=f"The book would not take this: {unfit}")
    return Priced(first=first, found=found, sums=_sums(found.changed), flights=_largest(found.changed))


async def priced_as_asked(visit: Visit, tx: Tx, about: str, told: Mapping[str, Any]) -> Priced | None:
    """What a proposal does that was asked for (`propose_rates`); None when its card is not in the book."""
    kind, _, key = about.partition("/")
    standing = await newest_card(tx, kind, key)
    amounts = told.get("amounts")
    if standing is None or not isinstance(amounts, dict):
        return None
    return await priced(visit, tx, kind, key, standing | amounts)


async def newest_card(tx: Tx, kind: str, key: str) -> dict[str, Any] | None:
    """The newest card of this kind and key, as the book has it; None: there is none."""
    cards = (await reads.some_of_the_book(tx, [kind], key=key)).cards
    return dict(cards[-1].document) if cards else None


async def _first_day(visit: Visit, tx: Tx) -> date:
    """The first day of the month that the browser asked for; else of the newest with flights."""
    named = visit.request.query_params.get("month", "")
    if MONTH.fullmatch(named):
        return date.fromisoformat(f"{named}-01")
    return (await school.newest_day(tx) or visit.today).replace(day=1)


def _sums(changed: Sequence[FlightDifference]) -> list[dict[str, Any]]:
    """For each wallet what the flights that differ leave on it, by the book and by the change."""
    before, after = dict[str, int](), dict[str, int]()
    for one in changed:
        for sums, amounts in ((before, one.before), (after, one.after)):
            for wallet, amount in amounts.items():
                sums[wallet] = sums.get(wallet, 0) + amount
    rows: list[dict[str, Any]] = [
        {"wallet": wallet, "before": before.get(wallet, 0), "after": after.get(wallet, 0)}
        for wallet in dict.fromkeys([*before, *after])
    ]
    found = [row | {"difference": row["after"] - row["before"]} for row in rows]
    return sorted((row for row in found if row["difference"]), key=lambda row: -abs(row["difference"]))


def _largest(changed: Sequence[FlightDifference]) -> list[dict[str, Any]]:
    """The flights that change most, each with what its student and the school would have seen."""
    rows: list[dict[str, Any]] = [
        {
            "flight_id": one.flight_id,
            "billed_on": one.billed_on,
            "wallet": wallet,
            "before": one.before.get(wallet, 0),
            "after": one.after.get(wallet, 0),
            "difference": difference,
        }
        for one in changed
        for wallet, difference in one.differences().items()
    ]
    return sorted(rows, key=lambda row: -abs(row["difference"]))[:FLIGHTS_SHOWN]
