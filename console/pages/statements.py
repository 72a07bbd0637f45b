"""Statements of a month, as a page and as a file of the same rows."""

from fastapi.responses import Response

from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import file_form, file_of
from console.reads import statements as reads
from console.reads.tables import EXPORT_MAX
from console.roles import HOLDERS, STAFF
from console.statements import Month, months

pages = Pages()

NAME_CHARS_MAX = 300


@pages.get("/statements/{wallet:path}", STAFF)
async def of_a_wallet(visit: Visit, wallet: str, month: str = "") -> Response:
    """The months of any wallet, or one of them."""
    if len(wallet) > NAME_CHARS_MAX or "\x00" in wallet:
        raise Missing
    return await _answer(visit, wallet, month, own=False)


@pages.get("/own/statements", HOLDERS)
async def of_mine(visit: Visit, month: str = "") -> Response:
    """The months of the holder's own wallet, or one of them."""
    return await _answer(visit, visit.person.wallet or "", month, own=True)


async def _answer(visit: Visit, wallet: str, name: str, *, own: bool) -> Response:
    zone, currency, now = visit.school.zone, visit.school.currency, visit.console.clock()
    month = Month.of(name, zone)
    if (name and month is None) or (month is not None and month.since > now):
        raise Missing
    async with visit.reading_own() if own else visit.reading() as tx:
        first = await reads.first_entry(tx, wallet, own=own)
        if first is None and not own:
            raise Missing
        if month is None:
            listed = months(first, now, zone)
            return visit.page("statements.html", wallet=wallet, months=listed, own=own)
        found = await reads.statement(tx, wallet, month, currency, own=own)
    if len(found.lines) + len(found.later) > EXPORT_MAX:
        said = f"This month has more than {EXPORT_MAX} lines: `hobbs statement {wallet}` writes them"
        return visit.page("unfit.html", status=422, sentence=said, back=visit.request.url.path)
    if form := file_form(visit):
        return await file_of(reads.FILE, found.rows(month, currency), zone, form)
    return visit.page("statement.html", wallet=wallet, month=month, found=found, currency=currency, own=own)
