"""Lists that go by name: their rows are computed one by one, so a page asks for the next names only."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Final

from console.reads.tables import EXPORT_MAX
from fleet.database import Tx

PAGE: Final = 50
AT_ONCE: Final = 1_000

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


async def everything(tx: Tx, now: datetime, read: Part, only: Sequence[str] | None) -> list[dict[str, Any]]:
    """All rows, for a file: EXPORT_MAX at most, one more when there are more."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None and len(found) <= EXPORT_MAX:
        rows, after = await read(tx, now, after, AT_ONCE, only)
        found += rows
    return found[: EXPORT_MAX + 1]
