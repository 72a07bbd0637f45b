"""Hands the live books, page by page, to a comparison that runs in a thread and knows no event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TypeVar

from fleet.settings import Settings
from hobbs.shadow.books import RatesOfTheBook
from hobbs.shell.connections import reading
from services.billing.desk import reads
from services.billing.desk.reads.in_order import FiledFlight, flights_in_order

R = TypeVar("R")
Compare = Callable[[Iterator[FiledFlight], RatesOfTheBook], R]


async def over_live_books(settings: Settings, compare: Compare[R]) -> R:
    """Run `compare` over every flight of the live books, in the order of their ids, in one snapshot."""
    loop = asyncio.get_running_loop()
    async with reading(settings) as database, database.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rates = RatesOfTheBook(await reads.card_history(tx))
        pages = flights_in_order(tx)

        def flights() -> Iterator[FiledFlight]:
            while page := asyncio.run_coroutine_threadsafe(_next(pages), loop).result():
                yield from page

        return await asyncio.to_thread(compare, flights(), rates)


async def _next(pages: AsyncIterator[Sequence[FiledFlight]]) -> Sequence[FiledFlight]:
    try:
        return await anext(pages)
    except StopAsyncIteration:
        return ()
