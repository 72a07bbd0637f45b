"""Hands the live books, page by page, to a comparison that runs in a thread and knows no event loop."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from fleet.database import Tx
from fleet.settings import Settings
from hobbs.shadow.books import RatesOfTheBook
from hobbs.shell.connections import reading
from services.billing.desk import reads
from services.billing.desk.reads.in_order import FiledFlight, FlightDetails, details, flights_in_order

R = TypeVar("R")
Compare = Callable[[Iterator[FiledFlight], RatesOfTheBook, "Details"], R]


async def over_live_books(settings: Settings, compare: Compare[R]) -> R:
    """Run `compare` over every flight of the live books, in the order of their ids, in one snapshot."""
    loop = asyncio.get_running_loop()
    async with reading(settings) as database, database.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rates = RatesOfTheBook(await reads.card_history(tx))
        pages, known = flights_in_order(tx), Details(partial(_asked, loop, tx))

        def flights() -> Iterator[FiledFlight]:
            while page := asyncio.run_coroutine_threadsafe(_next(pages), loop).result():
                yield from page

        with _seldom_collected():
            return await asyncio.to_thread(compare, flights(), rates, known)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """A thousand flights are many objects and no cycle: a sixth of the time went into finding none."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class Details:
    """Lines and facts of flights: of those that were expected they are asked for at once."""

    def __init__(self, ask: Callable[[Collection[str]], Mapping[str, FlightDetails]]) -> None:
        self._ask = ask
        self._known: Mapping[str, FlightDetails] = {}

    def expect(self, flight_ids: Collection[str]) -> None:
        """Ask for those of these flights, and forget the others'. Of one that is not here there are none."""
        self._known = self._ask(flight_ids) if flight_ids else {}

    def of(self, flight_id: str) -> FlightDetails:
        """Those of a flight that was expected."""
        return self._known[flight_id]


def _asked(
    loop: asyncio.AbstractEventLoop, tx: Tx, flight_ids: Collection[str]
) -> Mapping[str, FlightDetails]:
    return asyncio.run_coroutine_threadsafe(details(tx, flight_ids), loop).result()


async def _next(pages: AsyncIterator[Sequence[FiledFlight]]) -> Sequence[FiledFlight]:
    try:
        return await anext(pages)
    except StopAsyncIteration:
        return ()
