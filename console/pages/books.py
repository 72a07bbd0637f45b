"""Wallets with their statements, and journals with their entries."""

from dataclasses import asdict
from typing import Any

from fastapi.responses import Response

from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import file_form, file_of, list_page
from console.reads.books import MOVEMENTS, STATEMENT, WALLETS
from console.reads.tables import EXPORT_MAX
from console.roles import STAFF
from fleet.database import Tx
from services.ledger.desk import reads
from services.payouts.desk.reads import list_movements

pages = Pages()

LINES = 50
NAME_CHARS_MAX = 300


@pages.get("/wallets", STAFF)
async def wallets(visit: Visit) -> Response:
    return await list_page(visit, WALLETS)


@pages.get("/wallets/{address:path}", STAFF)
async def wallet(visit: Visit, address: str, currency: str = "", before: str = "") -> Response:
    """A wallet's balance, holds and statement, the newest lines first."""
    if len(address) > NAME_CHARS_MAX:
        raise Missing
    version = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    async with visit.reading() as tx:
        balances = await reads.balances.list_balances(tx, wallet=address)
        chosen = next((one for one in balances if currency in ("", one.currency)), None)
        if chosen is None:
            raise Missing
        if form := file_form(visit):
            whole = await _whole_statement(tx, address, chosen.currency)
            return await file_of(STATEMENT, whole, visit.school.zone, form)
        lines = await reads.statements.statement(tx, address, chosen.currency, before=version, most=LINES)
        holds = await reads.holds.list_holds(tx, wallet=address)
    return visit.page("wallet.html", balances=balances, chosen=chosen, lines=lines, holds=holds)


async def _whole_statement(tx: Tx, address: str, currency: str) -> list[dict[str, Any]]:
    """A statement for a file, the newest lines first: more than a file may hold when there are more."""
    found: list[dict[str, Any]] = []
    before: int | None = None
    while len(found) <= EXPORT_MAX:
        page = await reads.statements.statement(
            tx, address, currency, before=before, most=reads.statements.PAGE_LINES_MAX
        )
        found += [asdict(line) for line in reversed(page.lines)]
        before = page.before
        if before is None:
            break
    return found


@pages.get("/journals/{name:path}", STAFF)
async def journal(visit: Visit, name: str) -> Response:
    """A journal by its source or id, with its entries."""
    if len(name) > NAME_CHARS_MAX:
        raise Missing
    async with visit.reading() as tx:
        found = await reads.journals.find_journal(tx, name)
    if found is None:
        raise Missing
    return visit.page("journal.html", found=found)


@pages.get("/movements", STAFF)
async def movements(visit: Visit) -> Response:
    return await list_page(visit, MOVEMENTS)


@pages.get("/movements/{transaction_id}", STAFF)
async def movement(visit: Visit, transaction_id: str) -> Response:
    """One row of the school's Stripe balance that nothing explains."""
    async with visit.reading() as tx:
        rows = await list_movements(tx, every=False, closed=True, most=5_000)
    found = next((row for row in rows if row["transaction_id"] == transaction_id), None)
    if found is None:
        raise Missing
    return visit.page("movement.html", found=found)
