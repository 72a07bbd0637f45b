"""A holder's own pages: instructors, aircraft owners and students, each with their wallet and nothing else.

The database shows these pages one wallet, whatever they ask for (`Visit.reading_own`).
"""

from uuid import UUID

from fastapi.responses import RedirectResponse, Response

from console import catalogue, store
from console.context import Visit
from console.guard import Missing, Pages, form_of
from console.pages.lists import list_page
from console.reads import cards, own
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
    acts = catalogue.allowed(visit.person, "own_onboarding")
    return visit.page("own.html", **found, standing=standing, acts=acts)


@pages.get("/own/flights", HOLDERS)
async def flights(visit: Visit) -> Response:
    return await list_page(visit, own.FLIGHTS, own=True)


@pages.get("/own/flights/{flight_id:path}", HOLDERS)
async def flight(visit: Visit, flight_id: str) -> Response:
    """One flight: its bill line by line, or what of it is the holder's."""
    async with visit.reading_own() as tx:
        found = await own.flight(tx, flight_id)
    if found is None:
        raise Missing
    return visit.page("own_flight.html", found=found, question_id=uuid7())


@pages.get("/own/statement", HOLDERS)
async def statement(visit: Visit) -> Response:
    return await list_page(visit, own.STATEMENT, own=True)


@pages.get("/own/transfers", HOLDERS)
async def transfers(visit: Visit) -> Response:
    return await list_page(visit, own.TRANSFERS, own=True)


@pages.get("/own/items", HOLDERS)
async def items(visit: Visit) -> Response:
    return await list_page(visit, own.ITEMS, own=True)


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
    """Ask finance about a line. The form's own id makes it one question however often it is sent."""
    form = await form_of(visit)
    words, about = form.get("words", "").strip(), form.get("about", "").strip()
    try:
        question_id = UUID(form.get("question", ""))
    except ValueError:
        raise Missing from None
    if not 0 < len(words) <= WORDS_CHARS_MAX or not 0 < len(about) <= ABOUT_CHARS_MAX:
        return visit.page("unfit.html", status=422, sentence="Write a question", back="/own")
    async with visit.reading() as tx:
        await store.questions.ask(
            tx,
            question_id,
            person=visit.person.name,
            wallet=visit.person.wallet or "",
            about=about,
            words=words,
        )
    return RedirectResponse("/own/questions", status_code=303)
