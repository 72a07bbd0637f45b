"""Lists that go by name: their rows are computed one by one, so a page asks for the next names only."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final

from console.reads.tables import EXPORT_MAX
from fleet.database import Tx

PAGE: Final = 50
AT_ONCE: Final = 1_000

Rows = tuple[list[dict[str, Any]], str | None]
Part = Callable[[Tx, datetime, str, int], Coroutine[Any, Any, Rows]]


async def everything(tx: Tx, now: datetime, read: Part) -> list[dict[str, Any]]:
    """All rows, for a file: EXPORT_MAX at most, one more when there are more."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None and len(found) <= EXPORT_MAX:
        rows, after = await read(tx, now, after, AT_ONCE)
        found += rows
    return found[: EXPORT_MAX + 1]
