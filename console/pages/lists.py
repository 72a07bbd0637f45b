"""A list as a page or as a file: what is shown is what is exported."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Literal, cast, get_args
from urllib.parse import urlencode

from fastapi.responses import Response, StreamingResponse

from console import pressed, shown
from console.context import Visit
from console.reads import tables
from console.reads.tables import Listing, Page, Question
from console.workbooks import MEDIA_TYPE as XLSX
from console.workbooks import workbook

Form = Literal["csv", "xlsx"]
CSV: Final = "text/csv; charset=utf-8"


async def list_page(
    visit: Visit,
    listing: Listing,
    template: str = "list.html",
    *,
    own: bool = False,
    given: Mapping[str, Any] | None = None,
    kept: Mapping[str, str] | None = None,
    as_of: datetime | None = None,
    **more: Any,
) -> Response:
    """The list as the browser asked for it: a page, or a file with all rows that the filters let through.

    own: in a transaction that shows the holder's own wallet only. given: parameters of the list's own query;
    kept: what the addresses of the same list, asked otherwise, say as well. as_of: when what stands beside
    the list was read, where that was not now.
    """
    asked = tables.question(listing, dict(visit.request.query_params))
    zone, form, people = visit.school.zone, file_form(visit), {} if own else visit.school.people
    if form:
        async with visit.reading_own() if own else visit.reading() as tx:
            rows = await tables.everything(tx, listing, asked, zone=zone, given=given, people=people)
        rows = said_to_holders(listing, rows) if own else rows
        return await file_of(listing, rows, zone, form)

    async def read() -> Page:
        async with visit.reading_own() if own else visit.reading() as tx:
            return await tables.page(tx, listing, asked, zone=zone, given=given, people=people)

    if listing.sums and not own and asked == Question(order=listing.order):
        key = (listing.name, zone, *sorted((given or {}).items()))
        found, read_at = await visit.console.recent.get(key, read)
        as_of = min(read_at, as_of or read_at)
    else:
        found = await read()
    if own:
        found = replace(found, rows=said_to_holders(listing, found.rows))
    shown_with: dict[str, Any] = {
        "listing": listing,
        "asked": asked,
        "found": found,
        "links": Links(visit, asked, kept or {}),
        "kept": kept or {},
        "as_of": as_of,
    }
    return visit.page(template, **shown_with, **more)


def said_to_holders(listing: Listing, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with sentences as who sees their own money only is told them."""
    said = [column.name for column in listing.columns if column.kind == "long"]
    return [
        {**row, **{name: pressed.in_words(row[name], holder=True) for name in said if row[name]}}
        for row in rows
    ]


def file_form(visit: Visit) -> Form | None:
    """The form of file that the browser asked for instead of a page."""
    asked = visit.request.query_params.get("as", "")
    return cast("Form", asked) if asked in get_args(Form) else None


async def file_of(listing: Listing, rows: Sequence[Mapping[str, Any]], zone: str, form: Form) -> Response:
    """All rows as a file. One that is cut says so in its name: nobody takes a part for the whole."""
    cut = len(rows) > tables.EXPORT_MAX
    name = f"{listing.name}-first-{tables.EXPORT_MAX}" if cut else listing.name
    kept = rows[: tables.EXPORT_MAX]
    if form == "xlsx":
        # In a thread: for seconds no other page would be answered.
        body = await asyncio.to_thread(workbook, listing, kept, zone)
        return attached(body, f"{name}.xlsx", XLSX)

    async def lines() -> AsyncIterator[str]:
        for line in shown.csv_lines(listing, kept, zone):
            yield line

    return StreamingResponse(lines(), media_type=CSV, headers=_attachment(f"{name}.csv"))


def attached(body: bytes, name: str, media_type: str) -> Response:
    """A file that the browser keeps."""
    return Response(body, media_type=media_type, headers=_attachment(name))


def _attachment(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


class Links:
    """Addresses of the same list, asked otherwise."""

    def __init__(self, visit: Visit, asked: Question, kept: Mapping[str, str]) -> None:
        self._path = visit.request.url.path
        self._filters = {**kept, **{f"f.{name}": text for name, text in asked.filters.items()}}
        self._asked = asked

    def sorted_by(self, column: str) -> str:
        turned = column == self._asked.sorted_by and not self._asked.descending
        return self._to(sort=f"-{column}" if turned else column)

    def next_page(self, cursor: str) -> str:
        return self._to(sort=self._asked.order, after=cursor)

    def file(self, form: Form) -> str:
        return self._to(sort=self._asked.order, **{"as": form})

    def first_page(self) -> str:
        return self._to(sort=self._asked.order)

    def _to(self, **changed: str) -> str:
        return f"{self._path}?{urlencode(self._filters | changed)}"
