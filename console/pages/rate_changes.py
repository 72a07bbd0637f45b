"""Changes of rates: what another amount would have done to a month's flights; proposals, and who decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from fastapi.responses import Response

from console import cards, catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads import flights as lists
from console.reads import school
from console.roles import STAFF
from console.statements import MONTH
from console.times import next_month
from fleet.database import Tx
from fleet.money import format_minor, parse_minor
from schemas.school import amounts_of
from services.billing.desk import rate_changes, reads
from services.billing.desk.rate_changes import FlightDifference, RateChange, UnfitCard
from services.billing.desk.reads import proposals
from services.billing.domain.proposals import KINDS

pages = Pages()

FLIGHTS_SHOWN: Final = 50
AMOUNT_CHARS_MAX: Final = 20


@pages.get("/rate-proposals", STAFF)
async def every(visit: Visit) -> Response:
    """What was proposed, and what became of it; one person proposes, another approves."""
    return await list_page(visit, lists.PROPOSALS)


@pages.get("/rate-proposals/{proposal_id}", STAFF)
async def proposal(visit: Visit, proposal_id: UUID) -> Response:
    """One proposal: each amount before and after, the newest month by both, and who decided."""
    async with visit.reading() as tx:
        found = await proposals.one(tx, proposal_id)
        if found is None:
            raise Missing
        shown = await _shown(visit, tx, found["kind"], found["key"], found["new"])
    waits = found["state"] == "waiting"
    return visit.page(
        "rate_proposal.html",
        found=found,
        settings=_settings(found["kind"], found["old"], found["new"], visit.school.currency),
        acts=catalogue.allowed(visit.person, "approve_rates", "reject_rates") if waits else [],
        shown=shown,
    )


@pages.get("/rate-changes/{kind}/{key:path}", STAFF)
async def preview(visit: Visit, kind: str, key: str) -> Response:
    """The amounts of a card as a form; with some sent, a month's flights by the book and by them."""
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
        asked, problems = _asked(visit, kind, document.document, currency)
        changed = {name: amount for name, amount in asked.items() if document.document.get(name) != amount}
        shown = _Shown(first=await _first_day(visit, tx))
        if asked and not problems:
            shown = await _shown(visit, tx, kind, key, document.document | asked)
    return visit.page(
        "rate_change.html",
        kind=kind,
        key=key,
        fields=_fields(kind, document.document | asked, currency),
        asked={name: (document.document.get(name), amount) for name, amount in changed.items()},
        problems=problems,
        shown=shown,
        acts=catalogue.allowed(visit.person, "propose_rates") if changed and not shown.problem else [],
        values={
            "effective_from": visit.today + timedelta(days=1),
            "amounts": [
                (name, f"{cards.title_of(name).capitalize()}", format_minor(amount, currency))
                for name, amount in changed.items()
            ],
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A month's flights by the book and by a change: sums by wallet, and the flights that change most."""

    first: date
    found: RateChange | None = None
    problem: str = ""
    sums: Sequence[Mapping[str, Any]] = field(default_factory=list)
    flights: Sequence[Mapping[str, Any]] = field(default_factory=list)


async def _first_day(visit: Visit, tx: Tx) -> date:
    """The first day of the month that the browser asked for; else of the newest with flights."""
    named = visit.request.query_params.get("month", "")
    if MONTH.fullmatch(named):
        return date.fromisoformat(f"{named}-01")
    return (await school.newest_day(tx) or visit.today).replace(day=1)


async def _shown(visit: Visit, tx: Tx, kind: str, key: str, document: Mapping[str, Any]) -> _Shown:
    first = await _first_day(visit, tx)
    until = next_month(first) - timedelta(days=1)
    try:
        found = await rate_changes.would_change(tx, kind, key, document, since=first, until=until)
    except UnfitCard as unfit:
        return _Shown(first=first, problem=f"The book would not take this: {unfit}")
    return _Shown(first=first, found=found, sums=_sums(found.changed), flights=_largest(found.changed))


def _settings(
    kind: str, old: Mapping[str, Any], new: Mapping[str, Any], currency: str
) -> list[dict[str, str]]:
    """The settings of a card that a proposal changes, before and after."""
    return [
        {
            "setting": cards.title_of(name).capitalize(),
            "before": cards.setting(kind, name, old.get(name), currency),
            "after": cards.setting(kind, name, new.get(name), currency),
        }
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _fields(kind: str, document: Mapping[str, Any], currency: str) -> list[tuple[str, str, str]]:
    """The settings of a card that are amounts, with their titles and what they say."""
    return [
        (name, cards.title_of(name), format_minor(document[name], currency))
        for name in sorted(amounts_of(kind))
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
