"""Settings, to look at only: what is in force, and where each value comes from."""

import os

from fastapi.responses import Response

from console.context import Visit
from console.guard import Pages
from console.reads import school
from console.roles import STAFF
from console.settled import OF_THE_SCHOOL, of_the_book, of_the_console
from services.billing.desk import reads

pages = Pages()


@pages.get("/settings", STAFF)
async def settings(visit: Visit) -> Response:
    """The school's settings by its book, what this console was told, and which Stripe payouts works with."""
    async with visit.reading() as tx:
        book = await reads.some_of_the_book(tx, OF_THE_SCHOOL)
        stripe = await school.stripe(tx)
    return visit.page(
        "settings.html",
        version=book.version,
        parts_of_book=of_the_book(book, visit.today),
        console=of_the_console(visit.console.settings, os.environ),
        stripe=stripe,
    )
