"""A list as a page or as a file: what is shown is what is exported."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response, StreamingResponse

from console import shown
from console.context import Visit
from console.reads import tables
from console.reads.tables import Listing, Question


async def list_page(
    visit: Visit, listing: Listing, template: str = "list.html", *, own: bool = False, **more: Any
) -> Response:
    """The list as the browser asked for it: a page, or a file with all rows that the filters let through.

    own: in a transaction that shows the holder's own wallet only.
    """
    asked = tables.question(listing, dict(visit.request.query_params))
    async with visit.reading_own() if own else visit.reading() as tx:
        if visit.request.query_params.get("as") == "csv":
            rows = await tables.everything(tx, listing, asked, zone=visit.school.zone)
            return csv_file(listing, rows, visit.school.zone)
        found = await tables.page(tx, listing, asked, zone=visit.school.zone)
    shown_with: dict[str, Any] = {
        "listing": listing,
        "asked": asked,
        "found": found,
        "links": Links(visit, asked),
    }
    return visit.page(template, **shown_with, **more)


def csv_file(listing: Listing, rows: Sequence[Mapping[str, Any]], zone: str) -> Response:
    """All rows as CSV. A file that is cut says so in its name: nobody takes a part for the whole."""
    cut = len(rows) > tables.EXPORT_MAX
    name = f"{listing.name}-first-{tables.EXPORT_MAX}.csv" if cut else f"{listing.name}.csv"

    async def lines() -> AsyncIterator[str]:
        for line in shown.csv_lines(listing, rows[: tables.EXPORT_MAX], zone):
            yield line

    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


class Links:
    """Addresses of the same list, asked otherwise."""

    def __init__(self, visit: Visit, asked: Question) -> None:
        self._path = visit.request.url.path
        self._filters = {f"f.{name}": text for name, text in asked.filters.items()}
        self._asked = asked

    def sorted_by(self, column: str) -> str:
        turned = column == self._asked.sorted_by and not self._asked.descending
        return self._to(sort=f"-{column}" if turned else column)

    def next_page(self, cursor: str) -> str:
        return self._to(sort=self._asked.order, after=cursor)

    def file(self) -> str:
        return self._to(sort=self._asked.order, **{"as": "csv"})

    def first_page(self) -> str:
        return self._to(sort=self._asked.order)

    def _to(self, **changed: str) -> str:
        return f"{self._path}?{urlencode(self._filters | changed)}"
