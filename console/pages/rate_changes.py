"""Changes of rates and limits: what another rate would have done to a month; proposals, and who decides."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from fastapi.responses import Response

from console import cards, catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.priced import newest_card, not_yet, priced
from console.reads import flights as lists
from console.roles import STAFF
from fleet.money import format_minor, parse_minor
from schemas.school import amounts_of
from services.billing.desk.reads import proposals
from services.billing.domain.proposals import KINDS, OWN_LIMIT

pages = Pages()

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
        is_limit = found["kind"] == OWN_LIMIT
        shown = None if is_limit else await priced(visit, tx, found["kind"], found["key"], found["new"])
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
    """The amounts of a card as a form; with some sent, a month's flights by the book and by them.

    Who may propose finds the form for it here at once: its preview prices the month too.
    """
    currency = visit.school.currency
    async with visit.reading() as tx:
        standing = await newest_card(tx, kind, key) if kind in KINDS else None
        if standing is None:
            raise Missing
        asked, problems = _asked(visit, kind, standing, currency)
        changed = {name: amount for name, amount in asked.items() if standing.get(name) != amount}
        is_asked = bool(asked) and not problems
        shown = await (priced(visit, tx, kind, key, standing | asked) if is_asked else not_yet(visit, tx))
    return visit.page(
        "rate_change.html",
        kind=kind,
        key=key,
        fields=_fields(kind, standing | asked, currency),
        asked={name: (standing.get(name), amount) for name, amount in changed.items()},
        problems=problems,
        shown=shown,
        acts=[] if shown.problem else catalogue.allowed(visit.person, "propose_rates"),
        values={
            "effective_from": visit.today + timedelta(days=1),
            "amounts": [
                (
                    name,
                    f"{title.capitalize()} (now {now})",
                    format_minor(changed[name], currency) if name in changed else "",
                )
                for name, title, now in _fields(kind, standing, currency)
            ],
        },
    )


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
