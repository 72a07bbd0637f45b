"""Lists that go by name: their rows are computed one by one, so a page asks for the next names only.

In another order all of them are computed, up to SORTED_MAX.
"""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Final

from console.reads.tables import EXPORT_MAX, Listing
from fleet.database import Tx

PAGE: Final = 50
AT_ONCE: Final = 1_000
SORTED_MAX: Final = 5_000

Rows = tuple[list[dict[str, Any]], str | None]
# After a name, so many; of these students alone, where a person looks for some.
Part = Callable[[Tx, datetime, str, int, Sequence[str] | None], Coroutine[Any, Any, Rows]]

_FOUND: Final = """
    SELECT DISTINCT student FROM receivables_public.accounts
    WHERE strpos(lower(student), lower(:text)) > 0 OR student = ANY (CAST(:named AS text[]))
    ORDER BY student LIMIT :most
"""
LOOKED_FOR_MAX: Final = 100


async def looked_for(tx: Tx, text: str, named: Sequence[str]) -> list[str]:
    """Students whose id has this text, or who are among those that are called so; LOOKED_FOR_MAX at most."""
    return [row.student for row in await tx.all(_FOUND, text=text, named=list(named), most=LOOKED_FOR_MAX)]


async def everything(
    tx: Tx, now: datetime, read: Part, only: Sequence[str] | None, *, most: int = EXPORT_MAX
) -> list[dict[str, Any]]:
    """All rows by name: `most` of them, one more when there are more."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None and len(found) <= most:
        rows, after = await read(tx, now, after, AT_ONCE, only)
        found += rows
    return found[: most + 1]


def in_order(rows: Sequence[dict[str, Any]], listing: Listing, order: str) -> list[dict[str, Any]]:
    """The rows sorted by a column and then by name, "-total" the largest first; those without it last."""
    name, turned = order.removeprefix("-"), order.startswith("-")
    by_name = sorted(rows, key=lambda row: str(row[listing.key]))
    known = [row for row in by_name if row[name] is not None]
    ranked = sorted(known, key=lambda row: row[name], reverse=turned)
    return ranked + [row for row in by_name if row[name] is None]
