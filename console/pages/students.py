"""Students: one with all that is known of what they owe, their credit, and their saved cards."""

import asyncio
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads import credit
from console.roles import STAFF
from fleet.money import format_minor
from services.billing.desk.reads import proposals
from services.billing.domain.proposals import OWN_LIMIT
from services.receivables.desk import reads
from services.receivables.desk.auto_charges import in_words
from services.receivables.desk.reads import dunning, limits, notes, open_items, recorded
from services.receivables.domain.auto_charges import Choice
from services.receivables.domain.students import is_student_name, wallet_of

pages = Pages()

NEWEST: Final = 10
CHARGING: Final = ("charge_each_flight", "charge_threshold", "charge_day", "charge_off")
PAGES_AT_STRIPE: Final = ("link_card", "link_payment")


@pages.get("/credit/crossings", STAFF)
async def crossings(visit: Visit) -> Response:
    return await list_page(visit, credit.CROSSINGS)


@pages.get("/allowances", STAFF)
async def allowances(visit: Visit) -> Response:
    return await list_page(visit, credit.ALLOWANCES)


@pages.get("/allowances/{allowance_id}", STAFF)
async def allowance(visit: Visit, allowance_id: UUID) -> Response:
    """One flight that was allowed beyond a limit: by whom, until when, and whether a second person agreed."""
    async with visit.reading() as tx:
        found = await credit.allowance(tx, allowance_id)
    if found is None:
        raise Missing
    stands = found["closed_at"] is None and found["until"] > visit.console.clock()
    waits = found["needs_second"] and found["approved_at"] is None
    names = ("approve_allowance",) if waits else ()
    acts = catalogue.allowed(visit.person, *names, "close_allowance") if stands else []
    return visit.page("allowance.html", found=found, stands=stands, waits=waits, acts=acts)


@pages.get("/cards", STAFF)
async def cards(visit: Visit) -> Response:
    return await list_page(visit, credit.CARDS)


@pages.get("/charges", STAFF)
async def charges(visit: Visit) -> Response:
    return await list_page(visit, credit.CHARGES)


@pages.get("/students/{student:path}", STAFF)
async def student(visit: Visit, student: str) -> Response:
    """What a student owes, what is asked for it, how far they may fly, and how they pay."""
    if not is_student_name(student):
        raise Missing
    now = visit.console.clock()
    # Twenty questions one after the other: two connections halve the wait.
    (known, owed), paid = await asyncio.gather(_owed(visit, student, now), _paid(visit, student, now))
    found = owed | paid
    if not known and not found["ageing"] and not found["history"]:
        raise Missing
    return visit.page(
        "student.html", student=student, wallet=wallet_of(student), **found, **_acts(visit, found)
    )


async def _owed(visit: Visit, student: str, now: datetime) -> tuple[bool, dict[str, Any]]:
    """Whether the book knows them; what they owe, what is asked for it, and how far they may fly."""
    async with visit.reading() as tx:
        known, _ = await reads.student_and_currency(tx, student)
        return known, {
            "credit": next(iter(await reads.credits(tx, now, student=student)), None),
            "limits": await reads.credit_limits(tx, student),
            "ageing": await open_items.ageing(tx, now, student=student),
            "dunning": next(iter(await dunning.listed(tx, now, student=student)), None),
            "history": (await dunning.history(tx, student))[::-1],
        }


async def _paid(visit: Visit, student: str, now: datetime) -> dict[str, Any]:
    """How they pay, what they paid, and what people decided about them."""
    async with visit.reading() as tx:
        choices = await reads.charge_choices(tx, student)
        return {
            "methods": (await reads.saved_methods(tx, student))[::-1],
            "choice": next(map(_said, choices), None),
            "charges": (await reads.auto_charges(tx, student=student, most=NEWEST))[::-1],
            "crossings": await reads.crossings(tx, student=student, most=NEWEST),
            "allowances": await reads.allowances(tx, now, student=student, most=NEWEST),
            "limits_asked": await proposals.of_card(tx, OWN_LIMIT, student),
            "limit_changes": await limits.changes(tx, student=student, most=NEWEST),
            "given": await notes.notes(tx, student=student, most=NEWEST),
            "payments": (await reads.payments(tx, "received", student=student, most=NEWEST))[::-1],
            "by_hand": (await recorded.payments(tx, student=student, most=NEWEST))[::-1],
        }


def _said(row: dict[str, Any]) -> str:
    """What a student allows, in words."""
    told = {name: row[name] for name in ("student", "occasion", "threshold", "day", "most", "most_a_day")}
    return in_words(Choice(**told, chosen_on=row["chosen_at"].date()), row["currency"])


def _limit_now(credit: dict[str, Any] | None) -> dict[str, Any]:
    """The fields of the form for a limit, as the limit is now."""
    if credit is None:
        return {}
    limit, until = credit["credit_limit"], credit["until"]
    return {
        "limit": "" if limit is None else format_minor(limit, credit["currency"]),
        "until": until or "",
        "frozen": credit["frozen"],
    }


def _acts(visit: Visit, found: dict[str, Any]) -> dict[str, Any]:
    asked = found["dunning"]
    held = asked["hold"] if asked else None
    overdue = bool(asked and asked["total"])
    names = [
        *(["promise_payment"] if overdue and held != "paused" else []),
        *(["pause_dunning"] if held != "paused" and (overdue or held) else []),
        *(["resume_dunning"] if held else []),
    ]
    return {
        "dunning_acts": catalogue.allowed(visit.person, *names),
        "card_acts": catalogue.allowed(visit.person, *PAGES_AT_STRIPE, *CHARGING),
        "credit_acts": catalogue.allowed(visit.person, "allow_flight"),
        "limit_acts": catalogue.allowed(visit.person, "set_limit"),
        "limit_now": _limit_now(found["credit"]),
        "payment_acts": catalogue.allowed(visit.person, "record_payment", "refund_credit"),
        "bill_acts": catalogue.allowed(visit.person, "credit_bill", "write_off_bill"),
    }
