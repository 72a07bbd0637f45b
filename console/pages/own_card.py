"""How a student pays: own saved cards, what is charged by itself, paying now; and what was asked for."""

from typing import Final

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Pages
from console.pages.lists import list_page
from console.reads import cards
from console.roles import STUDENT
from services.receivables.desk.auto_charges import in_words

pages = Pages()

STUDENTS: Final = frozenset({STUDENT})
ACTS: Final = ("own_payment", "own_card", "own_each_flight", "own_threshold", "own_day", "own_off")


@pages.get("/own/card", STUDENTS)
async def card(visit: Visit) -> Response:
    """What is owed, the saved cards, and when one is charged; to pay, to save one, to choose."""
    async with visit.reading_own() as tx:
        standing = await cards.standing(tx, visit.today)
        methods = await cards.methods(tx)
        choice = await cards.choice(tx)
    return visit.page(
        "own_card.html",
        standing=standing,
        methods=methods,
        choice=choice and in_words(*choice),
        acts=catalogue.allowed(visit.person, *ACTS),
    )


@pages.get("/own/charges", STUDENTS)
async def charges(visit: Visit) -> Response:
    return await list_page(visit, cards.CHARGES, own=True)


@pages.get("/own/requests", STUDENTS)
async def requests(visit: Visit) -> Response:
    return await list_page(visit, cards.REQUESTS, own=True)
