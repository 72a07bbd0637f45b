"""Statements of a month, as a page and as files of the same rows."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi.responses import Response

from console import papers, pressed
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import attached, file_form, file_of
from console.reads import statements as reads
from console.reads.tables import EXPORT_MAX
from console.roles import HOLDERS, STAFF
from console.statement_parts import Part, Sum, sums
from console.statements import Month, Statement, content_hash, months
from fleet.database import Tx

pages = Pages()

NAME_CHARS_MAX = 300
PAPER_LINES_MAX: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A statement with all that is shown beside it.

    issued: what was kept of it, None before it is; changed: it is no longer what was kept. transfers, ageing:
    as they stand now.
    """

    statement: Statement
    parts: list[Part]
    sums: list[Sum]
    year: list[dict[str, Any]]
    issued: dict[str, Any] | None
    changed: bool
    transfers: list[dict[str, Any]]
    ageing: list[dict[str, Any]]


@pages.get("/statements/{wallet:path}", STAFF)
async def of_a_wallet(visit: Visit, wallet: str, month: str = "") -> Response:
    """The months of any wallet, or one of them."""
    if len(wallet) > NAME_CHARS_MAX:
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
        length = len(found.lines) + len(found.later)
        wants_paper = visit.request.query_params.get("as") == "pdf"
        if length > (PAPER_LINES_MAX if wants_paper else EXPORT_MAX):
            most = PAPER_LINES_MAX if wants_paper else EXPORT_MAX
            other = "ask the office for them" if own else f"`hobbs statement {wallet}` writes them"
            said = f"This month has more than {most} lines: {other}"
            return visit.page("unfit.html", status=422, sentence=said, back=visit.request.url.path)
        if form := file_form(visit):
            listing = replace(reads.FILE, name=f"statement-{month.name}")
            return await file_of(listing, found.rows(month, currency), zone, form)
        whole = await _whole(tx, visit, wallet, month, found, own=own)
    shown: dict[str, Any] = {"wallet": wallet, "month": month, "currency": currency, "whole": whole}
    if wants_paper:
        document = papers.statement_document(visit.school, now=now, **shown)
        body = await asyncio.to_thread(papers.typeset, "statement", document)
        return attached(body, f"statement-{month.name}.pdf", "application/pdf")
    return visit.page("statement.html", found=found, own=own, **shown)


async def _whole(tx: Tx, visit: Visit, wallet: str, month: Month, found: Statement, *, own: bool) -> Whole:
    zone, currency = visit.school.zone, visit.school.currency
    parts = await reads.parts(tx, wallet, found.lines, zone, own=own)
    issued = await reads.issued(tx, wallet, month, currency, own=own)
    transfers = await reads.transfers(tx, wallet, month, own=own)
    return Whole(
        statement=found,
        parts=parts,
        sums=sums(wallet, parts),
        year=await reads.year_to_date(tx, wallet, month, currency, zone, own=own),
        issued=issued,
        changed=issued is not None and issued["content_hash"] != content_hash(found, currency),
        transfers=pressed.for_holder(transfers) if own else transfers,
        ageing=await reads.ageing(tx, wallet, currency, visit.today, own=own),
    )
