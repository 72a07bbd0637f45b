"""A holder's own pages: instructors, aircraft owners and students, each with their wallet and nothing else.

The database shows these pages one wallet, whatever they ask for (`Visit.reading_own`).
"""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi.responses import RedirectResponse, Response

from console import catalogue, pressed, store
from console.context import Visit
from console.guard import Missing, Pages, form_of
from console.pages.lists import list_page
from console.reads import cards, own, statements
from console.roles import HOLDERS
from fleet.envelope import uuid7

pages = Pages()

WORDS_CHARS_MAX = 2_000
ABOUT_CHARS_MAX = 200


@pages.get("/own", HOLDERS)
async def mine(visit: Visit) -> Response:
    """The balance, what is held, and why a transfer waits."""
    async with visit.reading_own() as tx:
        found = await own.summary(tx)
        standing = await cards.standing(tx, visit.today)
    found["waiting"] = pressed.for_holder(found["waiting"])
    acts = catalogue.allowed(visit.person, "own_onboarding")
    return visit.page("own.html", **found, standing=standing, acts=acts)


@pages.get("/own/flights", HOLDERS)
async def flights(visit: Visit) -> Response:
    return await list_page(visit, own.FLIGHTS, own=True)


@pages.get("/own/flights/{flight_id:path}", HOLDERS)
async def flight(visit: Visit, flight_id: str) -> Response:
    """One flight: its bill line by line, or what of it is the holder's, each with its hours and rate."""
    async with visit.reading_own() as tx:
        found = await own.flight(tx, flight_id)
        if found is None:
            raise Missing
        wallet = visit.person.wallet or ""
        parts = await statements.parts_of_flight(tx, wallet, flight_id, found["revision"])
    pays = wallet.startswith("student:")
    lines = [
        {
            "title": one.title,
            "tenths": one.tenths,
            "rate": one.rate,
            "amount": -one.amount if pays else one.amount,
        }
        for one in parts
    ]
    return visit.page("own_flight.html", found=found, lines=lines, question_id=uuid7())


@pages.get("/own/lines/{source:path}", HOLDERS)
async def line(visit: Visit, source: str) -> Response:
    """What stands behind a line of the account or a statement, and a form to ask about it."""
    found = await _line(visit, source)
    if found is None:
        raise Missing
    return visit.page("own_line.html", found=found, question_id=uuid7())


async def _line(visit: Visit, source: str) -> dict[str, Any] | None:
    if not 0 < len(source) <= ABOUT_CHARS_MAX:
        return None
    async with visit.reading_own() as tx:
        return await own.line(tx, source)


@pages.get("/own/statement", HOLDERS)
async def statement(visit: Visit) -> Response:
    return await list_page(visit, own.STATEMENT, own=True)


@pages.get("/own/transfers", HOLDERS)
async def transfers(visit: Visit) -> Response:
    return await list_page(visit, own.TRANSFERS, own=True)


@pages.get("/own/items", HOLDERS)
async def items(visit: Visit) -> Response:
    return await list_page(visit, own.ITEMS, own=True)


@pages.get("/own/documents/{document:path}", HOLDERS)
async def document(visit: Visit, document: str) -> Response:
    """To what an open item of the holder's is of: their flight, or the lines of their account about it."""
    kind, _, name = document.partition(":")
    async with visit.reading_own() as tx:
        is_flight = kind == "flight" and await own.flight(tx, name) is not None
    address = "/own/flights/" if is_flight else "/own/statement?f.source="
    return RedirectResponse(address + quote(name, safe=""), status_code=303)


@pages.get("/own/payments", HOLDERS)
async def payments(visit: Visit) -> Response:
    return await list_page(visit, own.PAYMENTS, own=True)


@pages.get("/own/corrections", HOLDERS)
async def corrections(visit: Visit) -> Response:
    return await list_page(visit, own.CORRECTIONS, own=True)


@pages.get("/own/questions", HOLDERS)
async def questions(visit: Visit) -> Response:
    return await list_page(visit, own.QUESTIONS, own=True)


@pages.post("/own/questions", HOLDERS)
async def ask(visit: Visit) -> Response:
    """Ask finance about a line of one's own. The form's id makes it one question however often it is sent."""
    form = await form_of(visit)
    words, about = form.get("words", "").strip(), form.get("about", "").strip()
    try:
        question_id = UUID(form.get("question", ""))
    except ValueError:
        raise Missing from None
    if await _line(visit, about) is None:
        raise Missing
    if not 0 < len(words) <= WORDS_CHARS_MAX:
        back = f"/own/lines/{quote(about)}"
        return visit.page("unfit.html", status=422, sentence="Write a question", back=back)
    async with visit.console.db.transaction() as tx:
        await store.questions.ask(
            tx,
            question_id,
            person=visit.person.name,
            wallet=visit.person.wallet or "",
            about=about,
            words=words,
        )
    return RedirectResponse("/own/questions", status_code=303)
