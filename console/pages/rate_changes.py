"""What a change of rates would have done to the flights of a month, before anybody writes it down."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from fastapi.responses import Response

from console import cards
from console.context import Visit
from console.guard import Missing, Pages
from console.reads import school
from console.roles import STAFF
from console.times import next_month
from fleet.money import format_minor, parse_minor
from services.billing.desk import rate_changes, reads
from services.billing.desk.rate_changes import FlightDifference, RateChange, UnfitCard

pages = Pages()

KINDS: Final = ("aircraft", "instructor", "student_rate")
FLIGHTS_SHOWN: Final = 50
AMOUNT_CHARS_MAX: Final = 20


@pages.get("/rate-changes/{kind}/{key:path}", STAFF)
async def preview(visit: Visit, kind: str, key: str) -> Response:
    """The amounts of a card as a form; with some sent, the newest month's flights by the book and by them."""
    currency = visit.school.currency
    async with visit.reading() as tx:
        whole = await reads.whole_book(tx)
        document = max(
            (one for one in whole.cards if (one.kind, one.key) == (kind, key)),
            key=lambda one: one.effective_from,
            default=None,
        )
        if kind not in KINDS or document is None:
            raise Missing
        first = (await school.newest_day(tx) or visit.today).replace(day=1)
        last = next_month(first) - timedelta(days=1)
        asked, problems = _asked(visit, kind, document.document, currency)
        found: RateChange | None = None
        if asked and not problems:
            try:
                found = await rate_changes.would_change(
                    tx, kind, key, document.document | asked, since=first, until=last
                )
            except UnfitCard as unfit:
                problems.append(f"The book would not take this: {unfit}")
    return visit.page(
        "rate_change.html",
        kind=kind,
        key=key,
        fields=_fields(kind, document.document | asked, currency),
        asked={
            name: (document.document.get(name), amount)
            for name, amount in asked.items()
            if document.document.get(name) != amount
        },
        problems=problems,
        first=first,
        found=found,
        sums=_sums(found.changed) if found else [],
        flights=_largest(found.changed) if found else [],
    )


def _fields(kind: str, document: Mapping[str, Any], currency: str) -> list[tuple[str, str, str]]:
    """The settings of a card that are amounts, with their titles and what they say."""
    return [
        (name, cards.title_of(name), format_minor(document[name], currency))
        for name in sorted(cards.amounts_of(kind))
        if isinstance(document.get(name), int) and not name.startswith("payout")
    ]


def _asked(
    visit: Visit, kind: str, document: Mapping[str, Any], currency: str
) -> tuple[dict[str, int], list[str]]:
    """The amounts that the browser sent, in minor units, and what cannot be read."""
    found, problems = dict[str, int](), list[str]()
    for name, title, _ in _fields(kind, document, currency):
        text = visit.request.query_params.get(f"p.{name}", "").strip()
        if not text:
            continue
        try:
            found[name] = parse_minor(text[:AMOUNT_CHARS_MAX], currency)
        except ValueError:
            problems.append(f"{title} is an amount such as 165.00")
    return found, problems


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
